package views

import (
	"bufio"
	"errors"
	"io"
	"math/bits"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/inflate"
)

// patchStreams decompresses what patches hold; most texts have none. What it may still
// put out for the text at hand is fuel.
type patchStreams struct {
	fuel   int64
	buffer *bufio.Reader
	zlib   inflate.Zlib
	room   [block]byte
	out    []byte
}

// inflated decompresses a part of a patch and yields it, all of it from the part as a
// whole.
func (k *spotting) inflated(in *patchReader, part extent, delta bool) (goOn bool) {
	if k.patches == nil {
		k.patches = &patchStreams{fuel: unpackFuel + fuelPerByte*int64(len(k.layer.Data)), buffer: bufio.NewReaderSize(in, block)}
	}
	s := k.patches
	p := patchStream{k: k, s: s, in: in, part: part}
	s.out, s.fuel = s.out[:0], s.fuel-packZlib.fuel()
	s.buffer.Reset(in)
	err := s.zlib.Reset(s.buffer)
	switch {
	case err != nil:
	case delta:
		err = p.delta(bufio.NewReaderSize(&p, block))
	default:
		err = p.literal()
	}
	return p.finish(err)
}

// patchStream is one of them being decompressed.
type patchStream struct {
	k     *spotting
	s     *patchStreams
	in    *patchReader
	part  extent
	total int64
}

var (
	errNobody = errors.New("nobody wants more")
	errDelta  = errors.New("no delta")
	errFuel   = errors.New("more compressed streams than the bound allows")
	errRatio  = errors.New("a compressed stream that expands too far")
)

// Read implements io.Reader: it counts what comes out.
func (p *patchStream) Read(b []byte) (int, error) {
	n, err := p.s.zlib.Read(b)
	p.total += int64(n)
	p.s.fuel -= int64(n)
	switch {
	case p.s.fuel < 0:
		err = errFuel
	case p.total > unpackSlack && p.total > unpackRatio*p.in.read:
		err = errRatio
	}
	return n, err
}

// literal puts out all there is.
func (p *patchStream) literal() error {
	for {
		n, err := p.Read(p.s.room[:])
		if !p.push(p.s.room[:n]) {
			return errNobody
		}
		if err != nil {
			return err
		}
	}
}

// delta puts out what is inserted, and a border where something is copied: what it is
// stands in a version that is not here.
func (p *patchStream) delta(r *bufio.Reader) error {
	for sizes := 0; sizes < 2; {
		c, err := r.ReadByte()
		if err != nil {
			return err
		}
		if c < 0x80 {
			sizes++
		}
	}
	for {
		op, err := r.ReadByte()
		if err != nil {
			return err
		}
		b := append(p.s.room[:0], border...)
		switch {
		case op == 0:
			return errDelta
		case op >= 0x80:
			_, err = r.Discard(bits.OnesCount8(op & 0x7f))
		default:
			b = p.s.room[:op]
			_, err = io.ReadFull(r, b)
		}
		if err == nil && !p.push(b) {
			err = errNobody
		}
		if err != nil {
			return err
		}
	}
}

// push puts bytes out, and yields a piece that is long enough; false when nobody wants
// more.
func (p *patchStream) push(b []byte) bool {
	l := p.k.layer
	p.s.out = append(p.s.out, b...)
	if len(p.s.out) < max(l.Piece, 2*l.Overlap, firstOut) {
		return true
	}
	goOn := p.piece("") && p.k.ctx.Err() == nil
	p.s.out = p.s.out[:copy(p.s.out, p.s.out[len(p.s.out)-l.Overlap:])]
	return goOn
}

// finish yields what is left, and lists what was not read to its end: not what may have
// been meant to be short.
func (p *patchStream) finish(err error) (goOn bool) {
	switch {
	case errors.Is(err, errNobody):
		return false
	case errors.Is(err, io.EOF):
		return len(p.s.out) == 0 || p.piece("")
	case errors.Is(err, errFuel), errors.Is(err, errRatio):
		return p.piece(err.Error())
	case p.part.to-p.part.from <= 1+patchLine/4*5, p.k.layer.Depth > 0: // what was undone may have been of a line
		return len(p.s.out) == 0 || p.piece("")
	}
	return p.piece("a compressed stream that is damaged or cut off")
}

// piece yields what came out.
func (p *patchStream) piece(why string) bool {
	from, to := p.part.from, p.part.to
	return p.k.yield(scanners.Text{
		Form: fingerprints.FormBase85.Within(fingerprints.FormCompressed), Data: p.s.out, Unread: why,
		Origin: func(int, int) (int, int) { return from, to },
	})
}
