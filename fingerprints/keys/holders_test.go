package keys_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

const (
	core = fingerprints.AudienceCore
	edge = fingerprints.AudienceEdge
)

// given lists what a holder can get of all that a ring derives.
func given(src keys.Source) map[string]bool {
	out := map[string]bool{}
	for _, aud := range []fingerprints.Audience{core, edge} {
		for _, p := range []keys.Purpose{
			keys.PurposeRegMAC, keys.PurposeLookup, keys.PurposeSeal, keys.PurposePack, keys.PurposeFilter, keys.PurposeAudit,
			keys.PurposeKeyID, keys.PurposeIdentity, keys.PurposeSignPack, keys.PurposeSignAudit, keys.PurposeSignProof,
		} {
			for gen := range uint32(6) {
				if _, err := src.Key(aud, p, gen); err == nil {
					out[string(aud)+" "+string(p)+" "+string(rune('0'+gen))] = true
				}
			}
		}
	}
	return out
}

// What edge holders get, wholly: of core what values are asked for by, no generation
// that was dropped, nothing to open or to trust from before a compromise.
func TestEdgeKeys(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateRoutine, keys.RotateCompromise, keys.RotateCompromise)
	e := r.EdgeKeys("ci")
	want := map[string]bool{ // epochs 1 to 4, the last two after a compromise
		"edge reg-mac 1": true, "edge reg-mac 2": true, "edge reg-mac 3": true, "edge reg-mac 4": true,
		"edge pack 4": true, "edge filter 2": true, "edge filter 3": true,
		"core lookup 1": true, "core lookup 2": true, "core lookup 3": true, "core lookup 4": true,
	}
	if diff := cmp.Diff(want, given(e)); diff != "" {
		t.Errorf("what edge holders get (-want +got):\n%s", diff)
	}
	same(t, r.Issuer("ci"), e, edge, keys.PurposeRegMAC, 2)
	same(t, r.Issuer("ci"), e, edge, keys.PurposePack, 4)
	same(t, r, e, edge, keys.PurposeFilter, 3)
	if !e.Identity(core).IsZero() || e.Identity(edge).ValueID(nil) != r.Identity(edge).ValueID(nil) {
		t.Error("identity keys of an edge holder")
	}
	if e.ID() != r.ID() || e.Installation() != r.Installation() || e.Epoch() != 4 || e.FilterGen() != 3 {
		t.Error("ids, epoch or generation differ from the ring's")
	}
	if !e.Public(keys.PurposeSignPack).Equal(r.Public(keys.PurposeSignPack)) {
		t.Error("public halves differ")
	}
	if _, err := e.PublicAt(keys.PurposeSignPack, 2); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("trusts an epoch that was compromised: %v", err)
	}
	for gen, want := range map[uint32]error{1: keys.ErrDroppedGeneration, 4: keys.ErrUnknownEpoch} {
		if _, err := e.Key(edge, keys.PurposeFilter, gen); !errors.Is(err, want) {
			t.Errorf("filter generation %d: %v", gen, err)
		}
	}
	if _, err := e.Key(edge, keys.PurposePack, 5); !errors.Is(err, keys.ErrUnknownEpoch) {
		t.Errorf("pack key of an epoch to come: %v", err)
	}
	a, _ := e.Key(edge, keys.PurposePack, 4)
	b, _ := r.EdgeKeys("laptops").Key(edge, keys.PurposePack, 4)
	if a == b {
		t.Error("two groups open each other's packs")
	}
}

func TestRegistrarKeys(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateRoutine, keys.RotateCompromise, keys.RotateCompromise)
	k := r.RegistrarKeys()
	want := map[string]bool{}
	for _, e := range []string{"1", "2", "3", "4"} {
		for _, name := range []string{"core reg-mac ", "edge reg-mac ", "core lookup ", "core seal "} {
			want[name+e] = true
		}
	}
	for _, name := range []string{"core filter 2", "core filter 3", "edge filter 2", "edge filter 3"} {
		want[name] = true
	}
	if diff := cmp.Diff(want, given(k)); diff != "" {
		t.Errorf("what registrars get (-want +got):\n%s", diff)
	}
	same(t, r, k, core, keys.PurposeSeal, 3)
	if k.Identity(core).ValueID(nil) != r.Identity(core).ValueID(nil) {
		t.Error("identity keys of a registrar")
	}
	var _ keys.Registering = k
	var _ keys.Registering = r
}

