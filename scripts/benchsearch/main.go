// Command benchsearch fills registries with a million findings, each with its
// sighting, on SQLite and on PostgreSQL, builds the search index of each, and
// measures what people wait for: searches, counts by fields, suggestions, and the
// same lists from the store alone. Then it changes things, and measures how long
// the index takes to follow. With -what api it asks the API over HTTP instead, each
// kind of question by itself, and then many at once while sightings are written.
//
// Everything is generated from a seed; the values mean nothing. The table goes
// between the marks of docs/speed.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/search"
	"revenant/ingest/search/query"

	"github.com/jackc/pgx/v5"
)

type options struct {
	work, doc, stores, what string
	postgres, only          string
	findings, times         int
	readers                 int
	crowd                   time.Duration
	keep                    bool
}

func main() {
	var o options
	flag.StringVar(&o.work, "work", "build/benchsearch", "folder for what is made; removed before and after")
	flag.StringVar(&o.doc, "doc", "docs/speed.md", "write the table between the marks of this file; empty: print only")
	flag.StringVar(&o.stores, "stores", "sqlite,postgres", "databases to fill")
	flag.IntVar(&o.findings, "findings", 1_000_000, "findings, each with a sighting")
	flag.IntVar(&o.times, "times", 60, "how often each kind of question is asked")
	flag.StringVar(&o.what, "what", "search", "what is asked: search, or api, over HTTP")
	flag.IntVar(&o.readers, "readers", 500, "of api: how many ask at once while sightings are written")
	flag.DurationVar(&o.crowd, "crowd", 30*time.Second, "of api: for how long")
	flag.BoolVar(&o.keep, "keep", false, "leave SQLite's registry and the indexes in the folder, and use what is there")
	flag.StringVar(&o.postgres, "postgres", "", "URL of a database to use instead of a server of its own; what is there is used")
	flag.StringVar(&o.only, "only", "", "of api: the kinds of questions that this regexp finds, and no readers at once; printed only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "benchsearch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.work, err = filepath.Abs(o.work); err != nil {
		return err
	}
	if !o.keep {
		if err := os.RemoveAll(o.work); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(o.work) }()
	}
	var all []*measured
	for _, name := range strings.Split(o.stores, ",") {
		dir := filepath.Join(o.work, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		place := filepath.Join(dir, "registry.db")
		if name == "postgres" {
			tb := &stub{ctx: ctx}
			defer tb.end()
			if place = o.postgres; place == "" {
				place = postgrestest.Start(tb, postgrestest.Options{Durable: true}).Schema(tb) //nolint:contextcheck // tb has it
			}
		}
		m, err := one(ctx, o, name, place, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, m)
	}
	return write(o, all)
}

// stub is what the kit of PostgreSQL wants of a test.
type stub struct {
	testing.TB
	ctx  context.Context //nolint:containedctx // of the program
	ends []func()
}

func (s *stub) Helper()                   {}
func (s *stub) Context() context.Context  { return s.ctx }
func (s *stub) Cleanup(f func())          { s.ends = append(s.ends, f) }
func (s *stub) Logf(string, ...any)       {}
func (s *stub) TempDir() string           { return must(os.MkdirTemp("", "benchsearch")) }
func (s *stub) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (s *stub) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (s *stub) Error(args ...any)         { fmt.Fprintln(os.Stderr, args...) }
func (s *stub) Errorf(f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }
func (s *stub) end() {
	for _, f := range slices.Backward(s.ends) {
		f()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// timing is what one kind of question took.
type timing struct {
	what     string
	p50, p95 time.Duration
	most     time.Duration
	note     string
}

// measured is what one database showed.
type measured struct {
	store    string
	fill     time.Duration
	build    time.Duration
	size     int64
	memory   uint64
	timings  []timing
	followed []timing
	crowd    crowd
}

func one(ctx context.Context, o options, name, place, dir string) (*measured, error) {
	s, err := sqlstore.Open(ctx, place, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	ring, err := keys.NewRing(rand.NewChaCha8([32]byte{1}), time.Now())
	if err != nil {
		return nil, err
	}
	reg, err := registry.New(registry.Options{Store: s, Ring: ring})
	if err != nil {
		return nil, err
	}
	me := registry.Local("bench")
	m := &measured{store: name}
	if _, err := reg.Status(ctx, me); err != nil { // it is new
		if _, err := reg.Init(ctx, me); err != nil {
			return nil, err
		}
		if m.fill, err = fill(ctx, s, o.findings); err != nil {
			return nil, err
		}
		if err := tidy(ctx, place); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(os.Stderr, "%s: filled in %s\n", name, m.fill.Round(time.Second))
	x, err := search.Open(ctx, search.Options{Dir: filepath.Join(dir, "search"), Registry: reg, Actor: me, Now: time.Now, Lock: func(string) (func(), error) { return func() {}, nil }})
	if err != nil {
		return nil, err
	}
	defer func() { _ = x.Close() }()
	began := time.Now()
	if _, err := x.Follow(ctx); err != nil {
		return nil, err
	}
	m.build = time.Since(began)
	m.size = sizeOf(filepath.Join(dir, "search"))
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.memory = mem.HeapInuse
	fmt.Fprintf(os.Stderr, "%s: built in %s, %d MB\n", name, m.build.Round(time.Second), m.size/1e6)
	b := bed{ctx: ctx, x: x, reg: reg, me: me, rand: rand.New(rand.NewPCG(3, 4)), times: o.times}
	if o.what == "api" {
		return m, b.overHTTP(o, s, dir, m) //nolint:contextcheck // requests bring their own
	}
	if b.pages, err = dashboard(reg, x, me); err != nil {
		return nil, err
	}
	if m.timings, err = b.ask(); err != nil {
		return nil, err
	}
	m.followed, err = b.change()
	return m, err
}

// tidy does at once what PostgreSQL does by itself in the hours in which so much comes.
func tidy(ctx context.Context, place string) error {
	if !strings.Contains(place, "://") {
		return nil
	}
	c, err := pgx.Connect(ctx, place)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, "VACUUM ANALYZE")
	return errors.Join(err, c.Close(ctx))
}

func sizeOf(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// bed asks questions.
type bed struct {
	ctx   context.Context //nolint:containedctx // of the program
	x     *search.Index
	reg   *registry.Registry
	me    registry.Actor
	rand  *rand.Rand
	times int
	pages http.Handler
}

func (b *bed) word() string { return of(b.rand, words()) }

// timed does something many times.
func (b *bed) timed(what string, do func() (note string, err error)) (timing, error) {
	took := make([]time.Duration, b.times)
	t := timing{what: what}
	for i := range took {
		began := time.Now()
		note, err := do()
		if err != nil {
			return t, fmt.Errorf("%s: %w", what, err)
		}
		took[i], t.note = time.Since(began), note
	}
	slices.Sort(took)
	t.p50, t.p95 = took[len(took)/2], took[len(took)*95/100]
	t.most = took[len(took)-1]
	fmt.Fprintf(os.Stderr, "  %s: %s, %s (%s)\n", what, t.p50.Round(time.Microsecond), t.p95.Round(time.Microsecond), t.note)
	return t, nil
}

func (b *bed) search(text string, facets ...query.Field) (string, error) {
	q, err := query.Parse(text)
	if err != nil {
		return "", err
	}
	r, err := b.x.Search(b.ctx, b.me, q, search.Page{Limit: 50, Facets: facets})
	return fmt.Sprintf("%d found", r.Most), err
}

func (b *bed) ask() ([]timing, error) {
	facets := query.Facets()
	list := func(f store.FindingFilter) func() (string, error) {
		return func() (string, error) {
			f.Limit = 50
			out, err := b.reg.Findings(b.ctx, b.me, f)
			return fmt.Sprintf("%d listed", len(out)), err
		}
	}
	source := func() string { return sourceID(b.rand.IntN(sources)) }
	kinds := []struct {
		what string
		do   func() (string, error)
	}{
		{"everything", func() (string, error) { return b.search("") }},
		{"a word", func() (string, error) { return b.search(b.word()) }},
		{"two words", func() (string, error) { return b.search(b.word() + " " + b.word()) }},
		{"words in order", func() (string, error) { return b.search(`"` + b.word() + " " + b.word() + `"`) }},
		{"a beginning", func() (string, error) { return b.search(b.word()[:3] + "*") }},
		{"a path", func() (string, error) { return b.search("path:" + b.word() + "/" + b.word()) }},
		{"a number", func() (string, error) { return b.search(fmt.Sprint(b.rand.IntN(100000))) }},
		{"verdict and owner", func() (string, error) { return b.search("verdict:stale owner:team-" + b.word()) }},
		{"verdict, owner, age", func() (string, error) {
			return b.search("verdict:unregistered owner:team-" + b.word() + " age>30d is:open")
		}},
		{"a rule, without a path", func() (string, error) { return b.search("rule:generic-* -path:" + b.word()) }},
		{"one secret", func() (string, error) { return b.search("secret:" + secretName(b.rand.IntN(secrets))) }},
		{"facets of everything", func() (string, error) { return b.search("", facets...) }},
		{"facets of a word", func() (string, error) { return b.search(b.word(), facets...) }},
		{"facets of verdict and owner", func() (string, error) { return b.search("verdict:leaked,stale owner:team-"+b.word(), facets...) }},
		{"a field is suggested", func() (string, error) { return b.suggest("is:open ve") }},
		{"an owner is suggested", func() (string, error) { return b.suggest("owner:team-" + b.word()[:2]) }},
		{"a source is suggested", func() (string, error) { return b.suggest("source:git:git.example.org/" + b.word()[:2]) }},
		{"a secret is suggested", func() (string, error) { return b.suggest("secret:" + b.word()[:3]) }},
		{"list from the store: verdict", list(store.FindingFilter{Verdicts: []fingerprints.Verdict{fingerprints.VerdictStale}})},
		{"list from the store: verdict and source", func() (string, error) {
			return list(store.FindingFilter{Verdicts: []fingerprints.Verdict{fingerprints.VerdictUnregistered}, SourceID: source()})()
		}},
		{"list from the store: one secret", func() (string, error) { return list(store.FindingFilter{Secret: secretName(b.rand.IntN(secrets))})() }},
		{"counts from the store: verdicts", func() (string, error) {
			out, err := b.reg.Verdicts(b.ctx, b.me, store.FindingFilter{})
			return fmt.Sprintf("%d verdicts", len(out)), err
		}},
	}
	for _, path := range []string{"/", "/findings", "/findings?q=is%3Aopen", "/findings?q=verdict%3Astale+is%3Aopen&order=oldest"} {
		kinds = append(kinds, struct {
			what string
			do   func() (string, error)
		}{"a page of the dashboard: " + path, func() (string, error) { return b.page(path) }})
	}
	var out []timing
	for _, k := range kinds {
		t, err := b.timed(k.what, k.do)
		if err != nil {
			return out, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (b *bed) suggest(text string) (string, error) {
	out, err := b.x.Suggest(b.ctx, b.me, text, 10)
	return fmt.Sprintf("%d suggested", len(out)), err
}

// change changes things, each once, and follows.
func (b *bed) change() ([]timing, error) {
	ref := func(i int) fingerprints.VersionRef { return fingerprints.VersionRef{Name: secretName(i), Number: 1} }
	kinds := []struct {
		what string
		do   func() error
	}{
		{"nothing", func() error { return nil }},
		{"a version is compromised", func() error { _, err := b.reg.Compromise(b.ctx, b.me, ref(0)); return err }},
		{"a source is forgotten, and files are rewritten", func() error { return b.reg.ForgetSource(b.ctx, b.me, sourceID(7)) }},
		{"another, from merged files", func() error { return b.reg.ForgetSource(b.ctx, b.me, sourceID(8)) }},
	}
	var out []timing
	for _, k := range kinds {
		if err := k.do(); err != nil {
			return out, err
		}
		began := time.Now()
		if _, err := b.x.Follow(b.ctx); err != nil {
			return out, err
		}
		t := timing{what: k.what, p50: time.Since(began), note: fmt.Sprintf("%d findings", b.x.Stats().Documents)}
		fmt.Fprintf(os.Stderr, "  %s: %s\n", k.what, t.p50.Round(time.Millisecond))
		out = append(out, t)
	}
	return out, nil
}
