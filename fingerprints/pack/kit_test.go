package pack_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/pack/packtest"
	"revenant/fingerprints/registration"
)

var day = time.Unix(1_700_000_000, 0).UTC()

// tokens are n generated values of about n random bytes each.
func tokens(seed uint64, n, size int) [][]byte {
	src := packtest.Seed(seed)
	out := make([][]byte, n)
	for i := range out {
		b := make([]byte, size)
		_, _ = src.Read(b)
		out[i] = []byte(base64.RawURLEncoding.EncodeToString(b))
	}
	return out
}

// hmacSum is an independent HMAC under a ring's registration key.
func hmacSum(tb testing.TB, ks keys.Source, aud fingerprints.Audience, epoch uint32, raw []byte) [32]byte {
	tb.Helper()
	k, err := ks.Key(aud, keys.PurposeRegMAC, epoch)
	if err != nil {
		tb.Fatal(err)
	}
	m := hmac.New(sha256.New, k[:])
	m.Write(raw)
	return [32]byte(m.Sum(nil))
}

// write builds a pack of the registered values and returns its bytes.
func write(tb testing.TB, ks keys.Signer, s pack.Spec, entries ...registration.Entry) []byte {
	tb.Helper()
	b, err := pack.NewBuilder(ks, packtest.Seed(4), s)
	if err != nil {
		tb.Fatal(err)
	}
	for i, e := range entries {
		if err := b.Add(e, packtest.Label(i, e)); err != nil && !errors.Is(err, pack.ErrNotAdmitted) {
			tb.Fatal(err)
		}
	}
	var buf bytes.Buffer
	n, err := b.WriteTo(&buf)
	if err != nil {
		tb.Fatal(err)
	}
	if n != int64(buf.Len()) {
		tb.Fatalf("WriteTo says %d bytes, wrote %d", n, buf.Len())
	}
	return buf.Bytes()
}

// register returns the entries of values under a ring.
func register(tb testing.TB, ring *keys.Ring, values ...[]byte) []registration.Entry {
	tb.Helper()
	index := &packtest.Index{}
	r := registration.New(ring, packtest.Seed(5), index)
	var out []registration.Entry
	for i, v := range values {
		done, err := r.Register(registration.Input{Value: fingerprints.NewValue(v), Field: "value", Revision: 1})
		if err != nil {
			tb.Fatal(err)
		}
		if done.Row.Unsearchable != "" {
			tb.Fatalf("value %d is not searchable: %s", i, done.Row.Unsearchable)
		}
		index.Add(done.Entry)
		out = append(out, done.Entry)
	}
	return out
}

func spec(aud fingerprints.Audience) pack.Spec {
	return pack.Spec{Audience: aud, Revision: 12, FieldRevision: 11, Created: day, Expires: day.AddDate(0, 0, 30)}
}

// synthetic are entries with the shape of registered ones, for sizes at which
// registering would take too long. Row i has MAC and tags of i's own.
func synthetic(aud fingerprints.Audience) func(i int) registration.Entry {
	geo, stride := geometryOf(aud)
	return func(i int) registration.Entry {
		var in [8]byte
		for j := range in {
			in[j] = byte(i >> (8 * j))
		}
		sum := sha256.Sum256(in[:])
		src := packtest.Seed(uint64(i))
		a := &registration.Anchors{Geometry: geo, MAC: sum, Regions: []registration.Region{{
			Offset: uint32(i % 20), Tag: src.Uint64(), Windows: make([]uint64, stride),
		}}}
		for j := range a.Regions[0].Windows {
			a.Regions[0].Windows[j] = src.Uint64()
		}
		return registration.Entry{
			Row: fingerprints.RowID(sum[8:24]), Epoch: 1, FilterGen: 1, Kind: registration.KindValue, Length: 40,
			Strength: fingerprints.StrengthEdge, Core: a, Edge: a,
		}
	}
}

// seed and hexOf keep the fixtures' bytes apart from the kit's.
func seed(n uint64) *rand.ChaCha8 { return packtest.Seed(n) }

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func name(n int) string { return fmt.Sprintf("versions=%d", n) }
