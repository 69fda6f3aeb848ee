package archives

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
)

// What a reader of a PDF document sees. Pages show glyphs by the codes of fonts that
// hold no more than the document needs, place them one by one, and objects stand in
// packed streams (ISO 32000-2, 7.5.7, 9.4, 9.10): nothing of it is text as it stands.
const (
	pdfMostObjects  = 1 << 18
	pdfObjectStream = 16 << 20 // that are unpacked of one
	pdfAllStreams   = 64 << 20 // and of all together
	pdfMostStreams  = 1 << 16
	pdfWaste        = 256 << 20
	pdfKept         = 1 << 16 // items of objects that are kept
)

var (
	errPDFFont    = errors.New("text in fonts that do not say which characters they show")
	errPDFObjects = errors.New("has more objects than the bound allows")
	errPDFStreams = errors.New("object streams of more bytes than the bound allows")
)

// pdfRead is what became of a stream.
type pdfRead uint8

const (
	pdfBegun pdfRead = iota + 1 // its text was given out, and maybe not all of it
	pdfWhole
)

// pdfTold is what became of streams, by where their keywords end.
type pdfTold struct {
	streams map[int64]pdfRead
	first   int // number of the first content that shows text; 0: none
}

// pdfDoc is a document whose text is read.
type pdfDoc struct {
	e       *container
	read    int64 // of the container
	work    int64 // how many bytes may still be looked at
	objects map[uint32]pdfPlace
	packed  []pdfPacked
	inner   int  // objects in these
	strings bool // stand in objects of the file
	pages   []uint32
	root    uint32
	streams map[int64]pdfRead // by where their keywords end
	fonts   map[uint32]*pdfFont
	weight  int // of fonts
	kept    map[uint32]pdfFound
	items   int // of kept
	said    map[error]bool
	seed    maphash.Seed
}

// pdfPlace is where an object stands.
type pdfPlace struct {
	at int64 // behind its keyword; of one in a stream: where that one stands
	in int32 // number of the stream that it is in, from 1 on; 0: none
	i  int32 // where in there
}

// pdfPacked is a stream of objects, unpacked.
type pdfPacked struct {
	at   int64
	data []byte
	nums []uint32
	offs []int32
}

// pdfText visits what the pages show, and other strings that are meant to be read.
func (e *container) pdfText(ctx context.Context) (pdfTold, error) {
	d := &pdfDoc{
		e: e, work: pdfWaste + 8*e.size, objects: map[uint32]pdfPlace{}, streams: map[int64]pdfRead{},
		fonts: map[uint32]*pdfFont{}, kept: map[uint32]pdfFound{}, said: map[error]bool{}, seed: maphash.MakeSeed(),
	}
	number := e.w.number
	d.index(ctx)
	goOn, err := d.visitPages(ctx)
	if goOn && err == nil && (d.strings || len(d.packed) > 0) {
		err = d.visitStrings(ctx, number)
	}
	if d.work < 0 {
		d.say(errRatio)
	}
	told := pdfTold{streams: d.streams}
	if e.w.number > number {
		e.packed, told.first = true, number+1
	}
	return told, err
}

// say lists once what is not read.
func (d *pdfDoc) say(err error) {
	if !d.said[err] {
		d.said[err] = true
		d.e.w.skip(d.e.content.Path, err.Error())
	}
}

// stopped says why nothing more is to be looked at.
func (d *pdfDoc) stopped(ctx context.Context) error {
	w := d.e.w
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case d.work < 0:
		return errRatio
	case !w.deadline.IsZero() && w.x.Now().After(w.deadline):
		return errTime
	}
	return nil
}

// index finds the objects: the last of a number counts, as in a document that was
// changed at its end. Streams of objects are found themselves, so that it does not
// matter which one says that it extends another.
func (d *pdfDoc) index(ctx context.Context) {
	type place struct{ at, stream int64 }
	var streams []place
	d.each(ctx, func(o pdfFound) bool {
		d.add(o.num, pdfPlace{at: o.at}, o.v)
		d.strings = d.strings || o.v.strings()
		if o.stream > 0 && o.v.get("Type").is("ObjStm") {
			if len(streams) == pdfMostStreams {
				d.say(errPDFStreams)
				return true
			}
			streams = append(streams, place{o.at, o.stream})
		}
		return true
	})
	left := pdfAllStreams
	for _, s := range streams {
		if d.stopped(ctx) != nil {
			break
		}
		left -= d.unpack(s.at, s.stream, left)
	}
	for k := range d.packed {
		p := &d.packed[k]
		d.eachInside(ctx, p, func(i int, v pdfItem) bool {
			d.add(p.nums[i], pdfPlace{at: p.at, in: int32(k + 1), i: int32(i)}, v)
			return true
		})
	}
}

