package buildcontext

import (
	"strings"
)

const blanks = " \t\v\f\r\n"

// cutSpace cuts a text at its first blanks.
func cutSpace(s string) (before, after string) {
	s = strings.Trim(s, blanks)
	if i := strings.IndexAny(s, blanks); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], blanks)
	}
	return s, ""
}

// firstWord cuts a text behind its first word, as it is written. Blanks in quotes
// and behind the escape sign are part of a word.
func firstWord(s string, escape byte) (word, rest string) {
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == escape && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte(blanks, c) >= 0:
			return s[:i], strings.TrimLeft(s[i:], blanks)
		}
	}
	return s, ""
}

// unquoted is a word without its quotes and escapes.
func unquoted(word string, escape byte) string {
	e := expansion{room: len(word), raw: true, escape: escape}
	out, _ := e.word(word)
	return out
}

// lookup says what a variable is.
type lookup func(name string) (value string, set bool)

// maxExpanded bounds what one word grows to.
const maxExpanded = 64 << 10

// maxNested is how many defaults may stand in each other.
const maxNested = 8

// expansion puts values in the place of variables, as BuildKit's reference says
// under "Environment replacement".
type expansion struct {
	of    lookup
	unset string // in the place of a variable that is not known; with keep it stays
	keep  bool
	room  int
	depth int
	raw   bool // a dollar is a letter
	// escape takes the meaning of the sign behind it.
	escape byte
}

// word returns a word without quotes and with the values of its variables; false,
// where that is too long.
func (e *expansion) word(s string) (string, bool) {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == e.escape && quote != '\'' && i+1 < len(s):
			if quote == '"' && s[i+1] != '"' && s[i+1] != '$' && s[i+1] != e.escape {
				b.WriteByte(c)
			}
			b.WriteByte(s[i+1])
			i += 2
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
			i++
		case quote != 0 && c == quote:
			quote = 0
			i++
		case c == '$' && quote != '\'' && !e.raw:
			value, n := e.variable(s[i:])
			b.WriteString(value)
			i += n
		default:
			b.WriteByte(c)
			i++
		}
		if b.Len() > e.room {
			return "", false
		}
	}
	return b.String(), true
}

// variable reads what begins with a dollar, and says how long it is.
func (e *expansion) variable(s string) (value string, n int) {
	if !strings.HasPrefix(s, "${") {
		n := 1
		for n < len(s) && isName(s[n]) {
			n++
		}
		if n == 1 {
			return "$", 1
		}
		return e.value(s[1:n], s[:n]), n
	}
	end := closing(s, e.escape)
	if end < 0 {
		return s, len(s)
	}
	whole, inner := s[:end+1], s[2:end]
	k := 0
	for k < len(inner) && isName(inner[k]) {
		k++
	}
	return e.modified(inner[:k], inner[k:], whole), end + 1
}

// closing finds the brace that ends the variable at the beginning of s.
func closing(s string, escape byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case escape:
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// value is a variable's, or what stands for one that is not known.
func (e *expansion) value(name, written string) string {
	if v, set := e.of(name); set {
		return v
	}
	if e.keep {
		return written
	}
	return e.unset
}

// modified is a variable's value by what stands behind its name in the braces.
func (e *expansion) modified(name, how, written string) string {
	v, set := e.of(name)
	filled := set
	if strings.HasPrefix(how, ":") {
		how, filled = how[1:], set && v != ""
	}
	if how == "" {
		return e.value(name, written)
	}
	word := how[1:]
	switch how[0] {
	case '-':
		if !filled {
			return e.nested(word)
		}
	case '+':
		if filled {
			return e.nested(word)
		}
		return ""
	case '?':
	default: // a pattern that is cut off or replaced: what comes of it is not known
		if e.keep {
			return written
		}
		return e.unset
	}
	return e.value(name, written)
}

func (e *expansion) nested(word string) string {
	if e.depth >= maxNested {
		return word
	}
	inner := *e
	inner.depth++
	out, fits := inner.word(word)
	if !fits {
		return word
	}
	return out
}

func isName(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// pair is a name with its value.
type pair struct{ name, value string }

// pairs reads what ENV and LABEL set: NAME=VALUE, several, or the old form with
// one name and one value behind it. Values are as they are written.
func pairs(rest string, escape byte) (out []pair) {
	if word, value := firstWord(rest, escape); !strings.Contains(word, "=") {
		if word == "" {
			return nil
		}
		return []pair{{word, value}}
	}
	for rest != "" {
		var word string
		word, rest = firstWord(rest, escape)
		name, value, _ := strings.Cut(word, "=")
		out = append(out, pair{name, value})
	}
	return out
}
