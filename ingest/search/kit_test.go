package search_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// kit is a registry on a real store, with a clock that only tests move.
type kit struct {
	t     testing.TB
	ctx   context.Context
	reg   *registry.Registry
	store store.Store
	ring  *keys.Ring
	rand  *rand.Rand
	dir   string // of the index

	mu  sync.Mutex
	now time.Time

	secrets []string
	values  map[string]string // of secrets, the newest
	loose   []string          // values that are not registered
	hidden  []string          // values that stand in contexts, and nobody knows
	sources []string
}

func openStore(t testing.TB, place string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), place, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openStore(t, filepath.Join(t.TempDir(), "registry.db"))) })
	t.Run("postgres", func(t *testing.T) {
		test(t, openStore(t, postgrestest.Start(t, postgrestest.Options{}).Schema(t)))
	})
}

func newKit(t testing.TB) *kit {
	t.Helper()
	return kitOn(t, openStore(t, filepath.Join(t.TempDir(), "registry.db")), t.Name())
}

func kitOn(t testing.TB, s store.Store, name string) *kit {
	t.Helper()
	var seed [32]byte
	copy(seed[:], name)
	src := rand.NewChaCha8(seed)
	k := &kit{
		t: t, ctx: t.Context(), store: s, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), rand: rand.New(src), dir: filepath.Join(t.TempDir(), "search"),
		values: map[string]string{},
	}
	var err error
	if k.ring, err = keys.NewRing(src, k.now); err != nil {
		t.Fatal(err)
	}
	k.reg, err = registry.New(registry.Options{Store: s, Ring: k.ring, Now: k.clock, Rand: src})
	if err == nil {
		_, err = k.reg.Init(k.ctx, me())
	}
	k.must(err)
	return k
}

func me() registry.Actor { return registry.Local("tester") }

func (k *kit) clock() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *kit) wait(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(d)
}

func (k *kit) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// lock is the lock of files, as the program has it.
func lock(name string) (func(), error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errorsJoin(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

func errorsJoin(a, b error) error {
	if b != nil {
		return fmt.Errorf("%w: %w", a, b)
	}
	return a
}

func (k *kit) options() search.Options {
	return search.Options{Dir: k.dir, Registry: k.reg, Actor: me(), Now: k.clock, Lock: lock}
}

// open opens the index; the test closes it.
func (k *kit) open() *search.Index {
	k.t.Helper()
	x, err := search.Open(k.ctx, k.options())
	k.must(err)
	k.t.Cleanup(func() { _ = x.Close() })
	return x
}

func (k *kit) follow(x *search.Index) {
	k.t.Helper()
	_, err := x.Follow(k.ctx)
	k.must(err)
}

// text draws a strong value.
func (k *kit) text() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	b := make([]byte, 32)
	for i := range b {
		b[i] = letters[k.rand.IntN(len(letters))]
	}
	return string(b)
}

func pick[T any](k *kit, list []T) T { return list[k.rand.IntN(len(list))] }

func (k *kit) add(name, value string) {
	k.t.Helper()
	classes := fingerprints.Classes()
	_, err := k.reg.Add(k.ctx, me(), registry.AddRequest{
		Name: name, Owner: "team-" + name[:1], Class: pick(k, classes), Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(value))}},
	})
	k.must(err)
	k.secrets = append(k.secrets, name)
	k.values[name] = value
}

func ref(name string, n int) fingerprints.VersionRef {
	return fingerprints.VersionRef{Name: name, Number: n}
}

// rows are the fields that have a value now.
func (k *kit) rows(value string) (out []fingerprints.RowID) {
	k.t.Helper()
	for name, v := range k.values {
		if v != value {
			continue
		}
		k.must(k.store.View(k.ctx, func(tx store.Tx) error {
			versions, err := tx.Versions(k.ctx, name)
			if err != nil {
				return err
			}
			fields, err := tx.Fields(k.ctx, versions[len(versions)-1].ID)
			for _, f := range fields {
				out = append(out, f.ID)
			}
			return err
		}))
	}
	return out
}

// seen is a sighting of a value as the scan pipeline reports it.
func (k *kit) seen(source, path, shown, value, context string) registry.Observation {
	k.t.Helper()
	canonical := []byte(value)
	aud, ok := registration.IdentityAudience(canonical)
	if !ok {
		k.t.Fatal("the test's value is too weak to have an id")
	}
	key := k.ring.Identity(aud)
	v, p := key.ValueID(canonical), key.PathID([]byte(path))
	rows := k.rows(value)
	rule := ""
	if len(rows) == 0 {
		rule = pick(k, []string{"generic-api-key", "aws-access-token", "private-key"})
	}
	line := 1 + k.rand.IntN(3)
	return registry.Observation{RawPath: path, Observed: store.Observed{
		FindingID: key.FindingID(v, source, p), Value: v, Rows: rows, SourceID: source, Path: shown, PathID: p, Owner: pick(k, []string{"", "payments", "platform team"}),
		Sighting: fingerprints.Sighting{
			Start: int64(10 * line), End: int64(10*line) + int64(len(value)), Line: line, Column: 3, EndLine: line, EndColumn: 3 + len(value),
			Form: pick(k, []fingerprints.Form{"raw", "base64", "hex"}), Rule: rule, Presence: pick(k, []fingerprints.Presence{"tip", "history", "unreachable"}), Context: context,
		},
	}}
}