func same(t *testing.T, a, b keys.Source, aud fingerprints.Audience, p keys.Purpose, gen uint32) {
	t.Helper()
	x, errX := a.Key(aud, p, gen)
	y, errY := b.Key(aud, p, gen)
	if x != y || errX != nil || errY != nil {
		t.Errorf("%s %s %d differs from the ring's: %v, %v", aud, p, gen, errX, errY)
	}
}

func TestKeyRefuses(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateCompromise, keys.RotateCompromise) // generations 3 and 2
	for _, c := range []struct {
		name string
		aud  fingerprints.Audience
		p    keys.Purpose
		gen  uint32
		want error
	}{
		{"seal of edge", edge, keys.PurposeSeal, 1, keys.ErrNoKey},
		{"audit of edge", edge, keys.PurposeAudit, 1, keys.ErrNoKey},
		{"lookup of edge", edge, keys.PurposeLookup, 1, keys.ErrNoKey},
		{"signing seed", core, keys.PurposeSignPack, 1, keys.ErrNoKey},
		{"identity", core, keys.PurposeIdentity, 0, keys.ErrNoKey},
		{"audience unknown", "all", keys.PurposeRegMAC, 1, keys.ErrNoKey},
		{"epoch 0", core, keys.PurposeRegMAC, 0, keys.ErrNoKey},
		{"epoch to come", core, keys.PurposeRegMAC, 4, keys.ErrUnknownEpoch},
		{"generation 0", core, keys.PurposeFilter, 0, keys.ErrNoKey},
		{"generation dropped", core, keys.PurposeFilter, 1, keys.ErrDroppedGeneration},
		{"generation to come", core, keys.PurposeFilter, 4, keys.ErrUnknownEpoch},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := r.Key(c.aud, c.p, c.gen)
			if !errors.Is(err, c.want) || k != (keys.Key{}) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if !r.Identity("all").IsZero() {
		t.Error("an identity key for an unknown audience")
	}
}

// What has a checksum and no sense is refused too.
func TestNonsense(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateRoutine, keys.RotateCompromise, keys.RotateCompromise).Marshal()
	const reason, master, gens = 58 + 4 + 8, 58 + 4, 58 + 4 + 4*41
	for name, change := range map[string]func(b []byte) []byte{
		"first epoch is a rotation":  func(b []byte) []byte { b[reason] = 2; return b },
		"second epoch is the first":  func(b []byte) []byte { b[reason+41] = 1; return b },
		"unknown reason":             func(b []byte) []byte { b[reason] = 9; return b },
		"no epochs":                  func(b []byte) []byte { binary.BigEndian.PutUint32(b[master-4:], 0); return b },
		"countless epochs":           func(b []byte) []byte { binary.BigEndian.PutUint32(b[master-4:], 1<<31); return b },
		"generation 0":               func(b []byte) []byte { b[gens+7] = 0; return b },
		"generation without epoch":   func(b []byte) []byte { b[gens+11] = 9; return b },
		"generations not in order":   func(b []byte) []byte { b[gens+15] = 7; return b },
		"generations of one epoch":   func(b []byte) []byte { b[gens+19] = b[gens+11]; return b },
		"three generations":          func(b []byte) []byte { b[gens+3] = 3; return append(b, make([]byte, 8)...) },
		"more after the generations": func(b []byte) []byte { return append(b, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := change(bytes.Clone(r[:len(r)-32]))
			sum := sha256.Sum256(b)
			if _, err := keys.ParseRing(append(b, sum[:]...)); !errors.Is(err, keys.ErrDamaged) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The ring can be read while it is rotated.
func TestConcurrent(t *testing.T) {
	r := newRing(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 {
			_ = r.Rotate(&counting{next: byte(i)}, epochZero.Add(time.Duration(i)*time.Hour), keys.RotateCompromise)
		}
	}()
	for range 200 {
		if _, err := r.Key(core, keys.PurposeRegMAC, r.Epoch()); err != nil {
			t.Error(err)
		}
	}
	<-done
	if r.Epoch() != 21 {
		t.Errorf("epoch %d", r.Epoch())
	}
}
