package scanners

import (
	"bytes"
	"context"

	"revenant/fingerprints"
)

// Viewer sees through encodings: it says what stretches of a text decode to.
// The engine shows each to the matchers, and to the viewer again for what is
// encoded in it. Viewers are pure, safe for concurrent use, linear in what they
// look at, and look no further than Reach around a stretch: what they yield for
// it does not depend on where a content was cut further away.
type Viewer interface {
	// View calls yield for each stretch of l.Data that decodes to something,
	// in no order, until yield returns false or ctx ends.
	View(ctx context.Context, l Layer, yield func(Text) bool)
	// Reach is how many bytes around an encoded value must be in l.Data.
	Reach() int
}

// Divisible is a Viewer that can be asked in parts, side by side.
type Divisible interface {
	Viewer
	// Divided are viewers that see together what the viewer sees in a content,
	// each something of it.
	Divided() []Viewer
}

// Layer is a text to be looked through. Viewers borrow Data until they return.
type Layer struct {
	Data []byte
	// Depth is how many encodings were undone; 0 for a chunk.
	Depth int
	// Piece is how long texts are that a viewer makes of a longer stretch, and
	// Overlap how much of one the next repeats: what the matchers need to see
	// every hit whole in one of them.
	Piece, Overlap int
	// NoGuesses says that nobody wants guessed texts.
	NoGuesses bool
	// Guessed says that it was put together by guessing.
	Guessed bool
	// Apart says that it was a text of stretches that stand apart.
	Apart bool
}

// Text is what a stretch decodes to. All of it is borrowed until yield returns.
type Text struct {
	Data []byte
	// Form is how the stretch is encoded.
	Form fingerprints.Form
	// Origin maps a range of Data, which is not empty, to the range of the layer
	// it came from: from the first to the last byte that carries a bit of it.
	Origin func(from, to int) (start, end int)
	// Alike reports that the stretch reads much as its text does, so that a
	// rule that matched both found one thing.
	Alike bool
	// Guessed texts are put together by guessing. They, and what is encoded in
	// them, are worth showing only to matchers that confirm what they find.
	Guessed bool
	// Apart says that the text is of stretches of one line each, with ends of lines
	// between them: nothing goes on from one to the next.
	Apart bool
	// Bare texts have nothing encoded in them that their layer does not have.
	Bare bool
	// Plain texts hold values as they stand alone, and none that is encoded.
	Plain bool
	// Unread says why the stretch in Origin(0, 1) was not decoded to its end;
	// empty when it was. Data may be empty then.
	Unread string
}

// Guesser is a Matcher of patterns: what it finds is likely, not certain.
type Guesser interface {
	Matcher
	// Excused reports whether data itself says that what is found in
	// data[from:to] is not to be reported.
	Excused(data []byte, from, to int) bool
}

// Bounds of what is decoded of one chunk, at each depth.
const (
	// DefaultViewDepth is how many encodings in each other are undone.
	DefaultViewDepth = 8

	viewPiece  = 1 << 20  // bytes of a text that is yielded at once
	viewFactor = 4        // bytes of text for one of the chunk
	viewSlack  = 64 << 20 // and beyond that

	// maxGuesses is how many guesses are made of each other: of a value that was
	// wrapped before a log put something before each line.
	maxGuesses = 2
)

// looking is one chunk being looked through.
type looking struct {
	ctx       context.Context
	e         *Engine
	chunk     Chunk
	first     Viewer // looks through the chunk itself; what is in that is the engine's to look through
	overlap   int
	left      []int64 // bytes that may still be decoded, by depth
	room      [DefaultViewDepth]int64
	seen      map[textID]int // how many guesses it took
	hits      []Hit
	unread    []fingerprints.Skip
	overflow  bool
	deep      bool       // it was told that more is encoded than is undone
	noGuesses bool       // no matcher confirms what it finds
	outer     func(Text) // is shown what the chunk itself decodes to; may be nil
}

// origin maps a range of a text to the chunk.
type origin func(from, to int) (start, end int)

// looksThrough reports whether encodings are undone.
func (e *Engine) looksThrough() bool { return e.Viewer != nil && e.ViewDepth >= 0 }

// viewed are the hits in what the chunk decodes to, with their spans in the
// content.
func (e *Engine) viewed(ctx context.Context, c Chunk, overlap int) ([]Hit, []fingerprints.Skip) {
	return e.viewedBy(ctx, c, overlap, nil)
}

