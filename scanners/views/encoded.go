package views

import (
	"context"
	"math/bits"
	"sync"

	"revenant/scanners"
	"revenant/scanners/byteclass"
)

// encoded finds what is written in digits of any base, and compressed streams.
// One pass over bitmaps of the text tells where to look closer; on nearly all
// text it says nowhere.
type encoded struct{ pool *sync.Pool }

func newEncoded() encoded {
	t := newTriples()
	return encoded{pool: &sync.Pool{New: func() any { return &search{unpacker: unpacker{triples: t}} }}}
}

func (e encoded) view(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) bool {
	s, _ := e.pool.Get().(*search)
	s.begin(ctx, l, yield)
	for from := 0; from < len(l.Data) && !s.stopped && ctx.Err() == nil; from += tile {
		s.tile(from, min(from+tile, len(l.Data)))
	}
	goOn := !s.stopped && s.flush() && s.showSpellings()
	s.forget()
	e.pool.Put(s)
	return goOn
}

// tile is how much of a text is classified at once, so that its bitmaps and
// itself stay in the core's nearest cache.
const tile = 16 << 10

// search is one text being looked through. What it keeps between two texts is
// memory only.
type search struct {
	ctx     context.Context
	layer   scanners.Layer
	data    []byte
	yield   func(scanners.Text) bool
	stopped bool
	cost    Cost

	words  []byteclass.Digits // of the tile, with the word before and the one behind
	before streaks            // of base64 characters, in the word before the tile
	spots  []uint64           // where magics may stand in the tile

	chain   chain
	blocks  []byteclass.Digits // of the chain
	windows [8][]window        // of the chain, by grid
	decoded []byte
	seen64  [4]int // how far each grid of base64 was looked at
	seen16  [2]int // and of hex
	seen32  int    // and of base32
	done    [3]int // how far chains were put together, by alphabet

	numbers numbers
	guesses guesses
	guessed bool // something was put aside, and is to be forgotten

	respelled *respelled
	odd       bool // other spellings are looked for
	spelt     bool // some were put aside
	seenHex   int  // how far hex was read in them
	unpacker
}

// Cost counts what looking through a text took: texts yielded, characters
// decoded to see whether they are text, characters put together in chains,
// numbers read, streams tried, bytes that came out of them, bytes read of what
// is none.
type Cost struct{ Texts, Judged, Chained, Numbers, Streams, Unpacked, Wasted int64 }

func (s *search) begin(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	*s = search{
		ctx: ctx, layer: l, data: l.Data, yield: yield,
		words: append(s.words[:0], byteclass.Digits{}), spots: s.spots,
		chain: chain{chars: s.chain.chars[:0], links: s.chain.links[:0]}, blocks: s.blocks, windows: s.windows, decoded: s.decoded,
		numbers: numbers{built: s.numbers.built}, guesses: guesses{built: s.guesses.built}, unpacker: s.again(len(l.Data)),
		respelled: s.respelled, odd: oddly(l),
	}
}

// keepBuffer is how much memory a buffer may keep between texts.
const keepBuffer = 64 << 10

// forget drops every trace of the text.
func (s *search) forget() {
	s.ctx, s.layer, s.data, s.yield = nil, scanners.Layer{}, nil, nil
	s.chain.data = nil
	if s.cost.Chained > 0 {
		wipe(&s.chain.chars)
		wipe(&s.decoded)
		if cap(s.blocks)*64 > keepBuffer {
			s.blocks = nil
		}
		if cap(s.chain.links) > keepBuffer/8 {
			s.chain.links = nil
		}
	}
	if s.cost.Numbers > 0 {
		s.numbers.built.forget()
	}
	if s.guessed {
		s.guesses.built.forget()
	}
	if s.spelt {
		s.respelled.forget()
	}
	if s.cost.Streams > 0 {
		s.unpacker.forget()
	}
}

// wipe empties a buffer; one that has grown is dropped.
func wipe(b *[]byte) {
	if *b = (*b)[:0]; cap(*b) > keepBuffer {
		*b = nil
	}
	clear((*b)[:cap(*b)])
}

// emit yields a text.
func (s *search) emit(t scanners.Text) bool {
	s.cost.Texts++
	if !s.yield(t) {
		s.stopped = true
	}
	return !s.stopped
}

