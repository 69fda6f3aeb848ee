package image

import (
	"bytes"
	"context"
	"errors"
	"io"

	"revenant/fingerprints"
	"revenant/scanners"
)

// readAtOnce is up to how long files are read before their walker is given back.
const readAtOnce = 4 << 20

// shelf reads held files again, from their layers. Files of a layer are asked for in
// about their order: a walker that stands before a file is used again for it, so that
// a layer is not read from its beginning for each. Safe for concurrent use.
type shelf struct{ idle idle[*lent] }

// lent is a walker that several files are read by, one after the other.
type lent struct {
	*walker
	layer string
	// cancel stops what reads the layer. The context that a walker is opened with
	// must not be that of a file: it ends before the walker does.
	cancel context.CancelFunc
	bound  func() bool // ends that the context of the file at hand stops it
}

// use lets a file's context stop the walker.
func (l *lent) use(ctx context.Context) { l.bound = context.AfterFunc(ctx, l.cancel) }

func (l *lent) end() {
	l.cancel()
	_ = l.close() // it was read as far as was wanted
}

// before reports whether a held file can be reached.
func (l *lent) before(h heldFile) bool {
	return uint(l.number) <= uint(h.Entry) || h.Part != "" && l.number == h.Entry+1
}

// take is a walker of a layer that stands before a held file; nil: there is none.
func (s *shelf) take(ctx context.Context, layer string, h heldFile) *lent {
	l, has := s.idle.take(func(l *lent) (int64, bool) { return int64(l.number), l.layer == layer && l.before(h) })
	if !has {
		return nil
	}
	l.use(ctx)
	return l
}

// give puts a walker on the shelf, unless it cannot be read further.
func (s *shelf) give(l *lent) {
	if stopped := !l.bound(); stopped || l.behind || l.un.failed != nil {
		l.end()
		return
	}
	s.idle.give(l)
}

func (s *shelf) close() { s.idle.close() }

// open opens a held file.
func (s *shelf) open(ctx context.Context, b blob, h heldFile) (io.ReadCloser, error) {
	switch {
	case h.data != nil:
		return io.NopCloser(bytes.NewReader(h.data)), nil
	case h.Entry == besideStream:
		return openBeside(ctx, b, h)
	case h.Entry == wholeLayer:
		rc, err := b.open(ctx)
		if err != nil {
			return nil, asSkip(err)
		}
		return rc, nil
	}
	r := &reading{shelf: s, find: func(again bool) (*lent, io.Reader, error) { return s.find(ctx, b, h, again) }}
	if err := r.begin(false); err != nil {
		return nil, err
	}
	if h.Size < 0 || h.Size > readAtOnce {
		return r, nil
	}
	data, err := io.ReadAll(r)
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// find goes to a held file; from the beginning of its layer, if a walker does not get
// there: a server hangs up on who reads nothing for long. Once only when it is said
// to be asked again.
func (s *shelf) find(ctx context.Context, b blob, h heldFile, again bool) (*lent, io.Reader, error) {
	if !again {
		l := s.take(ctx, b.digest, h)
		if l == nil {
			var err error
			if l, err = begin(ctx, b); err != nil {
				return nil, nil, err
			}
		}
		body, err := l.to(ctx, h)
		if err == nil {
			return l, body, nil
		}
		l.end()
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	l, err := begin(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	body, err := l.to(ctx, h)
	if err != nil {
		l.end()
		return nil, nil, err
	}
	return l, body, nil
}

// begin opens a layer.
func begin(ctx context.Context, b blob) (*lent, error) {
	whole, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &lent{layer: b.digest, cancel: cancel}
	l.use(ctx)
	rc, err := b.open(whole)
	if err == nil {
		l.walker, err = newWalker(rc, whole.Done(), nil)
	}
	if err != nil {
		cancel()
		if ctx.Err() != nil { // that is why
			return nil, ctx.Err()
		}
		return nil, asSkip(err)
	}
	return l, nil
}

// to walks to a held file.
func (l *lent) to(ctx context.Context, h heldFile) (io.Reader, error) {
	beside := h.Part == attributesPart || h.Part == headerPart
	if beside && h.Entry >= 0 && l.number == h.Entry+1 {
		return bytes.NewReader(l.last.part(h.Part)), nil
	}
	for {
		m, body, err := l.next()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case h.Part == paddingPart && len(l.pad.text) > 0 && l.pad.number == h.Entry:
			return bytes.NewReader(bytes.Clone(l.pad.text)), nil
		case errors.Is(err, io.EOF):
			return nil, errChanged
		case err != nil:
			return nil, asSkip(err)
		case m.number != h.Entry, h.Part == paddingPart: // which comes with the next
		case beside:
			return bytes.NewReader(m.part(h.Part)), nil
		case m.target != "":
			return bytes.NewReader([]byte(m.target)), nil
		default:
			return body, nil
		}
	}
}

var errChanged = &scanners.SkipError{Reason: fingerprints.SkipChanging, Detail: "the layer is not what it was", Size: -1}

// reading is a held file that is read from its layer.
type reading struct {
	shelf *shelf
	find  func(again bool) (*lent, io.Reader, error)

	walker *lent // nil: it was given back
	body   io.Reader
	read   int64
	again  bool // it is the second walker
	failed error
}

func (r *reading) begin(again bool) (err error) {
	r.again = again
	r.walker, r.body, err = r.find(again)
	return err
}

// Read goes on with another walker, once, if the one at hand breaks off.
func (r *reading) Read(p []byte) (int, error) {
	if r.failed != nil {
		return 0, r.failed
	}
	n, err := r.body.Read(p)
	r.read += int64(n)
	if err == nil || errors.Is(err, io.EOF) || r.again {
		return n, readError(err)
	}
	r.walker.end()
	r.walker = nil
	if r.failed = r.begin(true); r.failed == nil {
		_, err := io.CopyN(io.Discard, r.body, r.read)
		r.failed = readError(err)
	}
	return n, nil
}

// readError leaves the text of an error out.
func readError(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return damaged(err)
}

// Close gives the walker back.
func (r *reading) Close() error {
	if r.walker != nil {
		r.shelf.give(r.walker)
		r.walker = nil
	}
	return nil
}

// asSkip says how a content is listed that cannot be opened.
func asSkip(err error) error {
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return skip
	}
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the layer cannot be read", Size: -1}
}
