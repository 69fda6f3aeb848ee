package registration

import (
	"cmp"
	"crypto/sha256"
	"math/rand/v2"
	"slices"

	"revenant/fingerprints/anchor"
)

const (
	// crowded is how many registered values may not share a region.
	crowded = 4
	// triesPerSpan bounds the positions whose tags are looked up.
	triesPerSpan = 64
	// minDistinct is how many different bytes a region should have.
	minDistinct = 6

	minSegment = 40
	maxSegment = 96
)

// site is where a value is anchored: the edge region lies inside the core one.
type site struct{ body, core, edge int }

// wrapWidths are line lengths that text is commonly wrapped at. Regions of one
// value are placed so that no such wrapping cuts two of them.
func wrapWidths() []int {
	return []int{60, 64, 65, 70, 72, 75, 76, 77, 78, 79, 80, 100, 120, 128}
}

// chooser places the regions of one body.
type chooser struct {
	number int    // of the body
	body   []byte // the raw value, or a part of a key
	avoid  []bool // bytes that other values share or that can be computed
	limit  int    // segments
	core   *tagger
	edge   *tagger // nil: no edge region
	index  Index
	rng    *rand.Rand
	cost   []uint16 // per byte; see costs
}

// tagger tags regions of one geometry under one filter generation.
type tagger struct {
	key anchor.Key
	tag *anchor.Tagger
}

func (t *tagger) region(body []byte, off int) []byte {
	return body[off : off+t.key.Geometry().Region()]
}

func (t *tagger) at(body []byte, off int) Region {
	r := t.region(body, off)
	return Region{Offset: uint32(off), Tag: t.tag.Tag(r), Windows: t.key.AppendWindows(nil, r)}
}

// newRNG makes the value's own stream of positions. The seed is keyed by the
// core identity, so the order is the same whenever the value is registered
// and tells nothing to whoever lacks that key.
func newRNG(seed []byte) *rand.Rand {
	return rand.New(rand.NewChaCha8(sha256.Sum256(seed)))
}

// choose returns one site for each segment.
func (c *chooser) choose() []site {
	var out []site
	for _, s := range c.segments() {
		out = append(out, c.place(s[0], s[1], out))
	}
	return out
}

// segments are the stretches of the body that get a region each: the whole of
// a short body, up to three spread ones of 40 to 96 bytes of a long one.
func (c *chooser) segments() [][2]int {
	lo, hi := 0, len(c.body)
	if hi <= maxOneSpan || c.limit < maxRegions {
		return [][2]int{{lo, hi}}
	}
	for lo < hi && c.avoid[lo] {
		lo++
	}
	for hi > lo && c.avoid[hi-1] {
		hi--
	}
	if hi-lo < maxRegions*minSegment { // little is left: reach into what is shared
		lo = max(0, hi-maxRegions*minSegment)
		hi = lo + maxRegions*minSegment
	}
	out := make([][2]int, maxRegions)
	for i := range out {
		from, to := lo+(hi-lo)*i/maxRegions, lo+(hi-lo)*(i+1)/maxRegions
		if extra := to - from - maxSegment; extra > 0 {
			from += c.rng.IntN(extra + 1)
			to = from + maxSegment
		}
		out[i] = [2]int{from, to}
	}
	return out
}

type position struct {
	score uint32 // the smaller the better
	order uint32 // random
	off   int
}

// rank orders the positions lo..hi-size, best first, equals at random.
func (c *chooser) rank(lo, hi, size int, placed []site) []position {
	var out []position
	for off := lo; off+size <= hi; off++ {
		out = append(out, position{score: c.score(off, size, placed), order: c.rng.Uint32(), off: off})
	}
	slices.SortFunc(out, func(a, b position) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.order, b.order))
	})
	return out
}

// score weighs a region in the order of the specification: shared bytes,
// escaped characters, too few different bytes, common windows, and last
// wrapping together with a region that is placed already.
func (c *chooser) score(off, size int, placed []site) uint32 {
	var shared, escaped, common uint32
	var seen [4]uint64
	distinct := 0
	for i, b := range c.body[off : off+size] {
		w := c.cost[off+i]
		shared += uint32(w & costShared)
		escaped += uint32(w & costEscaped >> 1)
		common += uint32(w & costCommon >> 2)
		if seen[b>>6]>>(b&63)&1 == 0 {
			seen[b>>6] |= 1 << (b & 63)
			distinct++
		}
	}
	few := uint32(max(0, minDistinct-distinct))
	return shared<<20 | escaped<<15 | few<<11 | common<<6 | wrapped(off, size, placed)
}

// wrapped counts the wrap widths that would cut both this region and one that
// is placed already.
func wrapped(off, size int, placed []site) uint32 {
	var n uint32
	for _, w := range wrapWidths() {
		for _, s := range placed {
			if d := (off - s.core) % w; d < size || w-d < size {
				n++
				break
			}
		}
	}
	return n
}

// place takes the best position of a segment that fewer than four registered
// values share; where all are crowded, the least crowded one.
func (c *chooser) place(lo, hi int, placed []site) site {
	size := c.core.key.Geometry().Region()
	best, fewest := site{body: c.number, core: lo, edge: lo}, -1
	for i, p := range c.rank(lo, hi, size, placed) {
		if i == triesPerSpan {
			break
		}
		s := site{body: c.number, core: p.off, edge: p.off}
		n := c.index.Shared(c.core.tag.Tag(c.core.region(c.body, p.off)))
		if c.edge != nil {
			var e int
			s.edge, e = c.placeEdge(p.off, size)
			n = max(n, e)
		}
		if n < crowded {
			return s
		}
		if fewest < 0 || n < fewest {
			best, fewest = s, n
		}
	}
	return best
}

// placeEdge takes the best edge region inside a core region, in the same way.
func (c *chooser) placeEdge(core, size int) (off, shared int) {
	shared = -1
	for _, p := range c.rank(core, core+size, c.edge.key.Geometry().Region(), nil) {
		n := c.index.Shared(c.edge.tag.Tag(c.edge.region(c.body, p.off)))
		if n < crowded {
			return p.off, n
		}
		if shared < 0 || n < shared {
			off, shared = p.off, n
		}
	}
	return off, shared
}
