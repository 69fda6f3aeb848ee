package redact_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/ingest/redact"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/registered"
	"revenant/scanners/views"
)

// value is a value that stands nowhere in the source.
func value(seed uint64, n int) []byte {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
	r := rand.New(rand.NewPCG(seed, 17))
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return b
}

// counting is a matcher that says how much was looked at.
type counting struct {
	scanners.Matcher
	bytes, most atomic.Int64
}

func (c *counting) AppendHits(dst []scanners.Hit, k scanners.Chunk) []scanners.Hit {
	if !k.Decoded {
		n := int64(len(k.Data))
		c.bytes.Add(n)
		c.most.Store(max(c.most.Load(), n))
	}
	return c.Matcher.AppendHits(dst, k)
}

// kit is values that are looked for.
type kit struct {
	rows    []fingerprints.RowID
	engine  *scanners.Engine
	counted *counting
}

func newKit(t testing.TB, values ...[]byte) *kit {
	t.Helper()
	built := packtest.New(t, fingerprints.AudienceCore, values...)
	m, err := registered.New(built.Pack)
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{rows: built.Rows, counted: &counting{Matcher: m}}
	k.engine = &scanners.Engine{Matchers: []scanners.Matcher{k.counted}, Viewer: views.New()}
	return k
}

// Labels implements scan.Labels.
func (k *kit) Labels(_ context.Context, rows []fingerprints.RowID, _ fingerprints.Value) (out []scan.Label, err error) {
	for _, row := range rows {
		out = append(out, scan.Label{Row: row, Secret: fmt.Sprintf("s%d", slices.Index(k.rows, row)), Version: 1})
	}
	return out, nil
}

// Homes implements scan.Labels.
func (*kit) Homes(context.Context, string, string, string) ([]scan.Home, error) { return nil, nil }

func mark(i int) string { return fmt.Sprintf("[secret s%d@1]", i) }

// flow is a stream with a time of its own.
type flow struct {
	*redact.Stream
	t   testing.TB
	out bytes.Buffer
	now time.Time
}

func (k *kit) flow(t testing.TB, o redact.Options) *flow {
	f := &flow{t: t, now: time.Unix(1_800_000_000, 0)}
	o.Engine, o.Marks = k.engine, scan.NewMarks(k)
	var err error
	if f.Stream, err = redact.New(&f.out, o); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *flow) take(s string) {
	f.t.Helper()
	if err := f.Take(f.t.Context(), f.now, []byte(s)); err != nil {
		f.t.Fatal(err)
	}
}

// pass lets time pass, with all that is due in it.
func (f *flow) pass(d time.Duration) {
	f.t.Helper()
	end := f.now.Add(d)
	for due := f.Due(); !due.IsZero() && !due.After(end); due = f.Due() {
		if due.After(f.now) {
			f.now = due
		}
		if err := f.Tick(f.t.Context(), f.now); err != nil {
			f.t.Fatal(err)
		}
		if !f.Due().After(f.now) && !f.Due().IsZero() {
			f.t.Fatal("a tick changes nothing")
		}
	}
	f.now = end
}

// said is what came out since it was asked last.
func (f *flow) said() string {
	s := f.out.String()
	f.out.Reset()
	return s
}

func (f *flow) end() string {
	f.t.Helper()
	if err := f.End(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return f.said()
}

// without is a content with every value that the engine finds in it taken out.
func (k *kit) without(t testing.TB, content []byte) string {
	f := k.flow(t, redact.Options{})
	f.take(string(content))
	return f.end()
}
