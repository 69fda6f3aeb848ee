package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Marks of the OCI image specification, "Whiteouts".
const (
	whiteoutMark = ".wh."
	opaqueMark   = ".wh..wh..opq"
	aufsMark     = ".wh..wh." // AUFS's own files, which no runtime shows
)

// member is an entry of a layer as it was met.
type member struct {
	entry
	number int // in the layer, from 0; behindEnd: no entry
	size   int64
	sparse bool // it has holes; its content may be handed over without them
	// attributes are the records that stand beside an entry's name: extended
	// attributes and comments, a line each. Of what is behind where an archive is
	// damaged it is the bytes that were read as headers, and are none.
	attributes []byte
	header     []byte // what its headers hold beside that, a line each; see slack
}

// part is what stands beside an entry's content.
func (m member) part(of string) []byte {
	if of == headerPart {
		return m.header
	}
	return m.attributes
}

// behindEnd stands for the number of what is behind an archive's end,
// or behind where it is damaged.
const behindEnd = -1

// wholeLayer stands for a layer that is one content, and no archive.
const wholeLayer = -2

// errNoTar: what was uncompressed is no tar archive.
var errNoTar = errors.New("no tar archive")

// walker goes through a layer's entries, in their order.
type walker struct {
	blocks
	layer  io.Closer // as it is kept
	un     *telling
	in     *bufio.Reader
	tar    *tar.Reader
	number int    // of the entry that comes
	last   member // the one before
	behind bool   // the archive ended: what comes is not part of it
	sparse int64  // bytes of files with holes, as their headers have it
	holes  int64  // bytes of holes that were passed over
	failed error  // why it ended early
}

// newWalker reads a layer from its beginning. It owns rc. Reading fails once done is
// closed.
func newWalker(rc io.ReadCloser, done <-chan struct{}, b beside) (*walker, error) {
	un, err := decompressed(stoppable{rc, done}, b)
	if err != nil {
		return nil, errors.Join(damaged(err), rc.Close())
	}
	t := &telling{r: un}
	in := bufio.NewReaderSize(t, 64<<10)
	heads := &headers{r: in}
	return &walker{blocks: blocks{heads: heads}, layer: rc, un: t, in: in, tar: tar.NewReader(heads)}, nil
}

// headers keeps what is read as an entry's headers, the newest of it: where those are
// damaged nobody else has them.
type headers struct {
	r       io.Reader
	at      int64 // bytes that were read
	from    int64 // where those begin that are to be kept
	keeping bool
	kept    []byte
	lost    bool // there were more than are kept
	ever    bool // of some entry
}

// keptHeaders is how long headers may be, names and records of pax included.
const keptHeaders = 2 << 20

// headersOverlap is how much of what stands behind damaged headers is searched with
// them, too.
const headersOverlap = 4 << 10

func (h *headers) keep(from int64) { h.kept, h.keeping, h.from, h.lost = h.kept[:0], true, from, false }

// Read implements io.Reader.
func (h *headers) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	if h.at += int64(n); h.keeping && h.at > h.from {
		h.kept = append(h.kept, p[max(0, n-int(h.at-h.from)):n]...)
		if over := len(h.kept) - keptHeaders; over > keptHeaders {
			h.kept, h.lost, h.ever = append(h.kept[:0], h.kept[over:]...), true, true
		}
	}
	return n, err
}

func (w *walker) close() error { return errors.Join(w.un.r.Close(), w.layer.Close()) }

// telling keeps the error of a reader, to tell it from those of what reads from it.
type telling struct {
	r      io.ReadCloser
	failed error
	sum    hash.Hash // of what was read, without what stands behind a compressed stream; nil: nobody asks
}

func (t *telling) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		t.failed = err
	}
	if t.sum != nil {
		if packed, is := t.r.(interface{ behind() bool }); !is || !packed.behind() {
			t.sum.Write(p[:n])
		}
	}
	return n, err
}

// stoppable is a reader that fails when it is time to stop.
type stoppable struct {
	r    io.Reader
	done <-chan struct{}
}

func (s stoppable) Read(p []byte) (int, error) {
	select {
	case <-s.done:
		return 0, context.Canceled
	default:
		return s.r.Read(p)
	}
}

