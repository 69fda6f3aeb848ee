package redact

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	// longestArmour is how far before a place a beginning of armour is looked for.
	longestArmour = 64 << 10
	// longestSettled is how long a line may be that is not looked at as one that
	// was wrapped.
	longestSettled = 76
	// longestWord is how long a word at the end of a line may be: longer ones, and
	// runs of digits, go on in the next.
	longestWord = 12
	// binaryNear is how much before a line is no text where that is none.
	binaryNear = 256
	// fewestDigits begin a row of a dump.
	fewestDigits = 7
	// fewestNumbers are as many as no other line has.
	fewestNumbers = 4
)

// settled is where the last line ends, behind from and at to at the latest,
// behind which nothing goes on as far as it shows; from when there is none.
func settled(data []byte, from, to int) int {
	to = min(to, armourIn(data, from, to))
	for p := to; p > from; {
		n := bytes.LastIndexAny(data[from:p], "\r\n")
		if n < 0 {
			return from
		}
		p = from + n // of the line's end
		end := p + 1
		if data[p] == '\n' && p > 0 && data[p-1] == '\r' {
			p--
		}
		start := bytes.LastIndexAny(data[max(0, p-longestSettled-1):p], "\r\n")
		switch start += max(0, p-longestSettled-1) + 1; {
		case data[end-1] == '\r' && (end == len(data) || data[end] == '\n'): // it may be a line's end
		case end < len(data) && (data[end] == ' ' || data[end] == '\t'):
		case p-start > longestSettled || binary(data[max(0, start-binaryNear):p]):
		case data[end-1] == '\r' && redrawn(data[start:p]):
			return end
		case ends(data[start:p]):
			return end
		}
	}
	return from
}

// armourIn is where the line of the first beginning of armour stands that is not
// ended, to where there is none. Armour may have begun in what went out.
func armourIn(data []byte, from, to int) int {
	begin, end, dashes := []byte("-----BEGIN"), []byte("-----END"), []byte("-----")
	p := max(0, from-longestArmour)
	for n := to; n > p; {
		last := bytes.LastIndex(data[p:n], end)
		if last < 0 {
			break
		}
		n = p + last
		if bytes.Contains(data[n+len(dashes):to], dashes) {
			p = n
		}
	}
	n := bytes.Index(data[p:to], begin)
	if n < 0 {
		return to
	}
	return bytes.LastIndexByte(data[:p+n], '\n') + 1
}

// redrawn reports whether a line that is drawn over, as a bar that tells of
// progress, has no long word at its end.
func redrawn(line []byte) bool {
	word := line[bytes.LastIndexAny(line, " \t")+1:]
	return len(word) <= longestWord && utf8.Valid(line)
}

// ends reports whether nothing goes on behind a line: it is prose, or data of
// which it shows that they end.
func ends(line []byte) bool {
	line = plain(line)
	switch {
	case len(line) == 0:
		return true
	case line[0] == ' ' || line[0] == '\t' || !utf8.Valid(line):
		return false
	case row(line) || uuencoded(line) || logged(line):
		return false
	}
	word := uncoloured(line[bytes.LastIndexAny(line, " \t")+1:])
	before := bytes.TrimRight(line[:len(line)-len(word)], " \t")
	switch c := word[len(word)-1]; {
	case len(before) > 0 && bytes.IndexByte([]byte(":=|>"), before[len(before)-1]) >= 0: // of something that has a name
		return false
	case bytes.IndexByte([]byte(".!?)]};%"), c) >= 0:
		return len(word) <= longestWord || bytes.IndexByte([]byte(")]}"), c) >= 0 && !signed(word)
	case !letter(c) && !number(c) || len(word) > longestWord:
		return false
	}
	return letters(word) || measure(word) && prose(before)
}

// plain is a line without the blanks and control sequences at its end.
func plain(line []byte) []byte {
	for {
		line = bytes.TrimRight(line, " \t")
		if len(line) == 0 || line[len(line)-1] != 'm' && line[len(line)-1] != 'K' {
			return line
		}
		n := bytes.LastIndex(line, []byte("\x1b["))
		if n < 0 || len(bytes.Trim(line[n+2:len(line)-1], "0123456789;")) > 0 {
			return line
		}
		line = line[:n]
	}
}

// uncoloured is a word behind the last control sequence in it.
func uncoloured(word []byte) []byte {
	if n := bytes.LastIndex(word, []byte("\x1b[")); n >= 0 {
		if m := bytes.IndexByte(word[n:], 'm'); m >= 0 && n+m+1 < len(word) {
			return word[n+m+1:]
		}
	}
	return word
}

// row reports whether a line begins like the row of a dump, or has as many numbers in a
// row as one.
func row(line []byte) bool {
	n := 0
	for n < len(line) && hexDigit(line[n]) {
		n++
	}
	return n >= fewestDigits || numbers(line) >= fewestNumbers
}

// numbers is how many words of a line are numbers of whole bytes, in hexadecimal, one after
// the other, from the first that are.
func numbers(line []byte) (most int) {
	const between = " \t-:|,"
	n := 0
	for p := 0; p < len(line); {
		if !hexDigit(line[p]) {
			if strings.IndexByte(between, line[p]) < 0 {
				n = 0
			}
			p++
			continue
		}
		if p+1 < len(line) && line[p] == '0' && line[p+1] == 'x' {
			p += 2
		}
		from := p
		for p < len(line) && hexDigit(line[p]) {
			p++
		}
		if n++; p == from || (p-from)%2 > 0 || p < len(line) && strings.IndexByte(between, line[p]) < 0 {
			n = 0
		}
		most = max(most, n)
	}
	return most
}

func hexDigit(c byte) bool { return number(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// uuencoded reports whether a line is one of uuencode: its first character says
// how long it is, but for blanks at its end. Or a file of it begins.
func uuencoded(line []byte) bool {
	for _, c := range line {
		if c > '`' {
			return bytes.HasPrefix(line, []byte("begin "))
		}
	}
	long := (int(line[0]-' ')&63+2)/3*4 - (len(line) - 1)
	return long >= -1 && long <= 4
}

// logged reports whether a line is a part of one that a container wrote.
func logged(line []byte) bool {
	head := line[:min(len(line), 64)]
	if bytes.Contains(head, []byte(" stdout P ")) || bytes.Contains(head, []byte(" stderr P ")) {
		return true
	}
	return bytes.Contains(line, []byte(`"log":"`)) && !bytes.Contains(line, []byte(`\n"`))
}

// signed reports whether signs stand in a word as they do in base85: of most kinds.
func signed(word []byte) bool {
	const few = 4
	kinds := 0
	for _, c := range []byte("!#$%&*+;<>?@^`|~") {
		if bytes.IndexByte(word, c) >= 0 {
			kinds++
		}
	}
	return kinds >= few
}

// letters reports whether a word has nothing else.
func letters(word []byte) bool {
	for _, c := range word {
		if !letter(c) {
			return false
		}
	}
	return true
}

// measure reports whether a word is a number, maybe with a unit.
func measure(word []byte) bool {
	unit := bytes.TrimLeft(word, "0123456789.,:")
	return len(unit) < len(word) && len(unit) <= 3 && letters(unit)
}

// prose reports whether a text has a word that no number and no digest is.
func prose(text []byte) bool {
	for word := range bytes.FieldsSeq(text) {
		if word = bytes.Trim(word, ",:;.()"); len(word) > 2 && len(word) <= longestWord && letters(word) && len(bytes.Trim(word, "abcdefABCDEF")) > 0 {
			return true
		}
	}
	return false
}
