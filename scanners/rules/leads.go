package rules

import (
	"cmp"
	"math/bits"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// byteSet is a set of bytes; what is not ASCII is told apart by symbol only.
type byteSet [4]uint64

func (s *byteSet) add(c byte) { s[c>>6] |= 1 << (c & 63) }

// letter is the only byte of the set, or the letter that it holds in both
// cases, in the lower one, with the bit that tells them apart.
func (s *byteSet) letter() (c, fold byte, ok bool) {
	n, at := 0, [2]byte{}
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			if n == len(at) {
				return 0, 0, false
			}
			at[n] = byte(64*i + bits.TrailingZeros64(word))
			n++
		}
	}
	switch {
	case n == 1:
		return at[0], 0, true
	case n == 2 && at[0]|0x20 == at[1]:
		return at[1], 0x20, true
	default:
		return 0, 0, false
	}
}

// lead is what the matches of a pattern begin with: a set of bytes for each
// place. Matches of an exact one consist of nothing else.
type lead struct {
	sets  []byteSet
	exact bool
	next  byteSet // what stands behind them; without any bytes: anything, or nothing
}

const (
	maxLead  = 8  // bytes of a lead: as many as one comparison takes
	maxLeads = 64 // of one pattern
)

const (
	kelvin = '\u212a' // folds to k
	longS  = '\u017f' // folds to s
)

// leads lists what the matches of re begin with; nil when it is anything. The
// two runes outside ASCII that fold to letters are left out: text that has
// them is read with the letters in their place.
func leads(re *syntax.Regexp, grow growing) []lead {
	switch re.Op {
	case syntax.OpLiteral:
		return literalLeads(re)
	case syntax.OpCharClass:
		set, ok := classSet(re.Rune)
		if !ok {
			return anything()
		}
		return []lead{{sets: []byteSet{set}, exact: true}}
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []lead{{exact: true}}
	case syntax.OpCapture:
		return leads(re.Sub[0], grow)
	case syntax.OpConcat:
		acc := []lead{{exact: true}}
		for i, sub := range re.Sub {
			if !slices.ContainsFunc(acc, open) {
				break
			}
			if !slices.ContainsFunc(acc, vague) && !(bool(grow) && slices.ContainsFunc(acc, usual)) {
				return followed(acc, re.Sub[i:])
			}
			acc = product(acc, leads(sub, grow))
		}
		return acc
	case syntax.OpAlternate:
		var acc []lead
		for _, sub := range re.Sub {
			acc = append(acc, leads(sub, grow)...)
		}
		if len(acc) > maxLeads {
			return anything()
		}
		return acc
	case syntax.OpQuest:
		return append(leads(re.Sub[0], grow), lead{exact: true})
	case syntax.OpStar:
		return append(inexact(leads(re.Sub[0], grow)), lead{exact: true})
	case syntax.OpPlus:
		return inexact(leads(re.Sub[0], grow))
	case syntax.OpRepeat:
		return repeatLeads(re, grow)
	default:
		return anything()
	}
}

func anything() []lead { return []lead{{}} }

// open reports whether a lead may grow.
func open(l lead) bool { return l.exact && len(l.sets) < maxLead }

// growing says that leads which ordinary text has often are continued, though they say
// enough: they are fewer places then, and more leads.
type growing bool

// usual reports whether ordinary text has a lead often.
func usual(l lead) bool {
	_, cost := rarest(l)
	return open(l) && cost > often
}

// often is the share of places at which a lead may be suspected without growing.
const often = 1e-4

// vague reports whether a lead has few fixed characters.
func vague(l lead) bool {
	const plenty = 4
	fixed := 0
	for i := range l.sets {
		if _, _, ok := l.sets[i].letter(); ok {
			fixed++
		}
	}
	return fixed < plenty
}

func inexact(ls []lead) []lead {
	ls = slices.Clone(ls)
	for i := range ls {
		ls[i].exact = false
	}
	return ls
}

func literalLeads(re *syntax.Regexp) []lead {
	l := lead{exact: true}
	for _, r := range re.Rune {
		if len(l.sets) == maxLead {
			l.exact = false
			break
		}
		if re.Flags&syntax.FoldCase != 0 {
			set, ok := foldSet(r)
			if !ok {
				l.exact = false
				break
			}
			l.sets = append(l.sets, set)
			continue
		}
		if r == utf8.RuneError { // any byte that is not UTF-8 is read as it
			l.exact = false
			break
		}
		for _, c := range utf8.AppendRune(nil, r) {
			var set byteSet
			set.add(c)
			l.sets = append(l.sets, set)
		}
	}
	return []lead{l}
}

// foldSet is a rune with the runes that fold to it, when those are ASCII or
// read as ASCII.
func foldSet(r rune) (set byteSet, ok bool) {
	runes := []rune{r, r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		runes = append(runes, f, f)
	}
	return classSet(runes)
}

