package registry

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"revenant/fingerprints/registration"
)

// finder looks for many values, and what encoders make of them, in stored
// texts. It is built once for a whole import.
//
// A pattern is known by its first 8 bytes, and those by a bit that their first
// 4 bytes set, so that text without a pattern costs a few operations a byte.
type finder struct {
	bits     [1 << 16 / 64]uint64
	patterns map[[8]byte][]pattern
}

type pattern struct {
	text  string
	label string
	// loose patterns are cut where a neighbour shares a base64 character; such
	// characters beside them go too.
	loose bool
}

func newFinder() *finder { return &finder{patterns: map[[8]byte][]pattern{}} }

func bitOf[T string | []byte](b T) (word, mask uint64) {
	h := (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) * 0x9E3779B1 >> 16
	return uint64(h >> 6), 1 << (h & 63)
}

// add looks for a raw value under its label, in every form that provenance
// commonly has.
func (f *finder) add(raw []byte, label string) {
	canonical := registration.Canonical(raw, registration.TrimTrailing)
	for _, v := range [][]byte{canonical, bytes.TrimRight(raw, "\r\n")} {
		f.pattern(string(v), label, false)
		if len(v) > 16<<10 {
			continue // nobody puts that into a path in base64
		}
		h := hex.EncodeToString(v)
		f.pattern(h, label, false)
		f.pattern(strings.ToUpper(h), label, false)
		f.pattern(url.QueryEscape(string(v)), label, false)
		f.pattern(url.PathEscape(string(v)), label, false)
		for shift := range 3 {
			for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				f.pattern(shiftedBase64(enc, v, shift), label, true)
			}
		}
	}
}

// shiftedBase64 is the characters that depend on v alone when it stands shift
// bytes behind the start of a 3-byte group.
func shiftedBase64(enc *base64.Encoding, v []byte, shift int) string {
	s := enc.EncodeToString(append(make([]byte, shift), v...))
	first := []int{0, 2, 3}[shift]
	last := len(s)
	if (len(v)+shift)%3 != 0 {
		last--
	}
	if last <= first {
		return ""
	}
	return s[first:last]
}

func (f *finder) pattern(text, label string, loose bool) {
	if len(text) < 8 {
		return
	}
	key := [8]byte([]byte(text[:8]))
	if slices.ContainsFunc(f.patterns[key], func(p pattern) bool { return p.text == text }) {
		return
	}
	w, m := bitOf(key[:])
	f.bits[w] |= m
	f.patterns[key] = append(f.patterns[key], pattern{text: text, label: label, loose: loose})
}

// join adds the patterns of another finder.
func (f *finder) join(o *finder) {
	for key, list := range o.patterns {
		w, m := bitOf(key[:])
		f.bits[w] |= m
		for _, p := range list {
			if !slices.Contains(f.patterns[key], p) {
				f.patterns[key] = append(f.patterns[key], p)
			}
		}
	}
}

// In reports whether a pattern stands in the text.
func (f *finder) In(text string) bool {
	for i := 0; i+8 <= len(text); i++ {
		if w, m := bitOf(text[i:]); f.bits[w]&m == 0 {
			continue
		}
		if _, found := f.at([]byte(text[i:])); found {
			return true
		}
	}
	return false
}

// Redact replaces every pattern in the text; false: there was none.
func (f *finder) Redact(text string) (string, bool) {
	b := []byte(text)
	var out []byte
	from := 0
	for i := 0; i+8 <= len(b); {
		p, ok := f.at(b[i:])
		if !ok {
			i++
			continue
		}
		start, end := i, i+len(p.text)
		if p.loose {
			if start > from && isBase64(b[start-1]) {
				start--
			}
			if end < len(b) && isBase64(b[end]) {
				end++
			}
		}
		out = append(append(out, b[from:start]...), p.label...)
		from, i = end, end
	}
	if from == 0 {
		return text, false
	}
	return string(append(out, b[from:]...)), true
}

// at returns the longest pattern at the start of b, which has 8 bytes.
func (f *finder) at(b []byte) (pattern, bool) {
	if w, m := bitOf(b); f.bits[w]&m == 0 {
		return pattern{}, false
	}
	var best pattern
	for _, p := range f.patterns[[8]byte(b[:8])] {
		if len(p.text) > len(best.text) && len(p.text) <= len(b) && string(b[:len(p.text)]) == p.text {
			best = p
		}
	}
	return best, best.text != ""
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_' || c == '='
}
