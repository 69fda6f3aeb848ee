package scanners

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// startMost is how long contents are that Start reads: longer ones are worth more than
// one core by themselves.
const startMost = 1 << 20

// Started is a content that was read and is looked at while its caller goes on.
type Started struct {
	e    *Engine
	path string
	room *[]byte // what was read
	rest io.Reader
	s    scan
	p    piece
	task *Task // nil: the content is long
}

// Start is the first half of Engine.Scan, for contents of which many are read one after
// the other. It reads one to its end, and has the crew look at it. Of a long one only the
// beginning is read: see Long. Every Started must be finished or dropped.
func (c *Crew) Start(ctx context.Context, r io.Reader, path string) *Started {
	e := c.e
	t := &Started{e: e, path: path}
	if t.room, _ = e.rooms.Get().(*[]byte); t.room == nil {
		t.room = new([]byte)
	}
	most := startMost
	if e.ChunkSize > 0 {
		most = min(most, e.ChunkSize)
	}
	in := &feed{r: r}
	readErr := t.read(in, most+1)
	if len(*t.room) > most {
		t.rest = in
		return t
	}
	t.s = scan{e: e, path: path, overlap: e.overlap()}
	t.p = piece{
		chunk: Chunk{Data: (*t.room)[:len(*t.room):len(*t.room)], Path: path, Final: true},
		line:  1, column: 1, readErr: readErr,
	}
	t.task = c.Do(func() { t.p.look(ctx, &t.s) })
	return t
}

// read fills the room up to most bytes. The end of what is read is no error.
func (t *Started) read(in *feed, most int) error {
	b := (*t.room)[:0]
	defer func() { *t.room = b }()
	for len(b) < most {
		if len(b) == cap(b) {
			next := make([]byte, len(b), min(most, max(firstBuffer, 2*cap(b))))
			copy(next, b)
			b = next
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Size is how many bytes were read so far.
func (t *Started) Size() int { return len(*t.room) }

// Long reports whether the content was not read to its end: Finish reads the rest.
func (t *Started) Long() bool { return t.rest != nil }

// Finish is the second half of Scan: it waits for what was begun, and calls emit as Scan
// does. What a matcher panicked with it panics with.
func (t *Started) Finish(ctx context.Context, emit func(Window) error) (int64, error) {
	defer t.release()
	if t.rest != nil {
		return t.e.Scan(ctx, io.MultiReader(bytes.NewReader(*t.room), t.rest), t.path, emit)
	}
	t.task.Wait()
	return int64(t.Size()), t.p.give(ctx, emit)
}

// Drop forgets the content, once nobody looks at it any more.
func (t *Started) Drop() {
	if t.task != nil {
		t.task.Drop()
	}
	t.release()
}

func (t *Started) release() { t.e.rooms.Put(t.room) }
