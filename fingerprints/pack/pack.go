// Package pack is the compiled, read-only set of fingerprints that a scanner
// loads.
package pack

import (
	"time"

	"revenant/fingerprints"
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
	Key      anchor.Key
	LogWords uint     // Filter has 1<<LogWords words; see anchor.Place
	Filter   []uint64 // read-only
}

// AppendCandidates appends the distinct candidates of a region's tag.
func (t *Table) AppendCandidates(dst []Candidate, tag uint64) []Candidate { return dst }

// Pack is an opened pack. It is read-only and safe for concurrent use.
type Pack struct{ tables []*Table }

// Tables returns one table for each filter generation and geometry in the pack.
func (p *Pack) Tables() []*Table { return p.tables }

// Count is the number of registered fields in the pack.
func (p *Pack) Count() int { return 0 }

// PrivateKeys is the number of them that are private keys.
func (p *Pack) PrivateKeys() int { return 0 }

// MinLength and MaxLength bound the raw length of values, private keys left
// out; both are 0 when there are none.
func (p *Pack) MinLength() int { return 0 }

// MaxLength is the length of the longest value.
func (p *Pack) MaxLength() int { return 0 }

// Confirmer looks MACs up. It keeps hash states and is not safe for concurrent
// use; make one for each goroutine.
type Confirmer struct{}

// NewConfirmer returns a confirmer.
func (p *Pack) NewConfirmer() *Confirmer { return &Confirmer{} }

// Lookup returns the rows whose value is raw under the MAC key of an epoch,
// sorted by id; nil when there is none. One HMAC.
func (c *Confirmer) Lookup(epoch uint32, raw []byte) []fingerprints.RowID { return nil }

// LookupAny is Lookup over every epoch of the pack.
func (c *Confirmer) LookupAny(raw []byte) []fingerprints.RowID { return nil }

// Label is what a pack says of a registered field.
type Label struct {
	Secret      string
	Version     int
	VersionID   fingerprints.VersionID
	Field       string
	State       fingerprints.State
	Owner       string
	Class       fingerprints.Class
	Strength    fingerprints.Strength
	ValueID     fingerprints.ValueID
	Compromised bool
	WindowEnds  time.Time // zero: no deadline
}

// Label opens the label of a row whose value is raw: nobody who does not hold
// the value can.
func (c *Confirmer) Label(row fingerprints.RowID, raw []byte) (Label, error) { return Label{}, nil }
