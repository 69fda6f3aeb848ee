package rules

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"revenant/scanners/byteclass"
)

// lowered is how much text is put in lower case at once.
const lowered = 64 << 10

// hasKeyword reports whether the text has one of the rule's keywords, as
// gitleaks asks: in lower case, by Unicode's rules.
func (s *search) hasKeyword(plan int) bool {
	keywords := s.keywords[plan]
	if len(keywords) == 0 {
		return true
	}
	for _, k := range keywords {
		has, known := s.keyword[k]
		if !known {
			has = containsLowered(s.text, k)
			if s.keyword == nil {
				s.keyword = map[string]bool{}
			}
			s.keyword[k] = has
		}
		if has {
			return true
		}
	}
	return false
}

// dottedI is the rune that becomes an ASCII letter in lower case without folding
// to one.
const dottedI = "\u0130"

func hasI(keyword string) bool { return strings.Contains(keyword, "i") }

// keywordLead is a keyword in any case; not one that is too short to be seen,
// nor one outside ASCII.
func keywordLead(keyword string) (l lead, ok bool) {
	if len(keyword) < gram {
		return l, false
	}
	for _, c := range []byte(keyword[:min(len(keyword), maxLead)]) {
		if c >= utf8.RuneSelf {
			return l, false
		}
		var set byteSet
		set.add(c)
		if 'a' <= c && c <= 'z' {
			set.add(c - 'a' + 'A')
		}
		l.sets = append(l.sets, set)
	}
	return l, true
}

// containsLowered is strings.Contains(strings.ToLower(text), keyword), in
// little memory.
func containsLowered(text, keyword string) bool {
	if at := rarestByte(keyword); at >= 0 && !(hasI(keyword) && strings.Contains(text, dottedI)) &&
		!(strings.Contains(keyword, "k") && strings.Contains(text, string(kelvin))) {
		return containsFolded(text, keyword, at)
	}
	carried := ""
	for len(text) > 0 {
		n := min(lowered, len(text))
		for n < len(text) && n > lowered-utf8.UTFMax && !utf8.RuneStart(text[n]) {
			n--
		}
		low := carried + strings.ToLower(text[:n])
		if strings.Contains(low, keyword) {
			return true
		}
		carried = low[max(0, len(low)-len(keyword)+1):]
		text = text[n:]
	}
	return keyword == ""
}

// rarestByte is the place of the byte of a keyword that ordinary text has least
// often; -1: the keyword is empty, or not of ASCII in lower case alone.
func rarestByte(keyword string) int {
	at, least := -1, 2.0
	for i := range len(keyword) {
		c := keyword[i]
		if c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return -1
		}
		if f := frequency(byteclass.Symbol(c)); f < least {
			at, least = i, f
		}
	}
	return at
}

// containsFolded reports whether a keyword of ASCII in lower case stands in a text in
// any case. It looks closer where the keyword's byte at a place stands.
func containsFolded(text, keyword string, at int) bool {
	low := keyword[at]
	high := low
	if 'a' <= low && low <= 'z' {
		high -= 'a' - 'A'
	}
	nextLow, nextHigh := -1, -1
	for i := at; i < len(text); i++ {
		if nextLow < i {
			nextLow = byteFrom(text, i, low)
		}
		if nextHigh < i {
			nextHigh = byteFrom(text, i, high)
		}
		i = min(nextLow, nextHigh)
		from := i - at
		if from+len(keyword) <= len(text) && equalLowered(text[from:from+len(keyword)], keyword) {
			return true
		}
	}
	return false
}

// byteFrom is where a byte stands from a place on; len(text) for nowhere.
func byteFrom(text string, from int, c byte) int {
	if i := strings.IndexByte(text[from:], c); i >= 0 {
		return from + i
	}
	return len(text)
}

// equalLowered compares ASCII with ASCII in lower case.
func equalLowered(text, low string) bool {
	for i := range len(low) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != low[i] {
			return false
		}
	}
	return true
}

// bytesOf views a string as bytes, which nobody may change.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
