package rules

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	symbolBits = 6
	gram       = 3 // symbols looked at together
	gramMask   = 1<<(symbolBits*gram) - 1
)

// tolerable is the share of places in ordinary text at which the leads of a
// pattern may be suspected before reading everything is cheaper.
const tolerable = 0.02

// symbols numbers bytes: letters without case, digits, what stands around
// secrets; 0 is all else.
type symbols [256]uint8

func newSymbols() *symbols {
	var s symbols
	for c := byte('a'); c <= 'z'; c++ {
		s[c], s[c-'a'+'A'] = c-'a'+1, c-'a'+1
	}
	for c := byte('0'); c <= '9'; c++ {
		s[c] = c - '0' + 27
	}
	for i, c := range []byte("_-./:=\"' +~|%\n<>,;()\\{}@&$\t") {
		s[c] = uint8(37 + i)
	}
	return &s
}

// frequency is about how often a byte is of the symbol, in source and logs.
func frequency(symbol uint8) float64 {
	const letters = "\x00\x4a\x0d\x21\x22\x6a\x14\x12\x16\x42\x02\x07\x2b\x1a\x3d\x3c\x19\x02\x3b\x3c\x52\x1a\x0b\x0a\x07\x0f\x03"
	switch {
	case symbol == 0:
		return 0.04
	case symbol <= 26:
		return float64(letters[symbol]) / 1200
	case symbol <= 36: // one digit follows another
		return 0.05
	case symbol == 37+8: // space
		return 0.12
	default:
		return 0.01
	}
}

// suspicion is where and how a lead is looked for: the rarest of its grams.
type suspicion struct {
	offset int
	cost   float64
}

// share is how often ordinary text has a byte of the set.
func (s *symbols) share(set *byteSet) float64 {
	var share float64
	var seen uint64
	for i, word := range set {
		for ; word != 0; word &= word - 1 {
			if n := s[64*i+bits.TrailingZeros64(word)]; seen>>n&1 == 0 {
				seen |= 1 << n
				share += frequency(n)
			}
		}
	}
	return min(share, 1)
}

// members are the symbols of the set.
func (s *symbols) members(set *byteSet) []uint32 {
	var list []uint32
	var seen uint64
	for i, word := range set {
		for ; word != 0; word &= word - 1 {
			if n := s[64*i+bits.TrailingZeros64(word)]; seen>>n&1 == 0 {
				seen |= 1 << n
				list = append(list, uint32(n))
			}
		}
	}
	return list
}

// rarest picks the gram of a lead that ordinary text has least often.
func (s *symbols) rarest(l lead) suspicion {
	best := suspicion{cost: 1}
	var shares [maxLead]float64
	for i := range l.sets {
		shares[i] = s.share(&l.sets[i])
	}
	for o := 0; o+gram <= len(l.sets); o++ {
		cost := 1.0
		for i := range gram {
			cost *= shares[o+i]
		}
		if cost < best.cost {
			best = suspicion{offset: o, cost: cost}
		}
	}
	return best
}

// cost is the share of places at which one of the leads will be suspected.
func (s *symbols) cost(ls []lead) float64 {
	var sum float64
	for _, l := range ls {
		sum += s.rarest(l).cost
	}
	return min(sum, 1)
}

// probe is a lead to be compared where one of its grams was seen.
type probe struct {
	mask, fold, want uint64 // of the eight bytes from the lead's start
	back             int    // from the gram's last byte to the lead's start
	target           int
}

func (p *probe) fits(eight uint64) bool { return (eight|p.fold)&p.mask == p.want }

// newProbe compares the bytes that a lead fixes, or fixes but for their case.
func newProbe(l lead, offset, target int) probe {
	p := probe{back: offset + gram - 1, target: target}
	for i := range l.sets {
		if c, fold, ok := l.sets[i].letter(); ok {
			shift := 8 * i
			p.mask |= 0xff << shift
			p.fold |= uint64(fold) << shift
			p.want |= uint64(c) << shift
		}
	}
	return p
}

// prefilter looks for the leads of all patterns in one pass. Immutable.
type prefilter struct {
	symbols *symbols
	bits    []uint64 // one for each gram
	bucket  []uint16 // of each gram: which probes to try
	probes  [][]probe
}

// prefilterBuilder collects the grams of a prefilter.
type prefilterBuilder struct {
	symbols *symbols
	probes  []probe
	pairs   []uint64 // a gram shifted left by probeBits, and a probe
}

// probeBits bounds the probes: more than any configuration has leads.
const probeBits = 40

func newPrefilterBuilder(s *symbols) *prefilterBuilder { return &prefilterBuilder{symbols: s} }

// add makes the prefilter report target wherever one of the leads stands.
func (b *prefilterBuilder) add(ls []lead, target int) {
	for _, l := range ls {
		at := b.symbols.rarest(l)
		id := len(b.probes)
		b.probes = append(b.probes, newProbe(l, at.offset, target))
		sets := l.sets[at.offset:]
		last := b.symbols.members(&sets[2])
		for _, x := range b.symbols.members(&sets[0]) {
			for _, y := range b.symbols.members(&sets[1]) {
				for _, z := range last {
					g := uint64(x<<(2*symbolBits) | y<<symbolBits | z)
					b.pairs = append(b.pairs, g<<probeBits|uint64(id))
				}
			}
		}
	}
}

func (b *prefilterBuilder) build() *prefilter {
	p := &prefilter{
		symbols: b.symbols,
		bits:    make([]uint64, (gramMask+1)/64),
		bucket:  make([]uint16, gramMask+1),
	}
	known := map[string]uint16{}
	var key []byte
	slices.Sort(b.pairs)
	for from := 0; from < len(b.pairs); {
		g := b.pairs[from] >> probeBits
		key = key[:0]
		to := from
		for ; to < len(b.pairs) && b.pairs[to]>>probeBits == g; to++ {
			key = binary.LittleEndian.AppendUint64(key, b.pairs[to]&(1<<probeBits-1))
		}
		at, has := known[string(key)]
		if !has {
			at = uint16(len(p.probes))
			known[string(key)] = at
			list := make([]probe, to-from)
			for i := range list {
				list[i] = b.probes[b.pairs[from+i]&(1<<probeBits-1)]
			}
			p.probes = append(p.probes, list)
		}
		p.bits[g/64] |= 1 << (g % 64)
		p.bucket[g] = at
		from = to
	}
	return p
}

// suspect is a place where a target's lead stands.
type suspect struct {
	target int
	at     int
}

// scan calls found for the suspects of text that end in [from, to), in no
// strict order and some twice.
func (p *prefilter) scan(text []byte, from, to int, found func(suspect)) {
	if len(p.probes) == 0 {
		return
	}
	grams, symbols := p.bits[:(gramMask+1)/64], p.symbols
	var g uint32
	for i := max(0, from-gram+1); i < from; i++ {
		g = g<<symbolBits | uint32(symbols[text[i]])
	}
	for i := from; i < to; i++ {
		g = (g<<symbolBits | uint32(symbols[text[i]])) & gramMask
		if grams[g>>6]>>(g&63)&1 == 0 {
			continue
		}
		list := p.probes[p.bucket[g]]
		for j := range list {
			at := i - list[j].back
			if at >= 0 && list[j].fits(eightFrom(text, at)) {
				found(suspect{target: list[j].target, at: at})
			}
		}
	}
}

func eightFrom(text []byte, at int) uint64 {
	if at+8 <= len(text) {
		return binary.LittleEndian.Uint64(text[at:])
	}
	var tail [8]byte
	copy(tail[:], text[at:])
	return binary.LittleEndian.Uint64(tail[:])
}
