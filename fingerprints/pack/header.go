package pack

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
)

// Format is the version of the pack format.
const Format = 1

// Sentinel errors of reading a pack; they are wrapped.
var (
	ErrNotPack   = errors.New("this is not a pack")
	ErrNewer     = errors.New("the pack was written by a newer version of revenant")
	ErrTruncated = errors.New("the pack is cut short: fetch it again")
	ErrTampered  = errors.New("the pack was changed after it was signed: fetch it again")
	ErrForeign   = errors.New("the pack does not belong to these keys")
	ErrOldKeys   = errors.New("the pack needs newer keys: fetch the key file again")
	ErrReplayed  = errors.New("the pack is older than one that was used before")
	ErrExpired   = errors.New("the pack has expired: fetch a newer one")
	ErrNoLabel   = errors.New("the pack has no such row for this value")
)

const (
	magic      = "RVNTPACK"
	prefixLen  = len(magic) + 2 + 4
	maxHeader  = 64 << 10
	segmentLen = 1 << 20
	overhead   = 16 // of a sealed segment
	digestLen  = 32
	signature  = 64
)

// Header is what a pack says of itself in the clear.
type Header struct {
	Format        uint16
	Ring          fingerprints.RingID
	Installation  fingerprints.InstallationID
	Audience      fingerprints.Audience
	Group         string // of edge holders; may be empty
	Revision      uint64 // of the registry
	FieldRevision uint64 // of the newest registered field: what a scan covers
	Created       time.Time
	Expires       time.Time // zero: never
	KeyEpoch      uint32    // of the pack key and the signature
	Epochs        []uint32  // of the MACs, ascending
	FilterGens    []uint32  // ascending, at most two
	Count         int       // fields in the pack
	Registered    int       // fields in the registry: the others are not in the pack
	PrivateKeys   int       // of Count
	MinLength     int       // raw bytes, private keys left out; 0: none
	MaxLength     int

	salt   [32]byte
	tables []tableShape
	rows   []int // for each of Epochs
	labels int64 // bytes
}

// tableShape is the sizes of a table.
type tableShape struct {
	gen      uint32
	geometry anchor.Geometry
	logWords uint
	single   int
	spread   int
}

func geometries() []anchor.Geometry {
	return []anchor.Geometry{anchor.Core, anchor.Edge, anchor.Short}
}

func audiences() []fingerprints.Audience {
	return []fingerprints.Audience{fingerprints.AudienceCore, fingerprints.AudienceEdge}
}

// codeOf is the position of v in list from 1.
func codeOf[T comparable](list []T, v T) byte {
	for i, x := range list {
		if x == v {
			return byte(i + 1)
		}
	}
	return 0
}

// listLen is the bytes of a list with its directory.
func listLen(n, size int) int64 { return 4*(1<<dirBitsFor(n)+1) + int64(n)*int64(size) }

// hotLen is the bytes that opening reads.
func (h *Header) hotLen() int64 {
	var n int64
	for _, t := range h.tables {
		n += 8<<t.logWords + listLen(t.single, tagLen) + listLen(t.spread, spreadLen)
	}
	for _, r := range h.rows {
		n += listLen(r, rowLen)
	}
	return n
}

func segmentsFor(n int64) int { return int((n + segmentLen - 1) / segmentLen) }

