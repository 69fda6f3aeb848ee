package archives

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// object reads one object. The words that stand around objects end it: what lacks
// its end does not swallow the next one.
func (l *pdfLexer) object() (pdfItem, error) {
	l.room, l.items = nil, 0
	v, err := l.token()
	if err != nil || v.kind != pdfMark {
		return v, err
	}
	return l.composed(v, 0)
}

// composed reads an array or a dictionary behind its bracket.
func (l *pdfLexer) composed(open pdfItem, deep int) (pdfItem, error) {
	v := pdfItem{kind: pdfArray}
	end := float64(']')
	if open.num == '<' {
		v.kind, end = pdfDict, '>'
	}
	if deep >= pdfDeep || open.num == ']' || open.num == '>' {
		return v, errDamaged
	}
	for {
		t, err := l.token()
		if err != nil {
			return v, err
		}
		if l.items++; l.items > pdfMostItems {
			return v, errPDFLong
		}
		switch {
		case t.kind == pdfMark && t.num == end:
			return v, nil
		case t.kind == pdfMark:
			if t, err = l.composed(t, deep+1); err != nil {
				return v, err
			}
		case t.kind != pdfWord:
		case len(t.text) == 1 && t.text[0] == 'R':
			n := len(v.list)
			if n > 1 && v.list[n-1].kind == pdfNumber && v.list[n-2].kind == pdfNumber {
				v.list = v.list[:n-1]
				v.list[n-2].kind = pdfRef
			}
			continue
		case pdfAround(t.text):
			return v, errDamaged
		}
		v.list = append(v.list, t)
	}
}

func pdfAround(word []byte) bool {
	switch string(word) {
	case "obj", "endobj", "stream", "endstream", "xref", "trailer", "startxref":
		return true
	}
	return false
}

// pdfFound is an object and where it stands.
type pdfFound struct {
	num    uint32
	at     int64 // behind its keyword
	v      pdfItem
	stream int64 // behind the keyword of its stream; 0: there is none
}

// each goes through the objects of a file, by their keywords.
func (d *pdfDoc) each(ctx context.Context, do func(pdfFound) bool) {
	l := newPDFLexer(64<<10, d.file)
	again := d.e.size // how much may be read once more behind what is damaged
	for l.to("obj") && d.stopped(ctx) == nil {
		o := pdfFound{num: pdfNumberBefore(l.buf[max(l.i-3-pdfBehind, 0) : l.i-3]), at: l.pos()}
		if o.num == 0 {
			continue
		}
		var err error
		if o.v, err = l.object(); err != nil {
			if errors.Is(err, errPDFLong) {
				d.say(errPDFLong)
			}
			if back := l.pos() - o.at; back <= again {
				again -= back
				l.seek(o.at)
			}
			continue
		}
		if o.v.kind == pdfDict {
			o.stream = l.stream()
		}
		if !do(o) {
			return
		}
		if n := o.v.get("Length"); o.stream > 0 && n.kind == pdfNumber {
			if end, ok := d.streamEnd(o.stream, n.num); ok {
				l.seek(end)
			}
		}
	}
}

// to goes behind the next mark.
func (l *pdfLexer) to(mark string) bool {
	for {
		if i := bytes.Index(l.buf[l.i:], []byte(mark)); i >= 0 {
			l.i += i + len(mark)
			return true
		}
		l.i = max(l.i, len(l.buf)-len(mark)+1)
		if !l.fill() {
			return false
		}
	}
}

// pdfNumberBefore is the number of an object: the one before its generation.
func pdfNumberBefore(b []byte) uint32 {
	trim := func(is func(byte) bool) (n int) {
		for n < len(b) && is(b[len(b)-1-n]) {
			n++
		}
		b = b[:len(b)-n]
		return n
	}
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	trim(pdfSpace)
	if trim(digit) == 0 || trim(pdfSpace) == 0 {
		return 0
	}
	all := b
	n := trim(digit)
	if n == 0 || n > 9 {
		return 0
	}
	var num uint32
	for _, c := range all[len(all)-n:] {
		num = num*10 + uint32(c-'0')
	}
	return num
}

// stream is where the keyword of a stream ends, if it comes next.
func (l *pdfLexer) stream() int64 {
	t, err := l.token()
	if err != nil || t.kind != pdfWord || string(t.text) != "stream" {
		return 0
	}
	return l.pos()
}

// streamEnd is where a stream ends by its length, if that is true.
func (d *pdfDoc) streamEnd(at int64, length float64) (int64, bool) {
	if length < 0 || length > float64(d.e.size-at) {
		return 0, false
	}
	b := make([]byte, 16) // the line ends on both sides and the keyword
	end := at + int64(length)
	n, _ := d.file(b, end)
	return end, bytes.Contains(b[:n], []byte("endstream"))
}

// file reads the container, and counts.
func (d *pdfDoc) file(p []byte, at int64) (int, error) {
	if at < 0 || at >= d.e.size {
		return 0, io.EOF
	}
	n, err := d.e.at.ReadAt(p[:min(int64(len(p)), d.e.size-at)], at)
	d.read += int64(n)
	return n, err
}

// pdfAt reads a document from a place on.
type pdfAt struct {
	d   *pdfDoc
	at  int64
	end int64 // 0: that of the document
}

func (r *pdfAt) Read(p []byte) (int, error) {
	if r.end > 0 {
		p = p[:min(int64(len(p)), max(r.end-r.at, 0))]
		if len(p) == 0 {
			return 0, io.EOF
		}
	}
	n, err := r.d.file(p, r.at)
	r.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}
