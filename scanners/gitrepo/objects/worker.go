package objects

import (
	"context"
	"errors"
	"io"
)

// walker is one goroutine of a walk.
type walker struct {
	t      *tour
	r      *reader
	worker int
	report Report
	stack  []frame
	pieces []Piece
	obj    Object
	delta  Delta
	lane   bool
}

// rootBatch is how many roots a worker takes at once.
const rootBatch = 16

func (k *walker) run(ctx context.Context) error {
	roots := k.t.roots
	for {
		from := int(k.t.nextRoot.Add(rootBatch)) - rootBatch
		if from >= len(roots) {
			break
		}
		for _, n := range roots[from:min(from+rootBatch, len(roots))] {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			err := k.family(ctx, n)
			k.leaveLane()
			if err != nil {
				return err
			}
		}
	}
	for {
		n := int(k.t.nextLost.Add(1)) - 1
		if n >= len(k.t.lost) {
			break
		}
		if err := k.lostPack(ctx, k.t.lost[n]); err != nil {
			return err
		}
	}
	for {
		n := int(k.t.nextLoose.Add(1)) - 1
		if n >= len(k.t.loose) {
			return nil
		}
		if err := k.looseFolder(ctx, k.t.loose[n]); err != nil {
			return err
		}
	}
}

// largeObject is the size from which only one worker holds such objects.
const largeObject = 8 << 20

// enterLane waits until no other worker has large objects in memory.
func (k *walker) enterLane(ctx context.Context, size int64) error {
	if k.lane || size < largeObject {
		return nil
	}
	select {
	case k.t.lane <- struct{}{}:
		k.lane = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (k *walker) leaveLane() {
	if k.lane {
		<-k.t.lane
		k.lane = false
	}
}

// show calls Visit with what was read.
func (k *walker) show(ctx context.Context, id ID, kind Kind, data []byte, p *pack, d *Delta) (any, error) {
	k.obj = Object{ID: id, Kind: kind, Size: int64(len(data)), Data: data, Delta: d}
	if data == nil {
		k.obj.Data = []byte{}
	}
	if p != nil {
		k.obj.Pack = p.name
	}
	state, err := k.t.w.Visit(ctx, k.worker, &k.obj)
	if err == nil {
		k.report.Objects++
		k.report.Bytes += int64(len(data))
	}
	return state, err
}

// showStream calls Visit with a content that is read bit by bit. It reports
// whether the content was sound, as far as it was read.
func (k *walker) showStream(ctx context.Context, id ID, st *stream, p *pack) (Reason, error) {
	defer st.Close()
	tr := &tracked{r: st}
	k.obj = Object{ID: id, Kind: st.kind, Size: st.size, Stream: tr}
	if p != nil {
		k.obj.Pack = p.name
	}
	_, err := k.t.w.Visit(ctx, k.worker, &k.obj)
	if tr.err != nil && (err == nil || errors.Is(err, tr.err)) {
		return ReasonOf(tr.err), nil
	}
	if err == nil {
		k.report.Objects++
		k.report.Bytes += st.size
	}
	return "", err
}

// tracked remembers the error that a content ended with.
type tracked struct {
	r   io.Reader
	err error
}

func (t *tracked) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}
