package views

import (
	"revenant/fingerprints"
	"revenant/scanners"
)

// window is a stretch of a chain that reads as text in one grid, with what is
// around it.
type window struct {
	extent
	grid int
}

const (
	// around is how many characters beside what reads as text belong to it: the
	// words of other scripts, marks, and what else may stand between two texts.
	around = 64
	// block is how much of a chain is judged at once, and twice how far it is
	// put together behind the last text.
	block = 4 << 10
)

// follow puts the chain at a place together as long as there is text in it, and
// yields what reads as text. It returns how far it looked.
func (s *search) follow(a *alphabet, at int) (end int) {
	c := &s.chain
	c.start(a, s.data, at)
	size := max(s.layer.Piece, 2*s.layer.Overlap, block)
	most, keep := a.characters(size), a.characters(s.layer.Overlap)+2*around
	for fresh := 0; ; {
		idle := false
		for judged := fresh; len(c.chars) < most && !c.ended && !idle; judged = len(c.chars) {
			c.gather(min(most, len(c.chars)+block))
			idle = !s.judgeChain(c, max(0, judged-around)) && judged >= 2*block
		}
		s.cost.Chained += int64(len(c.chars) - fresh)
		if !s.yieldWindows(c) || c.ended || idle {
			break
		}
		c.drop(len(c.chars) - keep)
		fresh = len(c.chars)
		s.judgeChain(c, 0)
	}
	for g := range s.windows {
		s.windows[g] = s.windows[g][:0]
	}
	if c.ended || len(c.chars) == 0 {
		return max(c.to, at+1)
	}
	end, _ = c.place(max(0, len(c.chars)-around))
	return max(end, at+1)
}

// characters is how many characters n bytes take at least.
func (a *alphabet) characters(n int) int { return (8*n + a.bits - 1) / a.bits }

// judgeChain looks for text in the chain's characters from a place on, in every
// grid, and notes the windows. It reports whether there was some.
func (s *search) judgeChain(c *chain, from int) (some bool) {
	if c.a.ok == nil {
		return s.judgeAll(c, from)
	}
	from -= from % (64 * c.a.group)
	s.blocks = appendDigits(s.blocks[:0], c.chars[from:])
	for g := range c.a.group {
		seen := 0
		for i := range s.blocks {
			var low uint64
			if i > 0 {
				low = c.a.ok(&s.blocks[i-1], g)
			}
			e := ends(c.a.least, low, c.a.ok(&s.blocks[i], g))
			for {
				if e = suffix(e, seen+c.a.least-1-64*i); e == 0 {
					break
				}
				text, next := s.judge(c.a, c.chars[from:], g, 64*i+first(e)-c.a.least+1)
				seen = next
				if text.to > 0 {
					s.window(g, extent{from + text.from, from + text.to}, len(c.chars))
					some = true
				}
			}
		}
	}
	return some
}

// judgeAll is judgeChain without bitmaps.
func (s *search) judgeAll(c *chain, from int) (some bool) {
	for g := range c.a.group {
		for at := c.a.likely(c.chars, g, from); at < len(c.chars); at = c.a.likely(c.chars, g, at) {
			text, next := s.judge(c.a, c.chars, g, at)
			at = max(next, at+1)
			if text.to > 0 {
				s.window(g, text, len(c.chars))
				some = true
			}
		}
	}
	return some
}

// judge is the alphabet's, counted.
func (s *search) judge(a *alphabet, chars []byte, grid, from int) (extent, int) {
	text, next := a.judge(chars, grid, from)
	s.cost.Judged += int64(next - from)
	return text, next
}

// window notes a stretch of text and what is around it.
func (s *search) window(grid int, text extent, n int) {
	w := window{extent{max(0, text.from-around), min(n, text.to+around)}, grid}
	list := s.windows[grid]
	if k := len(list) - 1; k >= 0 && w.from <= list[k].to {
		list[k].from, list[k].to = min(list[k].from, w.from), max(list[k].to, w.to)
		return
	}
	s.windows[grid] = append(list, w)
}

// yieldWindows decodes and yields the windows of the chain and forgets them.
func (s *search) yieldWindows(c *chain) bool {
	a := c.a
	for g := range a.group {
		for _, w := range s.windows[g] {
			from := w.from + (g-w.from%a.group+a.group)%a.group
			to := min(w.to, len(c.chars))
			if from >= to {
				continue
			}
			s.decoded = a.decode(s.decoded[:0], c.chars[from:to])
			if len(s.decoded) < leastText {
				continue
			}
			t := scanners.Text{Form: a.form(), Data: s.decoded, Origin: func(i, j int) (int, int) {
				start, _ := c.place(from + 8*i/a.bits)
				_, end := c.place(from + (8*j-1)/a.bits)
				return start, end
			}}
			if !s.emit(t) {
				return false
			}
		}
		s.windows[g] = s.windows[g][:0]
	}
	return true
}

func (a *alphabet) form() fingerprints.Form {
	switch a.index {
	case inBase64:
		return fingerprints.FormBase64
	case inHex:
		return fingerprints.FormHex
	}
	return fingerprints.FormBase32
}

// before is how far before text a chain is begun.
const before = 2 * around

// begin returns where the chain around a place begins, at low at the earliest:
// some characters before it, also of the line before.
func (a *alphabet) begin(data []byte, at, low int) int {
	from := a.back(data, at, max(low, at-before))
	if at-from >= before || from <= low || !a.lines {
		return from
	}
	if p := a.spacedBefore(data, from, low); p > 0 {
		return a.back(data, p, max(low, p-around))
	}
	p := from
	for p > max(low, from-longestGap) && (data[p-1] == ' ' || data[p-1] == '\t') {
		p--
	}
	if p <= low || data[p-1] != '\n' {
		return from
	}
	for p--; p > low && (data[p-1] == '\r' || data[p-1] == ' '); p-- {
	}
	if line := a.back(data, p, max(low, p-around)); p-line >= joinFrom {
		return line
	}
	return from
}

// back returns where the characters of the alphabet before p begin, at low at
// the earliest.
func (a *alphabet) back(data []byte, p, low int) int {
	for p > low && a.digit[data[p-1]] != 0xff {
		p--
	}
	return p
}
