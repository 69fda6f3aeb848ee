package registry_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (k *kit) pack(aud fingerprints.Audience) (registry.PackInfo, *pack.Pack) {
	k.t.Helper()
	var b bytes.Buffer
	info, err := k.reg.BuildPack(k.ctx, me(), registry.PackRequest{Audience: aud}, &b)
	if err != nil {
		k.t.Fatal(err)
	}
	if info.Bytes != int64(b.Len()) {
		k.t.Errorf("%d bytes written, %d reported", b.Len(), info.Bytes)
	}
	p, err := pack.OpenBytes(b.Bytes(), k.ring, pack.Options{Now: k.now})
	if err != nil {
		k.t.Fatal(err)
	}
	return info, p
}

func TestBuildPack(t *testing.T) {
	k := newKit(t)
	strong, middle := k.text(40), k.text(10)
	k.add("strong", strong)
	k.add("middle", middle)
	k.add("short", "abc")
	k.rotate("strong", k.text(40), time.Hour)
	info, p := k.pack(fingerprints.AudienceCore)
	m := k.meta()
	want := registry.PackInfo{
		PackRevision: m.PackRevision, FieldRevision: m.FieldRevision, Fields: 3, Bytes: info.Bytes,
		LeftOut: map[string]int{registry.LeftUnsearchable: 1},
	}
	if diff := cmp.Diff(want, info); diff != "" || p.Count() != 3 {
		t.Error(diff, p.Count())
	}
	c := p.NewConfirmer()
	for name, value := range map[string]string{"strong": strong, "middle": middle} {
		rows := c.LookupAny([]byte(value))
		if diff := cmp.Diff(k.rows(ref(name, 1)), rows); diff != "" {
			t.Fatal(diff)
		}
		l, err := c.Label(rows[0], []byte(value))
		if err != nil || l.Secret != name || l.Version != 1 || l.Owner != "team-"+name {
			t.Errorf("%+v, %v", l, err)
		}
		labels, err := k.reg.FieldLabels(k.ctx, me(), append(rows, fingerprints.RowID{1}))
		if err != nil || len(labels) != 1 || labels[0].Version.Ref() != ref(name, 1) || labels[0].Owner != l.Owner {
			t.Errorf("%+v, %v", labels, err)
		}
	}
	edge, _ := k.pack(fingerprints.AudienceEdge)
	if edge.Fields != 2 || edge.LeftOut[registry.LeftTooWeak] != 1 {
		t.Errorf("edge pack: %+v, want the strong ones only", edge)
	}
	q := registry.PackRequest{Audience: fingerprints.AudienceCore, Expires: k.now}
	if _, err := k.reg.BuildPack(k.ctx, me(), q, &bytes.Buffer{}); !errors.Is(err, registry.ErrInput) {
		t.Errorf("expired: error %v, want ErrInput", err)
	}
	scanner := registry.Actor{Name: "ci", Scopes: []registry.Scope{registry.ScopeScan}}
	q = registry.PackRequest{Audience: fingerprints.AudienceEdge}
	if _, err := k.reg.BuildPack(k.ctx, scanner, q, &bytes.Buffer{}); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("an edge pack for a scanner: error %v, want ErrForbidden", err)
	}
}

