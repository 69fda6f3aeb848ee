package views

import "strings"

// Most of what is seen through in programs is short words of UTF-16: to say that
// nothing is encoded in them is to cost less than to look for it in every way.

// silentLook is how long texts are that are asked for it.
const silentLook = 128

// loud are the bytes without one of which nothing is encoded, but for long runs
// of base64 characters: what escapes, quotes, tags and line ends are written
// with, digits, zeros, and whatever is not ASCII.
var loud = func() (t [256]bool) {
	t = set("\\^%&<=\"'`0123456789\x7f")
	for c := range ' ' {
		t[c] = true
	}
	for c := 0x80; c < len(t); c++ {
		t[c] = true
	}
	return t
}()

// doubling are the signs of which two in a row may be one.
var doubling = set(strings.Join(doubledSigns[:], ""))

// silent reports whether nothing can be encoded in a text.
func silent(data []byte) bool {
	run, last := 0, byte(0)
	for _, c := range data {
		if run++; !wordly[c] {
			run = 0
		}
		if loud[c] || run >= leastBase64 || c == last && doubling[c] {
			return false
		}
		last = c
	}
	return true
}
