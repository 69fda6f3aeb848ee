package escapes

import "bytes"

const (
	// longestSequence bounds control sequences with parameters, longestString
	// those that carry a string: titles and links.
	longestSequence = 64
	longestString   = 2 << 10
)

// Sequence is where the control sequence of ECMA-48 ends whose escape character
// stands before p; -1 when none does.
func Sequence(data []byte, p int) int { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	if p >= len(data) {
		return -1
	}
	switch c := data[p]; {
	case c == '[':
		for i := p + 1; i < min(len(data), p+longestSequence); i++ {
			if data[i] >= 0x40 && data[i] <= 0x7e {
				return i + 1
			}
			if data[i] < ' ' || data[i] > 0x7e {
				break
			}
		}
	case c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_':
		in := data[p+1 : min(len(data), p+1+longestString)]
		if i := bytes.IndexAny(in, "\a\x1b\n"); i >= 0 && in[i] == '\a' {
			return p + 2 + i
		} else if i >= 0 && in[i] == 0x1b && i+1 < len(in) && in[i+1] == '\\' {
			return p + 3 + i
		}
	case c >= 0x20 && c <= 0x2f:
		if p+1 < len(data) && data[p+1] >= 0x30 && data[p+1] <= 0x7e {
			return p + 2
		}
	case bytes.IndexByte([]byte("78=>cDEHMNOZ"), c) >= 0:
		return p + 1
	}
	return -1
}
