package strength

import (
	"math"

	"revenant/fingerprints"
)

// The thresholds of the classes, in bits.
const (
	// WeakBelow: a value with fewer bits in all is weak.
	WeakBelow = 40
	// EdgeExact and EdgeEstimated must be left outside the region of a value
	// whose generator is known, and of any other, for packs that leave servers.
	EdgeExact     = 72
	EdgeEstimated = 80
	// Known is taken off for length, characters and encoding, which an attacker
	// is assumed to know.
	Known = 8
	// IdentityEdge is from how many bits on a value is known by the identity
	// key that edge holders have.
	IdentityEdge = 72
	// IdentityLeast is from how many bits on a generic value gets an id at all.
	IdentityLeast = 28
)

// The lengths of the classes, in bytes.
const (
	// Shortest is the length of the shortest searchable value.
	Shortest = 8
	// ShortestEdge is the length of the shortest value with an edge region.
	ShortestEdge = 15
	// LongestSingle is the length of the longest value with one region only;
	// longer ones have LongRegions.
	LongestSingle = 128
	LongRegions   = 3
	// EdgeRegion is how many bytes an edge pack may give away in one region.
	EdgeRegion = 9
)

// Hint is what is known about how a value was made. The zero Hint knows
// nothing.
type Hint struct {
	// Bits is the exact min-entropy of a generated value whose bytes outside
	// prefix and checksum are equally strong; 0: not known.
	Bits float64
	// Prefix and Checksum count the bytes at the start and at the end that
	// carry no secret. They count 0 bits.
	Prefix, Checksum int
}

func (h Hint) exact() bool { return h.Bits > 0 && !math.IsInf(h.Bits, 0) }

// Span is a half-open range of bytes of a value.
type Span struct{ Start, End int }

// Bits is strength/v1 of a value about which nothing is known: what decides
// which identity key names a value. It depends on the bytes alone and is a
// multiple of 1/1024.
func Bits(raw []byte) float64 { return Analyse(raw, Hint{}).Bits() }

// Classify is the class of a value.
func Classify(raw []byte, hint Hint) fingerprints.Strength { return Analyse(raw, hint).Class() }

// Analyse describes a value. The value is not kept.
func Analyse(raw []byte, hint Hint) Estimate {
	if hint.exact() {
		return exact(raw, hint)
	}
	e := describe(raw, hint)
	e.common = IsCommon(raw)
	if inner, ok := decoded(raw); ok {
		// An encoded text is as strong as the text, and two bits for the encoding.
		if d := describe(inner, Hint{}); d.total+2*unit < e.total {
			e.num, e.den = d.total+2*unit, e.total
		}
	}
	return e
}

// exact spreads the bits of a known generator evenly over its bytes.
func exact(raw []byte, hint Hint) Estimate {
	first, last := bounds(len(raw), hint)
	e := Estimate{length: len(raw), exact: true, common: IsCommon(raw)}
	all := int(min(hint.Bits*unit, float64(8*unit*(last-first))))
	price := make([]int, len(raw))
	for i := first; i < last; i++ {
		price[i] = all / (last - first)
	}
	e.literals(price)
	// Rounding per byte must not take bits from a value that has them exactly.
	e.total = all
	return e
}

// bounds is the part of a value that is neither prefix nor checksum.
func bounds(n int, hint Hint) (first, last int) {
	first = min(max(hint.Prefix, 0), n)
	last = max(n-max(hint.Checksum, 0), first)
	return first, last
}

// Estimate is what Analyse found. It holds prices and no part of the value.
type Estimate struct {
	length   int
	exact    bool
	common   bool
	total    int // in units
	num, den int // scale of an encoded text; den 0: none
	items    []item
	at       []int32 // byte -> item that covers it
	root     []int32 // byte -> byte that it is a copy of, or itself
}

// item is a step of the description: one literal byte or a pattern.
type item struct{ cost int32 }

func (e *Estimate) literals(price []int) {
	for i, p := range price {
		e.cover(i, i+1, p)
		e.root = append(e.root, int32(i))
	}
}

func (e *Estimate) cover(start, end, cost int) {
	e.items = append(e.items, item{cost: int32(cost)})
	for range end - start {
		e.at = append(e.at, int32(len(e.items)-1))
	}
	e.total += cost
}

func (e Estimate) scale(units int) float64 {
	if e.den > 0 {
		units = units * e.num / e.den
	}
	return float64(units) / unit
}

// Bits is the estimate of the whole value.
func (e Estimate) Bits() float64 { return e.scale(e.total) }

// Exact reports whether the bits come from a known generator.
func (e Estimate) Exact() bool { return e.exact }

// Outside is what is left of the bits when the bytes in the spans are known,
// with everything that follows from them: the rest of a word, and what they are
// copies of. Spans may overlap and stand beyond the value.
func (e Estimate) Outside(known ...Span) float64 {
	return e.scale(e.total - e.loss(known...))
}

// Worst is what is left when as many regions of size bytes are known as
// regions says, wherever they stand.
func (e Estimate) Worst(size, regions int) float64 {
	most := 0
	for i := range max(e.length-size, 0) + 1 {
		most = max(most, e.loss(Span{i, i + size}))
	}
	return e.scale(max(e.total-regions*most, 0))
}

// Within is what the bytes of a span alone carry: the steps of the description
// that lie in it.
func (e Estimate) Within(s Span) float64 {
	return e.scale(e.total - e.loss(Span{0, s.Start}, Span{s.End, e.length}))
}

func (e Estimate) loss(known ...Span) int {
	var seen seenItems
	sum := 0
	for _, s := range known {
		for i := max(s.Start, 0); i < min(s.End, e.length); i++ {
			for _, b := range [2]int32{int32(i), e.root[i]} {
				if it := e.at[b]; seen.add(it) {
					sum += int(e.items[it].cost)
				}
			}
		}
	}
	return min(sum, e.total)
}

// seenItems is a set that needs no map while it is small.
type seenItems struct {
	few  [24]int32
	n    int
	many map[int32]bool
}

func (s *seenItems) add(it int32) bool {
	if s.many != nil {
		if s.many[it] {
			return false
		}
		s.many[it] = true
		return true
	}
	for _, x := range s.few[:s.n] {
		if x == it {
			return false
		}
	}
	if s.n == len(s.few) {
		s.many = make(map[int32]bool, 2*s.n)
		for _, x := range s.few {
			s.many[x] = true
		}
		s.many[it] = true
		return true
	}
	s.few[s.n] = it
	s.n++
	return true
}

// Class applies the thresholds. A value of the edge class keeps enough bits
// wherever its regions stand.
func (e Estimate) Class() fingerprints.Strength {
	switch {
	case e.length < Shortest, e.length < ShortestEdge && e.common:
		return fingerprints.StrengthUnsearchable
	case e.Bits() < WeakBelow:
		return fingerprints.StrengthWeak
	case e.length >= ShortestEdge && e.edge():
		return fingerprints.StrengthEdge
	}
	return fingerprints.StrengthCore
}

func (e Estimate) edge() bool {
	need := float64(EdgeEstimated + Known)
	if e.exact {
		need = EdgeExact + Known
	}
	regions := 1
	if e.length > LongestSingle {
		regions = LongRegions
	}
	// The whole first: most values fail here, at no cost.
	return e.Bits() >= need && e.Worst(EdgeRegion, regions) >= need
}
