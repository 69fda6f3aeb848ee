package recall_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"revenant/scanners"
)

// logColumns are the groups of encodings that every log is tried with.
func logColumns() []string {
	return []string{"raw", "base64", "hex", "escapes", "other", "lists", "broken", "layers", "private keys", "more"}
}

// share is how many of the plants of a row a quick run tries in each log: one
// in so many.
const share = 30

// tryLog plants every encoding in logs of a kind, and counts by group.
func (b *bench) tryLog(t *testing.T, k logKind, number int, e effort) []cell {
	cells := make([]cell, len(logColumns()))
	for i, w := range rows() {
		column := slices.Index(logColumns(), w.group)
		w, ok := k.inLog(w)
		if column < 0 || !ok {
			continue
		}
		for n := range e.plants {
			first, most := 0, len(b.offers)
			if e.quick { // what is behind the last that is tried need not be made
				first = (share - (i+number)%share) % share
				most = min(most, first+1)
			}
			if first >= len(b.offered(w)) {
				continue
			}
			for j, p := range b.firstPlants(seeded("logs", w.name, strconv.Itoa(n)), w, most) {
				if j >= first && !k.unlogged(w, p) {
					cells[column].add(b.logged(t, w, p, j))
				}
			}
		}
	}
	return cells
}

// logged scans a plant in a log, and what differs from it by little.
func (b *bench) logged(t *testing.T, w row, p plant, j int) (c cell) {
	c.take(p, b.whole.verdict(b.values, look(t, b.whole, p.text), p.text, w, p, 0), w.name)
	if p.value < 0 || j%3 != 0 {
		return c
	}
	r := seeded("decoy", w.name, p.kind)
	value := b.values[p.value]
	miss := value.misses[r.IntN(len(value.misses))]
	if !value.key && len(miss) < len(value.bytes) {
		return c // what follows in another line may make it whole
	}
	d, ok := encode(r, w, miss, stretch{0, len(miss)})
	if !ok || putRight(d.text, value.bytes) || bytes.Contains(bytes.ReplaceAll(d.text, []byte("\r"), nil), value.bytes) {
		return c
	}
	c.registered.decoys++
	if slices.ContainsFunc(look(t, b.whole, d.text), scanners.Hit.Registered) {
		c.registered.false++
		c.gaps = append(c.gaps, gap{w.name, p.kind, "decoy found", shown(d.text, d.at)})
	}
	return c
}

// logTable is the part of the page about logs.
func logTable(b *strings.Builder, kinds []logKind, cells [][]cell) {
	b.WriteString(logHead)
	header(b, "log", logColumns())
	for i, k := range kinds {
		tableLine(b, k.name, cells[i])
	}
}

const logHead = `
## Logs of builds and of containers

What a build writes, every encoding of it, as CI servers and container runtimes log
it: behind times, names and streams, between sections and folds, coloured, in parts of
16 KB, in records. This is the quick run, which tries one plant in thirty of each row; the columns
are the groups above.

Not planted: several lines or a pass phrase in quoted-printable, nor secrets that only rules know, for which one soft break is no sign of mail; a part of a line that is longer than 5 KB on either
side of where it was cut, or cut within an escape; a log of containers in a record of another log; in Docker's json-file, values that
were broken before they were logged; behind what no stamp is known for (from Go's log on), objects of several lines, words that were
broken, uuencode, and dumps behind another time; copies that take more than 32 KB; keys as lists of character literals in a string, or coloured in one;
base85 of Adobe in several lines, and RTF.

`
