package recall_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"unicode/utf16"
)

// marshalled is a character as encoding/json writes it, which also escapes
// what HTML would read.
func marshalled(r rune) string {
	b, err := json.Marshal(string(r))
	if err != nil {
		panic(err)
	}
	return string(b[1 : len(b)-1])
}

// jsonRune is a character as most encoders write it.
func jsonRune(r rune) string {
	if r == '<' || r == '>' || r == '&' {
		return string(r)
	}
	return marshalled(r)
}

func unicodeEscape(format string) func(rune) string {
	return func(r rune) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, format, u)
		}
		return b.String()
	}
}

func jsonString() coder { return eachRune(jsonRune) }
func jsonGo() coder     { return eachRune(marshalled) }
func jsonFull() coder   { return eachRune(unicodeEscape(`\u%04x`)) }
func jsonFullUpper() coder {
	return eachRune(unicodeEscape(`\u%04X`))
}

func jsonASCII() coder {
	return eachRune(func(r rune) string {
		if r > 0x7e {
			return unicodeEscape(`\u%04x`)(r)
		}
		return jsonRune(r)
	})
}

func jsonSlashes() coder {
	return eachRune(func(r rune) string {
		if r == '/' {
			return `\/`
		}
		return jsonRune(r)
	})
}

// escaping puts one text in place of each of some characters.
func escaping(pairs ...string) coder {
	in := map[rune]string{}
	for i := 0; i < len(pairs); i += 2 {
		in[[]rune(pairs[i])[0]] = pairs[i+1]
	}
	return eachRune(func(r rune) string {
		if s, ok := in[r]; ok {
			return s
		}
		return string(r)
	})
}

// protected puts a text before each of some characters.
func protected(before, characters string) coder {
	return eachRune(func(r rune) string {
		if strings.ContainsRune(characters, r) {
			return before + string(r)
		}
		return string(r)
	})
}

// line is for what stands on one line.
func line(c coder) coder {
	return when(func(in []byte) bool { return !strings.ContainsAny(string(in), "\r\n") }, c)
}

const shellSpecial = " !\"#$&'()*;<>?[\\]^`{|}~"

func shellSingle() coder { return escaping(`'`, `'\''`) }
func shellDouble() coder { return protected(`\`, "\"$`\\!") }
func shellSlashes() coder {
	return line(protected(`\`, shellSpecial+"=%+,/:@"))
}

func shellANSI() coder {
	return escaping(`'`, `\'`, `\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`)
}

// shellOctal is bash's printf %q in the C locale.
func shellOctal() coder {
	return textOnly(eachByte(func(_ int, b byte) string {
		switch {
		case b == '\n':
			return `\n`
		case b == '\'' || b == '\\':
			return `\` + string(rune(b))
		case b < ' ' || b > '~':
			return fmt.Sprintf(`\%03o`, b)
		}
		return string(rune(b))
	}))
}

func percentFull(format string) coder {
	return eachByte(func(_ int, b byte) string { return fmt.Sprintf(format, b) })
}

func percentQuery() coder {
	return eachByte(func(_ int, b byte) string { return url.QueryEscape(string([]byte{b})) })
}

func percentPath() coder {
	return eachByte(func(_ int, b byte) string { return url.PathEscape(string([]byte{b})) })
}

// userInfo is a password in a URL.
func userInfo() coder {
	return eachByte(func(_ int, b byte) string {
		if letterOrDigit(b) || strings.IndexByte("-._~$&+,;=", b) >= 0 {
			return string([]byte{b})
		}
		return fmt.Sprintf("%%%02X", b)
	})
}

func htmlNamed() coder {
	return escaping(`&`, "&amp;", `<`, "&lt;", `>`, "&gt;", `"`, "&quot;", `'`, "&apos;", "ü", "&uuml;", "ß", "&szlig;", "é", "&eacute;")
}

func htmlGo() coder {
	return escaping(`&`, "&amp;", `<`, "&lt;", `>`, "&gt;", `"`, "&#34;", `'`, "&#39;")
}

func htmlNumeric(format string) coder {
	return eachRune(func(r rune) string { return fmt.Sprintf(format, r) })
}

func properties() coder {
	return eachRune(func(r rune) string {
		switch {
		case strings.ContainsRune(`:=#!\ `, r):
			return `\` + string(r)
		case r == '\n':
			return `\n`
		case r > 0x7e:
			return unicodeEscape(`\u%04X`)(r)
		}
		return string(r)
	})
}

// cString is a literal of C and its relatives, with octal for what is not
// ASCII.
func cString() coder {
	return textOnly(eachByte(func(_ int, b byte) string {
		switch {
		case b == '\n':
			return `\n`
		case b == '\t':
			return `\t`
		case b == '"' || b == '\\':
			return `\` + string(rune(b))
		case b < ' ' || b > '~':
			return fmt.Sprintf(`\%03o`, b)
		}
		return string(rune(b))
	}))
}

// foldedAtSpaces breaks lines where single spaces stand, as YAML folds them.
func foldedAtSpaces(indent string) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		folds := 0
		for i, b := range in {
			alone := i > 0 && i+1 < len(in) && b == ' ' && in[i-1] > ' ' && in[i+1] > ' '
			if alone && (folds == 0 || r.IntN(2) == 0) {
				m.carry(1, "\n"+indent)
				folds++
				continue
			}
			if b == '\n' {
				return coded{}, false
			}
			m.carry(1, string([]byte{b}))
		}
		return m.coded, folds > 0
	}
}

// indented puts a text before every line.
func indented(indent string) coder {
	return textOnly(func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		m.raw(indent)
		for i, b := range in {
			m.carry(1, string([]byte{b}))
			if b == '\n' && i+1 < len(in) {
				m.raw(indent)
			}
		}
		return m.coded, true
	})
}

// foreignAs escapes characters that are not ASCII, and some that are, by their numbers:
// those of Latin-1 in a short way.
func foreignAs(short, long string, others ...string) coder {
	return eachRune(func(r rune) string {
		switch {
		case r < 0x80 && !strings.ContainsRune(strings.Join(others, ""), r):
			return string(r)
		case r < 0x100:
			return fmt.Sprintf(short, r)
		case strings.HasSuffix(long, "}"):
			return fmt.Sprintf(long, r)
		}
		return unicodeEscape(long)(r)
	})
}

// foreignBytes escapes what is not ASCII byte by byte.
func foreignBytes(format string) coder {
	return textOnly(eachByte(func(_ int, b byte) string {
		if b < 0x80 {
			return string([]byte{b})
		}
		return fmt.Sprintf(format, b)
	}))
}

// doubling writes some signs twice, each of which has to stand in a word with a letter.
func doubling(signs string) coder {
	in := func(c byte) bool {
		return c > ' ' && c != '"' && c != '\'' && c != '`' && c != ',' && c != '<' && c != '>'
	}
	solid := func(text []byte) bool {
		for i, c := range text {
			if strings.IndexByte(signs, c) < 0 {
				continue
			}
			from, to := i, i+1
			for ; from > 0 && in(text[from-1]); from-- {
			}
			for ; to < len(text) && in(text[to]); to++ {
			}
			if to-from < 6 || !bytes.ContainsAny(text[from:to], alnum[:52]) {
				return false
			}
		}
		return true
	}
	var pairs []string
	for _, c := range signs {
		pairs = append(pairs, string(c), string([]rune{c, c}))
	}
	return when(solid, escaping(pairs...))
}
