package archives

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/bodgit/sevenzip"
)

// sevenZip visits the members of a 7z, whose header is judged first: the library
// allocates what a header claims.
func (e *container) sevenZip(ctx context.Context) error {
	if err := judge7z(e.at, e.size); err != nil {
		e.w.skip(e.content.Path, detail(err))
		return nil
	}
	at := &countedAt{at: e.at}
	z, err := sevenzip.NewReader(at, e.size)
	if err != nil {
		e.w.skip(e.content.Path, errDamaged.Error())
		return nil
	}
	e.packed = true
	cut := map[int]bool{} // folders that were not read to a member's end
	for _, m := range z.File {
		before := len(e.stored)
		goOn, err := e.member7z(ctx, m, at, cut)
		e.stored = e.stored[:before]
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// member7z visits one member. Behind one that was not read to its end the rest
// of its folder is left, for the library would unpack all of it to get there.
func (e *container) member7z(ctx context.Context, m *sevenzip.File, at *countedAt, cut map[int]bool) (bool, error) {
	read := at.n.Load()
	f := file{name: m.Name, in: &read}
	empty := m.UncompressedSize == 0
	if cut[m.Stream] && !empty {
		f.r = failing{errRatio}
		return e.member(ctx, f)
	}
	r, err := m.Open()
	if err != nil {
		cut[m.Stream] = true
		f.r = failing{errDamaged}
		return e.member(ctx, f)
	}
	l := &last{r: r, at: at, read: &read}
	f.r = l
	goOn, err := e.member(ctx, f)
	_ = r.Close()
	if !empty && !l.ended {
		cut[m.Stream] = true
	}
	return goOn, err
}

// last knows whether a reader came to its end.
type last struct {
	r     io.Reader
	at    *countedAt
	read  *int64
	ended bool
}

func (l *last) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	*l.read = l.at.n.Load()
	l.ended = l.ended || errors.Is(err, io.EOF)
	return n, err
}

// countedAt counts what is read of a 7z.
type countedAt struct {
	at io.ReaderAt
	n  atomic.Int64
}

func (c *countedAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.at.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}
