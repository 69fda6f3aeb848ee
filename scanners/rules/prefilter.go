package rules

import (
	"encoding/binary"
	"math/bits"

	"revenant/scanners/byteclass"
)

// gram is how many symbols are looked at together, at every second place: two
// grams that follow each other are looked for of each lead.
const gram = 3

// tolerable is the share of places in ordinary text at which the leads of a
// pattern may be suspected before reading everything is cheaper.
const tolerable = 0.02

// rarest picks the two grams of a lead, the second one symbol after the first,
// that ordinary text has least often. They may reach over the lead's edges,
// where any symbol may stand. The offset is the first one's from the lead's
// start, at least -1; the cost the share of places at which one is seen.
func rarest(l lead) (offset int, cost float64) {
	sets := make([]uint64, 0, maxLead+2)
	sets = append(sets, anySymbol)
	for i := range l.sets {
		sets = append(sets, symbolsOf(&l.sets[i]))
	}
	sets = append(sets, anySymbol)
	offset, cost = -1, 1
	if len(sets) < gram { // an empty lead is everywhere
		return offset, cost
	}
	first := gramShare([gram]uint64(sets))
	for o := 0; o+gram < len(sets); o++ {
		second := gramShare([gram]uint64(sets[o+1:]))
		if c := first + second; c/2 < cost {
			offset, cost = o-1, c/2
		}
		first = second
	}
	return offset, cost
}

// leadsCost is the share of places at which one of the leads will be suspected.
func leadsCost(ls []lead) float64 {
	var sum float64
	for _, l := range ls {
		_, cost := rarest(l)
		sum += cost
	}
	return min(sum, 1)
}

// probe is a lead to be compared where one of its grams was seen.
type probe struct {
	mask, fold, want uint64 // of the eight bytes from the lead's start
	target           int32
	behind           int32   // where the byte behind the lead is; 0: it may be any
	next             byteSet // and what it is
	digits           bool    // it tells them apart
}

// newProbe compares the bytes that a lead fixes, or fixes but for their case.
func newProbe(l lead, target int) probe {
	p := probe{target: int32(target)}
	for i := range l.sets {
		if c, fold, ok := l.sets[i].letter(); ok {
			shift := 8 * i
			p.mask |= 0xff << shift
			p.fold |= uint64(fold) << shift
			p.want |= uint64(c) << shift
			p.digits = p.digits || c >= '0' && c <= '9'
		}
	}
	if l.next != (byteSet{}) {
		p.behind, p.next = int32(len(l.sets)), l.next
		p.digits = p.digits || l.next.someDigits()
	}
	return p
}

// entry is a probe to try where a gram was seen.
type entry struct {
	probe int32
	back  int32 // from the gram to the lead's start
}

// prefilter looks for the leads of all patterns in one pass. Immutable.
type prefilter struct {
	grams   byteclass.Grams
	from    []uint32 // of each gram by rank: its first entry; one more at the end
	entries []entry
	beside  []beside // of each gram by rank
	probes  []probe
}

// beside is which symbols may stand around a gram, of all its leads: before it, and behind.
type beside [4]uint64

// besideAt is where those stand, from the gram's start.
var besideAt = [len(beside{})]int{-2, -1, gram, gram + 1}

// bars reports whether nothing that is looked for stands around the gram at a place, which
// has as many bytes on both sides.
func (b *beside) bars(text []byte, i int) bool {
	near := text[i-2 : i+gram+2 : i+gram+2]
	return b[0]>>byteclass.Symbol(near[0])&(b[1]>>byteclass.Symbol(near[1]))&(b[2]>>byteclass.Symbol(near[2+gram]))&(b[3]>>byteclass.Symbol(near[3+gram]))&1 == 0
}

// prefilterBuilder collects what a prefilter looks for.
type prefilterBuilder struct {
	probes []probe
	seen   []seenGram
}

// seenGram is a gram that a lead is looked for by.
type seenGram struct {
	symbols [gram]uint8
	entry   entry
	beside  beside
}

// add makes the prefilter report target wherever one of the leads stands.
func (b *prefilterBuilder) add(ls []lead, target int) {
	for _, l := range ls {
		offset, _ := rarest(l)
		symbols := func(i int) uint64 {
			switch {
			case i >= 0 && i < len(l.sets):
				return symbolsOf(&l.sets[i])
			case i == len(l.sets) && l.next != (byteSet{}):
				return symbolsOf(&l.next)
			}
			return anySymbol
		}
		for o := offset; o <= offset+1; o++ {
			e := entry{probe: int32(len(b.probes)), back: int32(o)}
			var around beside
			for k, at := range besideAt {
				around[k] = symbols(o + at)
			}
			last := symbols(o + 2)
			for x := symbols(o); x != 0; x &= x - 1 {
				for y := symbols(o + 1); y != 0; y &= y - 1 {
					for z := last; z != 0; z &= z - 1 {
						g := [gram]uint8{uint8(bits.TrailingZeros64(x)), uint8(bits.TrailingZeros64(y)), uint8(bits.TrailingZeros64(z))}
						b.seen = append(b.seen, seenGram{g, e, around})
					}
				}
			}
		}
		b.probes = append(b.probes, newProbe(l, target))
	}
}

