package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is a word of a text: lower-case, with its place among the words. What is
// written together in mixed case gives its parts, and the whole of it at the place
// of the first part: dbPassword is db, password, and dbpassword.
type Token struct {
	Text  string
	Place int // from 1
}

// maxToken is the longest token in bytes; what is longer is cut.
const maxToken = 64

// Tokens are the words of a text, in order of their places.
func Tokens(text string) []Token {
	var out []Token
	place := 0
	for _, run := range runs(text) {
		parts := camel(run)
		for i, p := range parts {
			place++
			out = append(out, Token{Text: folded(p), Place: place})
			if i == 0 && len(parts) > 1 {
				out = append(out, Token{Text: folded(run), Place: place})
			}
		}
	}
	return out
}

// isWord: the characters that words are made of. The wildcard stands for some.
func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == wildcard }

func runs(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !isWord(r) })
}

// camel cuts where a capital letter begins a word: after a small letter, and before
// a small letter behind a capital one.
func camel(run string) []string {
	var out []string
	from := 0
	rs := []rune(run)
	at := 0
	for i, r := range rs {
		if i > 0 && unicode.IsUpper(r) {
			before, behind := rs[i-1], rune(0)
			if i+1 < len(rs) {
				behind = rs[i+1]
			}
			if unicode.IsLower(before) || unicode.IsUpper(before) && unicode.IsLower(behind) {
				out = append(out, run[from:at])
				from = at
			}
		}
		at += utf8.RuneLen(r)
	}
	return append(out, run[from:])
}

func folded(s string) string {
	s = strings.ToLower(s)
	if len(s) <= maxToken {
		return s
	}
	n := maxToken
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
