package scanners

import (
	"bytes"
	"context"
	"encoding/binary"
)

// Flow is a set of things that may go on from one part of a text in another,
// each of which a Viewer gives a bit. FlowAny goes on over every cut.
type Flow uint8

// FlowAny is what no cut ends.
const FlowAny Flow = 1 << 7

// Cutter is a Viewer that knows where a text can be cut so that its two parts
// are looked at apart: where what it yields on one side does not depend on the
// other, beyond CutSide bytes, unless a text comes from both.
type Cutter interface {
	Viewer
	// CutSide is how many bytes on each side of a cut are looked at, and shown
	// with the part on the other side.
	CutSide() int
	// Cut reports whether data, CutSide bytes on each side of a place, can be cut
	// there, and what does not go on over the cut. Of what it does not name,
	// Flows tells.
	Cut(data []byte) (ends Flow, ok bool)
	// Flows is what a part has that may go on before it and behind it, unless a
	// cut ends it.
	Flows(part []byte) (before, behind Flow)
}

// Local is a Matcher that can tell what its answer hangs on.
type Local interface {
	Matcher
	// AppendLocalHits is AppendHitsUntil that calls on for each stretch of c.Data
	// that decided whether there are hits; what is decided by 64 bytes and less
	// need not be told. local is false when something else decided.
	AppendLocalHits(ctx context.Context, dst []Hit, c Chunk, on func(from, to int)) (hits []Hit, local bool)
}

// Cutting says where contents are cut. The zero value is a good choice.
type Cutting struct {
	// Least is how many bytes cuts are apart; from 1, 0 means 1 KiB.
	Least int
	// OneIn is how many ends of lines are looked at for one cut: which, the text
	// behind them says, so that cuts stand where they stood before in what is left
	// of a text. From 1, 0 means 8.
	OneIn int
}

func (c Cutting) orDefault() Cutting {
	if c.Least <= 0 {
		c.Least = 1 << 10
	}
	if c.OneIn <= 0 {
		c.OneIn = 8
	}
	return c
}

// appendCuts appends the places where a text may be cut.
func (s *Screener) appendCuts(dst []cut, data []byte) []cut {
	side, last := s.cuts.CutSide(), 0
	for at := max(0, side-1); ; {
		n := bytes.IndexByte(data[min(at, len(data)):], '\n')
		if n < 0 {
			return dst
		}
		if at += n + 1; at-last < s.how.Least {
			at = max(at, last+s.how.Least-1)
			continue
		}
		if at+side > len(data) {
			return dst
		}
		if !chosen(data[at:], s.how.OneIn) {
			continue
		}
		if ends, ok := s.cut(data[at-side : at+side]); ok {
			dst = append(dst, cut{at, ends})
			last = at
		}
	}
}

// cut is Cutter.Cut, which is asked once for each text.
func (s *Screener) cut(data []byte) (ends Flow, ok bool) {
	const known, can, bits = 1 << 8, 1 << 9, 1<<8 - 1
	key := s.lines.key(data, false, false)
	if v := s.lines.get(key); v != 0 {
		return Flow(v & bits), v&can != 0
	}
	ends, ok = s.cuts.Cut(data)
	v := known | uint16(ends)
	if ok {
		v |= can
	}
	s.lines.put(key, v)
	return ends, ok
}

// chosen reports whether a text may be cut before a line: for one of so many.
func chosen(line []byte, oneIn int) bool {
	if len(line) < 16 {
		return false
	}
	word := binary.LittleEndian.Uint64(line) + binary.LittleEndian.Uint64(line[8:])*0xff51afd7ed558ccd
	return word*0x9e3779b97f4a7c15>>32%uint64(oneIn) == 0
}

// cut is a place where a text may be cut, and what does not go on there.
type cut struct {
	at   int
	ends Flow
}

// nearCut is how close to a cut nothing may stand that both sides decide.
const nearCut = 16

// over reports whether a stretch is on both sides of the cut, or close to it.
func (c cut) over(from, to int) bool { return from < c.at+nearCut && to > c.at-nearCut }
