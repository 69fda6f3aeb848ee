package scan_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// outcomes keeps what it is given.
type outcomes struct {
	mu    sync.Mutex
	known map[scan.OutcomeKey][]byte
	// cut is how much of each is given back; 0: all.
	cut func(int) int
}

func (o *outcomes) Recall(key scan.OutcomeKey) ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, has := o.known[key]
	if has && o.cut != nil {
		b = b[:o.cut(len(b))]
	}
	return b, has
}

func (o *outcomes) Keep(key scan.OutcomeKey, b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.known = map[scan.OutcomeKey][]byte{}
	}
	o.known[key] = bytes.Clone(b)
}

// shelf is a history of contents at paths.
type shelf struct {
	rng    *rand.Rand
	texts  []string
	places []place
	mu     sync.Mutex
	opened map[int]int // by the content
}

type place struct {
	content  int
	path     string
	presence fingerprints.Presence
	refs     []string
}

// source gives the places out.
func (s *shelf) source() *memory {
	s.opened = map[int]int{}
	m := &memory{id: "dir:/s", per: 3}
	for i, p := range s.places {
		it := item(m.id, p.path, s.texts[p.content])
		it.Identity, it.Presence, it.Refs, it.Locator = fmt.Sprint("blob:", p.content), p.presence, p.refs, fmt.Sprint("blob:", p.content)
		it.Origin.Commit = fmt.Sprint("commit ", i)
		open := it.Open
		it.Open = func(ctx context.Context) (io.ReadCloser, error) {
			s.mu.Lock()
			s.opened[p.content]++
			s.mu.Unlock()
			return open(ctx)
		}
		m.items = append(m.items, it)
	}
	return m
}

// prose is text with values in it.
func (s *shelf) prose(values []string) string {
	var b strings.Builder
	for range s.rng.IntN(6) {
		v := values[s.rng.IntN(len(values))]
		all := forms(v)
		names := slices.Sorted(maps.Keys(all))
		fmt.Fprintf(&b, "line %d key = %s%s\n", s.rng.IntN(99), all[names[s.rng.IntN(len(names))]], []string{"", " # gitleaks:allow", " " + v, v[:5]}[s.rng.IntN(4)])
	}
	return b.String()
}

func (s *shelf) content(t *testing.T, values []string) string {
	switch s.rng.IntN(6) {
	case 0:
		return zipOf(t, zip.Deflate, "a.txt", s.prose(values), "b.zip", zipOf(t, zip.Store, "c.txt", s.prose(values)))
	case 1:
		return tgzOf(t, "d/e.txt", s.prose(values))
	case 2: // cut short: a skip
		z := tgzOf(t, "d/e.txt", s.prose(values)+random(s.rng.Uint64(), 400))
		return z[:len(z)-40]
	case 3:
		return strings.Repeat("again "+values[s.rng.IntN(len(values))]+"\n", 1+s.rng.IntN(30))
	}
	return s.prose(values)
}

func (s *shelf) push(t *testing.T, values []string) {
	presences := []fingerprints.Presence{fingerprints.PresenceTip, fingerprints.PresenceHistory, fingerprints.PresenceUnreachable}
	for range 1 + s.rng.IntN(4) {
		s.texts = append(s.texts, s.content(t, values))
		for range 1 + s.rng.IntN(2) {
			path := fmt.Sprintf("d%d/f%d%s", s.rng.IntN(3), s.rng.IntN(9), []string{".txt", ".p12", ".zip"}[s.rng.IntN(3)])
			s.places = append(s.places, place{content: len(s.texts) - 1, path: path})
		}
	}
	for i := range s.places {
		s.places[i].presence = presences[s.rng.IntN(3)]
		s.places[i].refs = []string{fmt.Sprint("refs/heads/", s.rng.IntN(3))}
	}
}

// everythingAnd is everything with what is lent to the sink alone.
func (s scanned) everythingAnd() string {
	var b strings.Builder
	for _, o := range s.sink.obs {
		fmt.Fprintf(&b, "%q\n", o.RawPath.Reveal())
	}
	for i, f := range s.findings { // what a pointer leads to
		if f.Tolerated != nil {
			fmt.Fprintf(&b, "%d %+v\n", i, *f.Tolerated)
			s.findings[i].Tolerated = nil
		}
	}
	return s.everything() + b.String()
}