// eachInside goes through the objects in a stream. Those that share their bytes are
// not all looked at.
func (d *pdfDoc) eachInside(ctx context.Context, p *pdfPacked, do func(i int, v pdfItem) bool) {
	left := 2*len(p.data) + 64<<10
	for i := range p.nums {
		if d.stopped(ctx) != nil {
			return
		}
		v, n, err := p.object(i)
		if left -= n; left < 0 {
			d.say(errRatio)
			return
		}
		if err == nil && !do(i, v) {
			return
		}
	}
}

func (d *pdfDoc) add(num uint32, p pdfPlace, v pdfItem) {
	old, has := d.objects[num]
	if !has && len(d.objects) >= pdfMostObjects {
		d.say(errPDFObjects)
		return
	}
	if has && old.at > p.at {
		return
	}
	d.objects[num] = p
	switch t := v.get("Type"); {
	case t.is("Catalog"):
		d.root = num
	case t.is("Page") && len(d.pages) < pdfMostObjects:
		d.pages = append(d.pages, num)
	}
}

// unpack reads a stream of objects, and returns how much of it is kept.
func (d *pdfDoc) unpack(at, stream int64, left int) int {
	l := newPDFLexer(4<<10, d.file)
	l.seek(at)
	v, err := l.object()
	r := d.decoded(v, stream)
	if err != nil || r == nil {
		return 0
	}
	most := min(left, pdfObjectStream)
	data := pdfAll(io.LimitReader(r, int64(most)+1))
	if len(data) > most {
		d.say(errPDFStreams)
		data = data[:most]
	}
	p := pdfPacked{at: at, data: data}
	first, n := d.get(v.get("First")).num, d.get(v.get("N")).num
	head := pdfLexerOf(data)
	for range int(min(max(n, 0), pdfMostObjects)) {
		num, err := head.token()
		at, err2 := head.token()
		if err != nil || err2 != nil || num.kind != pdfNumber || at.kind != pdfNumber {
			break
		}
		if d.inner++; d.inner > pdfMostObjects {
			d.say(errPDFObjects)
			break
		}
		if sum := at.num + first; num.num > 0 && num.num < 1<<32 && sum >= 0 && sum < float64(len(data)) {
			p.nums, p.offs = append(p.nums, uint32(num.num)), append(p.offs, int32(sum))
		}
	}
	if d.streams[stream] = pdfBegun; len(p.nums) > 0 {
		d.packed = append(d.packed, p)
	}
	return len(data)
}

// pdfAll reads all, into as much memory as it takes. What came out of a damaged stream counts.
func pdfAll(r io.Reader) []byte {
	var blocks [][]byte
	for {
		b := make([]byte, 64<<10)
		n, err := io.ReadFull(r, b)
		if blocks = append(blocks, b[:n]); err != nil {
			return bytes.Join(blocks, nil)
		}
	}
}

// object reads one, and returns how many bytes it was read from.
func (p *pdfPacked) object(i int) (pdfItem, int, error) {
	l := pdfLexerOf(p.data)
	l.i = int(p.offs[i])
	v, err := l.object()
	return v, l.i - int(p.offs[i]), err
}

// look finds an object by its number.
func (d *pdfDoc) look(num uint32) (o pdfFound) {
	if o, has := d.kept[num]; has {
		return o
	}
	p, has := d.objects[num]
	if !has {
		return o
	}
	o.num, o.at = num, p.at
	length := 0
	if p.in > 0 {
		o.v, length, _ = d.packed[p.in-1].object(int(p.i))
	} else {
		l := newPDFLexer(4<<10, d.file)
		l.seek(p.at)
		if v, err := l.object(); err == nil {
			if o.v = v; v.kind == pdfDict {
				o.stream = l.stream()
			}
		}
		length = int(l.pos() - p.at)
	}
	// An item is of one byte at least, and takes the memory of many.
	items := o.v.items() + length>>6
	d.work -= int64(length + 16*items)
	if d.items += items + 16; d.items > pdfKept {
		clear(d.kept)
		d.items = items + 16
	}
	d.kept[num] = o
	return o
}

// get follows references.
func (d *pdfDoc) get(v pdfItem) pdfItem {
	for range 8 {
		num := v.id()
		if num == 0 {
			return v
		}
		v = d.look(num).v
	}
	return pdfItem{}
}