// scan is a whole scan of a source.
func (k *kit) scan(source string, obs ...registry.Observation) {
	k.t.Helper()
	k.wait(time.Minute)
	m, err := k.reg.Meta(k.ctx, me())
	k.must(err)
	kind, _, _ := strings.Cut(source, ":")
	run, err := k.reg.BeginScan(k.ctx, me(), registry.ScanStart{
		SourceID: source, Kind: fingerprints.SourceKind(kind), Generic: true, FieldRevision: m.FieldRevision, PackRevision: m.PackRevision,
	})
	k.must(err)
	k.wait(time.Second)
	_, err = run.Record(k.ctx, obs)
	k.must(err)
	k.wait(time.Second)
	_, err = run.Finish(k.ctx, registry.Outcome{Complete: true, Progress: registry.Progress{Items: 3, Through: "3 files"}})
	k.must(err)
}

// facts are those of every finding, as the store has them.
func (k *kit) facts() []query.Facts {
	k.t.Helper()
	list, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{})
	k.must(err)
	var ids []fingerprints.FindingID
	for _, f := range list {
		ids = append(ids, f.ID)
	}
	details, err := k.reg.FindingsByID(k.ctx, me(), ids, query.Contexts)
	k.must(err)
	out := make([]query.Facts, len(details))
	for i, d := range details {
		out[i] = query.FactsOf(d)
	}
	return out
}

func parse(t testing.TB, text string) query.Query {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// all searches to the last page, and returns the ids in their order.
func (k *kit) all(x *search.Index, q query.Query, limit int) ([]string, search.Result) {
	k.t.Helper()
	return k.allIn(search.Worst, x, q, limit)
}

func (k *kit) allIn(order search.Order, x *search.Index, q query.Query, limit int) ([]string, search.Result) {
	k.t.Helper()
	var out []string
	var first search.Result
	after := ""
	for n := 0; ; n++ {
		r, err := x.Search(k.ctx, me(), q, search.Page{Limit: limit, After: after, Order: order, Facets: query.Facets(), Top: 1000})
		k.must(err)
		if n == 0 {
			first = r
		}
		for _, h := range r.Findings {
			out = append(out, string(h.ID))
		}
		if r.Next == "" {
			return out, first
		}
		if len(r.Findings) == 0 && r.Next == after {
			k.t.Fatal("the next page is this one")
		}
		after = r.Next
	}
}

// oldest are ids by when their findings were first seen, to the minute.
func oldest(facts []query.Facts, ids []string) []string {
	first := map[string]int64{}
	for _, f := range facts {
		first[string(f.ID)] = f.Times[query.First].Unix() / 60
	}
	out := slices.Clone(ids)
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(first[a], first[b]), strings.Compare(a, b)) })
	return out
}

// agree holds what an index finds against the plain reading of a query.
func (k *kit) agree(x *search.Index, facts []query.Facts, text string) {
	k.t.Helper()
	q := parse(k.t, text)
	var want []string
	counts := map[query.Field]map[string]int{}
	for _, f := range facts {
		if !q.Match(f, k.clock()) {
			continue
		}
		want = append(want, string(f.ID))
		for _, field := range query.Facets() {
			for _, v := range f.Values[field] {
				if counts[field] == nil {
					counts[field] = map[string]int{}
				}
				if field != query.FieldSecret || !strings.Contains(v, "@") {
					counts[field][v]++
				}
			}
		}
	}
	order := []search.Order{search.Worst, search.Oldest}[len(text)%2]
	got, r := k.allIn(order, x, q, pick(k, []int{3, 50, 1000, 1000}))
	if order == search.Oldest {
		if in := oldest(facts, got); !slices.Equal(got, in) {
			k.t.Fatalf("%s by %s: the oldest first are\n%v, want\n%v", q, x.Mode(), got, in)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		k.t.Fatalf("%s by %s: found %d, and %d match:\n%v\n%v", q, x.Mode(), len(got), len(want), got, want)
	}
	if !r.Exact() || r.Total != len(want) {
		k.t.Fatalf("%s by %s: total %d to %d, behind %+v; %d match", q, x.Mode(), r.Total, r.Most, r.Behind, len(want))
	}
	if strings.Contains(q.String(), "seen") || strings.Contains(q.String(), "last") || strings.Contains(q.String(), "age") || strings.Contains(q.String(), "first") ||
		strings.Contains(q.String(), "due") || strings.Contains(q.String(), "late") {
		return // facets count what may match
	}
	for field, list := range r.Facets {
		for _, c := range list {
			if counts[field][c.Value] != c.Count {
				k.t.Fatalf("%s by %s: %s %s is counted %d times, want %d", q, x.Mode(), field, c.Value, c.Count, counts[field][c.Value])
			}
			delete(counts[field], c.Value)
		}
		if len(counts[field]) > 0 {
			k.t.Fatalf("%s by %s: %s is not counted by %v", q, x.Mode(), field, counts[field])
		}
	}
}