// TestOutcomes scans contents again and again while places, states, homes and
// presences change: what is told and recorded is what a scan tells that
// remembers nothing, and no content that can be kept is opened twice.
func TestOutcomes(t *testing.T) {
	overflow, skips := false, 0
	for seed := range uint64(6) {
		s := &shelf{rng: rand.New(rand.NewPCG(seed, 41))}
		m := &literal{overlap: 64}
		var values []string
		for i := range 5 {
			v := random(seed*10+uint64(i), 24)
			values = append(values, v)
			if i < 3 {
				m.values = append(m.values, planted{v, row(byte(i + 1))})
			}
			if i > 1 {
				m.generic = append(m.generic, planted{v[:20], row(byte(i))}) // overlaps the registered one
			}
		}
		kept, maphashSeed := &outcomes{}, maphash.MakeSeed()
		for round := range 4 {
			s.push(t, values)
			if seed == 0 && round == 1 { // more than are listed
				s.texts[len(s.texts)-1] = strings.Repeat(values[0]+" "+values[4]+"\n", 1005)
			}
			state := []fingerprints.State{fingerprints.StateActive, fingerprints.StateSuperseded, fingerprints.StateRetired}[s.rng.IntN(3)]
			homes := map[string][]scan.Home{"secret-1 " + s.places[0].path: {{ID: 7}}}
			run := func(o *outcomes) scanned {
				return mustRun(t, s.source(), setup{matcher: m, change: func(opts *scan.Options) {
					opened(4)(opts)
					opts.Labels, opts.Seed, opts.EmitTolerated = labels{state: state, homes: homes}, maphashSeed, true
					if o != nil {
						opts.Outcomes = o
					}
				}})
			}
			anew := run(nil)
			want := anew.everythingAnd()
			overflow = overflow || slices.ContainsFunc(anew.findings, func(f wire.Finding) bool { return f.More > 0 })
			skips += len(anew.skips)
			for _, name := range []string{"what is new", "nothing new"} {
				if diff := cmp.Diff(want, run(kept).everythingAnd()); diff != "" {
					t.Fatalf("seed %d, round %d, %s (-anew +remembered):\n%s", seed, round, name, diff)
				}
			}
			if len(s.opened) > 0 {
				t.Errorf("seed %d, round %d: opened though nothing is new: %v", seed, round, s.opened)
			}
		}
		for _, b := range kept.known {
			for _, v := range values {
				for _, enc := range encodings(v) {
					if bytes.Contains(b, []byte(enc)) {
						t.Fatalf("seed %d: an outcome holds a value", seed)
					}
				}
			}
		}
	}
	if !overflow || skips == 0 {
		t.Errorf("more than is listed: %v; %d skips", overflow, skips)
	}
}

// named are labels whose secrets have another name.
type named struct {
	labels
	name string
}

func (n named) Labels(ctx context.Context, rows []fingerprints.RowID, v fingerprints.Value) ([]scan.Label, error) {
	out, err := n.labels.Labels(ctx, rows, v)
	for i := range out {
		out[i].Secret = n.name
	}
	return out, err
}

