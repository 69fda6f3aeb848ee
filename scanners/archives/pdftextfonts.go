package archives

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fonts: which characters their codes are, and how wide these (ISO 32000-2, 9.6 to 9.10).
const (
	pdfFonts     = 1 << 18 // entries of all fonts that are kept
	pdfMostWide  = 1 << 16 // entries of one table of widths
	pdfFontEntry = 300     // what a font counts for itself
	pdfFontCost  = 1 << 10 // and how many bytes reading it is worth
	pdfLost      = 8       // codes that show nothing, and are no matter
)

// pdfFont is how codes are read.
type pdfFont struct {
	wide    bool // composite: codes of one byte to four
	spans   *pdfCMap
	to      *pdfCMap
	utf16   bool // codes are UTF-16
	chars   *[256]string
	widths  []pdfWidth
	other   float64 // where widths say nothing
	scale   float64
	guessed bool // widths are those of another font
	unknown bool // nobody says what the codes are
	shown   int  // codes of one byte, and those of them that nobody says what they are
	lost    int
}

// pdfWidth is how wide codes are: each one as the table says, or all as the first.
type pdfWidth struct {
	low, high uint32
	all       []float32
}

// font reads a font.
func (d *pdfDoc) font(v pdfItem) *pdfFont {
	num := v.id()
	if f := d.fonts[num]; f != nil && num > 0 {
		return f
	}
	dict := d.get(v)
	d.work -= pdfFontCost
	f := &pdfFont{scale: 0.001, other: 600}
	switch s := dict.get("ToUnicode"); s.kind {
	case pdfRef:
		f.to = d.cmap(s)
	case pdfName: // a table of its own, in which codes are characters
		f.utf16 = true
	default:
	}
	if dict.get("Subtype").is("Type0") {
		d.composite(f, dict)
	} else {
		d.simple(f, dict)
	}
	weight := pdfFontEntry
	for _, m := range []*pdfCMap{f.to, f.spans} {
		if m != nil {
			weight += len(m.codes)
		}
	}
	for _, w := range f.widths {
		weight += 1 + len(w.all)
	}
	if d.weight += weight; d.weight > pdfFonts {
		clear(d.fonts)
		d.weight = weight
	}
	if num > 0 {
		d.fonts[num] = f
	}
	return f
}

// cmap reads a table in a stream; nil: there is none.
func (d *pdfDoc) cmap(v pdfItem) *pdfCMap {
	o := d.look(v.id())
	if o.stream == 0 {
		return nil
	}
	r := d.decoded(o.v, o.stream)
	if r == nil {
		return nil
	}
	return readCMap(r)
}

func (d *pdfDoc) composite(f *pdfFont, dict pdfItem) {
	f.wide, f.other = true, 1000
	switch enc := dict.get("Encoding"); enc.kind {
	case pdfName:
		name := string(enc.text)
		f.utf16 = f.utf16 || strings.Contains(name, "UCS2") || strings.Contains(name, "UTF16")
		if !strings.HasPrefix(name, "Identity") && !f.utf16 && f.to != nil && len(f.to.spans) > 0 {
			f.spans = f.to
		}
	case pdfRef:
		if m := d.cmap(enc); m != nil && len(m.spans) > 0 {
			f.spans = m
		}
	default:
	}
	f.unknown = (f.to == nil || len(f.to.codes) == 0) && !f.utf16
	below := d.get(dict.get("DescendantFonts"))
	if below.kind == pdfArray && len(below.list) > 0 {
		below = d.get(below.list[0])
	}
	d.wideWidths(f, below)
}

// wideWidths reads the widths of a composite font, from the font below it.
func (d *pdfDoc) wideWidths(f *pdfFont, below pdfItem) {
	if w := d.get(below.get("DW")); w.kind == pdfNumber {
		f.other = w.num
	}
	w := d.get(below.get("W")).list
	for entries := 0; len(w) > 1 && entries < pdfMostWide; entries++ {
		low := pdfWidth{low: uint32(max(min(w[0].num, 1<<20), 0))}
		if all := d.get(w[1]); all.kind == pdfArray {
			for _, v := range all.list {
				low.all = append(low.all, float32(v.num))
			}
			low.high = low.low + uint32(len(all.list))
			entries += len(all.list)
			w = w[2:]
		} else if len(w) > 2 {
			low.high, low.all = uint32(max(min(all.num+1, 1<<20), 0)), []float32{float32(w[2].num)}
			w = w[3:]
		} else {
			break
		}
		f.widths = append(f.widths, low)
	}
	slices.SortStableFunc(f.widths, func(a, b pdfWidth) int { return cmp.Compare(a.low, b.low) })
}

