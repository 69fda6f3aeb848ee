package registry_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
	"revenant/fingerprints/store/storetest"
)

// kit is a registry on a real store with a clock of its own and seeded
// randomness.
type kit struct {
	t     testing.TB
	ctx   context.Context
	reg   *registry.Registry
	ring  *keys.Ring
	store store.Store
	now   time.Time
	rand  *rand.ChaCha8

	// Of fixtures: an unregistered finding, its value, and an allowed home.
	fixture fingerprints.FindingID
	value   string
	home    int64
	token   string // its id
}

func seeded(t testing.TB) *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], t.Name())
	return rand.NewChaCha8(seed)
}

func newKit(t testing.TB) *kit {
	t.Helper()
	k := &kit{t: t, ctx: t.Context(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), rand: seeded(t)}
	var err error
	if k.ring, err = keys.NewRing(k.rand, k.now); err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.Open(k.ctx, filepath.Join(t.TempDir(), "registry.db"), sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	k.store = s
	k.reg = k.open(k.ring)
	if _, err := k.reg.Init(k.ctx, me()); err != nil {
		t.Fatal(err)
	}
	return k
}

// open is another registry on the kit's store.
func (k *kit) open(ring *keys.Ring) *registry.Registry {
	k.t.Helper()
	r, err := registry.New(registry.Options{Store: k.store, Ring: ring, Now: func() time.Time { return k.now }, Rand: k.rand})
	if err != nil {
		k.t.Fatal(err)
	}
	return r
}

func (k *kit) wait(d time.Duration) { k.now = k.now.Add(d) }

func me() registry.Actor { return registry.Local("tester") }

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"

// text draws a strong value of n characters.
func (k *kit) text(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[k.rand.Uint64()%uint64(len(letters))]
	}
	return string(b)
}

func field(s string) []registry.Field {
	return []registry.Field{{Value: fingerprints.NewValue([]byte(s))}}
}

func (k *kit) add(name, value string) registry.Registered {
	k.t.Helper()
	out, err := k.reg.Add(k.ctx, me(), registry.AddRequest{Name: name, Owner: "team-" + name, Fields: field(value)})
	if err != nil {
		k.t.Fatal(err)
	}
	return out
}

func (k *kit) rotate(name, value string, window time.Duration) registry.Registered {
	k.t.Helper()
	out, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: name, Fields: field(value), Window: window})
	if err != nil {
		k.t.Fatal(err)
	}
	return out
}

func ref(name string, n int) fingerprints.VersionRef {
	return fingerprints.VersionRef{Name: name, Number: n}
}

// rows are the row ids of a version.
func (k *kit) rows(r fingerprints.VersionRef) []fingerprints.RowID {
	k.t.Helper()
	return storetest.Rows(k.t, k.store, r)
}

// seen is a sighting of a value as the scan pipeline reports it.
func (k *kit) seen(source, path, value string, rows ...fingerprints.RowID) registry.Observation {
	canonical := []byte(value)
	aud, ok := registration.IdentityAudience(canonical)
	if !ok {
		k.t.Fatal("the test's value is too weak to have an id")
	}
	key := k.ring.Identity(aud)
	v, p := key.ValueID(canonical), key.PathID([]byte(path))
	rule := ""
	if len(rows) == 0 {
		rule = "generic-api-key"
	}
	return registry.Observation{RawPath: path, Observed: store.Observed{
		FindingID: key.FindingID(v, source, p), Value: v, Rows: rows, SourceID: source, Path: path, PathID: p,
		Sighting: fingerprints.Sighting{
			Start: 10, End: 10 + int64(len(value)), Line: 2, Column: 3, EndLine: 2, EndColumn: 3 + len(value),
			Form: fingerprints.FormRaw, Rule: rule, Presence: fingerprints.PresenceTip,
		},
	}}
}

// scan runs a whole scan of a directory with today's fingerprints.
func (k *kit) scan(source string, obs ...registry.Observation) registry.ScanDone {
	k.t.Helper()
	run := k.begin(source, "")
	if _, err := run.Record(k.ctx, obs); err != nil {
		k.t.Fatal(err)
	}
	return k.finish(run, true)
}

func (k *kit) begin(source, extent string) *registry.ScanRun {
	k.t.Helper()
	k.wait(time.Minute)
	m := k.meta()
	run, err := k.reg.BeginScan(k.ctx, me(), registry.ScanStart{
		SourceID: source, Kind: fingerprints.KindDir, Extent: extent, Generic: true,
		FieldRevision: m.FieldRevision, PackRevision: m.PackRevision,
	})
	if err != nil {
		k.t.Fatal(err)
	}
	k.wait(time.Second)
	return run
}

func (k *kit) finish(run *registry.ScanRun, complete bool) registry.ScanDone {
	k.t.Helper()
	k.wait(time.Second)
	done, err := run.Finish(k.ctx, registry.Outcome{Complete: complete, Progress: registry.Progress{Items: 3, Bytes: 99, Through: "3 files"}})
	if err != nil {
		k.t.Fatal(err)
	}
	return done
}

func (k *kit) meta() store.Meta {
	k.t.Helper()
	m, err := k.reg.Meta(k.ctx, me())
	if err != nil {
		k.t.Fatal(err)
	}
	return m
}

// verdicts are the verdicts of all findings, by path.
func (k *kit) verdicts() map[string]fingerprints.Verdict {
	k.t.Helper()
	all, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{})
	if err != nil {
		k.t.Fatal(err)
	}
	out := map[string]fingerprints.Verdict{}
	for _, f := range all {
		out[f.Path] = f.Verdict
	}
	return out
}

// actions are the actions of the audit log from a sequence number on.
func (k *kit) actions(after uint64) []string {
	k.t.Helper()
	var out []string
	err := k.reg.AuditLog(k.ctx, me(), after+1, func(e registry.AuditEntry) error {
		out = append(out, e.Action)
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return out
}

func (k *kit) head() uint64 {
	k.t.Helper()
	s, err := k.reg.Status(k.ctx, me())
	if err != nil {
		k.t.Fatal(err)
	}
	return s.Audit.Sequence
}

// dump is every text of the store that came from outside, for searches.
func (k *kit) dump() string {
	k.t.Helper()
	out := ""
	err := k.store.View(k.ctx, func(tx store.Tx) error {
		return tx.EachProvenance(k.ctx, func(_, text string) error {
			out += text + "\n"
			return nil
		})
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return out
}

func itoa(n int) string { return strconv.Itoa(n) }
