// Package packtest builds packs in memory for tests: of matchers, of
// pipelines, of commands.
//
// It promises packs that were registered, sealed, signed and opened by the
// real code, from a ring and randomness that a seed determines. It is for tests
// only: the ring is not secret.
package packtest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registration"
)

// Seed gives a deterministic stream of random bytes.
func Seed(n uint64) *rand.ChaCha8 {
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(n >> (8 * i))
	}
	return rand.NewChaCha8(seed)
}

// Ring returns a key ring that is the same for the same seed.
func Ring(tb testing.TB, seed uint64) *keys.Ring {
	tb.Helper()
	r, err := keys.NewRing(Seed(seed), time.Unix(1_700_000_000, 0))
	if err != nil {
		tb.Fatalf("making a ring: %v", err)
	}
	return r
}

// Built is an opened pack and where it came from.
type Built struct {
	*pack.Pack
	Ring  *keys.Ring
	Bytes []byte // the sealed pack
	// Rows are the rows of the values, in the order given; the zero id for
	// values that are not in the pack.
	Rows    []fingerprints.RowID
	Entries []registration.Entry
}

// New registers values as secret-0, secret-1 ..., builds a pack for an
// audience and opens it. Values that cannot be searched for, and values too
// weak for the audience, are left out.
func New(tb testing.TB, aud fingerprints.Audience, values ...[]byte) *Built {
	tb.Helper()
	return Build(tb, Ring(tb, 1), aud, values...)
}

// Build is New with a ring of the caller's.
func Build(tb testing.TB, ring *keys.Ring, aud fingerprints.Audience, values ...[]byte) *Built {
	tb.Helper()
	out := &Built{Ring: ring}
	index := &Index{}
	reg := registration.New(ring, Seed(2), index)
	b, err := pack.NewBuilder(ring, Seed(3), pack.Spec{
		Audience: aud, Revision: 7, FieldRevision: 7, Created: time.Unix(1_700_000_000, 0),
	})
	if err != nil {
		tb.Fatalf("starting a pack: %v", err)
	}
	for i, v := range values {
		r, err := reg.Register(registration.Input{Value: fingerprints.NewValue(v), Field: "value", Revision: 7})
		if err != nil {
			tb.Fatalf("registering value %d: %v", i, err)
		}
		index.Add(r.Entry)
		row := r.Entry.Row
		if row == (fingerprints.RowID{}) {
			out.Rows, out.Entries = append(out.Rows, row), append(out.Entries, r.Entry)
			continue
		}
		switch err := b.Add(r.Entry, Label(i, r.Entry)); {
		case errors.Is(err, pack.ErrNotAdmitted):
			row = fingerprints.RowID{}
		case err != nil:
			tb.Fatalf("adding value %d: %v", i, err)
		}
		out.Rows, out.Entries = append(out.Rows, row), append(out.Entries, r.Entry)
	}
	var buf bytes.Buffer
	if _, err := b.WriteTo(&buf); err != nil {
		tb.Fatalf("writing a pack: %v", err)
	}
	out.Bytes = buf.Bytes()
	if out.Pack, err = pack.OpenBytes(out.Bytes, ring, pack.Options{}); err != nil {
		tb.Fatalf("opening a pack: %v", err)
	}
	return out
}

// Label is what New says of value i.
func Label(i int, e registration.Entry) pack.Label {
	return pack.Label{
		Secret: "secret-" + strconv.Itoa(i), Version: 1, Field: "value",
		State: fingerprints.StateActive, Class: fingerprints.ClassApplication,
		Strength: e.Strength, ValueID: e.ValueID,
	}
}

// Index is a registration.Index in memory.
type Index struct {
	known  map[fingerprints.ValueID]registration.Entry
	shared map[uint64]int
}

// Add makes an entry known; zero entries and known values are ignored.
func (x *Index) Add(e registration.Entry) {
	if e.Core == nil {
		return
	}
	if _, ok := x.known[e.ValueID]; ok {
		return
	}
	if x.known == nil {
		x.known, x.shared = map[fingerprints.ValueID]registration.Entry{}, map[uint64]int{}
	}
	x.known[e.ValueID] = e
	for _, t := range e.Tags() {
		x.shared[t]++
	}
}

// Shared implements registration.Index.
func (x *Index) Shared(tag uint64) int { return x.shared[tag] }

// Known implements registration.Index.
func (x *Index) Known(id fingerprints.ValueID) (registration.Entry, bool) {
	e, ok := x.known[id]
	return e, ok
}
