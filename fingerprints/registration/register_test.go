package registration_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/strength"
)

func TestRegisterAndOpen(t *testing.T) {
	ring := newRing(t, 1)
	r := registration.New(ring, seeded(2), nil)
	for _, c := range []struct {
		name     string
		value    []byte
		strength fingerprints.Strength
		geometry anchor.Geometry
		core     int // regions
		edge     int
	}{
		{"token", token(1, 32), fingerprints.StrengthEdge, anchor.Core, 1, 1},
		{"hex", hexToken(2, 40), fingerprints.StrengthEdge, anchor.Core, 1, 1},
		{"binary", randomBytes(3, 32), fingerprints.StrengthEdge, anchor.Core, 1, 1},
		{"20 characters", token(4, 20), fingerprints.StrengthCore, anchor.Core, 1, 0},
		{"15 bytes", token(5, 15), fingerprints.StrengthCore, anchor.Core, 1, 0},
		{"14 bytes", token(6, 14), fingerprints.StrengthCore, anchor.Short, 1, 0},
		{"8 bytes", token(7, 8), fingerprints.StrengthCore, anchor.Short, 1, 0},
		{"128 bytes", token(8, 128), fingerprints.StrengthEdge, anchor.Core, 1, 1},
		{"129 bytes", token(9, 129), fingerprints.StrengthEdge, anchor.Core, 3, 3},
		{"longest", randomBytes(10, registration.MaxLength), fingerprints.StrengthEdge, anchor.Core, 3, 3},
		{"weak and long", bytes.Repeat([]byte("ab"), 20), fingerprints.StrengthWeak, anchor.Core, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := register(t, r, c.value)
			got, err := r.Open(done.Row)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(done.Entry, got); d != "" {
				t.Fatalf("opened differs from registered: %s", d)
			}
			nEdge := 0
			if got.Edge != nil {
				nEdge = len(got.Edge.Regions)
			}
			if got.Strength != c.strength && !(c.name == "8 bytes" && got.Strength == fingerprints.StrengthWeak) {
				t.Errorf("strength %s, want %s", got.Strength, c.strength)
			}
			if got.Core.Geometry != c.geometry || len(got.Core.Regions) != c.core || nEdge != c.edge {
				t.Errorf("geometry %v, %d core and %d edge regions", got.Core.Geometry, len(got.Core.Regions), nEdge)
			}
			checkEntry(t, ring, c.value, got)
		})
	}
}

// checkEntry recomputes an entry with HMACs of the test's own.
func checkEntry(t *testing.T, ring *keys.Ring, value []byte, e registration.Entry) {
	t.Helper()
	core, edge := fingerprints.AudienceCore, fingerprints.AudienceEdge
	if int(e.Length) != len(value) || e.Kind != registration.KindValue {
		t.Errorf("length %d of %d, kind %d", e.Length, len(value), e.Kind)
	}
	if e.Lookup != sumUnder(t, ring, core, keys.PurposeLookup, 1, value) {
		t.Error("the lookup MAC is not that of the value")
	}
	aud := core
	if strength.Bits(value) >= strength.IdentityEdge {
		aud = edge
	}
	if e.ValueID != ring.Identity(aud).ValueID(value) {
		t.Errorf("the value id is not that of identity-%s", aud)
	}
	for _, aud := range []fingerprints.Audience{core, edge} {
		a := e.Anchors(aud)
		if a == nil {
			continue
		}
		if a.MAC != sumUnder(t, ring, aud, keys.PurposeRegMAC, 1, value) {
			t.Errorf("%s: not the MAC of the value", aud)
		}
		k, err := ring.Key(aud, keys.PurposeFilter, 1)
		if err != nil {
			t.Fatal(err)
		}
		key := anchor.NewKey(k, a.Geometry)
		for i, r := range a.Regions {
			region := value[r.Offset:][:a.Geometry.Region()]
			if r.Tag != key.NewTagger().Tag(region) || !slices.Equal(r.Windows, key.AppendWindows(nil, region)) {
				t.Errorf("%s: region %d has another tag or other windows", aud, i)
			}
			if off := e.Core.Regions[i].Offset; aud == edge && (r.Offset < off || r.Offset+9 > off+13) {
				t.Errorf("the edge region at %d is not inside the core region at %d", r.Offset, off)
			}
		}
	}
}

