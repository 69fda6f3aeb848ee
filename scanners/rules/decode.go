package rules

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// encoding is one of the encodings that gitleaks undoes, as a bit.
type encoding uint8

const (
	percent encoding = 1 << iota
	escape           // \u0041, U+0041
	hexadecimal
	base64ish
)

// rank is which of two touching encodings is undone first.
func (e encoding) rank() int {
	switch e {
	case percent:
		return 4
	case escape:
		return 3
	case hexadecimal:
		return 2
	default:
		return 1
	}
}

// names are gitleaks' names of the encodings in e.
func (e encoding) names() []string {
	var names []string
	for i, name := range []string{"percent", "unicode", "hex", "base64"} {
		if e>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

const (
	minBase64 = 16
	minHex    = 32
)

// encoded is a stretch of text that looks encoded.
type encoded struct {
	extent
	kind encoding
}

// alphabets are tables of the characters of encodings.
type alphabets struct {
	base64    [256]bool
	sextet    [256]uint8
	hex       [256]uint8 // 0xff: none
	printable [256]bool
}

func newAlphabets() *alphabets {
	a := &alphabets{}
	for i := range a.hex {
		a.hex[i], a.sextet[i] = 0xff, 0xff
		a.printable[i] = 0x08 < i && i < 0x7f
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
		a.base64[c] = true
		a.sextet[c] = uint8(i)
	}
	a.sextet['-'], a.sextet['_'] = 62, 63
	for i, c := range []byte("0123456789abcdef") {
		a.hex[c] = uint8(i)
		if c >= 'a' {
			a.hex[c-0x20] = uint8(i)
		}
	}
	return a
}

// decoded undoes an encoding; empty when the outcome is not printable text.
func (a *alphabets) decoded(text string, kind encoding) string {
	switch kind {
	case percent:
		return a.unpercent(text)
	case escape:
		return a.unescape(text)
	case hexadecimal:
		return a.unhex(text)
	default:
		return a.unbase64(text)
	}
}

func (a *alphabets) unpercent(text string) string {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if hi, lo := a.hex[text[i+1]], a.hex[text[i+2]]; hi|lo != 0xff {
				c := hi<<4 | lo
				if !a.printable[c] {
					return ""
				}
				out = append(out, c)
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}

func (a *alphabets) unescape(text string) string {
	var out []byte
	for i := 0; i+6 <= len(text); {
		for text[i] == '\\' {
			i++
		}
		i++ // u
		if text[i] == '+' {
			i++
		}
		var r rune
		for _, c := range []byte(text[i : i+4]) {
			r = r<<4 | rune(a.hex[c])
		}
		out = utf8.AppendRune(out, r)
		i += 4
		if i < len(text) && text[i] != '\\' {
			i++ // the white space behind
		}
	}
	return string(out)
}

func (a *alphabets) unhex(text string) string {
	if len(text)%2 != 0 || !strings.ContainsAny(text, "0123456789") {
		return ""
	}
	for i := 0; i < len(text); i += 2 {
		if !a.printable[a.hex[text[i]]<<4|a.hex[text[i+1]]] {
			return ""
		}
	}
	out := make([]byte, len(text)/2)
	for i := range out {
		out[i] = a.hex[text[2*i]]<<4 | a.hex[text[2*i+1]]
	}
	return string(out)
}

// unbase64 looks at the decoded characters before it allocates: nearly all
// runs are words, and fail at once.
func (a *alphabets) unbase64(text string) string {
	for i := 0; i+4 <= len(text) && text[i+3] != '=' && text[i+2] != '='; i += 4 {
		group := uint32(a.sextet[text[i]])<<18 | uint32(a.sextet[text[i+1]])<<12 | uint32(a.sextet[text[i+2]])<<6 | uint32(a.sextet[text[i+3]])
		if !a.printable[group>>16] || !a.printable[group>>8&0xff] || !a.printable[group&0xff] {
			return ""
		}
	}
	if !strings.ContainsAny(text, "0123456789+/-_") {
		return ""
	}
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		if out, err := alphabet.DecodeString(text); err == nil && a.allPrintable(out) {
			return string(out)
		}
	}
	return ""
}

func (a *alphabets) allPrintable(out []byte) bool {
	for _, c := range out {
		if !a.printable[c] {
			return false
		}
	}
	return true
}
