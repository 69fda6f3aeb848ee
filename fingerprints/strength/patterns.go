package strength

import (
	"math/bits"
	"strings"
)

// Costs and bounds of patterns, in units and bytes.
const (
	costUnseen   = 14 * unit // a word that is not in the list, up to 8 letters
	costLetter   = 2 * unit  // each letter of it beyond
	costScrap    = 4 * unit  // each letter of a word of one or two
	costJoin     = 2 * unit  // a separator before a word, sequence or date
	costYear     = 7 * unit
	costDate     = 16 * unit
	costDateJoin = 2 * unit
	costTurn     = 3 * unit // a run over the keyboard that turns
	costStart    = 3 * unit // of a run that begins where people begin

	leastWord     = 3
	leastUnseen   = 5 // in the middle of letters and digits
	mostLeet      = 64
	leastSequence = 3
	leastKeyboard = 4
	mostKeyboard  = 32
	leastCopy     = 3
	freeLetters   = 8
)

// patterns finds the steps that a description can take at a position.
type patterns struct {
	raw    []byte
	words  *dictionary
	folded [foldings][]byte
	dates  []dateForm
	copies copies
}

func newPatterns(raw []byte) *patterns {
	p := &patterns{raw: raw, words: words(), dates: dateForms(), copies: newCopies(raw)}
	for way := range p.folded {
		p.folded[way] = fold(raw, way)
	}
	return p
}

// append appends the steps at position i.
func (p *patterns) append(dst []step, i int) []step {
	dst = p.appendAt(dst, i, 0)
	if i > 0 && i+1 < len(p.raw) && strings.IndexByte(separators, p.raw[i]) >= 0 {
		dst = p.appendAt(dst, i+1, costJoin)
	}
	dst = p.appendKeyboard(dst, i)
	return p.copies.append(dst, i)
}

// appendAt appends the patterns that may have a separator before them.
func (p *patterns) appendAt(dst []step, start, cost int) []step {
	from := len(dst)
	dst = p.appendWords(dst, start)
	dst = p.appendUnseen(dst, start)
	dst = p.appendLeet(dst, start)
	dst = p.appendSequence(dst, start)
	dst = p.appendDates(dst, start)
	for i := from; i < len(dst); i++ {
		dst[i].cost += cost
	}
	return dst
}

// separators are what people put between words.
const separators = " -_."

func joiner(c byte) bool { return c >= ' ' && c <= '~' && !letter(c) && !digit(c) }

// appendWords appends the words of the list that begin at start, forwards and
// backwards, in any case, also in leet spelling.
func (p *patterns) appendWords(dst []step, start int) []step {
	longest := min(p.words.longest, len(p.raw)-start)
	for way, folded := range p.folded {
		if longest < leastWord || !p.words.starts[[leastWord]byte(folded[start:])] {
			continue
		}
		for n := leastWord; n <= longest; n++ {
			word := folded[start : start+n]
			if way > 0 && string(word) == string(p.folded[0][start:start+n]) {
				continue // no leet in it
			}
			rank, ok := p.words.find(word)
			c := unit
			if !ok && n >= leastUnseen {
				rank, ok = p.words.findReversed(word)
				c += unit
			}
			if ok {
				c += log2(uint64(rank)+1) + spelling(p.raw[start:start+n], word)
				dst = append(dst, step{end: start + n, cost: c, from: -1})
			}
		}
	}
	return dst
}

// spelling is the cost of upper-case letters and of leet spelling.
func spelling(raw, word []byte) int {
	upper, leet := 0, 0
	for i, c := range raw {
		switch {
		case upperLetter(c):
			upper++
		case c != word[i]:
			leet++
		}
	}
	cost := 0
	switch {
	case upper == 0:
	case upper == len(raw)-leet, upper == 1 && upperLetter(raw[0]):
		cost = unit
	default:
		cost = (2 + upper) * unit
	}
	if leet > 0 {
		cost += (1 + leet) * unit
	}
	return cost
}

// appendUnseen appends the run of letters at start when it reads like a word
// that the list does not have.
func (p *patterns) appendUnseen(dst []step, start int) []step {
	if !letter(p.raw[start]) {
		return dst
	}
	if start > 0 && letter(p.raw[start-1]) && !(upperLetter(p.raw[start]) && lowerLetter(p.raw[start-1])) {
		return dst // in the middle of a run
	}
	end := start + 1
	for end < len(p.raw) && letter(p.raw[end]) && (end < start+2 || sameCase(p.raw[start+1], p.raw[end])) {
		end++
	}
	n := end - start
	if n > 1 && upperLetter(p.raw[start+1]) && lowerLetter(p.raw[start]) {
		return dst
	}
	alone := p.alone(start, end)
	cost := costUnseen + costLetter*max(0, n-freeLetters)
	switch {
	case n < leastWord && alone && p.raw[max(start-1, 0)] == ' ':
		cost = costScrap * n
	case n < leastWord, n < leastUnseen && !alone, !p.words.plausible(p.folded[0][start:end]):
		return dst
	}
	if upperLetter(p.raw[start]) {
		cost += unit
	}
	return append(dst, step{end: end, cost: cost, from: -1})
}