func TestNotSearchable(t *testing.T) {
	ring := newRing(t, 1)
	r := registration.New(ring, seeded(2), nil)
	for _, c := range []struct {
		name   string
		value  string
		reason string
	}{
		{"one byte", "x", registration.ReasonShort},
		{"7 bytes", "k3J9x_q", registration.ReasonShort},
		{"7 bytes and a line break", "k3J9x_q\r\n\n", registration.ReasonShort},
		{"password", "pass" + "word1", registration.ReasonCommon},
		{"upper case", "PASS" + "WORD", registration.ReasonCommon},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := register(t, r, []byte(c.value))
			if done.Row.Unsearchable != c.reason || done.Row.Sealed != nil || done.Row.Strength != fingerprints.StrengthUnsearchable {
				t.Fatalf("row %+v", done.Row)
			}
			if d := cmp.Diff(registration.Entry{}, done.Entry); d != "" {
				t.Fatal(d)
			}
			if _, err := r.Open(done.Row); !errors.Is(err, registration.ErrUnsearchable) {
				t.Fatalf("opening: %v", err)
			}
			again, err := r.Reseal(done.Row, 9)
			if err != nil || again.Revision != 9 {
				t.Fatalf("resealing: %v", err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	r := registration.New(newRing(t, 1), seeded(2), nil)
	for _, c := range []struct {
		name  string
		value []byte
		want  error
	}{
		{"nothing", nil, registration.ErrEmpty},
		{"line breaks", []byte("\n\r\n"), registration.ErrEmpty},
		{"too long", make([]byte, registration.MaxLength+1), registration.ErrTooLong},
		{"1 MiB", make([]byte, 1<<20), registration.ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.Register(registration.Input{Value: fingerprints.NewValue(c.value), Field: "value", Revision: 1})
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestTrailing(t *testing.T) {
	r := registration.New(newRing(t, 1), seeded(2), nil)
	v := token(1, 30)
	var ids []fingerprints.ValueID
	for _, in := range []registration.Input{
		{Value: fingerprints.NewValue(v)},
		{Value: fingerprints.NewValue(append(slices.Clone(v), "\r\n\n"...))},
		{Value: fingerprints.NewValue(append(slices.Clone(v), '\n')), Trailing: registration.KeepTrailing},
		{Value: fingerprints.NewValue(append(slices.Clone(v), ' '))},
	} {
		in.Revision = 1
		done, err := r.Register(in)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, done.Entry.ValueID)
	}
	if ids[0] != ids[1] || ids[0] == ids[2] || ids[0] == ids[3] {
		t.Fatalf("ids %v: one run of line breaks is left out, spaces and kept ones are not", ids)
	}
}

// A row opens in its place only.
func TestRowSwapping(t *testing.T) {
	ring := newRing(t, 1)
	r := registration.New(ring, seeded(2), nil)
	in := registration.Input{Value: fingerprints.NewValue(token(1, 30)), Field: "password", Revision: 4, Version: fingerprints.VersionID{1}}
	a, err := r.Register(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Value = fingerprints.NewValue(token(2, 30))
	b, err := r.Register(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*fingerprints.FieldRow)
		want   error
	}{
		{"as it is", func(*fingerprints.FieldRow) {}, nil},
		{"sealed part of another row", func(f *fingerprints.FieldRow) { f.Sealed = b.Row.Sealed }, registration.ErrForeignRow},
		{"id", func(f *fingerprints.FieldRow) { f.ID = b.Row.ID }, registration.ErrForeignRow},
		{"version", func(f *fingerprints.FieldRow) { f.Version[0]++ }, registration.ErrForeignRow},
		{"field", func(f *fingerprints.FieldRow) { f.Field = "user" }, registration.ErrForeignRow},
		{"revision", func(f *fingerprints.FieldRow) { f.Revision-- }, registration.ErrForeignRow},
		{"epoch", func(f *fingerprints.FieldRow) { f.Epoch++ }, registration.ErrForeignRow},
		{"filter generation", func(f *fingerprints.FieldRow) { f.FilterGen++ }, registration.ErrForeignRow},
		{"strength", func(f *fingerprints.FieldRow) { f.Strength = fingerprints.StrengthWeak }, registration.ErrForeignRow},
		{"format", func(f *fingerprints.FieldRow) { f.Format++ }, registration.ErrNewer},
		{"no format", func(f *fingerprints.FieldRow) { f.Format = 0 }, registration.ErrForeignRow},
		{"nothing sealed", func(f *fingerprints.FieldRow) { f.Sealed = nil }, registration.ErrForeignRow},
		{"cut short", func(f *fingerprints.FieldRow) { f.Sealed = f.Sealed[:511] }, registration.ErrForeignRow},
		{"unknown seal epoch", func(f *fingerprints.FieldRow) { f.Sealed[3] = 9 }, registration.ErrForeignRow},
		{"nonce", func(f *fingerprints.FieldRow) { f.Sealed[5] ^= 1 }, registration.ErrForeignRow},
		{"last byte", func(f *fingerprints.FieldRow) { f.Sealed[511] ^= 1 }, registration.ErrForeignRow},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := a.Row
			row.Sealed = slices.Clone(row.Sealed)
			c.change(&row)
			e, err := r.Open(row)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil && e.Core != nil {
				t.Fatal("an entry beside an error")
			}
		})
	}
	if _, err := registration.New(newRing(t, 7), seeded(2), nil).Open(a.Row); !errors.Is(err, registration.ErrForeignRow) {
		t.Fatalf("opened under another ring: %v", err)
	}
}

func TestReseal(t *testing.T) {
	ring := newRing(t, 1)
	r := registration.New(ring, seeded(2), nil)
	done := register(t, r, token(1, 30))
	if _, err := r.Reseal(done.Row, done.Row.Revision); !errors.Is(err, registration.ErrSameRevision) {
		t.Fatalf("sealed twice at a revision: %v", err)
	}
	if err := ring.Rotate(seeded(3), day, keys.RotateRoutine); err != nil {
		t.Fatal(err)
	}
	again, err := r.Reseal(done.Row, 2)
	if err != nil {
		t.Fatal(err)
	}
	if again.Sealed[3] != 2 || done.Row.Sealed[3] != 1 || again.Epoch != 1 {
		t.Fatalf("seal epochs %d and %d, MAC epoch %d", done.Row.Sealed[3], again.Sealed[3], again.Epoch)
	}
	got, err := r.Open(again)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(done.Entry, got); d != "" {
		t.Fatal(d)
	}
	swapped := again
	swapped.Sealed = done.Row.Sealed
	if _, err := r.Open(swapped); !errors.Is(err, registration.ErrForeignRow) {
		t.Fatalf("the older sealed part opens at the later revision: %v", err)
	}
}

// Sealed sizes do not tell lengths, classes or numbers of regions.
func TestPadding(t *testing.T) {
	r := registration.New(newRing(t, 1), seeded(2), nil)
	for _, n := range []int{8, 14, 15, 40, 128, 129, 5000, registration.MaxLength} {
		if got := len(register(t, r, token(uint64(n), n)).Row.Sealed); got != 512 {
			t.Errorf("%d bytes are sealed in %d", n, got)
		}
	}
}

// What a registrar holds is enough to register, and makes the same rows.
func TestRegistrarKeys(t *testing.T) {
	ring := newRing(t, 1)
	v := token(1, 30)
	a := register(t, registration.New(ring, seeded(2), nil), v)
	b := register(t, registration.New(ring.RegistrarKeys(), seeded(2), nil), v)
	if d := cmp.Diff(a, b); d != "" {
		t.Fatal(d)
	}
}

func TestValueIDOf(t *testing.T) {
	ring := newRing(t, 1)
	both := func(a fingerprints.Audience) (keys.IdentityKey, bool) { return ring.Identity(a), true }
	edgeOnly := func(a fingerprints.Audience) (keys.IdentityKey, bool) {
		k := ring.EdgeKeys("").Identity(a)
		return k, !k.IsZero()
	}
	strong, middle, weak := token(1, 30), token(2, 10), []byte(strings.Repeat("1", 12))
	for _, c := range []struct {
		name  string
		value []byte
		ids   registration.Identities
		want  fingerprints.ValueID
	}{
		{"strong", strong, both, ring.Identity(fingerprints.AudienceEdge).ValueID(strong)},
		{"strong, edge only", strong, edgeOnly, ring.Identity(fingerprints.AudienceEdge).ValueID(strong)},
		{"strong with a line break", append(slices.Clone(strong), '\n'), both, ring.Identity(fingerprints.AudienceEdge).ValueID(strong)},
		{"middle", middle, both, ring.Identity(fingerprints.AudienceCore).ValueID(middle)},
		{"middle, edge only", middle, edgeOnly, fingerprints.ValueID{}},
		{"weak", weak, both, fingerprints.ValueID{}},
		{"short", token(3, 7), both, fingerprints.ValueID{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := registration.ValueIDOf(c.ids, c.value)
			if got != c.want || ok == c.want.IsZero() {
				t.Fatalf("got %v, %v", got, ok)
			}
		})
	}
	done := register(t, registration.New(ring, seeded(2), nil), middle)
	if id, _ := registration.ValueIDOf(both, middle); id != done.Entry.ValueID {
		t.Fatal("an unregistered value's id changes when it is registered")
	}
}
