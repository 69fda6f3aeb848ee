package registration_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
)

var day = time.Unix(1_700_000_000, 0).UTC()

func seeded(n uint64) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256([]byte{byte(n), byte(n >> 8), byte(n >> 16)}))
}

func newRing(tb testing.TB, seed uint64) *keys.Ring {
	tb.Helper()
	r, err := keys.NewRing(seeded(seed), day)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func randomBytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = seeded(seed).Read(b)
	return b
}

// token is a generated value of n characters.
func token(seed uint64, n int) []byte {
	return []byte(base64.RawURLEncoding.EncodeToString(randomBytes(seed, n)))[:n]
}

func hexToken(seed uint64, n int) []byte {
	return []byte(hex.EncodeToString(randomBytes(seed, n)))[:n]
}

// index is what a registry keeps in memory.
type index struct {
	known  map[fingerprints.ValueID]registration.Entry
	shared map[uint64]int
}

func newIndex() *index {
	return &index{known: map[fingerprints.ValueID]registration.Entry{}, shared: map[uint64]int{}}
}

func (x *index) Shared(tag uint64) int { return x.shared[tag] }

func (x *index) Known(id fingerprints.ValueID) (registration.Entry, bool) {
	e, ok := x.known[id]
	return e, ok
}

func (x *index) add(e registration.Entry) {
	if _, ok := x.known[e.ValueID]; ok || e.Core == nil {
		return
	}
	x.known[e.ValueID] = e
	for _, t := range e.Tags() {
		x.shared[t]++
	}
}

func register(tb testing.TB, r *registration.Registrar, v []byte) registration.Registered {
	tb.Helper()
	done, err := r.Register(registration.Input{Value: fingerprints.NewValue(v), Field: "value", Revision: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return done
}

func sumUnder(tb testing.TB, ks keys.Source, aud fingerprints.Audience, p keys.Purpose, epoch uint32, raw []byte) [32]byte {
	tb.Helper()
	k, err := ks.Key(aud, p, epoch)
	if err != nil {
		tb.Fatal(err)
	}
	m := hmac.New(sha256.New, k[:])
	m.Write(raw)
	return [32]byte(m.Sum(nil))
}