// build sorts the entries by the rank of their gram, by counting.
func (b *prefilterBuilder) build() *prefilter {
	p := &prefilter{probes: b.probes, entries: make([]entry, len(b.seen))}
	for _, s := range b.seen {
		p.grams.Add(s.symbols[0], s.symbols[1], s.symbols[2])
	}
	p.from = make([]uint32, p.grams.Number()+1)
	p.beside = make([]beside, p.grams.Number())
	rank := func(s seenGram) int { return p.grams.Rank(s.symbols[0], s.symbols[1], s.symbols[2]) }
	for _, s := range b.seen {
		p.from[rank(s)]++
	}
	n := uint32(0)
	for i := range p.from { // where the entries of each end
		n += p.from[i]
		p.from[i] = n
	}
	for _, s := range b.seen {
		r := rank(s)
		p.from[r]--
		p.entries[p.from[r]] = s.entry
		for k := range s.beside {
			p.beside[r][k] |= s.beside[k]
		}
	}
	return p
}

// suspects calls found for the leads of text that have a gram at one of the
// places marked, which are every second one from a place on. What found returns says
// where it need not be called again: remember, unless it is nil, has room for that, and
// is kept from text to text.
func (p *prefilter) suspects(text []byte, from int, marked []uint32, remember [][2]vain, found func(target, at int) no) {
	for w, marks := range marked {
		for ; marks != 0; marks &= marks - 1 {
			i := from + 64*w + 2*bits.TrailingZeros32(marks)
			if i+1 >= len(text) {
				continue // a lead is longer
			}
			var last uint8
			if i+2 < len(text) {
				last = byteclass.Symbol(text[i+2])
			}
			rank := p.grams.Rank(byteclass.Symbol(text[i]), byteclass.Symbol(text[i+1]), last)
			if i >= 2 && i+gram+2 <= len(text) && p.beside[rank].bars(text, i) {
				continue
			}
			if remember == nil || i < vainBefore || i+vainBehind >= len(text) {
				p.suspect(text, i, rank, found)
				continue
			}
			now, known := around(text, i), &remember[rank%vainSlots]
			gram := uint32(rank)
			if known[0].gram == gram && known[0].covers(&now) || known[1].gram == gram && known[1].covers(&now) {
				continue
			}
			if by := p.suspect(text, i, rank, found); by != (vain{}) {
				by.words, by.gram = now, gram
				if by.alike {
					by.words = now.likeDigits()
				}
				known[0], known[1] = by, known[0]
			}
		}
	}
}

// suspect calls found for the leads that have a gram at a place. It returns which bits
// of the bytes around it say that there is nothing; none if something may be, or if more
// than these say so.
func (p *prefilter) suspect(text []byte, i, rank int, found func(target, at int) no) vain {
	sure, by := true, vain{alike: true}
	for _, e := range p.entries[p.from[rank]:p.from[rank+1]] {
		at := i - int(e.back)
		if at < 0 {
			continue
		}
		pr := &p.probes[e.probe]
		from, to := at, at
		by.alike = by.alike && !pr.digits
		if differs := (eightFrom(text, at)|pr.fold)&pr.mask ^ pr.want; differs != 0 {
			from += bits.TrailingZeros64(differs) / 8 // one byte says enough
			to = from + 1
		} else if n := at + int(pr.behind); n > at && n < len(text) && !pr.next.has(text[n]) {
			from, to = n, n+1
		} else if n := found(int(pr.target), at); n.read == unsure {
			sure = false
		} else {
			from, to = at-1, at+max(n.read, (bits.Len64(pr.mask)+7)/8)
			by.alike = by.alike && n.alike
		}
		if from < i-vainBefore || to > i+vainBehind {
			sure = false
		}
		for k := range by.by {
			start := i - vainBefore + 8*k
			by.by[k] |= bytesFrom(from-start) &^ bytesFrom(to-start)
		}
	}
	if !sure {
		return vain{}
	}
	return by
}

func eightFrom(text []byte, at int) uint64 {
	if at+8 <= len(text) {
		return binary.LittleEndian.Uint64(text[at:])
	}
	var tail [8]byte
	copy(tail[:], text[min(at, len(text)):])
	return binary.LittleEndian.Uint64(tail[:])
}
