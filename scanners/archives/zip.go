package archives

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"

	"revenant/scanners/bunzip2"
	"revenant/scanners/inflate"
)

// The compression methods of a zip.
const (
	zipStore   = 0
	zipDeflate = 8
	zipBzip2   = 12
	zipLZMA    = 14
	zipZstdOld = 20
	zipZstd    = 93
	zipXz      = 95
)

// maxOverlap is how much may come out of an entry that shares its data, and
// maxShared out of all such entries of a zip.
const (
	maxOverlap = 1 << 20
	maxShared  = 64 << 20
)

// zip visits the members that the directory names, those that share their data
// with others last; without a directory those that have a header.
func (e *container) zip(ctx context.Context) error {
	d, ok := e.w.x.findEnd(e.at, e.size)
	if !ok {
		e.w.skip(e.content.Path, errDamaged.Error())
		return e.zipHeaders(ctx)
	}
	l := d.layout(e.at, e.w.entries+1) // the entry beyond the bound is what lists it
	budget := min(maxShared, e.w.left/4)
	for _, shared := range []bool{false, true} {
		if shared && !l.some {
			break
		}
		var err error
		goOn := true
		whole := d.entries(e.at, func(i int, z zipEntry) bool {
			if i >= len(l.shared) {
				return false
			}
			if l.shared[i] != shared {
				return true
			}
			before := e.w.left
			f := file{until: l.until[i]}
			if shared {
				f.most = max(min(maxOverlap, budget), 1)
			}
			goOn, err = e.zipMember(ctx, d, i, z, f)
			if shared {
				budget -= before - e.w.left
			}
			return goOn && err == nil
		})
		if err != nil || !goOn {
			return err
		}
		if !whole && !shared {
			e.w.skip(e.content.Path, errDamaged.Error())
		}
	}
	return nil
}

// zipMember visits one entry of the directory.
func (e *container) zipMember(ctx context.Context, d zipDir, i int, z zipEntry, f file) (bool, error) {
	f.name = z.name
	if z.long {
		f.name = "entry-" + strconv.Itoa(i+1)
	}
	head := make([]byte, zipLocal)
	pos := d.base + z.offset
	n, _ := e.at.ReadAt(head, max(pos, 0))
	if pos < 0 || n < zipLocal || string(head[:4]) != "PK\x03\x04" {
		f.r = failing{errDamaged}
		return e.member(ctx, f)
	}
	data := pos + zipLocal + int64(binary.LittleEndian.Uint16(head[26:])) + int64(binary.LittleEndian.Uint16(head[28:]))
	_, goOn, err := e.zipData(ctx, f, z, data)
	return goOn, err
}

// zipData visits an entry whose data begins at pos, and says where the data
// ended. Compressed data says itself where it ends: sizes may lie.
func (e *container) zipData(ctx context.Context, f file, z zipEntry, pos int64) (end int64, goOn bool, err error) {
	limit := e.size
	if f.until > 0 {
		limit = min(limit, f.until)
	}
	if z.method != zipStore && z.method != zipDeflate && z.packed > 0 {
		limit = min(limit, pos+min(z.packed, e.size))
	}
	in := &counted{r: io.NewSectionReader(e.at, pos, max(limit-pos, 0))}
	f.in = &in.n
	u := e.w.x.inflating(in)
	defer e.w.x.rest(u)
	b := u.b
	sum := &summed{sum: crc32.NewIEEE()}
	done := func() {}
	switch {
	case z.encrypted || z.method == 99:
		f.r = failing{errEncrypted}
	case z.method == zipStore:
		have := min(max(z.packed, 0), max(limit-pos, 0))
		in.r = io.LimitReader(in.r, have)
		sum.r, sum.short = in, have < z.packed
		f.r, f.at = sum, extent{pos, pos + have}
	default:
		e.packed = true
		sum.r, done = e.w.x.unpacked(u, z.method)
		f.r = sum
		f.from = func() []extent {
			if z.method != zipDeflate || !z.checked() {
				return nil
			}
			return []extent{{pos, pos + in.n - int64(b.Buffered())}}
		}
	}
	defer done()
	if z.checked() {
		f.done = func() error { return sum.check(z.crc) }
	}
	goOn, err = e.member(ctx, f)
	return pos + in.n - int64(b.Buffered()), goOn, err
}

// checked reports whether the entry's checksum is known.
func (z zipEntry) checked() bool { return !z.streamed || z.crc != 0 }

// inflating is memory that members of a zip are read with, one after the other.
type inflating struct {
	b *bufio.Reader
	z inflate.Reader
}

// inflating is memory to read a member with.
func (x *Expander) inflating(in io.Reader) *inflating {
	u, _ := x.inflates.Get().(*inflating)
	if u == nil {
		u = &inflating{b: bufio.NewReaderSize(nil, 4<<10)}
	}
	u.b.Reset(in)
	return u
}