// marshal writes prefix and header; see the package comment.
func (h *Header) marshal() []byte {
	var b []byte
	b = append(b, h.Ring[:]...)
	b = append(b, h.Installation[:]...)
	b = append(b, codeOf(audiences(), h.Audience))
	b = keys.AppendField(b, []byte(h.Group))
	b = binary.BigEndian.AppendUint64(b, h.Revision)
	b = binary.BigEndian.AppendUint64(b, h.FieldRevision)
	b = binary.BigEndian.AppendUint64(b, unix(h.Created))
	b = binary.BigEndian.AppendUint64(b, unix(h.Expires))
	b = binary.BigEndian.AppendUint32(b, h.KeyEpoch)
	b = append(b, h.salt[:]...)
	for _, n := range []int{h.Count, h.Registered, h.PrivateKeys, h.MinLength, h.MaxLength} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, byte(len(h.Epochs)))
	for i, e := range h.Epochs {
		b = binary.BigEndian.AppendUint32(b, e)
		b = binary.BigEndian.AppendUint32(b, uint32(h.rows[i]))
	}
	b = append(b, byte(len(h.tables)))
	for _, t := range h.tables {
		b = binary.BigEndian.AppendUint32(b, t.gen)
		b = append(b, codeOf(geometries(), t.geometry), byte(t.logWords))
		b = binary.BigEndian.AppendUint32(b, uint32(t.single))
		b = binary.BigEndian.AppendUint32(b, uint32(t.spread))
	}
	b = binary.BigEndian.AppendUint64(b, uint64(h.labels))
	out := append(make([]byte, 0, prefixLen+len(b)), magic...)
	out = binary.BigEndian.AppendUint16(out, Format)
	out = binary.BigEndian.AppendUint32(out, uint32(len(b)))
	return append(out, b...)
}

func unix(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.Unix())
}

func fromUnix(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// parseHeader reads what follows the prefix. Every number is bounded, so that
// sizes cannot overflow.
func parseHeader(b []byte) (Header, error) {
	r := reader{b: b}
	h := Header{Format: Format}
	r.bytes(h.Ring[:])
	r.bytes(h.Installation[:])
	aud := int(r.u8())
	h.Group = r.text32()
	h.Revision, h.FieldRevision = r.u64(), r.u64()
	h.Created, h.Expires = fromUnix(r.u64()), fromUnix(r.u64())
	h.KeyEpoch = r.u32()
	r.bytes(h.salt[:])
	for _, p := range []*int{&h.Count, &h.Registered, &h.PrivateKeys, &h.MinLength, &h.MaxLength} {
		*p = int(r.u32())
	}
	for range r.u8() {
		h.Epochs = append(h.Epochs, r.u32())
		h.rows = append(h.rows, int(r.u32()))
	}
	for range r.u8() {
		h.tables = append(h.tables, readShape(&r))
	}
	labels := r.u64()
	if r.failed || len(r.b) > 0 || aud < 1 || aud > len(audiences()) || labels > math.MaxUint32*labelUnit ||
		len(h.Epochs) > maxEpochs {
		return Header{}, ErrTampered
	}
	h.Audience, h.labels = audiences()[aud-1], int64(labels)
	for _, t := range h.tables {
		if !slices.Contains(h.FilterGens, t.gen) {
			h.FilterGens = append(h.FilterGens, t.gen)
		}
	}
	return h, nil
}

func readShape(r *reader) tableShape {
	t := tableShape{gen: r.u32()}
	geometry := int(r.u8())
	t.logWords = uint(r.u8())
	t.single, t.spread = int(r.u32()), int(r.u32())
	if geometry < 1 || geometry > len(geometries()) || t.logWords > 32 {
		r.failed = true
		return tableShape{}
	}
	t.geometry = geometries()[geometry-1]
	return t
}

// reader takes big-endian fields from the front of b; after the end it yields
// zeros and failed is set.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.failed, r.b = true, nil
		return make([]byte, min(n, 8))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) bytes(dst []byte) { copy(dst, r.take(len(dst))) }
func (r *reader) u8() byte         { return r.take(1)[0] }
func (r *reader) u16() uint16      { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32      { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64      { return binary.BigEndian.Uint64(r.take(8)) }

func (r *reader) text(n int) string {
	if n > len(r.b) {
		r.failed, r.b = true, nil
		return ""
	}
	return string(r.take(n))
}

func (r *reader) text16() string { return r.text(int(r.u16())) }
func (r *reader) text32() string { return r.text(int(min(r.u32(), maxHeader))) }
