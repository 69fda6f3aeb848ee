package recall_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
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

// alone scans every plant in a content of its own, and what differs from the
// value by little. A quick run takes each plant in two columns, what is slow in
// one.
func (b *bench) alone(t *testing.T, w row, column string, e effort, n int) cell {
	var c cell
	where := fmt.Sprintf("%s, %s, %d", w.name, column, n)
	for k, o := range b.offered(w) {
		turn := w.number + slices.Index(columns(), column) + k
		if e.quick && turn%2 != 0 {
			continue
		}
		r := seeded(w.group, w.name, column, strconv.Itoa(n), strconv.Itoa(k))
		p, ok := b.plant(r, w, o)
		if !ok || e.quick && len(p.text) > slow && turn%4 != 0 {
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
	return bytes.Contains(content, value) || bytes.Contains(unbroken(content), value)
}

// unbroken is a text without its line breaks and what indents the lines behind
// them.
func unbroken(text []byte) []byte {
	return regexp.MustCompile(`\r?\n[ \t]*`).ReplaceAll(text, nil)
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

// mixed scans plants of every encoding in one content for each column: what
// one encoding leaves open must not hide another.
func (b *bench) mixed(t *testing.T, all []row, e effort) []cell {
	var cells []cell
	for _, column := range columns() {
		kind, eye := column, b.whole
		if column == borders {
			kind, eye = "log", b.chunks
		}
		var c cell
		for n := range e.plants {
			r := seeded("mixed", column, strconv.Itoa(n))
			var content []byte
			var list []plant
			var offsets, of []int
			for _, i := range r.Perm(len(all)) {
				if all[i].text == noText && column != "binary" {
					continue
				}
				for _, p := range b.plantsOf(r, all[i], b.offered(all[i]), 1) {
					content = append(content, b.straw(r, kind, 100+r.IntN(2000))...)
					list, offsets, of = append(list, p), append(offsets, len(content)), append(of, i)
					content = append(content, p.text...)
				}
			}
			hits := look(t, eye, content)
			for k, p := range list {
				c.take(p, eye.verdict(b.values, hits, content, all[of[k]], p, offsets[k]), fmt.Sprintf("%s, mixed, %s, %d", all[of[k]].name, column, n))
			}
		}
		cells = append(cells, c)
	}
	return cells
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
	inGit := make([][]cell, len(gitLayouts()))
	t.Run("git", func(t *testing.T) {
		for i, layout := range gitLayouts() {
			if brief(i) {
				continue
			}
			t.Run(layout, func(t *testing.T) {
				t.Parallel()
				inGit[i] = b.tryGit(t, layout)
				for _, c := range inGit[i] {
					report(t, []cell{c})
				}
			})
		}
	})
	inImages := make([][]cell, len(imageLayouts()))
	t.Run("images", func(t *testing.T) {
		for i, layout := range imageLayouts() {
			if brief(i) {
				continue
			}
			t.Run(layout, func(t *testing.T) {
				t.Parallel()
				inImages[i] = b.tryImage(t, layout)
				for _, c := range inImages[i] {
					report(t, []cell{c})
				}
			})
		}
	})
	var inContext []cell
	t.Run("build context", func(t *testing.T) {
		inContext = b.tryContext(t)
		for _, c := range inContext {
			report(t, []cell{c})
		}
	})
	kinds := logKinds()
	inLogs := make([][]cell, len(kinds))
	t.Run("logs", func(t *testing.T) {
		for i, k := range kinds {
			if brief(i) {
				continue
			}
			t.Run(strings.ReplaceAll(k.name, "/", "|"), func(t *testing.T) {
				t.Parallel()
				inLogs[i] = b.tryLog(t, k, i, e)
				report(t, inLogs[i])
			})
		}
	})
	var together []cell
	t.Run("mixed", func(t *testing.T) {
		together = b.mixed(t, encodings, e)
		report(t, together)
	})
	if e.quick && !testing.Short() {
		checkTable(t, table(encodings, cells, together, inPlaces, places, inGit, inLogs, append(inImages, inContext)))
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
