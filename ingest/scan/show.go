package scan

import (
	"bytes"
	"regexp"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"revenant/api/wire"
	"revenant/scanners"
)

// contextBytes is how much of a line is shown on each side of a hit.
const contextBytes = 100

// opaque is text that could be a value in an encoding that no matcher undoes:
// long runs of one word, of percent or of backslash escapes. It is masked in
// context, where it only happens to stand, with what slashes join to it.
var opaque = regexp.MustCompile(`(?:[A-Za-z0-9+_=-]*/)*[A-Za-z0-9+_=-]{20,}(?:/[A-Za-z0-9+_=-]*)*|(?:%[0-9A-Fa-f]{2}){6,}|(?:\\u?x?[0-9A-Fa-f]{2,4}){6,}|(?:&#x?[0-9A-Fa-f]{1,6};){6,}`)

// visible writes out what a terminal would act on or not show.
func visible(s string) string {
	if isPlain(s) {
		return s
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1, r < ' ', r == 0x7f:
			b.WriteString(`\x`)
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
		case unicode.IsPrint(r):
			b.WriteString(s[i : i+n])
		default:
			b.WriteString(`\u{`)
			for _, c := range s[i : i+n] {
				b.WriteString(strings.ToLower(strings.TrimLeft(hexOf(c), "0")))
			}
			b.WriteByte('}')
		}
		i += n
	}
	return b.String()
}

func hexOf(r rune) string {
	const hex = "0123456789abcdef"
	var out [8]byte
	for i := range out {
		out[7-i] = hex[r>>(4*i)&15]
	}
	return string(out[:])
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// unprintable stands in calm text for what does not print; context ends there.
const unprintable = 0

// calm is for context: what does not print becomes unprintable, and what could
// be an encoded value is masked.
func calm(s string) string {
	s = opaque.ReplaceAllStringFunc(s, func(m string) string {
		if plainWord(m) {
			return m
		}
		return "[...]"
	})
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError, !unicode.IsPrint(r):
			return unprintable
		}
		return r
	}, s)
}

// plainWord reports whether a run is letters of one kind, underscores and
// rules drawn with characters: names and lines, not values.
func plainWord(s string) bool {
	var lower, upper, digit bool
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			lower = true
		case c >= 'A' && c <= 'Z':
			upper = true
		case c >= '0' && c <= '9':
			digit = true
		case c == '%', c == '\\', c == '&':
			return false
		}
	}
	return !digit && (!lower || !upper)
}

// page shows stretches of a window.
type page struct {
	w        scanners.Window
	newlines []int // offsets in the chunk; nil until needed
	covers   []cover
	safe     int64 // offset in the content from which hits may be unknown
}

// newPage prepares a window with hits. Hits that start within twice the
// overlap of the chunk's end belong to the next window, and their bytes must
// not be shown by this one; those of the windows before come as carried.
func newPage(w scanners.Window, covers, carried []cover, overlap int) *page {
	p := &page{w: w, safe: w.Chunk.Base + int64(len(w.Chunk.Data))}
	if !w.Chunk.Final {
		p.safe = max(w.Chunk.Base, p.safe-2*int64(overlap))
	}
	all := append(append([]cover(nil), carried...), covers...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].span.Start < all[j].span.Start })
	for _, c := range all {
		p.covers = joinCover(p.covers, c)
	}
	for i := 0; ; i++ {
		n := bytes.IndexByte(w.Chunk.Data[i:], '\n')
		if n < 0 {
			return p
		}
		i += n
		p.newlines = append(p.newlines, i)
	}
}

// position is the line and column of an offset in the content.
func (p *page) position(offset int64) (line, column int) {
	at := int(offset - p.w.Chunk.Base)
	k := sort.SearchInts(p.newlines, at)
	if k == 0 {
		return p.w.Line, p.w.Column + at
	}
	return p.w.Line + k, at - p.newlines[k-1]
}

// region is a span with lines; the end is its last byte.
func (p *page) region(s scanners.Span) wire.Region {
	r := wire.Region{Start: s.Start, End: s.End}
	r.Line, r.Column = p.position(s.Start)
	r.EndLine, r.EndColumn = p.position(max(s.End-1, s.Start))
	return r
}

// line is the line that an offset of the content stands in, as far as the window
// has it.
func (p *page) line(offset int64) []byte {
	data, at := p.w.Chunk.Data, int(offset-p.w.Chunk.Base)
	k := sort.SearchInts(p.newlines, at)
	if k < len(p.newlines) {
		data = data[:p.newlines[k]]
	}
	if k > 0 {
		data = data[p.newlines[k-1]+1:]
	}
	return data
}

// sectionReach is how far before a hit the beginning of its section is looked for.
const sectionReach = 256 << 10

// before are the lines before an offset of the content, and what is of its own.
func (p *page) before(offset int64) []byte {
	at := int(offset - p.w.Chunk.Base)
	from := max(0, at-sectionReach)
	if k := sort.SearchInts(p.newlines, from); from > 0 && k < len(p.newlines) {
		from = min(p.newlines[k]+1, at)
	}
	return p.w.Chunk.Data[from:at]
}

// context is the line around a span, cut short, with every hit replaced.
func (p *page) context(s scanners.Span) string {
	data, base := p.w.Chunk.Data, p.w.Chunk.Base
	c := cover{span: s, mark: redacted}
	if i := sort.Search(len(p.covers), func(i int) bool { return p.covers[i].span.End > s.Start }); i < len(p.covers) && p.covers[i].span.Start <= s.Start {
		c = p.covers[i]
	}
	start, end := int(max(c.span.Start-base, 0)), int(min(max(c.span.End, s.End)-base, int64(len(data))))
	from := max(start-contextBytes, 0)
	to := min(end+contextBytes, len(data), max(int(p.safe-base), end))
	if i := bytes.LastIndexByte(data[from:start], '\n'); i >= 0 {
		from += i + 1
	} else if from > 0 {
		for from < start && wordByte(data[from]) {
			from++ // no end of a word whose start is not looked at
		}
	}
	if i := bytes.IndexByte(data[end:to], '\n'); i >= 0 {
		to = end + i
	} else if to < len(data) {
		for to > end && wordByte(data[to-1]) {
			to--
		}
	}
	var before, after strings.Builder
	appendRedacted(&before, string(data[from:start]), base+int64(from), p.covers, calm)
	appendRedacted(&after, string(data[end:to]), base+int64(end), p.covers, calm)
	left, right := before.String(), after.String()
	if c.mark == redacted { // a rule told where the value ends
		left, right = withoutRest(left, right)
	}
	if i := strings.LastIndexByte(left, unprintable); i >= 0 {
		left = left[i+1:]
	}
	if i := strings.IndexByte(right, unprintable); i >= 0 {
		right = right[:i]
	}
	return strings.TrimSpace(left + c.mark + right)
}

// wordByte is what opaque text is made of, bytes of wide characters included.
func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf ||
		c == '+' || c == '_' || c == '=' || c == '-' || c == '%' || c == '\\' || c == '&' || c == '#' || c == ';'
}
