package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// archive is a fileset in a tar file, which may be compressed. It knows where each file
// begins, and reads what gzip compressed from the last waypoint before that. What is
// compressed otherwise can be begun at its beginning alone: streams that were read to
// some place go on from there.
type archive struct {
	file   readerAtCloser
	format format
	at     map[string]archived
	broken bool    // it ended early: files may stand behind that
	rest   int64   // where something stands behind its end; 0: nothing does
	older  []named // files under whose names others stand
	extra  extra
	ways   waypoints
	idle   idle[*stream]
}

type readerAtCloser interface {
	io.ReaderAt
	io.Closer
}

type archived struct {
	offset, size int64  // of its content, uncompressed
	nth          int    // which of the archive's headers is its own
	sparse       bool   // its content is not kept as it is
	link         string // another name
}

// named is a file with its name.
type named struct {
	name string
	archived
}

// openArchive finds out what is in a tar file.
func openArchive(ctx context.Context, name string) (*archive, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	a, err := newArchive(ctx, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return a, nil
}

func newArchive(ctx context.Context, f readerAtCloser) (*archive, error) {
	head := make([]byte, formatHead)
	n, _ := f.ReadAt(head, 0) // of less there is no archive
	a := &archive{file: f, format: formatOf(head[:n]), at: map[string]archived{}}
	if a.format == formatPlain { // what is between headers is not read
		s := &seekable{s: a.bytes(0)}
		s.r = s.s
		heads := &headers{r: s}
		return a, a.index(ctx, &blocks{heads: heads}, sought{heads, s}, func() {})
	}
	s, err := a.stream(waypoint{}, a.extra.beside)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	heads := &headers{r: s}
	return a, a.index(ctx, &blocks{heads: heads}, heads, func() { a.ways.note(s) })
}

// sought are headers between which is not read.
type sought struct {
	*headers
	s io.Seeker
}

// Seek implements io.Seeker.
func (s sought) Seek(offset int64, whence int) (int64, error) {
	at, err := s.s.Seek(offset, whence)
	if err == nil {
		s.at = at
	}
	return at, err
}

// counted tells how much was read.
type counted struct {
	r  io.Reader
	at int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.at += int64(n)
	return n, err
}

// seekable is counted that can seek.
type seekable struct {
	counted
	s io.ReadSeeker
}

func (c *seekable) Seek(offset int64, whence int) (int64, error) {
	at, err := c.s.Seek(offset, whence)
	if err == nil {
		c.at = at
	}
	return at, err
}

// index notes where every file begins, and what stands beside the files; pass is told
// when a header was read.
func (a *archive) index(ctx context.Context, b *blocks, r io.Reader, pass func()) error {
	t := tar.NewReader(r)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, heads, err := b.next(t, n)
		a.extra.text(b.pad.text)
		switch {
		case errors.Is(err, io.EOF): // of which a block of zeros tells
			a.broken = n > 0 && b.heads.at <= upToBlock(b.end)
			a.behind(r, b)
			return nil
		case err != nil && n > 0: // what is there is read
			a.broken = true
			a.extra.text(b.heads.kept)
			return nil
		case err != nil:
			return errNoTar
		}
		m := memberOf(h)
		if b.slack(heads, h, &m); !m.sparse {
			b.end = b.heads.at + m.size
		}
		a.extra.texts(m.header, m.attributes, []byte(m.target))
		e := archived{offset: b.heads.at, size: h.Size, nth: n, sparse: m.sparse}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse:
			pass()
		case tar.TypeSymlink:
			e.link = path.Join(path.Dir(cleaned(h.Name)), h.Linkname)
		case tar.TypeLink:
			e.link = cleaned(h.Linkname)
		default:
			a.extra.text([]byte(h.Name))
			continue
		}
		a.put(cleaned(h.Name), e)
	}
}

// put notes a file. What stood under its name before is no file of the image any more.
func (a *archive) put(name string, e archived) {
	if old, has := a.at[name]; has && old.link == "" && old.size > 0 {
		a.older = append(a.older, named{name, old})
	}
	a.at[name] = e
}