// The key changes with everything that a pack must follow, and with no more.
func TestPackKey(t *testing.T) {
	k := newKit(t)
	k.add("s", k.text(32))
	key := func() registry.PackKey {
		got, err := k.reg.PackKey(k.ctx, me(), fingerprints.AudienceCore)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	steps := map[string]struct {
		do      func() error
		changes bool
	}{
		"scan": {func() error { k.scan(src); return nil }, false},
		"ack":  {func() error { _, err := k.reg.Ack(k.ctx, me(), ref("s", 1), "web"); return err }, false},
		"add":  {func() error { k.add("t", k.text(32)); return nil }, true},
		"compromise": {func() error {
			_, err := k.reg.Compromise(k.ctx, me(), ref("s", 1))
			return err
		}, true},
		"keys": {func() error { return k.ring.Rotate(k.rand, k.now, keys.RotateRoutine) }, true},
	}
	for name, s := range steps {
		before := key()
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		if changed := key().String() != before.String(); changed != s.changes {
			t.Errorf("%s: changed %v, want %v", name, changed, s.changes)
		}
	}
}

// TestKeyRotation: after two compromises the oldest values are searchable again
// only once they are registered again.
func TestKeyRotation(t *testing.T) {
	k := newKit(t)
	value := k.text(40)
	k.add("old", value)
	k.scan(src)
	step := func(current, older, unsearchable int) {
		t.Helper()
		if err := k.ring.Rotate(k.rand, k.now, keys.RotateCompromise); err != nil {
			t.Fatal(err)
		}
		got, err := k.reg.Rekey(k.ctx, me(), k.ring)
		if err != nil || got.Current != current || got.Older != older || got.Unsearchable != unsearchable || got.Epoch != k.ring.Epoch() {
			t.Errorf("%+v, %v; want %d, %d, %d", got, err, current, older, unsearchable)
		}
	}
	step(0, 1, 0)
	if _, p := k.pack(fingerprints.AudienceCore); len(p.NewConfirmer().LookupAny([]byte(value))) != 1 {
		t.Error("the second generation is not searched for")
	}
	step(0, 0, 1)
	info, _ := k.pack(fingerprints.AudienceCore)
	if info.LeftOut[registry.LeftGeneration] != 1 {
		t.Errorf("%+v", info)
	}
	cov, err := k.reg.Coverage(k.ctx, me(), ref("old", 1))
	if err != nil || cov.Complete || len(cov.Unsearchable) != 1 {
		t.Errorf("coverage of what packs do not hold: %+v, %v", cov, err)
	}
	if out := k.add("old", value); !out.Unchanged || out.Version != 1 {
		t.Errorf("registered again: %+v", out)
	}
	if info, p := k.pack(fingerprints.AudienceCore); info.Fields != 1 || len(p.NewConfirmer().LookupAny([]byte(value))) != 1 {
		t.Errorf("registered again, and not searched for: %+v", info)
	}
	if cov, err := k.reg.Coverage(k.ctx, me(), ref("old", 1)); err != nil || cov.Sources[0].State != registry.CoveragePending {
		t.Errorf("coverage of a value registered again: %+v, %v", cov, err)
	}
	if _, err := k.reg.VerifyAudit(k.ctx, me(), nil); err != nil {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	k := fixtures(t)
	k.add("short", "abc")
	if err := k.ring.Rotate(k.rand, k.now, keys.RotateRoutine); err != nil {
		t.Fatal(err)
	}
	got, err := k.reg.Status(k.ctx, me())
	if err != nil {
		t.Fatal(err)
	}
	m := k.meta()
	want := registry.Status{
		Installation: m.Installation.String(), Ring: m.Ring.String(), CreatedAt: m.CreatedAt,
		Revision: m.Revision, PackRevision: m.PackRevision, FieldRevision: m.FieldRevision,
		Secrets: 3, Versions: map[fingerprints.State]int{fingerprints.StateActive: 2, fingerprints.StatePending: 1},
		Fields:   map[fingerprints.Strength]int{fingerprints.StrengthEdge: 2, fingerprints.StrengthUnsearchable: 1},
		Findings: map[fingerprints.Verdict]int{fingerprints.VerdictUnregistered: 1},
		Sources:  1, OldEpoch: 2, Audit: got.Audit, LastScan: got.LastScan,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Audit.Sequence == 0 || got.LastScan.IsZero() {
		t.Error(diff)
	}
}

func TestDoctor(t *testing.T) {
	k := newKit(t)
	check := func(o registry.DoctorOptions) map[string]registry.CheckResult {
		t.Helper()
		all, err := k.reg.Doctor(k.ctx, me(), o)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]registry.CheckResult{}
		for _, c := range all {
			out[c.Name] = c
		}
		return out
	}
	k.add("s", k.text(32))
	for name, c := range check(registry.DoctorOptions{}) {
		if c.Level != registry.CheckOK {
			t.Errorf("%s of a healthy registry: %+v", name, c)
		}
	}
	k.add("short", "abc")
	k.add("weak", "tiger"+"1987")
	k.rotate("s", k.text(32), time.Hour)
	k.begin(src, "")
	k.wait(2 * time.Hour)
	open := filepath.Join(t.TempDir(), "ring")
	if err := os.WriteFile(open, nil, 0o644); err != nil { //nolint:gosec // it is what the check must find
		t.Fatal(err)
	}
	err := k.store.Update(k.ctx, func(tx store.Tx) error {
		fields, err := tx.Fields(k.ctx, versionID(k, tx, ref("s", 2)))
		if err != nil {
			return err
		}
		fields[0].Sealed[40] ^= 1
		return tx.PutField(k.ctx, fields[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	got := check(registry.DoctorOptions{Private: []string{open, filepath.Join(t.TempDir(), "none")}})
	for name, want := range map[string]registry.CheckLevel{
		"permissions": registry.CheckFailure, "rows": registry.CheckFailure, "store and ring": registry.CheckOK,
		"audit chain": registry.CheckOK, "old registrations": registry.CheckOK, "not searchable": registry.CheckWarning,
		"weak values": registry.CheckWarning, "windows": registry.CheckWarning, "scans": registry.CheckWarning,
	} {
		if c := got[name]; c.Level != want || c.Message == "" || want != registry.CheckOK && c.Count != 1 {
			t.Errorf("%s: %+v, want %s", name, c, want)
		}
	}
	if cov, err := k.reg.Coverage(k.ctx, me(), ref("s", 2)); err != nil || len(cov.Unsearchable) != 1 {
		t.Errorf("coverage of a damaged row: %+v, %v", cov, err)
	}
	if info, _ := k.pack(fingerprints.AudienceCore); info.LeftOut[registry.LeftDamaged] != 1 {
		t.Errorf("%+v, want the damaged row left out and counted", info)
	}
	other, err := keys.NewRing(k.rand, k.now)
	if err != nil {
		t.Fatal(err)
	}
	k.reg = k.open(other)
	if c := check(registry.DoctorOptions{})["store and ring"]; c.Level != registry.CheckFailure {
		t.Errorf("a foreign ring: %+v", c)
	}
}

func versionID(k *kit, tx store.Tx, r fingerprints.VersionRef) fingerprints.VersionID {
	v, err := tx.Version(k.ctx, r)
	if err != nil {
		k.t.Fatal(err)
	}
	return v.ID
}

// BenchmarkImport registers 10,000 values; one operation is the whole import.
func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		k := newKit(b)
		const n = 10_000
		recs := make([]registry.ImportRecord, n)
		for i := range recs {
			recs[i] = registry.ImportRecord{Name: "many/" + itoa(i), Fields: field(k.text(32))}
		}
		b.StartTimer()
		if got := imported(b, k, recs...); got.Added != n {
			b.Fatalf("%+v", got)
		}
	}
}
