package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"
)

// object is one object of a store. data is borrowed; where it is nil the object
// is too large to be held.
type object struct {
	id   oid
	kind string // commit, tree, blob, tag
	size int64
	data []byte
}

// store is where a repository's objects lie.
type store interface {
	// each calls visit for every object, reachable or not, once, from at most
	// so many goroutines. lost is called for what cannot be read.
	each(ctx context.Context, workers int, visit func(context.Context, object) error, lost func(id oid, why string)) error
	// get reads one object of a kind; it fails for objects over maxHeld.
	get(ctx context.Context, id oid, kind string) ([]byte, error)
	// stream reads one blob of any size.
	stream(ctx context.Context, id oid) (io.ReadCloser, error)
	close() error
}

// maxHeld is the size up to which an object is held in memory at once.
const maxHeld = 64 << 20

var errMissing = errors.New("the object is missing")

// catFile is a store behind git cat-file: slow, and right by definition.
type catFile struct {
	r   *repo
	mu  sync.Mutex
	on  *exec.Cmd // a batch that answers get
	in  io.WriteCloser
	out *bufio.Reader
}

func newCatFile(r *repo) *catFile { return &catFile{r: r} }

// each implements store.
func (s *catFile) each(ctx context.Context, workers int, visit func(context.Context, object) error, lost func(id oid, why string)) error {
	outer, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(outer)
	c := s.r.command(outer, "cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer")
	pipe, err := c.StdoutPipe()
	if err != nil {
		return wrapRead(err)
	}
	if err := c.Start(); err != nil {
		return wrapRead(gitError(ctx, err))
	}
	objects := make(chan *held)
	free := sync.Pool{New: func() any { return new(held) }}
	g.Go(func() error {
		defer close(objects)
		out := bufio.NewReaderSize(pipe, 1<<20)
		for {
			h, _ := free.Get().(*held)
			var has bool
			var err error
			if h.object, has, err = nextObject(out, &h.buf); err != nil || !has {
				return err
			}
			select {
			case objects <- h:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	for range workers {
		g.Go(func() error {
			for h := range objects {
				if h.kind == "missing" {
					lost(h.id, errMissing.Error())
				} else if err := visit(ctx, h.object); err != nil {
					return err
				}
				free.Put(h)
			}
			return nil
		})
	}
	if err = g.Wait(); err != nil {
		cancel()
	}
	if waitErr := c.Wait(); err == nil && waitErr != nil {
		err = wrapRead(gitError(outer, waitErr))
	}
	return err
}

// held is an object on its way to a worker.
type held struct {
	object
	buf []byte
}

// nextObject reads one answer of cat-file --batch.
func nextObject(out *bufio.Reader, buf *[]byte) (o object, has bool, err error) {
	line, err := out.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		return o, false, nil
	}
	if err != nil {
		return o, false, fmt.Errorf("reading objects: %w", err)
	}
	f := bytes.Fields(line)
	if len(f) < 2 {
		return o, false, fmt.Errorf("reading objects: %w", ErrGit)
	}
	o.id, _ = parseOID(f[0])
	if o.kind = string(f[1]); o.kind == "missing" || len(f) < 3 {
		o.kind = "missing"
		return o, true, nil
	}
	if o.size, err = strconv.ParseInt(string(f[2]), 10, 64); err != nil || o.size < 0 {
		return o, false, fmt.Errorf("reading objects: %w", ErrGit)
	}
	if o.size > maxHeld {
		_, err = io.CopyN(io.Discard, out, o.size+1)
		return o, true, wrapRead(err)
	}
	if int64(cap(*buf)) < o.size {
		*buf = make([]byte, o.size+o.size/4)
	}
	o.data = (*buf)[:o.size:o.size]
	if _, err := io.ReadFull(out, o.data); err != nil {
		return o, false, wrapRead(err)
	}
	_, err = out.Discard(1)
	return o, true, wrapRead(err)
}

func wrapRead(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading objects: %w", err)
}

// get implements store.
func (s *catFile) get(ctx context.Context, id oid, kind string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on == nil {
		if err := s.start(); err != nil {
			return nil, err
		}
	}
	if _, err := io.WriteString(s.in, id.String()+"\n"); err != nil {
		return nil, fmt.Errorf("reading an object: %w", gitError(ctx, err))
	}
	var buf []byte
	o, has, err := nextObject(s.out, &buf)
	switch {
	case err != nil:
		return nil, err
	case !has || o.kind != kind || o.data == nil:
		return nil, errMissing
	}
	return o.data, nil
}

func (s *catFile) start() error {
	c := s.r.command(context.Background(), "cat-file", "--batch") //nolint:contextcheck // it outlives the call; close ends it
	in, err := c.StdinPipe()
	if err != nil {
		return wrapRead(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return wrapRead(err)
	}
	if err := c.Start(); err != nil {
		return wrapRead(err)
	}
	s.on, s.in, s.out = c, in, bufio.NewReaderSize(out, 256<<10)
	return nil
}

// stream implements store.
func (s *catFile) stream(ctx context.Context, id oid) (io.ReadCloser, error) {
	c := s.r.command(ctx, "cat-file", "blob", id.String())
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, wrapRead(err)
	}
	if err := c.Start(); err != nil {
		return nil, wrapRead(gitError(ctx, err))
	}
	return &streamed{ReadCloser: out, c: c}, nil
}

// streamed is a blob that git writes; what git says at its end counts.
type streamed struct {
	io.ReadCloser
	c     *exec.Cmd
	ended bool
}

// Read ends with an error where git failed.
func (s *streamed) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) && !s.ended {
		s.ended = true
		if werr := s.c.Wait(); werr != nil {
			return n, ErrGit
		}
	}
	return n, err
}

// Close ends git.
func (s *streamed) Close() error {
	err := s.ReadCloser.Close()
	if !s.ended {
		s.ended = true
		_ = s.c.Process.Kill()
		_ = s.c.Wait()
	}
	return err
}

// close implements store.
func (s *catFile) close() error {
	if s.on == nil {
		return nil
	}
	_ = s.in.Close()
	_ = s.on.Wait()
	s.on = nil
	return nil
}