// behind looks for what stands behind the archive's end.
func (a *archive) behind(r io.Reader, b *blocks) {
	room := make([]byte, aheadBytes)
	for {
		n, err := r.Read(room)
		if zeros := n - len(bytes.TrimLeft(room[:n], "\x00")); zeros < n {
			a.rest = b.heads.at - int64(n-zeros)
			return
		}
		if err != nil {
			a.broken = a.broken || !errors.Is(err, io.EOF)
			return
		}
	}
}

// bytes are those of the file, from a place on.
func (a *archive) bytes(from int64) *io.SectionReader {
	return io.NewSectionReader(a.file, from, 1<<62-from)
}

// find is where a file is, behind links.
func (a *archive) find(name string) (archived, bool) {
	e, has := a.at[cleaned(name)]
	for links := maxLinks; has && e.link != "" && links > 0; links-- {
		e, has = a.at[cleaned(e.link)]
	}
	return e, has && e.link == ""
}

func (a *archive) has(name string) bool {
	_, has := a.find(name)
	return has
}

func (a *archive) open(name string) (io.ReadCloser, int64, error) {
	e, has := a.find(name)
	if !has {
		return nil, 0, fs.ErrNotExist
	}
	rc, err := a.openAt(e)
	return rc, e.size, err
}

// openAt opens a file where it stands; of a size below 0, all that is there.
func (a *archive) openAt(e archived) (io.ReadCloser, error) {
	if a.format == formatPlain && !e.sparse {
		return io.NopCloser(exactly(a.bytes(e.offset), e.size)), nil
	}
	in, err := a.streamTo(e)
	if err != nil {
		return nil, err
	}
	r, err := e.in(in)
	if err != nil {
		return nil, errors.Join(damaged(err), in.Close())
	}
	return within{r, closing(func() error { return a.back(in) })}, nil
}

// back keeps a stream for others, unless it cannot be read further.
func (a *archive) back(s *stream) error {
	if s.failed {
		return s.Close()
	}
	a.idle.give(s)
	return nil
}

// streamTo is a stream that stands before a file.
func (a *archive) streamTo(e archived) (*stream, error) {
	if e.sparse {
		return a.stream(waypoint{}, nil)
	}
	from := a.ways.before(e.offset)
	if s, has := a.idle.take(func(s *stream) (int64, bool) { return s.at, s.at >= from.plain && s.at <= e.offset }); has {
		return s, nil
	}
	return a.stream(from, nil)
}

// place is where a file stands in an archive that is best read in its order; 0: it does
// not matter.
func (a *archive) place(name string) int64 {
	if e, has := a.find(name); has && a.format != formatPlain && a.format != formatGzip {
		return e.offset
	}
	return 0
}

// in is a file's content in the stream of its archive, which stands before it.
func (e archived) in(s *stream) (io.Reader, error) {
	if e.sparse {
		if e.size > maxHoles {
			return nil, errHoles
		}
		t := tar.NewReader(s)
		for range e.nth + 1 {
			if _, err := t.Next(); err != nil {
				return nil, err
			}
		}
		return t, nil
	}
	_, err := io.CopyN(io.Discard, s, e.offset-s.at)
	return exactly(s, e.size), err
}

// exactly reads so many bytes; fewer are an error. Below 0: whatever there is.
func exactly(r io.Reader, size int64) io.Reader {
	if size < 0 {
		return r
	}
	return &exact{r, size}
}

type exact struct {
	r    io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	if e.left -= int64(n); errors.Is(err, io.EOF) && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// within is a file of a stream.
type within struct {
	io.Reader
	io.Closer
}

type closing func() error

func (c closing) Close() error { return c() }

func (a *archive) names(below string) (out []string, err error) {
	for name := range a.at {
		if a.at[name].link == "" && (below == "." || strings.HasPrefix(name, below+"/")) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (a *archive) close() error {
	a.idle.close()
	return a.file.Close()
}
