package archives

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"slices"

	"revenant/scanners/inflate"
)

// Nothing but the member stands in the deflated data that it was read from and
// checked by its sum, and the member was searched. In its container the data reads
// as zeros, which cost next to nothing and look like nothing.

// leastOpaque is how long such a stretch is for it to pay.
const leastOpaque = 1 << 10

// blanked is a container's reader with zeros for the stretches of members.
type blanked struct {
	r     io.Reader
	at    int64
	parts []extent // in order
}

// blank returns the container's reader without what is opaque in it, and without the
// members that stand in it as they are.
func (e *container) blank(r io.Reader) io.Reader {
	parts := slices.DeleteFunc(append(e.opaque, e.stored...), func(x extent) bool { return x.end-x.start < leastOpaque })
	if len(parts) == 0 {
		return r
	}
	slices.SortFunc(parts, func(a, b extent) int { return cmp.Compare(a.start, b.start) })
	return &blanked{r: r, parts: parts}
}

func (b *blanked) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	end := b.at + int64(n)
	for len(b.parts) > 0 {
		x := b.parts[0]
		if from, to := max(x.start, b.at), min(x.end, end); from < to {
			clear(p[from-b.at : to-b.at])
		}
		if x.end > end {
			break
		}
		b.parts = b.parts[1:]
	}
	b.at = end
	return n, err
}

// gunzip reads the members of a gzip stream, and says where their data stands;
// their headers may hold names and comments.
type gunzip struct {
	in    *counted
	b     *bufio.Reader
	z     *inflate.Gzip
	from  int64 // where the data of the member at hand begins
	some  bool
	parts []extent
}

// gunzip begins to read a stream, with memory that served another.
func (x *Expander) gunzip(in *counted) (*gunzip, error) {
	g, _ := x.unzips.Get().(*gunzip)
	if g == nil {
		g = &gunzip{b: bufio.NewReaderSize(nil, streamBuffer), z: &inflate.Gzip{}}
	}
	g.b.Reset(in)
	*g = gunzip{in: in, b: g.b, z: g.z}
	if err := g.z.Reset(g.b); err != nil {
		x.leave(g)
		return nil, err //nolint:wrapcheck // detail says what went wrong
	}
	g.from = g.place()
	return g, nil
}

// leave keeps the memory of a stream that nobody reads any more, and nothing else of it.
func (x *Expander) leave(g *gunzip) {
	g.b.Reset(nil)
	*g = gunzip{b: g.b, z: g.z}
	x.unzips.Put(g)
}

// place is how much of the container was read.
func (g *gunzip) place() int64 { return g.in.n - int64(g.b.Buffered()) }

func (g *gunzip) Read(p []byte) (int, error) {
	for {
		n, err := g.z.Read(p)
		g.some = g.some || n > 0
		if !errors.Is(err, io.EOF) {
			return n, err //nolint:wrapcheck // as above
		}
		g.parts = append(g.parts, extent{g.from, g.place() - inflate.GzipTrailer})
		if err = g.next(); err != nil || n > 0 {
			return n, err
		}
	}
}

// next begins the next member. What is none is forgiven as tail does.
func (g *gunzip) next() error {
	err := g.z.Reset(g.b)
	g.from = g.place()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, inflate.ErrHeader) && g.some:
		return io.EOF
	}
	return err //nolint:wrapcheck // as above
}
