package views

import (
	"bytes"

	"revenant/fingerprints"
)

// Style sheets escape a character as a backslash, up to six hex digits, and a blank that
// means nothing. Those of six digits, as encoders write them, are rare elsewhere.

const (
	styleDigits = 6
	styleAround = 256     // of the line that is shown before the first of them
	styleMost   = 4 << 10 // and behind it
)

// styleEscape reads an escape of so many digits at least: the character and where it
// ends; 0 when there is none.
func styleEscape(data []byte, p, least int) (c rune, end int) {
	end = p + 1
	for end < len(data) && end-p <= styleDigits {
		d, ok := hexAt(data, end, 1)
		if !ok {
			break
		}
		c = c<<4 | d
		end++
	}
	if end-p-1 < least || c <= 0 || c > 0x10ffff {
		return 0, 0
	}
	if end < len(data) && isSpace(data[end]) {
		if end++; data[end-1] == '\r' && end < len(data) && data[end] == '\n' {
			end++
		}
	}
	return c, end
}

// styleEscapes yields the line around the escape at p, with all escapes in it undone.
func (k *spotting) styleEscapes(p int) (goOn bool) {
	data, b := k.layer.Data, &k.built
	if _, end := styleEscape(data, p, styleDigits); end == 0 || p < k.styled {
		return true
	}
	from := max(k.styled, p-styleAround)
	from += bytes.LastIndexByte(data[from:p], '\n') + 1
	to := lineStop(data[:min(len(data), p+styleMost)], p)
	for at := from; at < to; {
		c, end := rune(0), 0
		if data[at] == '\\' {
			c, end = styleEscape(data, at, 2)
		}
		if end == 0 {
			b.push(data[at], at, at+1)
			at++
			continue
		}
		for _, v := range []byte(string(c)) {
			b.push(v, at, end)
		}
		at = end
	}
	if k.styled = to; to < len(data) && data[to] != '\n' { // the next one is shown with what is before it
		k.styled = to - styleAround
	}
	like := text(fingerprints.FormBackslash)
	like.Alike = true
	return b.texts(k.layer, like, k.yield)
}