// viewedBy is viewed that shows outer what the chunk itself decodes to.
func (e *Engine) viewedBy(ctx context.Context, c Chunk, overlap int, outer func(Text)) ([]Hit, []fingerprints.Skip) {
	if !e.looksThrough() {
		return nil, nil
	}
	l := e.newLooking(c, e.Viewer, overlap)
	l.outer = outer
	l.look(ctx)
	return l.hits, l.unread
}

// newLooking is a look through a chunk that begins with what a viewer sees in it.
func (e *Engine) newLooking(c Chunk, first Viewer, overlap int) *looking {
	depth := e.ViewDepth
	if depth == 0 {
		depth = DefaultViewDepth
	}
	l := &looking{e: e, chunk: c, first: first, overlap: overlap, noGuesses: e.guessesOnly()}
	if l.left = l.room[:]; depth <= len(l.left) {
		l.left = l.left[:depth]
	} else {
		l.left = make([]int64, depth)
	}
	for i := range l.left {
		l.left[i] = viewRoom(c)
	}
	return l
}

// viewRoom is how many bytes are decoded of a chunk, at each depth.
func viewRoom(c Chunk) int64 { return viewSlack + viewFactor*int64(len(c.Data)) }

func (l *looking) look(ctx context.Context) {
	l.ctx = ctx
	l.through(l.chunk.Data, level{to: func(from, to int) (int, int) { return from, to }})
}

// guessesOnly reports whether no matcher confirms what it finds.
func (e *Engine) guessesOnly() bool {
	for _, m := range e.Matchers {
		if _, guesses := m.(Guesser); !guesses {
			return false
		}
	}
	return true
}

// level is a text with what was undone for it.
type level struct {
	depth   int
	alike   int // how many of the last read as what they were made of
	form    fingerprints.Form
	to      origin
	guesses int // how many of the encodings that were undone were guessed
	apart   bool
}

// through looks through one text.
func (l *looking) through(data []byte, v level) {
	depth, to := v.depth, v.to
	if depth == len(l.left) {
		l.deeper(data, v)
		return
	}
	layer := Layer{Data: data, Depth: depth, Piece: max(viewPiece, 4*l.overlap), Overlap: l.overlap, NoGuesses: l.noGuesses, Guessed: v.guesses > 0, Apart: v.apart}
	viewer := l.e.Viewer
	if depth == 0 {
		viewer = l.first
	}
	viewer.View(l.ctx, layer, func(t Text) bool {
		if t.Unread != "" {
			at, end := t.Origin(0, 1)
			if depth == 0 || !l.stands(data, at, to) {
				start, end := to(at, end)
				l.skip(t.Unread, int64(end-start))
			}
		}
		if len(t.Data) == 0 {
			return l.ctx.Err() == nil
		}
		if l.left[depth] -= int64(len(t.Data)); l.left[depth] < 0 {
			if !l.overflow {
				l.overflow = true
				l.skip("decodes to more than the bound allows", -1)
			}
			return false
		}
		if depth == 0 && l.outer != nil {
			l.outer(t)
		}
		l.text(t, v)
		return l.ctx.Err() == nil
	})
}

// leastDeeper is how long a text is at the least that is told of where no more encodings
// are undone.
const leastDeeper = 16

// unprinted reports whether a character stands in no text of ASCII: noise decodes to
// noise, and what people encode again and again is text.
func unprinted(r rune) bool { return r >= 0x7f || r < ' ' && r != '\t' && r != '\n' && r != '\r' }

// deeper tells of a text in which more is encoded, when as much was undone as is. Who
// wants less undone than that knows.
func (l *looking) deeper(data []byte, v level) {
	if v.depth < DefaultViewDepth || v.guesses > 0 || l.deep {
		return
	}
	layer := Layer{Data: data, Depth: v.depth, Piece: viewPiece, Overlap: l.overlap, NoGuesses: true}
	l.e.Viewer.View(l.ctx, layer, func(t Text) bool {
		l.deep = !t.Guessed && len(t.Data) >= leastDeeper && !bytes.ContainsFunc(t.Data, unprinted)
		return !l.deep
	})
	if l.deep {
		l.skip("more encodings in each other than are undone", -1)
	}
}

// sameBytes is how many bytes of what was not read must stand in the chunk itself for
// it to be looked at there.
const sameBytes = 3