func (d *pdfDoc) simple(f *pdfFont, dict pdfItem) {
	f.chars = pdfLatinChars()
	enc := d.get(dict.get("Encoding"))
	if list := d.get(enc.get("Differences")).list; len(list) > 0 {
		f.differ(list)
	} else if enc.kind == pdfNull && f.to == nil {
		f.chars = pdfBuiltIn()
	}
	if m := d.get(dict.get("FontMatrix")).list; len(m) == 6 && m[0].num != 0 {
		f.scale = max(m[0].num, -m[0].num)
	}
	w := d.get(dict.get("Widths"))
	if w.kind == pdfArray && len(w.list) > 0 {
		first := uint32(max(min(d.get(dict.get("FirstChar")).num, 255), 0))
		n := min(len(w.list), 256)
		all := pdfWidth{low: first, high: first + uint32(n), all: make([]float32, n)}
		for i, v := range w.list[:n] {
			all.all[i] = float32(d.get(v).num)
		}
		f.widths = []pdfWidth{all}
		return
	}
	name := string(d.get(dict.get("BaseFont")).text)
	f.widths = []pdfWidth{pdfStandardWidths(name)}
	f.guessed = f.widths[0].low > 0
}

// differ gives codes the characters of glyphs' names.
func (f *pdfFont) differ(list []pdfItem) {
	chars := *f.chars
	code, odd, all := 0, 0, 0
	for _, v := range list[:min(len(list), 1<<10)] {
		switch v.kind {
		case pdfNumber:
			code = int(max(min(v.num, 255), 0))
		case pdfName:
			if code > 255 {
				continue
			}
			all++
			if text := pdfGlyph(string(v.text)); text != "" {
				chars[code] = text
			} else if string(v.text) != ".notdef" {
				odd++
			}
			code++
		default:
		}
	}
	f.chars = &chars
	f.unknown = f.to == nil && odd > 3 && 2*odd > all
}

// next is the first code of what is shown.
func (f *pdfFont) next(b []byte) (code uint32, n int) {
	switch {
	case !f.wide || len(b) == 1:
		return uint32(b[0]), 1
	case f.spans != nil:
		return f.spans.next(b)
	case f.utf16 && len(b) > 3 && b[0]&0xfc == 0xd8:
		return pdfCode(b), 4
	}
	return uint32(b[0])<<8 | uint32(b[1]), 2
}

// text appends what a code shows, and reports whether that is known.
func (f *pdfFont) text(out []byte, code uint32, n int) ([]byte, bool) {
	if out, ok := f.to.text(out, code); ok {
		return out, true
	}
	switch {
	case f.wide && f.utf16 && n == 4:
		return append(out, pdfUTF16(binary.BigEndian.AppendUint32(nil, code), binary.BigEndian)...), true
	case !f.wide:
		text := f.chars[code&0xff]
		f.shown++
		if text == "" {
			f.lost++
		}
		return append(out, text...), !f.unknown && (f.lost < pdfLost || 2*f.lost < f.shown)
	case f.utf16:
		return append(out, string(rune(code))...), true
	}
	return utf8.AppendRune(out, utf8.RuneError), !f.unknown
}

// width is how far a code moves on, as a part of the font's size.
func (f *pdfFont) width(code uint32) float64 {
	if len(f.widths) == 1 && code-f.widths[0].low < uint32(len(f.widths[0].all)) {
		return float64(f.widths[0].all[code-f.widths[0].low]) * f.scale
	}
	i, _ := slices.BinarySearchFunc(f.widths, code, func(w pdfWidth, code uint32) int {
		if w.low <= code {
			return -1
		}
		return 1
	})
	for k := i - 1; k >= 0 && k >= i-pdfOverlap; k-- {
		if w := f.widths[k]; code < w.high && len(w.all) > 0 {
			return float64(w.all[min(int(code-w.low), len(w.all)-1)]) * f.scale
		}
	}
	return f.other * f.scale
}

// pdfGlyph is what a glyph of a name shows; empty: it is not known.
func pdfGlyph(name string) string {
	name, _, _ = strings.Cut(name, ".")
	if len(name) == 1 {
		return name
	}
	if text := pdfGlyphs()[name]; text != "" {
		return text
	}
	if hex, ok := strings.CutPrefix(name, "uni"); ok && len(hex) >= 4 {
		if n, err := strconv.ParseUint(hex[:4], 16, 16); err == nil {
			return string(rune(n))
		}
	}
	if hex, ok := strings.CutPrefix(name, "u"); ok && len(hex) >= 4 && len(hex) <= 6 {
		if n, err := strconv.ParseUint(hex, 16, 21); err == nil {
			return string(rune(n))
		}
	}
	return ""
}
