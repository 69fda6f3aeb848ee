package registration

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/strength"
)

// Input is one field to register.
type Input struct {
	Value    fingerprints.Value
	Version  fingerprints.VersionID
	Field    string
	Revision uint64 // of the registry after the change
	Trailing Trailing
	Hint     strength.Hint // what is known about how the value was made
	// Row keeps the id of a row that is registered again after a change of
	// keys, at a later revision; zero: a new random id.
	Row fingerprints.RowID
}

// Registered is the outcome. Entry is zero when Row.Unsearchable says why.
type Registered struct {
	Row   fingerprints.FieldRow
	Entry Entry
}

// Registrar registers values and opens rows. It keeps hash states: make one
// for each goroutine.
type Registrar struct {
	ks    Keys
	rand  io.Reader
	index Index
	sealer
	taggers map[taggerID]*tagger
}

type taggerID struct {
	aud fingerprints.Audience
	geo anchor.Geometry
	gen uint32
}

// New returns a registrar. rand gives row ids and nonces; index may be nil
// when nothing is registered yet, and for opening only.
func New(ks Keys, rand io.Reader, index Index) *Registrar {
	if index == nil {
		index = nothing{}
	}
	return &Registrar{ks: ks, rand: rand, index: index, sealer: sealer{ks: ks}, taggers: map[taggerID]*tagger{}}
}

// nothing is the index of an empty registry.
type nothing struct{}

func (nothing) Shared(uint64) int                        { return 0 }
func (nothing) Known(fingerprints.ValueID) (Entry, bool) { return Entry{}, false }

// Register makes the row of a field. A value that is too short or too common
// to search for is not an error: its row says why.
func (r *Registrar) Register(in Input) (Registered, error) {
	m := understand(in.Value.Reveal(), in.Trailing)
	switch {
	case len(m.canonical) == 0:
		return Registered{}, fmt.Errorf("registering a field: %w", ErrEmpty)
	case len(m.canonical) > MaxLength:
		return Registered{}, fmt.Errorf("registering a field of %d bytes: %w", len(m.canonical), ErrTooLong)
	}
	now := moment{epoch: r.ks.Epoch(), filterGen: r.ks.FilterGen()}
	row := fingerprints.FieldRow{
		ID: in.Row, Version: in.Version, Field: in.Field, Format: Format, Revision: in.Revision,
		Epoch: now.epoch, FilterGen: now.filterGen,
	}
	if row.ID == (fingerprints.RowID{}) {
		if _, err := io.ReadFull(r.rand, row.ID[:]); err != nil {
			return Registered{}, fmt.Errorf("making a row id: %w", err)
		}
	}
	a := assess(m, in.Hint)
	if row.Unsearchable = unsearchable(m, a.class); row.Unsearchable != "" {
		row.Strength = fingerprints.StrengthUnsearchable
		return Registered{Row: row}, nil
	}
	for i := range m.bodies {
		if b := &m.bodies[i]; b.avoid == nil {
			b.avoid = avoided(b.bytes, in.Hint)
		}
	}
	e, err := r.entry(m, a, now)
	if err != nil {
		return Registered{}, fmt.Errorf("registering a field: %w", err)
	}
	e.Row, row.Strength = row.ID, e.Strength
	if err := r.seal(r.rand, &row, e); err != nil {
		return Registered{}, fmt.Errorf("registering a field: %w", err)
	}
	return Registered{Row: row, Entry: e}, nil
}

// Open opens a row. A row that was moved, changed or sealed by another ring is
// ErrForeignRow, one of a later format ErrNewer.
func (r *Registrar) Open(row fingerprints.FieldRow) (Entry, error) { return r.open(row) }

// Reseal seals a row again, at a later revision and under the newest seal key.
// What is in it stays as it is.
func (r *Registrar) Reseal(row fingerprints.FieldRow, revision uint64) (fingerprints.FieldRow, error) {
	if row.Unsearchable != "" {
		row.Revision = revision
		return row, nil
	}
	if revision <= row.Revision {
		return fingerprints.FieldRow{}, fmt.Errorf("resealing row %s at revision %d: %w", row.ID, revision, ErrSameRevision)
	}
	e, err := r.open(row)
	if err != nil {
		return fingerprints.FieldRow{}, fmt.Errorf("resealing: %w", err)
	}
	row.Revision = revision
	if err := r.seal(r.rand, &row, e); err != nil {
		return fingerprints.FieldRow{}, fmt.Errorf("resealing: %w", err)
	}
	return row, nil
}

// mac is HMAC-SHA-256 under one of an epoch's keys.
func (r *Registrar) mac(aud fingerprints.Audience, p keys.Purpose, epoch uint32, msg []byte) ([32]byte, error) {
	k, err := r.ks.Key(aud, p, epoch)
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving the %s key: %w", p, err)
	}
	h := hmac.New(sha256.New, k[:])
	h.Write(msg)
	return [32]byte(h.Sum(nil)), nil
}

// tagger returns the cached tagger of a table.
func (r *Registrar) tagger(aud fingerprints.Audience, geo anchor.Geometry, gen uint32) (*tagger, error) {
	id := taggerID{aud: aud, geo: geo, gen: gen}
	if t := r.taggers[id]; t != nil {
		return t, nil
	}
	k, err := r.ks.Key(aud, keys.PurposeFilter, gen)
	if err != nil {
		return nil, fmt.Errorf("deriving the filter key: %w", err)
	}
	key := anchor.NewKey(k, geo)
	t := &tagger{key: key, tag: key.NewTagger()}
	r.taggers[id] = t
	return t, nil
}
