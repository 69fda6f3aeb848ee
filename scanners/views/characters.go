package views

import (
	"bytes"
	"context"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/scanners"
)

// longestCharacter is how long a character literal is at the most: '\U0001f511'.
const longestCharacter = 12

// literalBefore returns where the literal begins that the quote at p ends.
func literalBefore(data []byte, p int, b *built) (from int, ok bool) {
	for q := p - 2; q >= max(0, p-longestCharacter+1); q-- {
		if data[q] == '\'' {
			end := readLiteral(data, q, b)
			if b.reset(); end == p+1 {
				return q, true
			}
		}
	}
	return 0, false
}

// listLiterals reads the list of character literals, {'a', 'b', '\n'}, whose first literal begins at p, yields it, and
// returns where it ends.
func listLiterals(ctx context.Context, l scanners.Layer, p int, b *built, yield func(scanners.Text) bool) (end int, goOn bool) {
	shown := false
	for ok := true; ok; {
		next := readLiteral(l.Data, p, b)
		if next == 0 {
			break
		}
		end = next
		if b.full(l) {
			kept := *b
			if shown = true; !b.texts(l, text(fingerprints.FormJoined), yield) || ctx.Err() != nil {
				return end, false
			}
			*b = kept.last(l.Overlap)
		}
		p, ok = behindLiteral(l.Data, end)
	}
	if !shown && len(b.out) < leastList {
		b.reset()
		return end, true
	}
	return end, b.texts(l, text(fingerprints.FormJoined), yield)
}

// behindLiteral returns where the literal begins that follows the one that ends
// at p.
func behindLiteral(data []byte, p int) (int, bool) {
	comma := false
	for end := min(len(data), p+longestSpace); p < end; p++ {
		switch c := data[p]; {
		case c == ',' && !comma:
			comma = true
		case c == '\'':
			return p, comma
		case isSpace(c):
		case kindOf(c) && p+1 < end && data[p+1] == '\'': // b'a', L'a'
		default:
			return p, false
		}
	}
	return p, false
}

// readLiteral reads the literal at p and returns where it ends; 0 when there is
// none.
func readLiteral(data []byte, p int, b *built) (end int) {
	lit := data[p:min(len(data), p+longestCharacter)]
	if len(lit) < 3 || lit[0] != '\'' || lit[1] == '\'' || lit[1] < ' ' {
		return 0
	}
	var out [utf8.UTFMax]byte
	size, n := 1, 1
	if out[0] = lit[1]; lit[1] == '\\' {
		size, n = unescaped(lit[1:], &out)
	} else if lit[1] >= utf8.RuneSelf {
		_, n = utf8.DecodeRune(lit[1:])
		size = copy(out[:], lit[1:1+n])
	}
	if end = 1 + n; size == 0 || end >= len(lit) || lit[end] != '\'' {
		return 0
	}
	for _, c := range out[:size] {
		b.push(c, p+1, p+end)
	}
	return p + end + 1
}

// unescaped undoes the escape that a literal begins with: how many bytes it
// stands for, and its length. None: 0.
func unescaped(lit []byte, out *[utf8.UTFMax]byte) (size, n int) {
	digits := 0
	switch c := lit[1]; {
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case c >= '0' && c <= '7':
		out[0] = 0
		for n = 1; n < min(len(lit), 4) && lit[n] >= '0' && lit[n] <= '7'; n++ {
			out[0] = out[0]<<3 + lit[n] - '0'
		}
		return 1, n
	default:
		if i := bytes.IndexByte([]byte(`abefnrtv\'"?`), c); i >= 0 {
			out[0] = "\a\b\x1b\f\n\r\t\v\\'\"?"[i]
			return 1, 2
		}
		return 0, 0
	}
	v, ok := hexAt(lit, 2, digits)
	if n = 2 + digits; !ok {
		return 0, 0
	}
	if digits == 2 {
		out[0] = byte(v)
		return 1, n
	}
	return utf8.EncodeRune(out[:], v), n
}
