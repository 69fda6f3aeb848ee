// Package anchor is the arithmetic that registration and matching share: how
// windows of a value are hashed for the filter, which bits of the filter they
// set, and how an anchored region is tagged. The exact bytes are part of the
// specification (package registration); a change breaks every registered row.
//
// A value contributes the S consecutive windows of W bytes that its region of
// R = W+S-1 bytes holds, so that a scanner that probes every S-th position of a
// stream meets one of them whatever the value's offset is.
//
// The filter hash is a keyed multiply, not a MAC: whoever sees a bare table
// learns the seeds. Tables therefore leave memory only inside a sealed pack.
// The tag is an HMAC.
package anchor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/bits"
)

// Geometry is the shape of a table: windows of Window bytes, probed every
// Stride bytes.
type Geometry struct {
	Window int // W, bytes: 5 or 6
	Stride int // S, bytes: 4 or 8
}

// The three geometries in use.
var (
	// Core is for packs that stay on servers.
	Core = Geometry{Window: 6, Stride: 8}
	// Edge is for packs that leave them; its region is smaller, so that less
	// of a value is given away with the pack.
	Edge = Geometry{Window: 6, Stride: 4}
	// Short is for values of 8 to 14 bytes; core packs only.
	Short = Geometry{Window: 5, Stride: 4}
)

// Region is the number of consecutive raw bytes that a value is anchored at.
func (g Geometry) Region() int { return g.Window + g.Stride - 1 }

// Key hashes windows and regions under one filter generation of one audience.
// It is a value; copies are independent and cheap. Safe for concurrent use.
type Key struct {
	x, m  uint64
	tag   [32]byte
	shift uint
	geo   Geometry
}

// NewKey derives the seeds of a geometry from a 32-byte filter key:
//
//	seeds = HMAC-SHA-256(filter key, "anchor/v1" || W || S)
//	x     = little-endian seeds[0:8]
//	m     = little-endian seeds[8:16] | 1
//	tag   = HMAC-SHA-256(filter key, "anchor-tag/v1" || W || S)
//
// W and S are one byte each.
func NewKey(filterKey [32]byte, g Geometry) Key {
	geo := []byte{byte(g.Window), byte(g.Stride)}
	h := hmac.New(sha256.New, filterKey[:])
	h.Write([]byte("anchor/v1"))
	h.Write(geo)
	seeds := h.Sum(nil)
	h.Reset()
	h.Write([]byte("anchor-tag/v1"))
	h.Write(geo)
	k := Key{
		x:     binary.LittleEndian.Uint64(seeds[0:8]),
		m:     binary.LittleEndian.Uint64(seeds[8:16]) | 1,
		shift: uint(64 - 8*g.Window),
		geo:   g,
	}
	copy(k.tag[:], h.Sum(nil))
	return k
}

// Geometry returns the shape that the key was made for.
func (k Key) Geometry() Geometry { return k.geo }

// Seeds returns x, m and 64-8W of the formula at Window, for scanners that keep
// them in registers.
func (k Key) Seeds() (x, m uint64, shift uint) { return k.x, k.m, k.shift }

// Window hashes the window whose W bytes stand in the low bytes of w as a
// little-endian load reads them; higher bytes are ignored:
//
//	a = (w << (64-8W)) ^ x
//	p = a * m as a 128-bit product
//	h = low64(p) ^ high64(p)
//	h = h * 0x9E3779B97F4A7C15 (mod 2^64)
func (k Key) Window(w uint64) uint64 {
	hi, lo := bits.Mul64((w<<k.shift)^k.x, k.m)
	return (hi ^ lo) * 0x9E3779B97F4A7C15
}

// WindowAt hashes the window at the start of b, which has at least W bytes.
func (k Key) WindowAt(b []byte) uint64 {
	var w uint64
	for i := range k.geo.Window {
		w |= uint64(b[i]) << (8 * i)
	}
	return k.Window(w)
}

// AppendWindows appends the S window hashes of a region of R bytes.
func (k Key) AppendWindows(dst []uint64, region []byte) []uint64 {
	for i := range k.geo.Stride {
		dst = append(dst, k.WindowAt(region[i:]))
	}
	return dst
}

// Place says where in a filter of 1<<logWords 64-bit words a window hash sets
// its two bits: the word from the top logWords bits, the bits from the 12
// bits at positions 20 to 31.
func Place(h uint64, logWords uint) (word uint64, mask uint64) {
	return h >> (64 - logWords), 1<<(h>>20&63) | 1<<(h>>26&63)
}

// Tagger computes region tags; it keeps a hash state and is not safe for
// concurrent use.
type Tagger struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

// NewTagger returns a tagger for the key.
func (k Key) NewTagger() *Tagger { return &Tagger{mac: hmac.New(sha256.New, k.tag[:])} }

// Tag is the first 8 bytes, little-endian, of HMAC-SHA-256(tag key, region).
func (t *Tagger) Tag(region []byte) uint64 {
	t.mac.Reset()
	t.mac.Write(region)
	return binary.LittleEndian.Uint64(t.mac.Sum(t.sum[:0]))
}

// Forget drops what the tagger keeps of the last region.
func (t *Tagger) Forget() { t.mac.Reset() }
