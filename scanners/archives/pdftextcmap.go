package archives

import (
	"cmp"
	"encoding/binary"
	"io"
	"slices"
	"unicode/utf16"
)

// Tables that tell which characters codes are: CMaps (ISO 32000-2, 9.10.3; Adobe
// Technical Note 5411). Ranges stay ranges, whatever they span.
const (
	pdfMostCodes = 1 << 16 // entries of one table
	pdfMostChars = 64      // that a code may stand for, in bytes of UTF-16
	pdfOverlap   = 8       // entries that are looked at for one code
)

// pdfCodes is a range of codes and the text of the first; the last character counts up.
type pdfCodes struct {
	low, high uint32
	text      string
	last      rune
	counts    bool
}

// pdfCMap is a table of codes.
type pdfCMap struct {
	codes []pdfCodes
	spans []pdfSpan
}

// pdfSpan is a range of codes of so many bytes.
type pdfSpan struct {
	low, high uint32
	bytes     int
}

// readCMap reads as much of a table as can be read.
func readCMap(r io.Reader) *pdfCMap {
	m := &pdfCMap{}
	l := newPDFLexer(16<<10, func(p []byte, _ int64) (int, error) { return r.Read(p) })
	var args []pdfItem
	part := ""
	for len(m.codes) < pdfMostCodes {
		t, err := l.token()
		if err != nil {
			break
		}
		if t.kind == pdfMark && t.num == '[' {
			if t, err = l.composed(t, 0); err != nil {
				break
			}
		}
		if t.kind != pdfWord {
			args = append(args, t)
		}
		if t.kind == pdfWord || len(args) == 3*100 {
			m.take(args, part)
			args, l.items, l.room = args[:0], 0, l.room[:0]
		}
		if t.kind == pdfWord {
			part = string(t.text)
		}
	}
	slices.SortStableFunc(m.codes, func(a, b pdfCodes) int { return cmp.Compare(a.low, b.low) })
	return m
}

func pdfCode(b []byte) uint32 {
	var all [4]byte
	b = b[:min(len(b), 4)]
	copy(all[4-len(b):], b)
	return binary.BigEndian.Uint32(all[:])
}

// take reads the operands of one part of a table.
func (m *pdfCMap) take(args []pdfItem, part string) {
	step := map[string]int{"beginbfchar": 2, "beginbfrange": 3, "begincodespacerange": 2}[part]
	if step == 0 {
		return
	}
	for ; len(args) >= step && len(m.codes) < pdfMostCodes; args = args[step:] {
		low, high := pdfCode(args[0].text), pdfCode(args[step-2].text)
		switch to := args[step-1]; {
		case part == "begincodespacerange":
			if n := len(args[0].text); n > 0 && n <= 4 && len(m.spans) < 100 {
				m.spans = append(m.spans, pdfSpan{low, pdfCode(args[1].text), n})
			}
		case to.kind == pdfString:
			m.add(low, high, to.text)
		case to.kind == pdfArray:
			for i, v := range to.list {
				if uint64(low)+uint64(i) <= uint64(high) {
					m.add(low+uint32(i), low+uint32(i), v.text)
				}
			}
		case to.kind == pdfName:
			m.put(low, low, pdfGlyph(string(to.text)))
		}
	}
}

func (m *pdfCMap) add(low, high uint32, text []byte) {
	if len(text) == 1 { // some writers
		text = []byte{0, text[0]}
	}
	m.put(low, high, pdfUTF16(text[:min(len(text), pdfMostChars)], binary.BigEndian))
}

func (m *pdfCMap) put(low, high uint32, text string) {
	if high < low || len(m.codes) >= pdfMostCodes {
		return
	}
	c := pdfCodes{low: low, high: high, text: text}
	if all := []rune(text); high > low && len(all) > 0 {
		c.last, c.counts = all[len(all)-1], true
		c.text = string(all[:len(all)-1])
	}
	m.codes = append(m.codes, c)
}

func pdfUTF16(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// text appends the characters of a code.
func (m *pdfCMap) text(out []byte, code uint32) ([]byte, bool) {
	if m == nil {
		return out, false
	}
	i, _ := slices.BinarySearchFunc(m.codes, code, func(c pdfCodes, code uint32) int {
		if c.low <= code {
			return -1
		}
		return 1
	})
	for k := i - 1; k >= 0 && k >= i-pdfOverlap; k-- {
		if c := m.codes[k]; c.high >= code {
			out = append(out, c.text...)
			if c.counts {
				out = append(out, string(c.last+rune(code-c.low))...)
			}
			return out, true
		}
	}
	return out, false
}

// next is the first code of a text and how many bytes it takes.
func (m *pdfCMap) next(b []byte) (code uint32, n int) {
	for n = 1; n <= min(len(b), 4); n++ {
		code = code<<8 | uint32(b[n-1])
		for _, s := range m.spans {
			if s.bytes == n && pdfWithin(code, s) {
				return code, n
			}
		}
	}
	n = min(len(b), m.spans[0].bytes)
	return pdfCode(b[:n]), n
}

// pdfWithin compares byte by byte, as the ranges are meant.
func pdfWithin(code uint32, s pdfSpan) bool {
	for shift := 0; shift < 8*s.bytes; shift += 8 {
		c := code >> shift & 0xff
		if c < s.low>>shift&0xff || c > s.high>>shift&0xff {
			return false
		}
	}
	return true
}
