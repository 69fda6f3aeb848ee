package rules

import (
	"strings"
	"unicode/utf8"
	"unsafe"
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

// bytesOf views a string as bytes, which nobody may change.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