// appendLeet appends the run of letters and leet characters between separators
// at start when it reads like a word.
func (p *patterns) appendLeet(dst []step, start int) []step {
	if start > 0 && !joiner(p.raw[start-1]) {
		return dst
	}
	end, letters, upper := start, 0, 0
	for end < min(len(p.raw), start+mostLeet+1) && lowerLetter(p.folded[1][end]) {
		if letter(p.raw[end]) {
			letters++
		}
		if upperLetter(p.raw[end]) {
			upper++
		}
		end++
	}
	n := end - start
	oneCase := upper == 0 || upper == letters || upper == 1 && upperLetter(p.raw[start])
	if n < leastUnseen || n > mostLeet || letters == n || 3*letters < 2*n || !oneCase || !p.alone(start, end) {
		return dst
	}
	for _, folded := range p.folded[1:] {
		if word := folded[start:end]; p.words.plausible(word) {
			cost := costUnseen + costLetter*max(0, n-freeLetters) + spelling(p.raw[start:end], word)
			return append(dst, step{end: end, cost: cost, from: -1})
		}
	}
	return dst
}

// alone reports whether a run stands between separators or ends of the value.
func (p *patterns) alone(start, end int) bool {
	return (start == 0 || joiner(p.raw[start-1])) && (end == len(p.raw) || joiner(p.raw[end]))
}

func sameCase(a, b byte) bool { return (a^b)&0x20 == 0 }

// appendSequence appends the longest run at i whose bytes count up or down by
// one inside digits, lower or upper case, and the shorter ones.
func (p *patterns) appendSequence(dst []step, i int) []step {
	first := p.raw[i]
	if !letter(first) && !digit(first) || i+1 == len(p.raw) {
		return dst
	}
	delta := int(p.raw[i+1]) - int(first)
	if delta != 1 && delta != -1 {
		return dst
	}
	start := unit + log2(26)
	switch first {
	case 'a', 'A', 'z', 'Z', '0', '1', '9':
		start = costStart
	}
	for j := i + 1; j < len(p.raw) && int(p.raw[j])-int(p.raw[j-1]) == delta && (letter(p.raw[j]) || digit(p.raw[j])); j++ {
		if n := j + 1 - i; n >= leastSequence {
			cost := start + log2(uint64(n))
			if delta < 0 {
				cost += unit
			}
			dst = append(dst, step{end: j + 1, cost: cost, from: -1})
		}
	}
	return dst
}

// appendDates appends years and dates. Days, months and years must be possible.
func (p *patterns) appendDates(dst []step, i int) []step {
	if !digit(p.raw[i]) {
		return dst
	}
	if y := number(p.raw, i, 4); y >= 1900 && y < 2100 {
		dst = append(dst, step{end: i + 4, cost: costYear, from: -1})
	}
	for _, form := range p.dates {
		if end, ok := form.match(p.raw, i); ok {
			cost := costDate
			if form.joined {
				cost += costDateJoin
			}
			dst = append(dst, step{end: end, cost: cost, from: -1})
		}
	}
	return dst
}

// match reads a date at i and returns where it ends.
func (f dateForm) match(raw []byte, i int) (end int, ok bool) {
	day, month, year := -1, -1, -1
	for k, part := range f.parts {
		if k > 0 && f.joined {
			if i >= len(raw) || !joiner(raw[i]) {
				return 0, false
			}
			i++
		}
		switch v := number(raw, i, part.digits); part.what {
		case 'd':
			day = v
		case 'm':
			month = v
		default:
			year = v
		}
		i += part.digits
	}
	possible := day >= 1 && day <= 31 && month >= 1 && month <= 12 &&
		(year >= 0 && year < 100 || year >= 1900 && year < 2100)
	return i, possible
}

type datePart struct {
	what   byte // d, m or y
	digits int
}

type dateForm struct {
	parts  [3]datePart
	joined bool
}

func dateForms() []dateForm {
	d, m, y, yy := datePart{'d', 2}, datePart{'m', 2}, datePart{'y', 4}, datePart{'y', 2}
	orders := [][3]datePart{{y, m, d}, {d, m, y}, {m, d, y}, {yy, m, d}, {d, m, yy}, {m, d, yy}}
	var out []dateForm
	for _, o := range orders {
		out = append(out, dateForm{parts: o}, dateForm{parts: o, joined: true})
	}
	return out
}

// number reads n digits at i; -1 when they are not there.
func number(raw []byte, i, n int) int {
	if i+n > len(raw) {
		return -1
	}
	v := 0
	for _, c := range raw[i : i+n] {
		if !digit(c) {
			return -1
		}
		v = 10*v + int(c-'0')
	}
	return v
}

// gamma is the length of the Elias gamma code of n >= 1.
func gamma(n int) int { return (2*bits.Len(uint(n)) - 1) * unit }