// classSet is the set of a class whose runes are all ASCII or read as ASCII.
func classSet(ranges []rune) (set byteSet, ok bool) {
	for i := 0; i+1 < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		if lo >= utf8.RuneSelf && lo == hi && (lo == kelvin || lo == longS) {
			set.add(map[rune]byte{kelvin: 'k', longS: 's'}[lo])
			continue
		}
		if hi >= utf8.RuneSelf {
			return set, false
		}
		for c := lo; c <= hi; c++ {
			set.add(byte(c))
		}
	}
	return set, true
}

func repeatLeads(re *syntax.Regexp, grow growing) []lead {
	sub := leads(re.Sub[0], grow)
	acc := []lead{{exact: true}}
	for range min(re.Min, maxLead) {
		acc = product(acc, sub)
	}
	switch {
	case re.Min == 0:
		return append(inexact(sub), lead{exact: true})
	case re.Max != re.Min || re.Min > maxLead:
		return inexact(acc)
	default:
		return acc
	}
}

// product is each of the leads continued by each of the others.
func product(acc, by []lead) []lead {
	var out []lead
	for _, l := range acc {
		if !open(l) {
			l.exact = false
			out = append(out, l)
			continue
		}
		if len(by) > maxLeads/len(acc) {
			l.exact = false
			out = append(out, l)
			continue
		}
		for _, b := range by {
			sets := slices.Concat(l.sets, b.sets)
			both := lead{sets: sets, exact: b.exact, next: b.next}
			if len(sets) > maxLead {
				both = lead{sets: sets[:maxLead]}
			}
			out = append(out, both)
		}
	}
	return out
}

// lastOfRun is how many characters of a run are parts of their own: what follows a run may
// stand everywhere, and with the run before it nearly nowhere.
const lastOfRun = 3

// flattened lists the parts of a pattern that follow each other, without
// captures, which nobody asks for before a match is certain.
func flattened(re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpCapture:
		return flattened(re.Sub[0])
	case syntax.OpConcat:
		var parts []*syntax.Regexp
		for _, sub := range re.Sub {
			parts = append(parts, flattened(sub)...)
		}
		return parts
	case syntax.OpRepeat:
		return parted(re)
	default:
		return []*syntax.Regexp{re}
	}
}

// parted is what repeats, and its last characters.
func parted(re *syntax.Regexp) []*syntax.Regexp {
	one := re.Sub[0]
	if re.Min <= lastOfRun || one.Op != syntax.OpCharClass {
		return []*syntax.Regexp{re}
	}
	fewer := *re
	if fewer.Min -= lastOfRun; fewer.Max > 0 {
		fewer.Max -= lastOfRun
	}
	return []*syntax.Regexp{&fewer, one, one, one}
}

// unbounded stands for the width of what may be endless.
const unbounded = 1 << 20

// width is how many runes a match of re has.
func width(re *syntax.Regexp) (least, most int) {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune), len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, 1
	case syntax.OpCapture:
		return width(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			lo, hi := width(sub)
			least, most = least+lo, most+hi
		}
	case syntax.OpAlternate:
		least = unbounded
		for _, sub := range re.Sub {
			lo, hi := width(sub)
			least, most = min(least, lo), max(most, hi)
		}
	case syntax.OpQuest:
		_, most = width(re.Sub[0])
	case syntax.OpStar:
		return 0, unbounded
	case syntax.OpPlus:
		least, _ = width(re.Sub[0])
		return least, unbounded
	case syntax.OpRepeat:
		lo, hi := width(re.Sub[0])
		least, most = lo*re.Min, hi*re.Max
		if re.Max < 0 {
			most = unbounded
		}
	case syntax.OpNoMatch:
		return unbounded, unbounded
	default:
	}
	return min(least, unbounded), min(most, unbounded)
}

// addRunes adds to dst the ranges of every rune that a match of re may have.
func addRunes(dst []rune, re *syntax.Regexp) []rune {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			dst = append(dst, r, r)
			if re.Flags&syntax.FoldCase != 0 {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					dst = append(dst, f, f)
				}
			}
		}
	case syntax.OpCharClass:
		dst = append(dst, re.Rune...)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		dst = append(dst, 0, unicode.MaxRune)
	default:
		for _, sub := range re.Sub {
			dst = addRunes(dst, sub)
		}
	}
	return dst
}

// joinedRanges sorts ranges and joins those that touch.
func joinedRanges(ranges []rune) []rune {
	var pairs [][2]rune
	for i := 0; i+1 < len(ranges); i += 2 {
		pairs = append(pairs, [2]rune{ranges[i], ranges[i+1]})
	}
	slices.SortFunc(pairs, func(a, b [2]rune) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	var out []rune
	for _, p := range pairs {
		if n := len(out); n > 0 && p[0] <= out[n-1]+1 {
			out[n-1] = max(out[n-1], p[1])
			continue
		}
		out = append(out, p[0], p[1])
	}
	return out
}
