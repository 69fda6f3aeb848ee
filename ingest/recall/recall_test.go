package recall_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
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

var update = flag.Bool("update", false, "write docs/recall.md anew")

// effort is how many plants of each kind stand in a cell. A quick run leaves
// most of what is slow out.
type effort struct {
	plants int
	quick  bool
}

// brief reports whether row i is left out by go test -short, which is for the
// race detector.
func brief(i int) bool { return testing.Short() && i%8 != 0 }

// wanted is what REVENANT_RECALL asks for: a number of plants, each of every
// kind in every cell; not set, a quick run.
func wanted(t *testing.T) effort {
	s := os.Getenv("REVENANT_RECALL")
	if s == "" {
		return effort{plants: 1, quick: true}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("REVENANT_RECALL=%q is no number of plants", s)
	}
	return effort{plants: n}
}

// turn reports whether a quick run takes the k-th plant of a row and column:
// each in two columns, what is slow in one.
func (e effort) turn(row, column, k int, p plant) bool {
	every := 2
	if len(p.text) > slow {
		every = 4
	}
	return !e.quick || (row+column+k)%every == 0
}

// bench is what everything is planted from and scanned with.
type bench struct {
	values  []value
	secrets []secret
	hay     map[string][]byte
	whole   eye
	chunks  eye // all of it in chunks that are small beside what they share
	short   eye // short values alone: little is shared, and chunks are tiny
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

// plant is a value or secret, encoded.
type plant struct {
	text  []byte
	at    stretch // of the value in text
	value int     // index; -1: a secret
	of    secret
	kind  string
	pem   bool
}

// encode makes a plant of a text in which the value stands; false where the
// row is not for it.
func encode(r *rand.Rand, w row, text []byte, at stretch) (plant, bool) {
	for range 8 { // a text may be too short for a row by chance
		if c, ok := w.code(r, text); ok {
			return plant{text: c.out, at: c.of(at)}, true
		}
	}
	return plant{}, false
}

func (w row) takes(key bool) bool {
	return w.keys == everyValue || w.keys == onlyKeys == key
}

// plants are one plant of every kind of value, and of every rule.
func (b *bench) plants(r *rand.Rand, w row) []plant {
	var out []plant
	for from := 0; from < len(b.values); {
		to := from + 1
		for to < len(b.values) && b.values[to].kind == b.values[from].kind {
			to++
		}
		i := from + r.IntN(to-from)
		from = to
		v := b.values[i]
		if p, ok := encode(r, w, v.bytes, stretch{0, len(v.bytes)}); ok && w.takes(v.key) {
			p.value, p.kind, p.pem = i, v.kind, v.key
			out = append(out, p)
		}
	}
	if w.bare || w.sure {
		return out
	}
	for from := 0; from < len(b.secrets); {
		to := from + 1
		for to < len(b.secrets) && b.secrets[to].rule == b.secrets[from].rule {
			to++
		}
		s := b.secrets[from+r.IntN(to-from)]
		from = to
		if p, ok := encode(r, w, s.text, s.at); ok && w.takes(s.pem) {
			p.value, p.of, p.kind, p.pem = -1, s, s.rule, s.pem
			out = append(out, p)
		}
	}
	return out
}

// tally counts the plants of one cell.
type tally struct{ planted, found, decoys, false int }

func (c *tally) add(o tally) {
	c.planted += o.planted
	c.found += o.found
	c.decoys += o.decoys
	c.false += o.false
}

// cell is what came of a row in a column, of registered values and of secrets.
type cell struct {
	registered, generic tally
	gaps                []gap
}

// gap is a plant that was not found as it should be, or a decoy that was.
type gap struct{ where, kind, wrong, text string }

// verdict says what is wrong with the hits of a plant that stands at an
// offset of the content; "" when nothing is.
func (e eye) verdict(v []value, hits []scanners.Hit, content []byte, w row, p plant, offset int) string {
	zone := scanners.Span{Start: int64(offset), End: int64(offset + len(p.text))}
	var mine []scanners.Hit
	for _, h := range hits {
		switch {
		case h.PathOnly || !h.Span.Overlaps(zone):
		case p.value >= 0 && h.Registered():
			mine = append(mine, h)
		case p.value < 0 && h.Rule == p.of.rule && (p.pem || bytes.Equal(h.Value.Reveal(), p.of.text[p.of.at.from:p.of.at.to])):
			mine = append(mine, h)
		}
	}
	switch {
	case len(mine) == 0:
		return "missed"
	case p.value < 0:
		return misplaced(mine[0].Span, zone, mine[0].Form)
	case len(mine) > 1 && !w.gutter:
		return fmt.Sprintf("found %d times: %v", len(mine), places(mine))
	case !slices.Equal(mine[0].Rows, []fingerprints.RowID{e.rows[p.value]}):
		return "taken for another value"
	}
	want := scanners.Span{Start: int64(offset + p.at.from), End: int64(offset + p.at.to)}
	got := mine[0].Span
	if w.exact && !p.pem {
		// Escaping may leave the value as it is, but for a character before it.
		if got != want && !bytes.Equal(content[got.Start:got.End], v[p.value].bytes) {
			return fmt.Sprintf("found at %v, is at %v, %s", got, want, mine[0].Form)
		}
		return ""
	}
	if w.gutter {
		return misplaced(got, zone, mine[0].Form)
	}
	const slack = 8 // what of a list or an escape belongs to a value is a matter of taste
	return misplaced(got, scanners.Span{Start: want.Start - slack, End: want.End + slack}, mine[0].Form)
}

func misplaced(got, zone scanners.Span, form fingerprints.Form) string {
	if zone.Contains(got) {
		return ""
	}
	return fmt.Sprintf("found at %v, is at %v, %s", got, zone, form)
}

func places(hits []scanners.Hit) (out []string) {
	for _, h := range hits {
		out = append(out, fmt.Sprintf("%d-%d %s", h.Span.Start, h.Span.End, h.Form))
	}
	return out
}

// take counts a plant in the cell.
func (c *cell) take(p plant, wrong, where string) {
	t := &c.registered
	if p.value < 0 {
		t = &c.generic
	}
	t.planted++
	if wrong == "" {
		t.found++
		return
	}
	c.gaps = append(c.gaps, gap{where, p.kind, wrong, shown(p.text, p.at)})
}

// shown is a text around a stretch, cut short.
func shown(text []byte, at stretch) string {
	const most = 160
	from := max(0, at.from-40)
	to := min(len(text), at.to+20)
	if to-from > 2*most {
		return fmt.Sprintf("%q...%q", text[from:from+most], text[to-most:to])
	}
	return fmt.Sprintf("%q", text[from:to])
}

// alone scans every plant in a content of its own, and what differs from the
// value by little.
func (b *bench) alone(t *testing.T, w row, column string, e effort, n int) cell {
	var c cell
	r := seeded(w.group, w.name, column, strconv.Itoa(n))
	where := fmt.Sprintf("%s, %s, %d", w.name, column, n)
	for k, p := range b.plants(r, w) {
		if !e.turn(w.number, slices.Index(columns(), column), k, p) {
			continue
		}
		before, after := b.straw(r, column, 20+r.IntN(700)), b.straw(r, column, 20+r.IntN(700))
		content := slices.Concat(before, p.text, after)
		c.take(p, b.whole.verdict(b.values, look(t, b.whole, content), content, w, p, len(before)), where)
		if p.value < 0 || e.quick && k/2%2 == 1 {
			continue
		}
		misses := b.values[p.value].misses
		miss := misses[r.IntN(len(misses))]
		d, ok := encode(r, w, miss, stretch{0, len(miss)})
		content = slices.Concat(before, d.text, after)
		if !ok || putRight(content, b.values[p.value].bytes) {
			continue
		}
		c.registered.decoys++
		if slices.ContainsFunc(look(t, b.whole, content), scanners.Hit.Registered) {
			c.registered.false++
			c.gaps = append(c.gaps, gap{where, p.kind, "decoy found", shown(d.text, d.at)})
		}
	}
	return c
}

// putRight reports whether what stands around a decoy makes it the value, as
// it is or broken by a line break.
func putRight(content, value []byte) bool {
	return bytes.Contains(content, value) || strings.Contains(strings.NewReplacer("\r", "", "\n", "").Replace(string(content)), string(value))
}

// crowd scans all plants that the eye looks for in one content.
func (b *bench) crowd(t *testing.T, e eye, w row, column string, n int) cell {
	var c cell
	r := seeded(w.group, w.name, column, strconv.Itoa(n))
	kinds := []string{"text", "log", "source", "binary"}
	if w.text == noText {
		kinds = kinds[3:]
	}
	var content []byte
	var all []plant
	var offsets []int
	for rounds := 0; len(content) < e.crowd && rounds < 20; rounds++ {
		for _, p := range b.plants(r, w) {
			if p.value < 0 && !e.rules || p.value >= 0 && e.rows[p.value] == (fingerprints.RowID{}) {
				continue
			}
			content = append(content, b.straw(r, kinds[r.IntN(len(kinds))], 100+r.IntN(1000))...)
			all, offsets = append(all, p), append(offsets, len(content))
			content = append(content, p.text...)
		}
	}
	hits := look(t, e, content)
	for i, p := range all {
		c.take(p, e.verdict(b.values, hits, content, w, p, offsets[i]), fmt.Sprintf("%s, %s, %d", w.name, column, n))
	}
	return c
}

// columns are the surroundings that every encoding is tried in.
func columns() []string { return []string{"text", "log", "source", "binary", "chunk borders"} }

const borders = "chunk borders"

// slow is from how many bytes on a plant is slow.
const slow = 1500

func TestRecall(t *testing.T) {
	b := newBench(t)
	e := wanted(t)
	encodings, inPlaces := rows(), allPlaces()
	cells, places := make([][]cell, len(encodings)), make([][]cell, len(inPlaces))
	t.Run("encodings", func(t *testing.T) {
		for i, w := range encodings {
			if brief(i) {
				continue
			}
			w.number = i
			t.Run(w.group+"/"+strings.ReplaceAll(w.name, "/", "|"), func(t *testing.T) {
				t.Parallel()
				for _, column := range columns() {
					cells[i] = append(cells[i], b.cell(t, w, column, e))
				}
				report(t, cells[i])
			})
		}
	})
	t.Run("places", func(t *testing.T) {
		for i, pl := range inPlaces {
			if brief(i) {
				continue
			}
			t.Run(strings.ReplaceAll(pl.name, "/", "|"), func(t *testing.T) {
				t.Parallel()
				places[i] = b.tryPlace(t, pl, e)
				report(t, places[i])
			})
		}
	})
	if e.quick && !testing.Short() {
		checkTable(t, table(encodings, cells, inPlaces, places))
	}
}

// cell plants and counts.
func (b *bench) cell(t *testing.T, w row, column string, e effort) cell {
	var c cell
	for n := range e.plants {
		switch {
		case column == borders:
			c.add(b.crowd(t, b.short, w, column, n))
			if !e.quick || w.keys == onlyKeys && w.number%4 == 0 {
				c.add(b.crowd(t, b.chunks, w, column, n))
			}
		case column == "binary" || w.text != noText:
			c.add(b.alone(t, w, column, e, n))
		}
	}
	return c
}

// report fails for what was not found as it should be.
func report(t *testing.T, cells []cell) {
	for _, g := range summary(cells) {
		t.Error(g)
	}
}

func (c *cell) add(o cell) {
	c.registered.add(o.registered)
	c.generic.add(o.generic)
	c.gaps = append(c.gaps, o.gaps...)
}

// summary is the gaps of a row: one of each kind of value and fault in full.
func summary(cells []cell) (out []string) {
	count := map[string]int{}
	var order []gap
	for _, c := range cells {
		for _, g := range c.gaps {
			key := g.kind + ": " + strings.Fields(g.wrong)[0]
			if count[key]++; count[key] == 1 {
				order = append(order, g)
			}
		}
	}
	for _, g := range order {
		key := g.kind + ": " + strings.Fields(g.wrong)[0]
		out = append(out, fmt.Sprintf("%s: %s (%d like it)\n\t%s: %s", g.kind, g.wrong, count[key], g.where, g.text))
	}
	return out
}
