package inflate

import (
	"bufio"
	"errors"
	"io"
	"slices"
)

// Mark is where a [Gzip] stands, with all that it takes to go on from there: the codes of
// the block at hand, the window, and what was decoded and not read yet. It takes 52 KiB
// to 150 KiB. It is never changed, and may be used any number of times, by several at once.
type Mark struct {
	d     decoder // its out is what is kept, and its codes are not used yet
	own   bool    // the block at hand brought its codes
	fixed bool    // it has those of RFC 1951
	given int
	room  int // of what is decoded into
	sum   uint32
	size  uint32
	last  bool // nothing more is decoded
	ended bool // nor read
}

// Mark is where z stands. What z reads from has to be read again from the first byte that
// is still in its bufio.Reader. A member that could not be read further has none: nil.
func (z *Gzip) Mark() *Mark {
	if z.err != nil && !errors.Is(z.err, io.EOF) || z.r.err != nil && !errors.Is(z.r.err, io.EOF) {
		return nil
	}
	f := &z.r.d
	m := &Mark{d: *f, given: z.r.given, room: len(f.out), sum: z.sum, size: z.size, last: z.r.err != nil, ended: z.err != nil}
	m.own, m.fixed = f.lit == &f.codes[0], f.fixed != nil && f.lit == &f.fixed[0]
	if m.ended {
		m.given = f.at
	}
	from := max(0, min(m.given, f.at-window))
	m.d.out = slices.Clone(f.out[from:f.at])
	m.d.at, m.given = f.at-from, m.given-from
	m.d.in, m.d.fixed, m.d.lit, m.d.dist = nil, nil, nil, nil
	return m
}

// Resume makes z go on from a mark, with a source that begins where the mark's was.
func (z *Gzip) Resume(src *bufio.Reader, m *Mark) {
	r := &z.r
	fixed := r.d.fixed
	r.Reset(src)
	r.d = m.d
	r.d.fixed = fixed
	r.d.out = make([]byte, max(m.room, firstKept))
	copy(r.d.out, m.d.out)
	r.given = m.given
	switch {
	case m.fixed:
		stage := r.d.stage
		r.d.useFixed()
		r.d.stage = stage
	case m.own:
		r.d.lit, r.d.dist = &r.d.codes[0], &r.d.codes[1]
	}
	z.sum, z.size, z.err, z.head = m.sum, m.size, nil, summedHead{}
	if m.last {
		r.err = io.EOF
	}
	if m.ended {
		z.err = io.EOF
	}
}
