package views

import (
	"bytes"
	"context"

	"revenant/fingerprints"
	"revenant/scanners"
)

// What Unix wrapped files in before MIME: lines of up to 45 bytes behind a
// character that says how many. It is told by full lines, which begin with M,
// or by the line before the first.
const (
	uuLine  = 45 // bytes of a full line
	uuGroup = 4  // characters of three bytes
)

// uuBody returns where the line behind the one that says the file's mode and
// name at p begins; 0 when that says nothing of the kind.
func uuBody(data []byte, p int) int {
	if p > 0 && data[p-1] != '\n' {
		return 0
	}
	const mode = len("begin ")
	head := data[p:min(len(data), p+longestLine)]
	if !bytes.HasPrefix(head, []byte("begin ")) {
		return 0
	}
	n := mode
	for n < len(head) && head[n] >= '0' && head[n] <= '7' {
		n++
	}
	k := bytes.IndexByte(head, '\n')
	if n-mode < 3 || n-mode > 4 || k < 0 || head[n] != ' ' {
		return 0
	}
	return p + k + 1
}

// uuLength is how many bytes the line at p has; 0 when it is none of uuencode's.
func uuLength(data []byte, p int) int {
	if p >= len(data) || !uuDigit(data[p]) {
		return 0
	}
	n := int(data[p]-' ') & 63
	end := p + 1 + (n+2)/3*uuGroup
	if n > uuLine || end > len(data) {
		return 0
	}
	for _, c := range data[p+1 : end] {
		if !uuDigit(c) {
			return 0
		}
	}
	if end < len(data) && data[end] != '\n' && data[end] != '\r' {
		return 0
	}
	return n
}

// uuDigit reports whether c carries six bits.
func uuDigit(c byte) bool { return c >= ' ' && c <= '`' }

// uuText reads the lines from p on, yields them, and returns where they end.
func uuText(ctx context.Context, l scanners.Layer, p int, b *built, yield func(scanners.Text) bool) (end int, goOn bool) {
	like := text(fingerprints.FormUuencode)
	for n := uuLength(l.Data, p); n > 0; n = uuLength(l.Data, p) {
		p++
		for i := 0; i < n; i += 3 {
			v := uint32(0)
			for _, c := range l.Data[p : p+uuGroup] {
				v = v<<6 | uint32(c-' ')&63
			}
			for k := range min(3, n-i) {
				b.push(byte(v>>(16-8*k)), p+k, p+k+2)
			}
			p += uuGroup
		}
		if b.full(l) {
			kept := *b
			if !b.texts(l, like, yield) || ctx.Err() != nil {
				return p, false
			}
			*b = kept.last(l.Overlap)
		}
		if p < len(l.Data) && l.Data[p] == '\r' {
			p++
		}
		if p < len(l.Data) && l.Data[p] == '\n' {
			p++
		}
	}
	return p, b.texts(l, like, yield)
}
