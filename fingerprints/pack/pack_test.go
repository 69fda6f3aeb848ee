package pack_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/pack/packtest"
	"revenant/fingerprints/registration"
)

func geometryOf(aud fingerprints.Audience) (anchor.Geometry, int) {
	if aud == fingerprints.AudienceEdge {
		return anchor.Edge, anchor.Edge.Stride
	}
	return anchor.Core, anchor.Core.Stride
}

func TestHeader(t *testing.T) {
	ring := packtest.Ring(t, 1)
	values := append(tokens(1, 3, 24), tokens(3, 1, 9)[0], tokens(2, 1, 300)[0])
	s := spec(fingerprints.AudienceCore)
	s.Group, s.Registered = "servers", 9
	b := write(t, ring, s, register(t, ring, values...)...)
	got, err := pack.Inspect(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := pack.Header{
		Format: 1, Ring: ring.ID(), Installation: ring.Installation(), Audience: fingerprints.AudienceCore,
		Group: "servers", Revision: 12, FieldRevision: 11, Created: day, Expires: day.AddDate(0, 0, 30),
		KeyEpoch: 1, Epochs: []uint32{1}, FilterGens: []uint32{1}, Count: 5, Registered: 9,
		MinLength: 12, MaxLength: 400,
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(pack.Header{})); d != "" {
		t.Fatal(d)
	}
	p, err := pack.OpenBytes(b, ring, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Count() != 5 || p.PrivateKeys() != 0 || p.MinLength() != 12 || p.MaxLength() != 400 {
		t.Fatalf("counts %d %d %d %d", p.Count(), p.PrivateKeys(), p.MinLength(), p.MaxLength())
	}
}

// Every value is found through filter, tag and MAC, and nothing else is.
func TestFindsWhatWasRegistered(t *testing.T) {
	ring := packtest.Ring(t, 1)
	values := slices.Concat(tokens(1, 200, 24), tokens(2, 20, 200), tokens(3, 20, 9))
	entries := register(t, ring, values...)
	for _, aud := range []fingerprints.Audience{fingerprints.AudienceCore, fingerprints.AudienceEdge} {
		p, err := pack.OpenBytes(write(t, ring, spec(aud), entries...), ring, pack.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := p.NewConfirmer()
		for i, v := range values {
			a := entries[i].Anchors(aud)
			if a == nil {
				if rows := c.LookupAny(v); rows != nil {
					t.Fatalf("%s: value %d is not admitted and was found", aud, i)
				}
				continue
			}
			if err := reachable(p, v, entries[i], a); err != "" {
				t.Fatalf("%s: value %d of %d bytes: %s", aud, i, len(v), err)
			}
			if d := cmp.Diff([]fingerprints.RowID{entries[i].Row}, c.Lookup(1, v)); d != "" {
				t.Fatalf("%s: value %d: %s", aud, i, d)
			}
			for _, at := range []int{0, len(v) / 2, len(v) - 1} {
				miss := bytes.Clone(v)
				miss[at] ^= 1
				if rows := c.LookupAny(miss); rows != nil {
					t.Fatalf("%s: value %d with byte %d changed was found", aud, i, at)
				}
			}
			if rows := c.Lookup(2, v); rows != nil {
				t.Fatalf("%s: found in an epoch that is not in the pack", aud)
			}
		}
	}
}

// reachable follows a value as a matcher does, with hashes of its own.
func reachable(p *pack.Pack, v []byte, e registration.Entry, a *registration.Anchors) string {
	for _, table := range p.Tables() {
		if table.Key.Geometry() != a.Geometry {
			continue
		}
		for _, r := range a.Regions {
			region := v[r.Offset:][:a.Geometry.Region()]
			for i := range a.Geometry.Stride {
				word, mask := anchor.Place(table.Key.WindowAt(region[i:]), table.LogWords)
				if table.Filter[word]&mask != mask {
					return "a window is not in the filter"
				}
			}
			tag := table.Key.NewTagger().Tag(region)
			want := pack.Candidate{Offset: r.Offset, Length: uint32(len(v)), Epoch: e.Epoch, Kind: pack.KindValue}
			n := 0
			for _, o := range a.Regions {
				if o.Offset != r.Offset {
					want.Others[n] = o.Offset
					n++
				}
			}
			if !slices.Contains(table.AppendCandidates(nil, tag), want) {
				return "the region's tag does not lead to the value"
			}
			if got := table.AppendCandidates(nil, tag+1); got != nil {
				return "another tag leads somewhere"
			}
		}
		return ""
	}
	return "no table has the geometry"
}

func TestVersionsThatShareAValue(t *testing.T) {
	ring := packtest.Ring(t, 1)
	v := tokens(1, 1, 24)[0]
	values := make([][]byte, 50)
	for i := range values {
		values[i] = v
	}
	entries := register(t, ring, values...)
	p, err := pack.OpenBytes(write(t, ring, spec(fingerprints.AudienceCore), entries...), ring, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := p.NewConfirmer().Lookup(1, v)
	if len(rows) != len(values) {
		t.Fatalf("%d rows of %d", len(rows), len(values))
	}
	if !slices.IsSortedFunc(rows, func(a, b fingerprints.RowID) int { return bytes.Compare(a[:], b[:]) }) {
		t.Fatal("rows are not sorted")
	}
	for _, e := range entries {
		if got := p.Tables()[0].AppendCandidates(nil, e.Core.Regions[0].Tag); len(got) != 1 {
			t.Fatalf("%d candidates: a value that is registered again keeps its region", len(got))
		}
	}
}

func TestEpochsAndGenerations(t *testing.T) {
	ring := packtest.Ring(t, 1)
	values := tokens(1, 3, 24)
	entries := register(t, ring, values[0])
	for i := 1; i < 3; i++ {
		if err := ring.Rotate(packtest.Seed(uint64(i)), day, keys.RotateCompromise); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, register(t, ring, values[i])...)
	}
	// Newest first, so that the oldest generation is the one too many.
	b, err := pack.NewBuilder(ring, packtest.Seed(4), spec(fingerprints.AudienceCore))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, pack.ErrGenerations} {
		e := entries[2-i]
		if err := b.Add(e, packtest.Label(i, e)); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Fatalf("entry %d: got %v, want %v", i, err, want)
		}
	}
	var buf bytes.Buffer
	if _, err := b.WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	p, err := pack.OpenBytes(buf.Bytes(), ring, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := p.Header()
	if d := cmp.Diff([][]uint32{{2, 3}, {2, 3}}, [][]uint32{h.Epochs, h.FilterGens}); d != "" {
		t.Fatal(d)
	}
	if h.Count != 2 || h.Registered != 3 || len(p.Tables()) != 2 {
		t.Fatalf("count %d of %d, %d tables", h.Count, h.Registered, len(p.Tables()))
	}
	c := p.NewConfirmer()
	if c.Lookup(2, values[1]) == nil || c.Lookup(3, values[2]) == nil || c.Lookup(3, values[1]) != nil || c.LookupAny(values[0]) != nil {
		t.Fatal("a value was found in the wrong epoch, or not in its own")
	}
}

func TestLabels(t *testing.T) {
	ring := packtest.Ring(t, 1)
	values := tokens(1, 2, 24)
	entries := register(t, ring, values...)
	b, err := pack.NewBuilder(ring, packtest.Seed(4), spec(fingerprints.AudienceEdge))
	if err != nil {
		t.Fatal(err)
	}
	want := pack.Label{
		Secret: "billing/db-password", Version: 3, VersionID: fingerprints.VersionID{1, 2}, Field: "password",
		State: fingerprints.StateSuperseded, Owner: "team-billing", Class: fingerprints.ClassBootstrap,
		Strength: fingerprints.StrengthEdge, ValueID: entries[0].ValueID, Compromised: true, WindowEnds: day,
	}
	for _, c := range []struct {
		name string
		l    pack.Label
	}{
		{"state", pack.Label{Class: want.Class, Strength: want.Strength}},
		{"class", pack.Label{State: want.State, Strength: want.Strength}},
		{"strength", pack.Label{State: want.State, Class: want.Class}},
		{"long", pack.Label{State: want.State, Class: want.Class, Strength: want.Strength, Owner: strings.Repeat("x", 2000)}},
	} {
		if err := b.Add(entries[0], c.l); err == nil {
			t.Fatalf("a label with a bad %s was taken", c.name)
		}
	}
	second := packtest.Label(1, entries[1])
	for i, l := range []pack.Label{want, second} {
		if err := b.Add(entries[i], l); err != nil {
			t.Fatal(err)
		}
	}
	var buf bytes.Buffer
	if _, err := b.WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(buf.Bytes(), []byte("billing")) {
		t.Fatal("the pack names a secret in the clear")
	}
	p, err := pack.OpenBytes(buf.Bytes(), ring, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Count() != 2 {
		t.Fatalf("%d entries: refused ones must not count", p.Count())
	}
	c := p.NewConfirmer()
	got, err := c.Label(entries[0].Row, values[0])
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	for _, c2 := range []struct {
		name string
		row  fingerprints.RowID
		raw  []byte
	}{
		{"another value", entries[0].Row, values[1]},
		{"another row", entries[1].Row, values[0]},
		{"no row", fingerprints.RowID{}, values[0]},
	} {
		if _, err := c.Label(c2.row, c2.raw); !errors.Is(err, pack.ErrNoLabel) {
			t.Fatalf("%s: %v", c2.name, err)
		}
	}
}

func TestEmptyPack(t *testing.T) {
	ring := packtest.Ring(t, 1)
	p, err := pack.OpenBytes(write(t, ring, spec(fingerprints.AudienceEdge)), ring, pack.Options{Now: day.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Tables()) != 0 || p.Count() != 0 || p.NewConfirmer().LookupAny([]byte("anything at all")) != nil {
		t.Fatal("an empty pack finds something")
	}
}

// Confirmers of one pack work side by side.
func TestConcurrent(t *testing.T) {
	ring := packtest.Ring(t, 1)
	values := tokens(1, 100, 24)
	p, err := pack.OpenBytes(write(t, ring, spec(fingerprints.AudienceCore), register(t, ring, values...)...), ring, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 4 {
		go func() {
			c := p.NewConfirmer()
			for _, v := range values {
				rows := c.Lookup(1, v)
				if len(rows) != 1 {
					done <- errors.New("not found")
					return
				}
				if _, err := c.Label(rows[0], v); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}