// TestOutcomeNotKept: what may be told otherwise next time is looked at again.
func TestOutcomeNotKept(t *testing.T) {
	strong, other, weak := random(1, 24), random(2, 24), "aaaaaa1"
	reg := &literal{values: []planted{{strong, row(1)}}, generic: []planted{{other, row(0)}, {weak, row(3)}}, overlap: 64}
	name := "svc/one"
	for _, c := range []struct {
		name, path, text string
		change           func(*scan.Options)
		again            bool // it is opened again
		item             func(*scanners.Item)
	}{
		{name: "nothing in it", path: "a.txt", text: "plain"},
		{name: "registered", path: "a.txt", text: "key " + strong},
		{name: "generic", path: "a.txt", text: "key " + other},
		{name: "by its path alone", path: "key-of-the-long-named-service.p12", text: "plain"},
		{name: "weak", path: "a.txt", text: "key " + weak, again: true},
		{name: "weak, in a log", path: "build/test", text: "key " + weak, item: func(it *scanners.Item) { it.Recurs = true }},
		{name: "in the path", path: "d/" + strong + "/a.txt", text: "plain", again: true},
		{name: "in a member's path", path: "a.zip", text: zipOf(t, zip.Deflate, other+".txt", "plain"), again: true},
		{name: "no identity", path: "a.txt", text: "plain", again: true, item: func(it *scanners.Item) { it.Identity = "" }},
		{name: "part of it counts", path: "a.txt", text: "plain", again: true, item: func(it *scanners.Item) { it.Fresh = []scanners.Span{{Start: 0, End: 1}} }},
		{name: "shown", path: "a.txt", text: "plain", again: true, change: func(o *scan.Options) { o.Secrets = scan.SecretsShown }},
		{name: "no core key", path: "a.txt", text: "plain", again: true, change: func(o *scan.Options) { o.Identities.Core = nil }},
		{name: "no ring", path: "a.txt", text: "plain", again: true, change: func(o *scan.Options) { o.Identities = nil }},
		{name: "a tolerance that asks for values", path: "a.txt", text: "plain", again: true, change: func(o *scan.Options) { o.Tolerance = &tolerance{} }},
		{name: "a matcher that fails", path: "a.txt", text: "panic please", again: true},
		{name: "read in part", path: "a.txt", text: "plain", again: true, item: func(it *scanners.Item) {
			it.Open = func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(strings.NewReader("pl"), failing{})), nil
			}
		}},
		{name: "renamed", path: "a.txt", text: "key " + strong + " beside " + other, again: true, change: func(o *scan.Options) {
			o.Labels, name = named{name: name}, name+"x"
		}},
	} {
		kept := &outcomes{}
		for round := range 2 {
			n := 0
			it := item("dir:/s", c.path, c.text)
			it.Identity = "blob"
			if c.item != nil {
				c.item(&it)
			}
			open := it.Open
			it.Open = func(ctx context.Context) (io.ReadCloser, error) { n++; return open(ctx) }
			out := mustRun(t, &memory{id: "dir:/s", items: []scanners.Item{it}}, setup{matcher: reg, change: func(o *scan.Options) {
				opened(4)(o)
				o.Outcomes = kept
				if c.change != nil {
					c.change(o)
				}
			}})
			if c.name == "renamed" && !strings.Contains(out.findings[1].Context, "[secret "+strings.TrimSuffix(name, "x")+"@1]") {
				t.Errorf("renamed: the line says %q", out.findings[1].Context)
			}
			if want := round == 0 || c.again; n > 0 != want {
				t.Errorf("%s, round %d: opened %d times", c.name, round, n)
			}
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errTest }

// TestOutcomeCut: an outcome that is cut off anywhere is as good as none.
func TestOutcomeCut(t *testing.T) {
	v, g := random(1, 24), random(2, 24)
	m := &literal{values: []planted{{v, row(1)}}, generic: []planted{{g, row(0)}}, overlap: 64}
	s := &shelf{texts: []string{zipOf(t, zip.Deflate, "a.txt", "key "+v+" "+g, "b.gz", "\x1f\x8b\x08broken")}, places: []place{{path: "a.zip", presence: fingerprints.PresenceTip}}}
	kept, seed := &outcomes{}, maphash.MakeSeed()
	run := func() string {
		return mustRun(t, s.source(), setup{matcher: m, change: func(o *scan.Options) {
			opened(4)(o)
			o.Outcomes, o.Seed = kept, seed
		}}).everythingAnd()
	}
	want := run()
	size := 0
	for _, b := range kept.known {
		size = len(b)
	}
	if size < 100 || len(kept.known) != 1 {
		t.Fatalf("%d bytes", size)
	}
	for i := range size {
		kept.cut = func(int) int { return i }
		if diff := cmp.Diff(want, run()); diff != "" || s.opened[0] != 1 {
			t.Fatalf("cut at %d of %d, opened %d times:\n%s", i, size, s.opened[0], diff)
		}
	}
}

// constant answers each question with the same.
type constant []byte

func (c constant) Recall(scan.OutcomeKey) ([]byte, bool) { return c, true }
func (constant) Keep(scan.OutcomeKey, []byte)            {}

// FuzzOutcome: no outcome, whatever it says, brings a scan down.
func FuzzOutcome(f *testing.F) {
	v, g := random(1, 24), random(2, 24)
	m := &literal{values: []planted{{v, row(1)}}, generic: []planted{{g, row(0)}}, overlap: 64}
	kept := &outcomes{}
	source := func() scanners.Source {
		it := item("dir:/s", "a.txt", "key "+v+"\nkey "+g+" # gitleaks:allow\n")
		it.Identity = "blob"
		return &memory{id: "dir:/s", items: []scanners.Item{it}}
	}
	options := func(o scan.Outcomes) scan.Options {
		ms := []scanners.Matcher{m}
		return scan.Options{
			Source: source(), Engine: &scanners.Engine{Matchers: ms}, PathMatchers: ms, Labels: labels{},
			Identities: identities(), Now: clock, Workers: 1, Outcomes: o,
		}
	}
	if _, err := scan.Run(f.Context(), options(kept)); err != nil {
		f.Fatal(err)
	}
	for _, b := range kept.known {
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		res, err := scan.Run(t.Context(), options(constant(b)))
		if err != nil || res.Skips[fingerprints.SkipUnreadable] > 0 && !bytes.Contains(b, []byte(fingerprints.SkipUnreadable)) {
			t.Errorf("%v, %v", res.Skips, err)
		}
	})
}

// TestOutcomeHasAllOfAHit: whoever gives hits another field says here what becomes
// of it when a sighting is recalled.
func TestOutcomeHasAllOfAHit(t *testing.T) {
	known := map[string]string{
		"Span": "kept", "Form": "kept", "Rows": "kept", "Rule": "kept", "Description": "kept", "Tags": "kept", "Entropy": "kept", "PathOnly": "kept", "Low": "kept",
		"Value": "never kept: a number stands for it", "Match": "kept as the region of the whole",
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[scanners.Hit]()) {
		if f.IsExported() && known[f.Name] == "" {
			t.Errorf("outcomes do not know of Hit.%s", f.Name)
		}
	}
}