// stands reports whether what begins at a place of a text stands in the chunk as it
// is: the text is the chunk but for a few places that were taken for escapes or line
// ends, as noise has them. What could be read of it was, there, and what could not is
// told there.
func (l *looking) stands(data []byte, at int, to origin) bool {
	if at+sameBytes > len(data) {
		return false
	}
	first, _ := to(at, at+1)
	for i := range sameBytes {
		start, end := to(at+i, at+i+1)
		if start != first+i || end != start+1 || end > len(l.chunk.Data) || l.chunk.Data[start] != data[at+i] {
			return false
		}
	}
	return true
}

// silencer is a Viewer that can tell at little cost of some texts that nothing is
// encoded in them.
type silencer interface{ Silent(data []byte) bool }

// text shows a text to the matchers and looks through it.
func (l *looking) text(t Text, outer level) {
	guesses := outer.guesses
	if t.Guessed {
		guesses++
	}
	if guesses > maxGuesses || outer.depth == 0 && !t.Guessed && l.nothing(t) {
		return
	}
	l.closely(t, outer, guesses)
}

// nothing reports whether there is neither anything encoded in a text nor a hit:
// most are short words, and where they came from need not be known.
func (l *looking) nothing(t Text) bool {
	if s, ok := l.e.Viewer.(silencer); !ok || !s.Silent(t.Data) {
		return false
	}
	for _, m := range l.e.Matchers {
		if len(appendHits(l.ctx, m, nil, l.decoded(t))) > 0 {
			return false
		}
	}
	return true
}

// decoded is a text as matchers see it.
func (l *looking) decoded(t Text) Chunk {
	return Chunk{Data: t.Data, Path: l.chunk.Path, Final: true, Decoded: true, AnyPath: l.chunk.AnyPath, Plain: t.Plain}
}

// closely is text for one that may hold something.
func (l *looking) closely(t Text, outer level, guesses int) {
	here := func(from, until int) (int, int) { return outer.to(t.Origin(from, until)) }
	v := level{depth: outer.depth + 1, form: outer.form.Within(t.Form), to: here, guesses: guesses, apart: t.Apart}
	if t.Guessed {
		v.form = t.Form
	}
	if t.Alike {
		v.alike = outer.alike + 1
	}
	t.Guessed = guesses > 0 // and so is what is in it
	if outer.depth > 0 && l.again(t, here, v.guesses) {
		return
	}
	for _, m := range l.e.Matchers {
		guesser, guesses := m.(Guesser)
		if guesses && t.Guessed {
			continue
		}
		for _, h := range appendHits(l.ctx, m, nil, l.decoded(t)) {
			if h.PathOnly || h.Span.Len() <= 0 {
				continue
			}
			h.inner = h.Form != "" && h.Form != fingerprints.FormRaw
			h.Form, h.depth, h.alike = v.form.Within(h.Form), v.depth, v.alike
			h.Span = l.place(h.Span, here)
			if h.Match.Len() > 0 {
				h.Match = l.place(h.Match, here)
			}
			from := int(h.Span.Start - l.chunk.Base)
			if guesses && guesser.Excused(l.chunk.Data, from, from+int(h.Span.Len())) {
				continue
			}
			l.hits = append(l.hits, h)
		}
	}
	if !t.Bare {
		l.through(t.Data, v)
	}
}

// place maps a span of a text to the content.
func (l *looking) place(s Span, to origin) Span {
	start, end := to(int(s.Start), int(s.End))
	return Span{Start: l.chunk.Base + int64(start), End: l.chunk.Base + int64(end)}
}

// skip lists what was not decoded.
func (l *looking) skip(why string, size int64) {
	l.unread = append(l.unread, fingerprints.Skip{Path: l.chunk.Path, Reason: fingerprints.SkipEncoded, Detail: why, Size: size})
}

// textID tells texts apart that came from different places or differ.
type textID struct {
	sum   uint64
	start int
}

// again reports whether the same text came from the same place before: what
// undoing two encodings in either order makes. One that took fewer guesses is
// looked at again, because more may be made of it.
func (l *looking) again(t Text, to origin, guesses int) bool {
	if l.seen == nil {
		l.seen = map[textID]int{}
	}
	start, _ := to(0, 1)
	id := textID{sum: l.e.textSum(t.Data), start: start}
	if before, has := l.seen[id]; has && before <= guesses {
		return true
	}
	l.seen[id] = guesses
	return false
}
