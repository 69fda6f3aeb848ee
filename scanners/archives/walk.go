package archives

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"revenant/fingerprints"
	"revenant/scanners/spool"
)

// Why something was not read. The texts are what a skip says.
var (
	errDamaged     = errors.New("damaged or cut short")
	errEncrypted   = errors.New("encrypted")
	errUnsupported = errors.New("the compression method is not supported")
	errRatio       = errors.New("expands beyond all proportion")
	errBytes       = errors.New("expands to more bytes than the bound allows")
	errEntries     = errors.New("has more entries than the bound allows")
	errTime        = errors.New("takes longer than the bound allows")
	errOverlap     = errors.New("entries overlap: not all of this one was read")
)

// maxSkips is how many skips of one item are listed; the rest are counted.
const maxSkips = 1000

// maxName is how long a member's name may be; longer ones are replaced whole,
// because half of a secret would not be recognised. Container bytes hold them.
const maxName = 4096

// walk is the expansion of one item.
type walk struct {
	x        *Expander
	v        Visitor
	memory   int64 // left for spools
	left     int64 // bytes that may still come out
	entries  int   // that may still come
	deadline time.Time
	number   int
	skips    int
	stop     error // a bound of the whole item was met
	item     string
}

// input is the bytes of a content.
type input struct {
	r     io.Reader
	at    io.ReaderAt // nil: must be spooled for random access
	size  int64       // of at
	limit int64       // of the spool
	as    kind        // what it is where its bytes do not tell; kindNone: they do
}

// container is a content being expanded.
type container struct {
	w       *walk
	content Content
	depth   int
	at      io.ReaderAt
	size    int64
	stored  []extent
	opaque  []extent // where the data of members stands that was decompressed
	packed  bool     // a member is compressed
	window  window
}

// content visits one content, and before it its members.
func (w *walk) content(ctx context.Context, c Content, depth int, in input) error {
	if depth == 0 {
		w.item = c.Path
	}
	room, _ := w.x.heads.Get().(*[headSize]byte)
	if room == nil {
		room = new([headSize]byte)
	}
	defer w.x.heads.Put(room) // whoever reads the content has read it by then
	var head []byte
	head, in.r = in.peek(room[:])
	k := cmp.Or(in.as, detect(head))
	if k == kindNone && maybeBrotli(c.Path, head) && isBrotli(head) {
		k = kindBrotli
	}
	maybeZip := k == kindNone && (in.at != nil || len(head) < headSize || program(head))
	if k == kindNone && !maybeZip {
		return w.visit(ctx, c, in.r)
	}
	if in.at == nil && len(head) < headSize { // it is all there
		in.at, in.size = bytes.NewReader(head), int64(len(head))
	}
	if k != kindNone && w.refused(c.Path, k, depth) {
		return w.visit(ctx, c, in.r)
	}
	if in.at == nil {
		s := spool.New(&w.memory)
		defer s.Close()
		in = w.spooled(s, in, c.Path, k)
	}
	if k == kindNone {
		if _, ok := w.x.findEnd(in.at, in.size); !ok || w.refused(c.Path, kindZip, depth) {
			return w.visit(ctx, c, in.r)
		}
		k = kindZip
	}
	return w.open(ctx, c, depth, in, k)
}

// findEnd is findEnd, with room that is used again.
func (x *Expander) findEnd(at io.ReaderAt, size int64) (zipDir, bool) {
	room, _ := x.tails.Get().(*[tailSize]byte)
	if room == nil {
		room = new([tailSize]byte)
	}
	defer x.tails.Put(room)
	return findEnd(at, size, room)
}

// open visits a container's members, and then the container.
func (w *walk) open(ctx context.Context, c Content, depth int, in input, k kind) error {
	e := &container{w: w, content: c, depth: depth, at: in.at, size: in.size}
	first := w.number + 1
	if err := e.expand(ctx, k); err != nil {
		return err
	}
	if w.number >= first {
		c.First, c.Packed = first, e.packed || k.stream()
	}
	c.stored = e.stored
	slices.SortFunc(c.stored, func(a, b extent) int { return cmp.Compare(a.start, b.start) })
	return w.visit(ctx, c, e.blank(in.r))
}

// spooled copies a content to where it can be read anywhere.
func (w *walk) spooled(s *spool.Spool, in input, path string, k kind) input {
	rest, err := s.Fill(in.r, in.limit)
	switch {
	case k == kindNone: // all of it is read later
	case err != nil:
		w.skip(path, noRoom)
	case rest == in.r:
		w.skip(path, "too large to be unpacked whole")
	}
	return input{r: io.MultiReader(io.NewSectionReader(s, 0, s.Size()), rest), at: s, size: s.Size()}
}

// refused lists a container that is not opened.
func (w *walk) refused(path string, k kind, depth int) bool {
	switch {
	case k.shows(): // a text is no depth, and opens nothing further
		return w.x.Limits.Depth <= 0
	case k != kindUnsupported && depth < w.x.Limits.Depth:
		return false
	}
	w.skip(path, refusal(k, w.x.Limits.Depth))
	return true
}

func refusal(k kind, depth int) string {
	switch {
	case k == kindUnsupported:
		return "the archive format is not supported"
	case depth <= 0:
		return "not opened: archives are switched off"
	}
	return "nested deeper than " + strconv.Itoa(depth)
}

