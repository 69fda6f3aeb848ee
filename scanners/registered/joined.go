package registered

import (
	"math/bits"

	"revenant/scanners/byteclass"
	"revenant/scanners/escapes"
)

// segment is a stretch of a run that stands in the text as it is, or one
// character that an escape stands for.
type segment struct {
	at    int // in the text
	n     int // characters
	width int // bytes in the text
	sub   byte
}

// joinFrom is how long a line of a run has to be at least for the run to go on
// in the next line: encoders wrap at 60 to 76 characters, few below 20.
const joinFrom = 16

// joined is a run of characters of a class as it is put together.
type joined struct {
	a        *alphabet
	data     []byte
	segments []segment
	chars    int
	to       int  // where the run ends so far, in the text
	line     int  // characters since the last line break
	plain    bool // no escapes
	ended    bool
	bitmap   []uint64 // of the tile at origin: which bytes are base64
	origin   int
}

// more appends the next segment of the run, if it goes on.
func (j *joined) more() {
	for !j.ended {
		if to := j.class(j.to); to > j.to {
			j.push(segment{at: j.to, n: to - j.to, width: to - j.to})
			return
		}
		width, sub := j.escape(j.to)
		switch {
		case width > 0 && sub != 0:
			j.push(segment{at: j.to, n: 1, width: width, sub: sub})
			return
		case width > 0:
			j.to += width
			continue
		}
		n := 0
		if j.line >= joinFrom {
			n = escapes.Break(j.data[j.to:])
		}
		if n == 0 || j.class(j.to+n) == j.to+n {
			j.ended = true
			return
		}
		j.to += n
		j.line = 0
	}
}

func (j *joined) push(s segment) {
	j.segments = append(j.segments, s)
	j.chars += s.n
	j.line += s.n
	j.to = s.at + s.width
}

// class returns where the characters of the class that start at p end.
func (j *joined) class(p int) int {
	if j.a.bits == 6 {
		p = min(j.inTile(p), len(j.data))
		for p+64 <= len(j.data) {
			if run := byteclass.RunWord(j.data[p:]); run != ^uint64(0) {
				return p + bits.TrailingZeros64(^run)
			}
			p += 64
		}
	}
	for p < len(j.data) && j.a.digit[j.data[p]] != 0xff {
		p++
	}
	return p
}

// inTile is class as far as the tile's bitmap shows it.
func (j *joined) inTile(p int) int {
	for k := p - j.origin; k >= 0 && k < 64*len(j.bitmap); {
		out := ^j.bitmap[k/64] >> (k % 64)
		if out != 0 {
			return j.origin + k + bits.TrailingZeros64(out)
		}
		k += 64 - k%64
		p = j.origin + k
	}
	return p
}

// escape reads an escape at p: of a character of the class, which it returns,
// or of a line break between long lines.
func (j *joined) escape(p int) (width int, sub byte) {
	if j.plain || p >= len(j.data) {
		return 0, 0
	}
	var u unit
	switch j.data[p] {
	case '\\':
		u = escBackslash.next(j.data[p:])
	case '%':
		u = escPercent.next(j.data[p:])
	case '&':
		u = escHTML.next(j.data[p:])
	}
	switch {
	case u.Width < 2 || u.N > 1:
		return 0, 0
	case u.N == 1 && j.a.bits == 6 && isSign(u.Out[0]):
		return u.Width, u.Out[0]
	case j.line >= joinFrom && (u.N == 0 || u.Out[0] == '\n' || u.Out[0] == '\r'):
		return u.Width, 0
	}
	return 0, 0
}

// isSign reports whether c is one of the characters of the base64 alphabets
// that escaping changes.
func isSign(c byte) bool { return c == '+' || c == '/' || c == '-' || c == '_' }

// longestEscape is how far before a segment an escape of one character that
// reaches up to it or into it can start.
const longestEscape = 8

// before puts up to about most characters that stand before the first segment
// into the run, down to low, as long as escapes of single characters connect
// them.
func (j *joined) before(low, most int) {
	for most += j.chars; j.chars < most; {
		first := j.segments[0]
		at, width, sub := j.escapeBefore(first.at, low)
		if sub == 0 {
			return
		}
		switch cut := at + width - first.at; {
		case cut <= 0:
		case first.sub != 0 || cut > first.n:
			return
		case cut == first.n: // nothing between two escapes
			j.segments = j.segments[1:]
			j.chars -= cut
		default:
			j.segments[0] = segment{at: at + width, n: first.n - cut, width: first.width - cut}
			j.chars -= cut
		}
		from := at
		for from > low && j.a.digit[j.data[from-1]] != 0xff {
			from--
		}
		front := []segment{{at: at, n: 1, width: width, sub: sub}}
		if from < at {
			front = []segment{{at: from, n: at - from, width: at - from}, front[0]}
		}
		j.segments = append(front, j.segments...)
		j.chars += 1 + at - from
	}
}

// escapeBefore finds an escape of a character of the class that starts before
// p and ends at or behind it.
func (j *joined) escapeBefore(p, low int) (at, width int, sub byte) {
	for at = p - 1; at >= max(low, p-longestEscape); at-- {
		switch j.data[at] {
		case '\\', '%', '&':
			if width, sub = j.escape(at); at+width < p {
				return 0, 0, 0
			}
			return at, width, sub
		}
	}
	return 0, 0, 0
}

// drop forgets the first characters of the run.
func (j *joined) drop(n int) {
	j.chars -= n
	i := 0
	for ; n > 0 && n >= j.segments[i].n; i++ {
		n -= j.segments[i].n
	}
	if i > 0 {
		j.segments = j.segments[:copy(j.segments, j.segments[i:])]
	}
	if n > 0 {
		s := &j.segments[0]
		s.at, s.n, s.width = s.at+n, s.n-n, s.width-n
	}
}

// place returns where a character of the run stands in the text: its first
// byte and the byte after its last.
func (j *joined) place(char int) (from, to int) {
	i := 0
	for char >= j.segments[i].n {
		char -= j.segments[i].n
		i++
	}
	s := j.segments[i]
	switch {
	case s.sub == 0:
	case s.width == 2: // a backslash alone: the character stands there itself
		return s.at + 1, s.at + 2
	default:
		return s.at, s.at + s.width
	}
	return s.at + char, s.at + char + 1
}
