package rules

import (
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// followed are leads behind which the parts of a pattern follow: those that consist of
// nothing else know what the next byte is.
func followed(ls []lead, parts []*syntax.Regexp) []lead {
	next, empty := firstOf(&syntax.Regexp{Op: syntax.OpConcat, Sub: parts})
	ls = slices.Clone(ls)
	for i := range ls {
		if l := &ls[i]; l.exact && !empty && len(l.sets) < maxLead {
			l.next = next
		}
		ls[i].exact = false
	}
	return ls
}

// firstOf are the bytes that matches of re may begin with, and whether it may match without
// any. All bytes outside ASCII are alike.
func firstOf(re *syntax.Regexp) (first byteSet, empty bool) {
	switch re.Op {
	case syntax.OpNoMatch:
		return first, false
	case syntax.OpLiteral:
		addFirst(&first, re.Rune[0], re.Rune[0])
		if re.Flags&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(re.Rune[0]); f != re.Rune[0]; f = unicode.SimpleFold(f) {
				addFirst(&first, f, f)
			}
		}
		return first, false
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			addFirst(&first, re.Rune[i], re.Rune[i+1])
		}
		return first, false
	case syntax.OpCapture:
		return firstOf(re.Sub[0])
	case syntax.OpPlus:
		return firstOf(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		first, _ = firstOf(re.Sub[0])
		return first, true
	case syntax.OpRepeat:
		first, empty = firstOf(re.Sub[0])
		return first, empty || re.Min == 0
	case syntax.OpConcat:
		empty = true
		for _, sub := range re.Sub {
			if !empty {
				break
			}
			var of byteSet
			of, empty = firstOf(sub)
			first.unite(&of)
		}
		return first, empty
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			of, none := firstOf(sub)
			first.unite(&of)
			empty = empty || none
		}
		return first, empty
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		addFirst(&first, 0, unicode.MaxRune)
		return first, false
	default: // assertions
		return first, true
	}
}

// addFirst adds the first bytes of a range of runes. One that is no rune is read of any
// byte that is not UTF-8.
func addFirst(set *byteSet, lo, hi rune) {
	for c := lo; c <= min(hi, utf8.RuneSelf-1); c++ {
		set.add(byte(c))
	}
	if hi >= utf8.RuneSelf {
		set[2], set[3] = ^uint64(0), ^uint64(0)
	}
}

func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

func (s *byteSet) unite(o *byteSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

// anyOf is what stands behind one of two leads.
func anyOf(next, other byteSet) byteSet {
	if next == (byteSet{}) || other == (byteSet{}) {
		return byteSet{}
	}
	next.unite(&other)
	return next
}

// someDigits reports whether the set tells digits apart.
func (s *byteSet) someDigits() bool {
	const digits = 0x3ff << '0'
	return s[0]&digits != 0 && s[0]&digits != digits
}
