package registration

import (
	"encoding/binary"
	"fmt"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
)

// plainLen is the length of an entry before sealing; every entry has it, so
// that no sealed row tells a length, a class or a number of regions.
const plainLen = 480

const regionHead = 4 + 8

// strengths and geometries are the codes of the format, from 1.
func strengths() []fingerprints.Strength {
	return []fingerprints.Strength{fingerprints.StrengthEdge, fingerprints.StrengthCore, fingerprints.StrengthWeak}
}

func coreGeometries() []anchor.Geometry { return []anchor.Geometry{anchor.Core, anchor.Short} }

// code is the position of v in list from 1, or 0.
func code[T comparable](list []T, v T) byte {
	for i, x := range list {
		if x == v {
			return byte(i + 1)
		}
	}
	return 0
}

// marshalEntry writes what the package comment calls the plaintext of a row.
func marshalEntry(e Entry) []byte {
	nEdge := 0
	if e.Edge != nil {
		nEdge = len(e.Edge.Regions)
	}
	b := make([]byte, 0, plainLen)
	b = binary.BigEndian.AppendUint32(b, e.Length)
	b = append(b, byte(e.Kind), code(strengths(), e.Strength), code(coreGeometries(), e.Core.Geometry),
		byte(len(e.Core.Regions)|nEdge<<4))
	b = append(b, e.ValueID[:]...)
	b = append(b, e.Lookup[:]...)
	b = appendAnchors(b, *e.Core)
	if e.Edge != nil {
		b = appendAnchors(b, *e.Edge)
	}
	return append(b, make([]byte, plainLen-len(b))...)
}

func appendAnchors(b []byte, a Anchors) []byte {
	b = append(b, a.MAC[:]...)
	for _, r := range a.Regions {
		b = binary.BigEndian.AppendUint32(b, r.Offset)
		b = binary.BigEndian.AppendUint64(b, r.Tag)
		for _, w := range r.Windows {
			b = binary.BigEndian.AppendUint64(b, w)
		}
	}
	return b
}

// parseEntry reads the plaintext of a row. Row, Epoch and FilterGen are the
// caller's to set.
func parseEntry(b []byte) (Entry, error) {
	if len(b) != plainLen {
		return Entry{}, fmt.Errorf("reading an entry of %d bytes: %w", len(b), ErrForeignRow)
	}
	var e Entry
	e.Length = binary.BigEndian.Uint32(b)
	e.Kind = Kind(b[4])
	strength, geometry := int(b[5]), int(b[6])
	nCore, nEdge := int(b[7]&15), int(b[7]>>4)
	switch {
	case e.Kind != KindValue && e.Kind != KindPrivateKey,
		strength < 1 || strength > len(strengths()),
		geometry < 1 || geometry > len(coreGeometries()),
		nCore < 1 || nCore > maxRegions || nEdge > nCore,
		e.Length < 1 || e.Length > MaxLength:
		return Entry{}, fmt.Errorf("reading an entry: %w", ErrForeignRow)
	}
	e.Strength = strengths()[strength-1]
	copy(e.ValueID[:], b[8:])
	copy(e.Lookup[:], b[24:])
	rest := b[56:]
	e.Core, rest = readAnchors(rest, coreGeometries()[geometry-1], nCore)
	if nEdge > 0 {
		e.Edge, rest = readAnchors(rest, anchor.Edge, nEdge)
	}
	for _, c := range rest {
		if c != 0 {
			return Entry{}, fmt.Errorf("reading an entry: %w", ErrForeignRow)
		}
	}
	return e, nil
}

// readAnchors reads n regions; the counts that parseEntry admits always fit.
func readAnchors(b []byte, g anchor.Geometry, n int) (*Anchors, []byte) {
	a := &Anchors{Geometry: g, Regions: make([]Region, n)}
	b = b[copy(a.MAC[:], b):]
	windows := make([]uint64, n*g.Stride)
	for i := range a.Regions {
		r := &a.Regions[i]
		r.Offset = binary.BigEndian.Uint32(b)
		r.Tag = binary.BigEndian.Uint64(b[4:])
		b = b[regionHead:]
		r.Windows = windows[i*g.Stride : (i+1)*g.Stride : (i+1)*g.Stride]
		for j := range r.Windows {
			r.Windows[j] = binary.BigEndian.Uint64(b)
			b = b[8:]
		}
	}
	return a, b
}
