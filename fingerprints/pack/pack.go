package pack

import (
	"hash"

	"revenant/fingerprints/anchor"
	"revenant/fingerprints/registration"
)

// Kind says how a candidate is confirmed.
type Kind = registration.Kind

// The kinds, as in package registration.
const (
	KindValue      = registration.KindValue
	KindPrivateKey = registration.KindPrivateKey
)

// Candidate is a place where a registered value could stand around a region.
type Candidate struct {
	Offset uint32 // of the region in the raw value; 0 for private keys
	Length uint32 // of the raw value; of the canonical private fields for private keys
	Epoch  uint32 // of the MAC key
	Kind   Kind
	// Others are the offsets of the value's other regions (values over 128
	// bytes have up to three), 0 where there is none. A decoded span is worth
	// an HMAC only when the windows of those regions are in the filter too,
	// which keeps repeated regions of long values from costing a hash of the
	// whole value each.
	Others [2]uint32
}

// Table finds candidates of one geometry under one filter generation. It is
// read-only and safe for concurrent use.
type Table struct {
	Key       anchor.Key
	FilterGen uint32
	LogWords  uint     // Filter has 1<<LogWords words; see anchor.Place
	Filter    []uint64 // read-only

	single, spread tagList
}

// AppendCandidates appends the distinct candidates of a region's tag.
func (t *Table) AppendCandidates(dst []Candidate, tag uint64) []Candidate {
	dst = t.single.appendCandidates(dst, tag)
	return t.spread.appendCandidates(dst, tag)
}

// Pack is an opened pack. It is read-only and safe for concurrent use. Labels
// are read when they are asked for, so what it was opened from must stay open.
type Pack struct {
	header Header
	tables []*Table
	rows   []rowList // one for each of header.Epochs
	newMAC func(i int) hash.Hash
	labels *labelReader
}

// Header returns what the pack says of itself; it was verified.
func (p *Pack) Header() Header { return p.header }

// Tables returns one table for each filter generation and geometry in the pack.
func (p *Pack) Tables() []*Table { return p.tables }

// Count is the number of registered fields in the pack.
func (p *Pack) Count() int { return p.header.Count }

// PrivateKeys is the number of them that are private keys.
func (p *Pack) PrivateKeys() int { return p.header.PrivateKeys }

// MinLength is the raw length of the shortest value, private keys left out; 0
// when there is none.
func (p *Pack) MinLength() int { return p.header.MinLength }

// MaxLength is the raw length of the longest value, private keys left out; 0
// when there is none.
func (p *Pack) MaxLength() int { return p.header.MaxLength }
