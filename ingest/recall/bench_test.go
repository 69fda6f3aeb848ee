package recall_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/scanners"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// bench is what everything is planted from and scanned with.
type bench struct {
	values  []value
	secrets []secret
	// All kinds of values, of which there are so many, then all rules.
	offers []offer
	kinds  int
	hay    map[string][]byte
	whole  eye
	chunks eye // all of it in chunks that are small beside what they share
	short  eye // short values alone: little is shared, and chunks are tiny
}

// eye is an engine and the rows of the values that it looks for; the zero row
// for those that it does not.
type eye struct {
	engine *scanners.Engine
	rows   []fingerprints.RowID
	crowd  int // bytes of content that are worth it
	rules  bool
}

// longest is the longest value that is short.
const longest = 300

func (v value) short() bool { return !v.key && len(v.bytes) <= longest }

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{values: values(t), hay: map[string][]byte{
		"log": scannerstest.Corpus(scannerstest.Logs, 5, 1<<20), "source": scannerstest.Corpus(scannerstest.Source, 6, 1<<20),
		"binary": scannerstest.Corpus(scannerstest.Random, 7, 1<<20), "text": letter(1 << 20),
	}}
	generic, err := rules.New(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.secrets = secrets(t, generic, b.values)
	b.offers, b.kinds = allOffers(b.values, b.secrets), len(allOffers(b.values, nil))
	if len(b.offers) > share {
		t.Fatalf("%d kinds and rules, of which one in %d is tried in a log", len(b.offers), share)
	}
	exact, rows := b.register(t, func(value) bool { return true })
	both := []scanners.Matcher{exact, generic}
	b.whole = eye{engine: &scanners.Engine{Matchers: both, Viewer: views.New()}, rows: rows, rules: true}
	b.chunks = eye{engine: &scanners.Engine{Matchers: both, Viewer: views.New(), ChunkSize: 50_021}, rows: rows, crowd: 300 << 10, rules: true}
	exact, rows = b.register(t, value.short)
	b.short = eye{engine: &scanners.Engine{Matchers: []scanners.Matcher{exact}, Viewer: views.New(), ChunkSize: 3_001}, rows: rows, crowd: 40 << 10}
	return b
}

// register makes a pack of some of the values.
func (b *bench) register(t *testing.T, want func(value) bool) (scanners.Matcher, []fingerprints.RowID) {
	t.Helper()
	var raw [][]byte
	for _, v := range b.values {
		if want(v) {
			raw = append(raw, v.bytes)
		}
	}
	built := packtest.New(t, fingerprints.AudienceCore, raw...)
	rows, next := make([]fingerprints.RowID, len(b.values)), 0
	for i, v := range b.values {
		if !want(v) {
			continue
		}
		if rows[i] = built.Rows[next]; rows[i] == (fingerprints.RowID{}) {
			t.Fatalf("value %d, %s, is not searched for", i, v.kind)
		}
		next++
	}
	m, err := registered.New(built.Pack)
	if err != nil {
		t.Fatal(err)
	}
	return m, rows
}

// letter is n bytes of lines that are no program and no log.
func letter(n int) []byte {
	r := seeded("letter")
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "%s: %s\n", prose(r, 3+r.IntN(9)), prose(r, 20+r.IntN(60)))
	}
	return b.Bytes()
}

// straw is about n bytes of a kind, in whole lines.
func (b *bench) straw(r *rand.Rand, kind string, n int) []byte {
	hay := b.hay[kind]
	from := r.IntN(len(hay) - n - 4096)
	if kind == "binary" {
		return hay[from : from+n]
	}
	from += bytes.IndexByte(hay[from:], '\n') + 1
	to := from + n
	return hay[from : to+bytes.IndexByte(hay[to:], '\n')+1]
}

// look returns every hit in a content.
func look(t *testing.T, e eye, content []byte) []scanners.Hit {
	// A scan that does not end would only show as a test that does not.
	defer time.AfterFunc(time.Minute, func() {
		panic(fmt.Sprintf("scanning takes more than a minute: %s", shown(content, stretch{0, len(content)})))
	}).Stop()
	var hits []scanners.Hit
	_, err := e.engine.Scan(context.Background(), bytes.NewReader(content), "notes", func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return hits
}
