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
	// minDistinct is how many different bytes a region should have.
	minDistinct = 6
	// triesPerSpan bounds the positions whose tags are looked up.
	triesPerSpan = 64
	// clusters bounds the places that are tried for three regions.
	clusters = 64
	// segment holds one of three regions, which may stand at 8 places in it.
	// Starts are then 13 to 47 bytes apart, any two of the three: lines of 60
	// bytes and more never break two of them.
	segment = 20
	cluster = maxRegions * segment
)

// site is where a value is anchored: the edge region lies inside the core one.
type site struct{ body, core, edge int }

// chooser places the regions of one body.
type chooser struct {
	number int    // of the body
	body   []byte // the raw value, or a part of a key
	avoid  []bool // bytes that other values share or that can be computed
	limit  int    // regions
	core   *tagger
	edge   *tagger // nil: no edge region
	index  Index
	rng    *rand.Rand
	cost   []uint16 // per byte; see byteCosts
}

// tagger tags regions of one geometry under one filter generation.
type tagger struct {
	key anchor.Key
	tag *anchor.Tagger
}

func (t *tagger) size() int { return t.key.Geometry().Region() }

func (t *tagger) region(body []byte, off int) []byte { return body[off : off+t.size()] }

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

// choose returns one site, or three for a long body.
func (c *chooser) choose() []site {
	if len(c.body) <= maxOneSpan || c.limit < maxRegions {
		s, _ := c.place(c.rank(0, len(c.body)))
		return []site{s}
	}
	var best []site
	fewest := -1
	for _, p := range c.clusters() {
		var sites []site
		worst := 0
		for i := range maxRegions {
			from := p.off + i*segment
			s, shared := c.place(c.rank(from, from+segment))
			sites, worst = append(sites, s), max(worst, shared)
		}
		if fewest < 0 || worst < fewest {
			best, fewest = sites, worst
		}
		if worst < crowded {
			break
		}
	}
	return best
}

// clusters are random places for three regions, best first.
func (c *chooser) clusters() []position {
	lo, hi := 0, len(c.body)
	for lo < hi && c.avoid[lo] {
		lo++
	}
	for hi > lo && c.avoid[hi-1] {
		hi--
	}
	if hi-lo < cluster { // little is left: reach into what is shared
		lo = max(0, hi-cluster)
		hi = lo + cluster
	}
	out := make([]position, clusters)
	for i := range out {
		out[i] = position{off: lo + c.rng.IntN(hi-lo-cluster+1), order: c.rng.Uint32()}
		for j := range maxRegions {
			from := out[i].off + j*segment
			best := c.score(from, c.core.size())
			for off := from + 1; off+c.core.size() <= from+segment; off++ {
				best = min(best, c.score(off, c.core.size()))
			}
			out[i].score += best
		}
	}
	return sortPositions(out)
}

type position struct {
	score uint32 // the smaller the better
	order uint32 // random
	off   int
}

// rank orders the positions of core regions in lo..hi, best first, equals at
// random.
func (c *chooser) rank(lo, hi int) []position { return c.rankOf(lo, hi, c.core.size()) }

func (c *chooser) rankOf(lo, hi, size int) []position {
	out := make([]position, 0, hi-lo-size+1)
	for off := lo; off+size <= hi; off++ {
		out = append(out, position{score: c.score(off, size), order: c.rng.Uint32(), off: off})
	}
	return sortPositions(out)
}

func sortPositions(out []position) []position {
	slices.SortFunc(out, func(a, b position) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.order, b.order), cmp.Compare(a.off, b.off))
	})
	return out
}

// score weighs a region in the order of the specification: shared bytes,
// escaped characters, too few different bytes, common windows. Sums of three
// scores keep the order.
func (c *chooser) score(off, size int) uint32 {
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
	return shared<<18 | escaped<<12 | few<<6 | common
}

// place takes the best position that fewer than four registered values share;
// where all are crowded, the least crowded one.
func (c *chooser) place(ranked []position) (best site, fewest int) {
	fewest = -1
	for _, p := range ranked[:min(len(ranked), triesPerSpan)] {
		s := site{body: c.number, core: p.off, edge: p.off}
		n := c.index.Shared(c.core.tag.Tag(c.core.region(c.body, p.off)))
		if c.edge != nil {
			var e int
			s.edge, e = c.placeEdge(p.off)
			n = max(n, e)
		}
		if fewest < 0 || n < fewest {
			best, fewest = s, n
		}
		if n < crowded {
			break
		}
	}
	return best, fewest
}

// placeEdge takes the best edge region inside a core region, in the same way.
func (c *chooser) placeEdge(core int) (off, shared int) {
	shared = -1
	for _, p := range c.rankOf(core, core+c.core.size(), c.edge.size()) {
		n := c.index.Shared(c.edge.tag.Tag(c.edge.region(c.body, p.off)))
		if shared < 0 || n < shared {
			off, shared = p.off, n
		}
		if n < crowded {
			break
		}
	}
	return off, shared
}
