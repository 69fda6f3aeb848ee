package registration_test

import (
	"bytes"
	"testing"

	"revenant/fingerprints/registration"
)

// An entry that parses writes the bytes it was read from.
func FuzzParseEntry(f *testing.F) {
	ring := newRing(f, 1)
	r := registration.New(ring, seeded(2), nil)
	for _, n := range []int{9, 20, 40, 300} {
		f.Add(registration.MarshalEntry(register(f, r, token(uint64(n), n)).Entry))
	}
	f.Add(make([]byte, 480))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := registration.ParseEntry(b)
		if err != nil {
			return
		}
		if e.Core == nil || len(e.Core.Regions) == 0 || e.Length == 0 {
			t.Fatalf("accepted an entry without anchors: %+v", e)
		}
		if again := registration.MarshalEntry(e); !bytes.Equal(b, again) {
			t.Fatal("an entry was read that is written in another way")
		}
	})
}

// No change of a sealed row opens, and none panics.
func FuzzOpen(f *testing.F) {
	ring := newRing(f, 1)
	r := registration.New(ring, seeded(2), nil)
	row := register(f, r, token(1, 30)).Row
	f.Add(row.Sealed, row.Field, uint64(1))
	f.Add(row.Sealed[:100], row.Field, uint64(1))
	f.Add([]byte{}, "", uint64(0))
	f.Fuzz(func(t *testing.T, sealed []byte, field string, revision uint64) {
		bad := row
		bad.Sealed, bad.Field, bad.Revision = sealed, field, revision
		same := bytes.Equal(sealed, row.Sealed) && field == row.Field && revision == row.Revision
		if _, err := r.Open(bad); (err == nil) != same {
			t.Fatalf("opened: %v, unchanged: %v", err == nil, same)
		}
	})
}