// tile looks through a tile of the text.
func (s *search) tile(from, to int) {
	last := s.words[0]
	if from > 0 {
		last = s.words[tile/64] // the word behind it is looked at again
	}
	s.words = append(s.words[:0], last)
	s.words = byteclass.AppendDigits(s.words, s.data[from:min(to+64, len(s.data))])
	n := (to - from + 63) / 64
	s.words = append(s.words, byteclass.Digits{})
	long := extent{to, from}
	var high uint64
	m := s.before
	for i := 1; i <= n; i++ {
		w := &s.words[i]
		high |= w.High
		now := m.next(w.Run)
		if now.s16 != 0 {
			if at := from + 64*(i-1); s.runs(i, at, now.s16, now.of24(m), now.of40(m)) {
				long = extent{min(long.from, at-64), at + 64}
			}
		}
		m = now
		if tokens, long := tokenStarts(s.words[i-1].Hex, w.Hex, s.words[i+1].Hex); (tokens|long)&w.Dec != 0 && (w.Run != ^uint64(0) || bits.OnesCount64(w.Hex) >= leastHexInList) {
			if long &= w.Dec; long != 0 {
				s.addresses(long, from+64*(i-1))
			}
			s.tokens(tokens&w.Dec, from+64*(i-1))
		}
		if s.stopped {
			return
		}
	}
	s.before = m
	if long.from < long.to {
		s.base64Magics(max(long.from, 0), min(long.to, len(s.data)))
	}
	if high != 0 && !s.stopped {
		s.rawMagics(from, to)
	}
}

// streaks are the places of a word where stretches of set bits end, of at least
// so many each.
type streaks struct{ s1, s2, s4, s8, s16 uint64 }

// next returns the streaks of the word behind.
func (b streaks) next(w uint64) streaks {
	s2 := w & (w<<1 | b.s1>>63)
	s4 := s2 & (s2<<2 | b.s2>>62)
	s8 := s4 & (s4<<4 | b.s4>>60)
	return streaks{w, s2, s4, s8, s8 & (s8<<8 | b.s8>>56)}
}

// of24 and of40 are where stretches of 24 and 40 end; before is the word before.
func (b streaks) of24(before streaks) uint64 { return b.s16 & (b.s8<<16 | before.s8>>48) }

func (b streaks) of40(before streaks) uint64 {
	return b.s16 & (b.s16<<16 | before.s16>>48) & (b.s8<<32 | before.s8>>32)
}

// runs looks closer at a word in which long runs of base64 characters end,
// those of at least 16, 24 and 40 at given places. It reports whether a run is long
// enough for a compressed stream.
func (s *search) runs(i, at int, of16, of24, of40 uint64) (long bool) {
	low, w := &s.words[i-1], &s.words[i]
	s.base64Word(i, at)
	hex := ends(12, low.Hex, w.Hex)
	if hex != 0 {
		of12 := hex
		if hex = ends(16, low.Hex, w.Hex); s.odd {
			s.hexSpellings(at, hex, of12)
		}
	}
	if hex != 0 && !s.stopped {
		before := streaks{}.next(low.Hex)
		if now := before.next(w.Hex); now.of24(before) != 0 {
			s.hexWord(i, at)
			e := now.of40(before)
			for e &^= e << 1; e != 0 && !s.stopped; e &= e - 1 {
				s.hexMagic(at + first(e) - 39)
			}
		}
	}
	// Digests are long runs that are hex nearly all over.
	if of24 &^= hex; of24 != 0 && !s.stopped {
		s.base32Word(at, of24)
		if long = of40&^hex != 0; long {
			s.bare(at, of40&^hex)
		}
	}
	if e := runEnds(of16, w, &s.words[i+1]) &^ hex; e != 0 && !s.stopped {
		if s.whole32(at, e); s.odd {
			s.base64Spellings(at, e)
		}
	}
	return long
}

// ends returns the bits of high where stretches of n, 12, 16 or 24, end that may
// begin in low, the word before.
func ends(n int, low, high uint64) uint64 {
	h1, l1 := high&(high<<1|low>>63), low&(low<<1)
	h2, l2 := h1&(h1<<2|l1>>62), l1&(l1<<2)
	h3, l3 := h2&(h2<<4|l2>>60), l2&(l2<<4)
	if h3 == 0 {
		return 0
	}
	if n == 12 {
		return h3 & (h2<<8 | l2>>56)
	}
	h4 := h3 & (h3<<8 | l3>>56)
	if n == 24 {
		h4 &= h3<<16 | l3>>48
	}
	return h4
}

// leastHexInList is how many of 64 bytes are digits in a list whose separators
// are characters of base64 too, - or /. In noise they are fewer.
const leastHexInList = 36

// first is the lowest bit that is set.
func first(w uint64) int { return bits.TrailingZeros64(w) }
