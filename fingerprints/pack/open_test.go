package pack_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/pack/packtest"
)

func TestOpenRefuses(t *testing.T) {
	ring, other := packtest.Ring(t, 1), packtest.Ring(t, 2)
	entries := register(t, ring, tokens(1, 40, 24)...)
	edge, core := write(t, ring, spec(fingerprints.AudienceEdge), entries...), write(t, ring, spec(fingerprints.AudienceCore), entries...)
	grouped := write(t, ring.Issuer("laptops"), spec(fingerprints.AudienceEdge), entries...)
	newer := bytes.Clone(edge)
	binary.BigEndian.PutUint16(newer[8:], pack.Format+1)

	before := ring.EdgeKeys("")
	rotated, err := keys.ParseRing(ring.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if err := rotated.Rotate(packtest.Seed(8), day, keys.RotateRoutine); err != nil {
		t.Fatal(err)
	}
	later := write(t, rotated, spec(fingerprints.AudienceEdge), entries...)

	for _, c := range []struct {
		name string
		b    []byte
		ks   pack.Keys
		o    pack.Options
		want error
	}{
		{"whole", edge, ring, pack.Options{MinRevision: 12, Now: day}, nil},
		{"whole with edge keys", edge, ring.EdgeKeys(""), pack.Options{}, nil},
		{"whole for the group", grouped, ring.EdgeKeys("laptops"), pack.Options{}, nil},
		{"older epoch with newer keys", edge, rotated.EdgeKeys(""), pack.Options{}, nil},
		{"empty", nil, ring, pack.Options{}, pack.ErrNotPack},
		{"text", []byte("hello, this is a text and no pack at all"), ring, pack.Options{}, pack.ErrNotPack},
		{"newer format", newer, ring, pack.Options{}, pack.ErrNewer},
		{"foreign ring", edge, other, pack.Options{}, pack.ErrForeign},
		{"foreign edge keys", edge, other.EdgeKeys(""), pack.Options{}, pack.ErrForeign},
		{"another group's keys", grouped, ring.EdgeKeys("builds"), pack.Options{}, pack.ErrTampered},
		{"core pack with edge keys", core, ring.EdgeKeys(""), pack.Options{}, pack.ErrForeign},
		{"keys of before the rotation", later, before, pack.Options{}, pack.ErrOldKeys},
		{"replayed", edge, ring, pack.Options{MinRevision: 13}, pack.ErrReplayed},
		{"expired", edge, ring, pack.Options{Now: day.AddDate(0, 0, 30)}, pack.ErrExpired},
		{"just not expired", edge, ring, pack.Options{Now: day.AddDate(0, 0, 30).Add(-time.Second)}, nil},
		{"one byte more", append(bytes.Clone(edge), 0), ring, pack.Options{}, pack.ErrTampered},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := pack.OpenBytes(c.b, c.ks, c.o)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if (p == nil) != (err != nil) {
				t.Fatal("a pack and an error, or neither")
			}
		})
	}
}

// TestAnotherGroup: keys of another group are not told from a pack that was changed, and
// the error names both.
func TestAnotherGroup(t *testing.T) {
	ring := packtest.Ring(t, 1)
	b := write(t, ring.Issuer("laptops"), spec(fingerprints.AudienceEdge), register(t, ring, tokens(1, 1, 24)...)...)
	if _, err := pack.OpenBytes(b, ring.EdgeKeys("builds"), pack.Options{}); err == nil || !strings.Contains(err.Error(), "another group of holders") {
		t.Errorf("%v", err)
	}
}

func TestTruncated(t *testing.T) {
	ring := packtest.Ring(t, 1)
	b := write(t, ring, spec(fingerprints.AudienceEdge), register(t, ring, tokens(1, 40, 24)...)...)
	for n := 0; n < len(b); n += 1 + n/40 {
		_, err := pack.OpenBytes(b[:n], ring, pack.Options{})
		want := pack.ErrTruncated
		if n < 8 {
			want = pack.ErrNotPack
		}
		if !errors.Is(err, want) {
			t.Fatalf("%d of %d bytes: got %v, want %v", n, len(b), err, want)
		}
	}
}

func TestTampered(t *testing.T) {
	ring := packtest.Ring(t, 1)
	b := write(t, ring, spec(fingerprints.AudienceEdge), register(t, ring, tokens(1, 40, 24)...)...)
	labels := len(b) - 64 - 2*32 - 1 // a byte of the last segment, which holds labels
	for at := 10; at < len(b); at += 1 + at/60 {
		bad := bytes.Clone(b)
		bad[at] ^= 1
		_, err := pack.Verify(bytes.NewReader(bad), int64(len(bad)), ring, pack.Options{})
		if !errors.Is(err, pack.ErrTampered) && !(errors.Is(err, pack.ErrTruncated) && at < 14) {
			t.Fatalf("byte %d of %d changed: got %v", at, len(b), err)
		}
	}
	bad := bytes.Clone(b)
	bad[labels] ^= 1
	p, err := pack.OpenBytes(bad, ring, pack.Options{})
	if err != nil {
		t.Fatalf("labels are read when asked for, opening said %v", err)
	}
	c := p.NewConfirmer()
	v := tokens(1, 1, 24)[0]
	rows := c.Lookup(1, v)
	if len(rows) != 1 {
		t.Fatalf("looked up %d rows", len(rows))
	}
	if _, err := c.Label(rows[0], v); !errors.Is(err, pack.ErrTampered) {
		t.Fatalf("a label from a changed segment: %v", err)
	}
}

// A holder of the pack key who is not the ring can seal, but not sign.
func TestSignatureOfAnother(t *testing.T) {
	ring := packtest.Ring(t, 1)
	forger := packtest.Ring(t, 3)
	b := write(t, impostor{ring, forger}, spec(fingerprints.AudienceEdge), register(t, ring, tokens(1, 5, 24)...)...)
	if _, err := pack.OpenBytes(b, ring, pack.Options{}); !errors.Is(err, pack.ErrTampered) {
		t.Fatalf("got %v, want %v", err, pack.ErrTampered)
	}
}

// impostor has a ring's pack keys and signs with another's.
type impostor struct {
	*keys.Ring
	signer *keys.Ring
}

func (i impostor) Sign(p keys.Purpose, msg []byte) []byte { return i.signer.Sign(p, msg) }

// Segments do not move between packs or places, even under one key.
func TestSegmentsAreBoundToTheirPlace(t *testing.T) {
	ring := packtest.Ring(t, 1)
	entries := register(t, ring, tokens(1, 3, 24)...)
	s := spec(fingerprints.AudienceEdge)
	a := write(t, ring, s, entries...)
	s.Revision++
	b := write(t, ring, s, entries...)
	if len(a) != len(b) {
		t.Fatalf("packs of %d and %d bytes", len(a), len(b))
	}
	h, err := pack.Inspect(bytes.NewReader(a), int64(len(a)))
	if err != nil || h.Revision != 12 {
		t.Fatalf("inspecting: %v, revision %d", err, h.Revision)
	}
	mixed := bytes.Clone(b)
	copy(mixed[len(b)/2:], a[len(b)/2:]) // second half, digests and signature of the other revision
	if _, err := pack.OpenBytes(mixed, ring, pack.Options{}); !errors.Is(err, pack.ErrTampered) {
		t.Fatalf("got %v, want %v", err, pack.ErrTampered)
	}
}
