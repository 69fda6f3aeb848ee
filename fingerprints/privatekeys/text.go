package privatekeys

import "bytes"

// Text that holds a key has often been through something: a JSON string, a
// comment, a mail, a shell script. These functions undo what such places do
// to base64, and nothing that could turn one body into another.

// step reads one character of text at the start of b, through the escapes of
// JSON and its relatives (any number of backslashes), percent encoding and
// HTML. It returns the character, '\n' for every break of a line, ' ' for
// other space, and how many bytes it took; c is 0 for what means nothing.
func step(b []byte) (c byte, n int) {
	switch b[0] {
	case '\\':
		return backslash(b)
	case '%':
		if v, ok := hexByte(b[1:]); ok {
			return spaced(v), 3
		}
	case '&':
		return entity(b)
	case '<':
		if len(b) >= 4 && (b[1] == 'b' || b[1] == 'B') && (b[2] == 'r' || b[2] == 'R') {
			if end := bytes.IndexByte(b[:min(len(b), 8)], '>'); end > 0 {
				return '\n', end + 1
			}
		}
	}
	return spaced(b[0]), 1
}

func spaced(c byte) byte {
	switch c {
	case '\r', '\n':
		return '\n'
	case '\t', '\v', '\f', 0:
		return ' '
	}
	return c
}

func backslash(b []byte) (byte, int) {
	n := 1
	for n < len(b) && n < 16 && b[n] == '\\' {
		n++
	}
	if n >= len(b) {
		return 0, n
	}
	switch b[n] {
	case 'n', 'r':
		return '\n', n + 1
	case 't':
		return ' ', n + 1
	case 'x':
		if v, ok := hexByte(b[n+1:]); ok {
			return spaced(v), n + 3
		}
	case 'u':
		if len(b) >= n+5 && b[n+1] == '0' && b[n+2] == '0' {
			if v, ok := hexByte(b[n+3:]); ok {
				return spaced(v), n + 5
			}
		}
	}
	return 0, n // an escaped character stands for itself
}

func hexByte(b []byte) (byte, bool) {
	if len(b) < 2 {
		return 0, false
	}
	hi, lo := nibble(b[0]), nibble(b[1])
	return hi<<4 | lo&15, hi < 16 && lo < 16
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

func entity(b []byte) (byte, int) {
	end := bytes.IndexByte(b[:min(len(b), 9)], ';')
	if end < 0 {
		return spaced(b[0]), 1
	}
	name := string(b[1:end])
	switch name {
	case "quot", "#34", "#x22":
		return '"', end + 1
	case "apos", "#39", "#x27":
		return '\'', end + 1
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "plus", "#43", "#x2b", "#x2B":
		return '+', end + 1
	case "sol", "#47", "#x2f", "#x2F":
		return '/', end + 1
	case "equals", "#61", "#x3d", "#x3D":
		return '=', end + 1
	case "NewLine", "#10", "#13", "#xa", "#xA", "#xd", "#xD":
		return '\n', end + 1
	}
	return 0, end + 1
}

// plain undoes escapes; line breaks become \n.
func plain(seg []byte) []byte {
	out := make([]byte, 0, len(seg))
	for len(seg) > 0 {
		c, n := step(seg)
		if c != 0 {
			out = append(out, c)
		}
		seg = seg[n:]
	}
	return out
}

// bodies returns the ways to read a body whose lines may carry a prefix, that
// of the line before it, or other decoration: comment signs, quotes and
// concatenation, times of a log. The likeliest comes first.
func bodies(seg, prefix []byte) [][]byte {
	text := plain(seg)
	var out [][]byte
	if cut, ok := withoutPrefix(text, prefix); ok {
		kept, _ := everything(withoutHeaders(cut))
		out = append(out, kept)
	}
	text = withoutHeaders(text)
	kept, clean := everything(text)
	if clean {
		return append(out, kept)
	}
	return append(out, lastWords(text), kept)
}

// everything keeps the characters of base64; clean says that there were no
// others but space, quotes and the like, and no signs that stand alone.
func everything(text []byte) (chars []byte, clean bool) {
	clean = true
	word, solid := 0, false
	for i := 0; i <= len(text); i++ {
		c := byte(' ')
		if i < len(text) {
			c = text[i]
		}
		if sextet(c) || c == '=' {
			chars = append(chars, c)
			word++
			solid = solid || alnum(c) || c == '='
			continue
		}
		clean = clean && (word == 0 || solid) && (c == ' ' || c == '\n' || c == '"' || c == '\'')
		word, solid = 0, false
	}
	return chars, clean
}

// withoutPrefix cuts the prefix off every line that is not empty; ok is false
// when one lacks it.
func withoutPrefix(text, prefix []byte) (cut []byte, ok bool) {
	short := bytes.TrimRight(prefix, " ")
	if len(short) == 0 {
		return nil, false
	}
	first := true
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		switch {
		case begins(line, prefix):
			line = line[len(prefix):]
		case first: // stands right behind the header
		case len(bytes.TrimSpace(line)) == 0:
		case begins(line, short) && len(bytes.TrimRight(line, " ")) == len(short):
			line = nil
		default:
			return nil, false
		}
		cut = append(append(cut, line...), '\n')
		first = false
	}
	return cut, true
}

// begins reports whether a line starts with the prefix or, in a log, with one
// that differs in digits.
func begins(line, prefix []byte) bool {
	if len(line) < len(prefix) {
		return false
	}
	for i, c := range prefix {
		if d := line[i]; c != d && (c < '0' || c > '9' || d < '0' || d > '9') {
			return false
		}
	}
	return true
}

// lastWords keeps the last run of base64 of every line that has a letter or a
// digit: what stands before is decoration.
func lastWords(text []byte) []byte {
	var chars []byte
	for line := range bytes.Lines(text) {
		for end := len(line); end > 0; {
			for end > 0 && !sextet(line[end-1]) && line[end-1] != '=' {
				end--
			}
			start := end
			solid := false
			for start > 0 && (sextet(line[start-1]) || line[start-1] == '=') {
				start--
				solid = solid || alnum(line[start])
			}
			if solid {
				chars = append(chars, line[start:end]...)
				break
			}
			end = start
		}
	}
	return chars
}

// withoutHeaders drops the "Name: value" lines of RFC 1421 and RFC 9580 that
// precede a body, whether on lines of their own or folded.
func withoutHeaders(text []byte) []byte {
	for {
		rest := bytes.TrimLeft(text, " \n\"'+,.#>*|;/")
		colon := headerName(rest)
		if colon == 0 {
			return text
		}
		value := bytes.TrimLeft(rest[colon+1:], " ")
		end := bytes.IndexByte(value, '\n')
		if name := string(rest[:colon]); end < 0 || name == "Proc-Type" || name == "DEK-Info" {
			if word := bytes.IndexAny(value, " \n\"'"); word >= 0 && (end < 0 || word < end) {
				end = word
			}
		}
		if end < 0 {
			return nil
		}
		text = value[end:]
	}
}

// headerName returns the length of the header name that b starts with.
func headerName(b []byte) int {
	for i, c := range b {
		switch {
		case c == ':' && i >= 3 && i+1 < len(b) && b[i+1] == ' ':
			return i
		case i > 40 || i == 0 && (c < 'A' || c > 'Z') || !alnum(c) && c != '-':
			return 0
		}
	}
	return 0
}