// peek reads the head, and gives back a reader of the whole.
func (in input) peek(head []byte) ([]byte, io.Reader) {
	if in.at != nil {
		n, _ := in.at.ReadAt(head[:min(int64(len(head)), in.size)], 0)
		return head[:n], in.r
	}
	end := &ending{r: in.r}
	n, err := io.ReadFull(end, head)
	head = head[:n]
	switch {
	case err == nil:
		return head, io.MultiReader(bytes.NewReader(head), in.r)
	case errors.Is(end.err, io.EOF):
		return head, bytes.NewReader(head)
	case end.err != nil: // it may be what ReadFull says of a short one
		err = end.err
	}
	return head, io.MultiReader(bytes.NewReader(head), failing{err})
}

// ending keeps how a reader ended.
type ending struct {
	r   io.Reader
	err error
}

func (e *ending) Read(p []byte) (int, error) {
	var n int
	n, e.err = e.r.Read(p)
	return n, e.err
}

// failing is the end of a reader that failed.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (w *walk) visit(ctx context.Context, c Content, r io.Reader) error {
	w.number++
	c.Number = w.number
	return w.v.Content(ctx, c, r)
}

func (w *walk) skip(path, detail string) {
	w.skips++
	if w.skips <= maxSkips {
		w.v.Skip(fingerprints.Skip{Path: path, Reason: fingerprints.SkipArchive, Detail: detail, Size: -1})
	}
}

func (w *walk) endSkips() {
	if more := w.skips - maxSkips; more > 0 {
		w.v.Skip(fingerprints.Skip{
			Path: w.item, Reason: fingerprints.SkipArchive, Size: -1,
			Detail: "and " + strconv.Itoa(more) + others,
		})
	}
}

// expand visits a container's members. A library that fails on hostile bytes
// costs the rest of this container, not the scan.
func (e *container) expand(ctx context.Context, k kind) (err error) {
	defer func() {
		if recover() != nil {
			e.w.skip(e.content.Path, errDamaged.Error())
			err = ctx.Err()
		}
	}()
	switch {
	case k == kindZip:
		return e.zip(ctx)
	case k == kindTar:
		return e.tar(ctx)
	case k == kindAr:
		return e.ar(ctx)
	case k == kind7z:
		return e.sevenZip(ctx)
	case k == kindSQLite:
		return e.sqlite(ctx)
	case k == kindSQLiteWAL, k == kindSQLiteJournal:
		return e.sqliteLog(ctx, k == kindSQLiteJournal)
	case k == kindCompound:
		return e.compound(ctx)
	case k == kindCpio:
		return e.cpio(ctx)
	case k == kindRPM:
		return e.rpm(ctx)
	case k == kindPgDump:
		return e.pgDump(ctx)
	case k == kindRedis:
		return e.redis(ctx)
	case k == kindPgHeap:
		return e.pgHeap(ctx)
	case k == kindPack:
		return e.gitPack(ctx)
	case k == kindPDF:
		return e.pdf(ctx)
	case k == kindDocument:
		return e.document(ctx)
	case k == kindTexts:
		return e.texts(ctx)
	case k == kindMacro:
		return e.macro(ctx)
	}
	return e.stream(ctx, k)
}

// file is a member to be read.
type file struct {
	name  string
	r     io.Reader
	in    *int64          // bytes that were read of the container so far
	at    extent          // where it stands uncompressed; empty: nowhere
	from  func() []extent // where its data stands, once it was read to its end; nil: nobody knows
	most  int64           // bytes that may come out of it; 0: what the item has left
	until int64           // where its data ends at the latest; 0: with the container
	done  func() error
	as    kind // as input.as
	view  bool // it is searched and not opened
	first int  // of a view: from which content on finds are the same copies; 0: none
}

// member visits a member. It reports whether more of the container can be read.
func (e *container) member(ctx context.Context, f file) (goOn bool, err error) {
	w := e.w
	path := e.content.Path + "!" + e.shortName(f.name)
	if w.stop == nil && w.entries <= 0 {
		w.bound(e.content.Path, errEntries)
	}
	if w.stop != nil {
		return false, nil
	}
	w.entries--
	m := &reader{stopped: ctx.Err, w: w, f: f}
	if f.in != nil {
		m.began = *f.in
	}
	c := Content{Path: path, Parent: len(e.content.Path), First: f.first, Packed: f.first > 0}
	if f.view {
		err = w.visit(ctx, c, m)
	} else {
		err = w.content(ctx, c, e.depth+1, input{r: m, limit: w.x.Limits.Bytes, as: f.as})
	}
	if err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if m.ended && m.err == nil && f.done != nil {
		m.err = f.done()
	}
	switch {
	case errors.Is(m.err, errBytes), errors.Is(m.err, errTime):
		w.bound(path, m.err)
		return false, nil
	case m.err != nil:
		w.skip(path, detail(m.err))
	case m.ended && f.at.end > f.at.start:
		e.stored = append(e.stored, f.at)
	case m.ended && f.from != nil:
		e.opaque = append(e.opaque, f.from()...)
	}
	return true, nil
}

// shortName is a member's name, or a number in place of one that is too long.
func (e *container) shortName(name string) string {
	if len(name) > maxName {
		return "entry-" + strconv.Itoa(e.w.number+1)
	}
	return name
}

// bound ends the expansion of the item.
func (w *walk) bound(path string, err error) {
	if w.stop == nil {
		w.stop = err
		w.skip(path, err.Error())
	}
}

// detail says what went wrong without a library's own text.
func detail(err error) string {
	for _, known := range []error{errEncrypted, errUnsupported, errRatio, errOverlap} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return errDamaged.Error()
}
