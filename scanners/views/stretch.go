package views

import (
	"bytes"

	"revenant/scanners"
)

// looking is one layer being looked through.
type looking struct {
	data    []byte
	layer   scanners.Layer
	yield   func(scanners.Text) bool
	stopped bool // yield returned false
}

// oddDepth is how many encodings there are at the most around what is seldom written: with
// those that are common everywhere they would be tried in every order.
const oddDepth = 2

// oddly reports whether what is seldom written is looked for in a layer.
func oddly(l scanners.Layer) bool { return !l.NoGuesses && !l.Guessed && l.Depth <= oddDepth }

func (k *looking) oddly() bool { return oddly(k.layer) }

// yields hands a text out.
func (k *looking) yields(b *spliced, like scanners.Text) {
	if k.stopped || len(b.out) == 0 {
		return
	}
	like.Data = b.out[:len(b.out):len(b.out)]
	like.Origin = b.origin
	k.stopped = !k.yield(like)
}

// How much of a layer is shown around what was undone in it: a rule looks for a
// word before the value, and a value may be longer than what is near.
const (
	nearby  = 256     // bytes, to the line's end at the most
	faraway = 3 << 10 // bytes, where a word goes on
)

// shown is how much of a layer is shown around splices.
type shown struct {
	near  int
	far   int
	ends  *[256]bool // what ends words
	lines bool       // beyond the line's end, too
}

// stretches puts texts together from the splices of one encoding: those of
// worth with what is around them, and all others in there. Where texts would
// touch they are one.
type stretches struct {
	*looking
	like  scanners.Text
	shown shown
	odd   bool           // seldom: not where the layer is guessed, nor deep in others
	also  func(*spliced) // yields what else a text may be read as; nil: nothing

	text    spliced
	pending []splice // those since the last of worth that may be needed
	most    int      // how many of them there may be before old ones are dropped
	open    bool     // a text is being put together
	to      int      // the layer is in the text up to here
	until   int      // where the text ends if nothing of worth follows
	floor   int      // where the text before ended
	line    int      // where the line ends that was looked at last
	word    int      // and the word, as far as it was looked at
}

// phrase is how much of a line is shown around a guess beside which a value may
// have blanks.
const phrase = 48

// fewPending is how many splices wait before the oldest are dropped, as far as none
// that is shown with what follows is among them: what stays in the nearest cache.
const fewPending = 128

// batch is how much of guessed stretches is shown at once: they are many and
// short, and whatever confirms what it finds can look at them together.
const batch = 64 << 10

// border stands between guessed stretches: no value and no line goes on there.
const border = " \n"

// put appends a splice; they come in order and do not overlap.
func (s *stretches) put(p splice, worth bool) { s.place(p, worth, p.at, p.end) }

// putIn appends a splice of worth and shows all of what it stands in, which
// begins and ends at places of the layer.
func (s *stretches) putIn(p splice, from, to int) { s.place(p, true, from, to) }

// unwanted reports whether nobody asks for these texts in the layer: what is only for
// them need not be looked at.
func (s *stretches) unwanted() bool {
	return s.like.Guessed && (s.layer.NoGuesses || s.odd && !s.oddly())
}

func (s *stretches) place(p splice, worth bool, start, end int) {
	if s.unwanted() {
		return
	}
	if s.open && p.at > s.until+s.shown.far {
		s.close()
	}
	if !worth {
		if len(s.pending) >= max(s.most, fewPending) {
			if s.open {
				s.apply(s.until)
			}
			s.drop(p.at - reach)
			s.most = 2 * len(s.pending)
		}
		s.pending = append(s.pending, p)
		return
	}
	if !s.open || p.at > s.until {
		from := min(s.before(p.at), start)
		if s.open && from > s.until+1 { // the lines of one text may follow each other
			s.close()
		}
		if !s.open {
			s.open, s.to = true, max(from, s.floor)
		}
	}
	s.apply(p.at)
	s.raw(p.at)
	s.splice(p)
	s.until = max(s.until, s.after(p.end), end)
}

// drop forgets splices before a place of the layer.
func (s *stretches) drop(before int) {
	n := 0
	for n < len(s.pending) && s.pending[n].at < before {
		n++
	}
	s.pending = s.pending[:copy(s.pending, s.pending[n:])]
}

// apply puts the pending splices up to a place of the layer into the text.
func (s *stretches) apply(to int) {
	n := 0
	for ; n < len(s.pending) && s.pending[n].end <= to; n++ {
		if p := s.pending[n]; p.at >= s.to {
			s.raw(p.at)
			s.splice(p)
		}
	}
	s.pending = s.pending[:copy(s.pending, s.pending[n:])]
}

// raw puts the layer up to a place into the text.
func (s *stretches) raw(to int) {
	s.text.raw(s.data, s.to, to)
	s.to = max(s.to, to)
}

// splice puts one splice into the text, and yields a text that is long enough.
func (s *stretches) splice(p splice) {
	s.text.put(p)
	s.to = p.end
	if len(s.text.out) >= s.layer.Piece {
		s.show()
		s.text.keep(s.layer.Overlap)
	}
}

// close ends the text.
func (s *stretches) close() {
	if !s.open {
		return
	}
	s.apply(s.until)
	s.raw(s.until)
	s.open, s.floor = false, s.until
	if !s.like.Guessed {
		s.flush()
		return
	}
	end := splice{at: max(0, s.until-1), end: s.until, n: len(border)} // it has to come from somewhere
	copy(end.out[:], border)
	s.text.put(end)
	if len(s.text.out) >= batch+s.layer.Overlap {
		s.flush()
	}
}

// flush yields the text and begins another one.
func (s *stretches) flush() {
	s.show()
	s.text.keep(0)
}

// show yields the text.
func (s *stretches) show() {
	s.yields(&s.text, s.like)
	if s.also != nil {
		s.also(&s.text)
	}
}

// finish yields what is left.
func (s *stretches) finish() {
	if !s.open && s.text.high == 0 && len(s.pending) == 0 && s.floor == 0 { // nothing was met, as mostly
		s.to, s.until, s.line, s.word = 0, 0, -1, 0
		return
	}
	s.close()
	s.flush()
	s.pending, s.floor, s.to, s.until, s.line, s.word = s.pending[:0], 0, 0, 0, -1, 0
	s.text.forget()
}

// before is where what is shown before a place of the layer begins.
func (s *stretches) before(p int) int {
	near := max(0, p-s.shown.near)
	if !s.shown.lines && s.shown.near > 0 {
		if i := bytes.LastIndexByte(s.data[near:p], '\n'); i >= 0 {
			return near + i + 1
		}
	}
	far := max(0, p-s.shown.far)
	if s.open { // what is in the text already need not be looked at
		far = max(far, s.until)
	}
	for near > far && !s.shown.ends[s.data[near-1]] {
		near--
	}
	return near
}

// after is where what is shown behind a place of the layer ends. Places come
// in order, and what the last one looked at is not looked at again.
func (s *stretches) after(p int) int {
	near := min(len(s.data), p+s.shown.near)
	if !s.shown.lines && s.shown.near > 0 { // else the line's end is not nearer
		if s.line < p {
			s.line = len(s.data)
			if i := bytes.IndexByte(s.data[p:], '\n'); i >= 0 {
				s.line = p + i
			}
		}
		if s.line < near {
			return s.line
		}
	}
	far := min(len(s.data), p+s.shown.far)
	if near < s.word {
		near = min(far, s.word)
	}
	for near < far && !s.shown.ends[s.data[near]] {
		near++
	}
	s.word = near
	return near
}