// rest keeps the memory of a member that nobody reads any more.
func (x *Expander) rest(u *inflating) {
	u.b.Reset(nil)
	x.inflates.Put(u)
}

// unpacked opens the data of an entry.
func (x *Expander) unpacked(u *inflating, method uint16) (io.Reader, func()) {
	b, nothing := u.b, func() {}
	switch method {
	case zipDeflate:
		u.z.Reset(b)
		return &u.z, nothing
	case zipBzip2:
		return bunzip2.NewReader(b), nothing
	case zipZstd, zipZstdOld:
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return failing{errDamaged}, nothing
		}
		return &tail{r: z, end: zstd.ErrMagicMismatch}, z.Close
	case zipXz:
		z, done, err := x.unxz(b)
		if err != nil {
			return failing{errDamaged}, nothing
		}
		return z, done
	case zipLZMA:
		return zipLzma(b), nothing
	}
	return failing{errUnsupported}, nothing
}

// zipLzma gives LZMA data of a zip the header that other files have.
func zipLzma(b *bufio.Reader) io.Reader {
	head := make([]byte, 9) // version, length of the properties, properties
	if _, err := io.ReadFull(b, head); err != nil || head[2] != 5 || head[3] != 0 {
		return failing{errDamaged}
	}
	if binary.LittleEndian.Uint32(head[5:]) > maxWindow {
		return failing{errUnsupported}
	}
	classic := append(head[4:9:9], bytes.Repeat([]byte{0xff}, 8)...) // size unknown: an end mark
	z, err := lzma.NewReader(io.MultiReader(bytes.NewReader(classic), b))
	if err != nil {
		return failing{errDamaged}
	}
	return z
}

// summed makes the checksum of what is read.
type summed struct {
	r     io.Reader
	sum   hash.Hash32
	short bool
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	_, _ = s.sum.Write(p[:n])
	return n, err
}

func (s *summed) check(want uint32) error {
	if s.short || s.sum.Sum32() != want {
		return errDamaged
	}
	return nil
}

// zipHeaders visits the members of a zip that lost its directory, header by
// header.
func (e *container) zipHeaders(ctx context.Context) error {
	head := make([]byte, zipLocal)
	le := binary.LittleEndian
	for pos := int64(0); ; {
		pos = e.next(ctx, pos, "PK\x03\x04")
		if pos < 0 {
			return ctx.Err()
		}
		if n, _ := e.at.ReadAt(head, pos); n < zipLocal {
			return nil
		}
		names := make([]byte, int(le.Uint16(head[26:]))+int(le.Uint16(head[28:])))
		if n, _ := e.at.ReadAt(names, pos+zipLocal); n < len(names) {
			return nil
		}
		z := zipEntry{
			encrypted: le.Uint16(head[6:])&1 != 0, streamed: le.Uint16(head[6:])&8 != 0, method: le.Uint16(head[8:]),
			crc: le.Uint32(head[14:]), packed: int64(le.Uint32(head[18:])), size: int64(le.Uint32(head[22:])),
		}
		z.setName(names[:le.Uint16(head[26:])])
		z.wide(names[le.Uint16(head[26:]):])
		data := pos + zipLocal + int64(len(names))
		if z.method == zipStore && z.streamed && z.packed == 0 { // its end is where something begins
			if z.packed = e.next(ctx, data, "PK\x07\x08") - data; z.packed < 0 {
				z.packed = max(e.size-data, 0)
			}
		}
		f := file{name: z.name}
		if z.long {
			f.name = "entry-" + strconv.FormatInt(pos, 10)
		}
		end, goOn, err := e.zipData(ctx, f, z, data)
		if err != nil || !goOn {
			return err
		}
		pos = max(end, data)
	}
}

// window is a stretch of a container that is kept, so that a flood of marks does
// not read it again for each.
type window struct {
	at int64
	b  []byte
}

const windowSize = 64 << 10

// next is where a mark stands from pos on, or -1.
func (e *container) next(ctx context.Context, pos int64, mark string) int64 {
	w := &e.window
	for pos = max(pos, 0); ctx.Err() == nil; {
		if pos < w.at || pos+int64(len(mark)) > w.at+int64(len(w.b)) {
			if w.b == nil {
				w.b = make([]byte, windowSize)
			}
			w.b = w.b[:cap(w.b)]
			n, _ := e.at.ReadAt(w.b[:min(windowSize, max(e.size-pos, 0))], pos)
			w.at, w.b = pos, w.b[:n]
		}
		if i := bytes.Index(w.b[pos-w.at:], []byte(mark)); i >= 0 {
			return pos + int64(i)
		}
		if end := w.at + int64(len(w.b)); end >= e.size || len(w.b) < len(mark) {
			return -1
		}
		pos = w.at + int64(len(w.b)-len(mark)+1)
	}
	return -1
}
