package recall_test

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
)

// spellingRows write a value in another way than it was registered in.
func spellingRows() []row {
	return []row{
		{name: "hex in capitals", code: chain(when(oneCase, eachRune(func(r rune) string { return strings.ToUpper(string(r)) })), quoted()), exact: true, sure: true, keys: noKeys},
		{name: "hex with dashes, as a UUID", code: chain(when(hex32, eachByte(dashed)), quoted()), sure: true, keys: noKeys},
		{name: "hex with dashes, in capitals and braces", code: chain(when(hex32, eachByte(func(i int, b byte) string { return strings.ToUpper(dashed(i, b)) })), frame("{", "}")), sure: true, keys: noKeys},
		{name: "base64, other signs", code: chain(when(ofBase64, escaping("+", "-", "/", "_", "-", "+", "_", "/")), quoted()), exact: true, sure: true, keys: noKeys},
		{name: "base64, other signs, in JSON", code: chain(when(ofBase64, escaping("+", "-", "/", "_", "-", `\u002b`, "_", `\/`)), frame(`{"k":"`, `"}`)), exact: true, sure: true, keys: noKeys},
		{name: "base64 without padding", code: chain(lacking("="), frame("k: ", "\n")), sure: true, keys: noKeys},
		{name: "base64 without padding, other signs", code: chain(when(ofBase64, lacking("=")), escaping("+", "-", "/", "_"), frame(`?k=`, "&x=1")), sure: true, keys: noKeys},
	}
}

var (
	hexOf32    = regexp.MustCompile(`^(?:[0-9a-f]{32}|[0-9A-F]{32})$`)
	base64Sign = regexp.MustCompile(`^[0-9A-Za-z]*(?:[+/][0-9A-Za-z+/]*|[-_][0-9A-Za-z_-]*)={0,2}$`)
)

func hex32(in []byte) bool   { return hexOf32.Match(in) }
func oneCase(in []byte) bool { return hex32(in) && bytes.Equal(in, bytes.ToLower(in)) }
func ofBase64(in []byte) bool {
	return len(in) >= 20 && base64Sign.Match(in) && bytes.ContainsAny(in, alnum[:26]) && bytes.ContainsAny(in, alnum[26:52])
}

// dashed puts dashes between the groups of a UUID.
func dashed(i int, b byte) string {
	if i == 8 || i == 12 || i == 16 || i == 20 {
		return "-" + string([]byte{b})
	}
	return string([]byte{b})
}

// lacking takes a sign away that a text ends with.
func lacking(sign string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		text := strings.TrimRight(string(in), sign)
		if text == string(in) || len(text) < 20 {
			return coded{}, false
		}
		var m maker
		for _, b := range []byte(text[:len(text)-1]) {
			m.carry(1, string([]byte{b}))
		}
		m.carry(1+len(in)-len(text), text[len(text)-1:])
		return m.coded, true
	}
}