// next is the coming entry, with its content, which ends when next is called
// again. What is behind the end of the archive, or behind where it is damaged, is a
// member without a name and the last one. The error is io.EOF, or tells why it ended
// early.
func (w *walker) next() (member, io.Reader, error) {
	if w.behind {
		return member{}, nil, cmp.Or(w.failed, io.EOF)
	}
	if !w.last.sparse {
		_, _ = io.Copy(io.Discard, w.tar) // so that it is no header's; what fails fails again
		w.end = w.heads.at
	}
	h, heads, err := w.blocks.next(w.tar, w.number)
	if err == nil {
		m := memberOf(h)
		w.slack(heads, h, &m)
		m.number, w.last = w.number, m
		w.number++
		if m.sparse {
			if w.sparse += min(m.size, wholeSparse+1); w.sparse > wholeSparse {
				return m, &holeless{r: w.tar, passed: &w.holes}, nil
			}
		}
		return m, w.tar, nil
	}
	w.behind = true
	switch broken := w.un.failed; {
	case w.number == 0 && !errors.Is(err, io.EOF):
		w.failed = errNoTar
	case broken != nil:
		w.failed = damaged(broken)
	case errors.Is(err, io.EOF):
	default:
		w.failed = damaged(err)
	}
	if w.failed == errNoTar { //nolint:errorlint // it was just set
		return member{}, nil, w.failed
	}
	return w.ending()
}

// ending is what stands behind an archive's end, or behind where it is damaged.
func (w *walker) ending() (member, io.Reader, error) {
	m, body, err := member{}, io.Reader(nil), w.failed
	if w.un.failed == nil {
		m, body, err = w.rest()
	}
	if lost := bytes.TrimLeft(w.heads.kept, "\x00"); w.failed != nil && len(lost) > 0 {
		if err != nil {
			m, body = member{entry: entry{kind: kindFile}, number: behindEnd}, bytes.NewReader(nil)
		}
		goesOn, _ := w.in.Peek(headersOverlap) // a value may
		m.attributes, err = slices.Concat(lost, goesOn), nil
	}
	return m, body, err
}

// damaged leaves the text of an error out: it may repeat what was read.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the layer breaks off", Size: -1}
	}
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return skip
	}
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the layer is damaged", Size: -1}
}

// rest is what stands behind an archive, unless it is zeros.
func (w *walker) rest() (member, io.Reader, error) {
	for {
		if _, err := w.in.Peek(1); err != nil {
			if !errors.Is(err, io.EOF) {
				w.failed = damaged(err)
			}
			return member{}, nil, cmp.Or(w.failed, io.EOF)
		}
		some, _ := w.in.Peek(w.in.Buffered())
		zeros := len(some) - len(bytes.TrimLeft(some, "\x00"))
		_, _ = w.in.Discard(zeros)
		if zeros < len(some) {
			return member{entry: entry{kind: kindFile}, number: behindEnd, size: -1}, w.in, nil
		}
	}
}

// ordinaryOwner is how long names of owners may be that hold nothing.
const ordinaryOwner = 7

func memberOf(h *tar.Header) member {
	m := member{entry: entryOf(h), size: h.Size, sparse: sparse(h)}
	for _, owner := range []string{h.Uname, h.Gname} {
		if len(owner) > ordinaryOwner {
			m.attributes = fmt.Appendf(m.attributes, "owner=%s\n", owner)
		}
	}
	switch h.Typeflag { // no content follows, whatever the size says
	case tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeDir, tar.TypeFifo:
		m.size = 0
	}
	if len(h.PAXRecords) > 0 {
		for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
			switch key {
			case "path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime", "atime", "ctime":
			default:
				m.attributes = fmt.Appendf(m.attributes, "%s=%s\n", key, h.PAXRecords[key])
			}
		}
	}
	return m
}

// entryOf reads a header's name and what it is.
func entryOf(h *tar.Header) entry {
	name := cleaned(h.Name)
	dir, base := path.Split(name)
	dir = strings.Trim(dir, "/")
	switch {
	case base == opaqueMark:
		return entry{name: dir, kind: kindOpaque}
	case strings.HasPrefix(base, aufsMark):
		return entry{name: name, kind: kindOther}
	case strings.HasPrefix(base, whiteoutMark) && len(base) > len(whiteoutMark):
		return entry{name: path.Join(dir, base[len(whiteoutMark):]), kind: kindWhiteout}
	}
	switch h.Typeflag {
	case tar.TypeReg, '\x00', tar.TypeCont, tar.TypeGNUSparse:
		return entry{name: name, kind: kindFile}
	case tar.TypeDir:
		return entry{name: name, kind: kindDir}
	case tar.TypeSymlink:
		return entry{name: name, kind: kindSymlink, target: h.Linkname}
	case tar.TypeLink:
		return entry{name: name, kind: kindHardlink, target: cleaned(h.Linkname)}
	}
	return entry{name: name, kind: kindOther}
}

// path is the entry's name as its layer has it.
func (e entry) path() string {
	switch e.kind {
	case kindWhiteout:
		dir, base := path.Split(e.name)
		return dir + whiteoutMark + base
	case kindOpaque:
		return path.Join(e.name, opaqueMark)
	case kindFile, kindDir, kindSymlink, kindHardlink, kindOther:
	}
	return e.name
}

// cleaned is a name below the root, without a slash at either end, whatever it
// says of folders above.
func cleaned(name string) string {
	return strings.Trim(path.Clean("/"+name), "/")
}
