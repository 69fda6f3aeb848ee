// Package registration turns a value into a sealed row, and a sealed row back
// into what a pack needs.
package registration

import (
	"errors"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
)

// Kind says how a value is confirmed.
type Kind uint8

// The kinds.
const (
	// KindValue is confirmed over the raw bytes around its region.
	KindValue Kind = 1
	// KindPrivateKey is anchored in the public part of a private key and
	// confirmed over the key's canonical private fields.
	KindPrivateKey Kind = 2
)

// Sentinel errors; Register and Open wrap them.
var (
	ErrEmpty      = errors.New("the value is empty")
	ErrTooLong    = errors.New("the value is longer than 256 KiB")
	ErrNewer      = errors.New("the row was registered by a newer version of revenant")
	ErrForeignRow = errors.New("the row does not open: it was moved, changed or sealed under another key ring")
)

// MaxLength is the longest value that can be registered, in bytes.
const MaxLength = 256 << 10

// Region is an anchored stretch of a value.
type Region struct {
	Offset  uint32   // in the raw value; 0 for private keys
	Tag     uint64   // anchor.Tagger of the region
	Windows []uint64 // anchor.Key.AppendWindows of the region
}

// Anchors is what finds a value for one audience.
type Anchors struct {
	Geometry anchor.Geometry
	MAC      [32]byte // HMAC-SHA-256(reg-mac of the audience and epoch, raw value)
	Regions  []Region // one to three
}

// Entry is an opened row.
type Entry struct {
	Row       fingerprints.RowID
	Epoch     uint32
	FilterGen uint32
	Kind      Kind
	Length    uint32 // of the raw value; of the canonical private fields for private keys
	Strength  fingerprints.Strength
	ValueID   fingerprints.ValueID
	Lookup    [32]byte // HMAC-SHA-256(lookup, raw value): the server's index of known values
	Core      *Anchors // always set
	Edge      *Anchors // nil: not admitted to edge packs
}
