package recall_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/ingest/redact"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// pipe redacts what is written to it, in a time of its own.
type pipe struct {
	t      *testing.T
	out    bytes.Buffer
	stream *redact.Stream
	now    time.Time
}

// exactly is an eye's engine without the rules.
func (e eye) exactly() *scanners.Engine {
	return &scanners.Engine{Matchers: e.engine.Matchers[:1], Viewer: e.engine.Viewer, Parallel: 1}
}

func (e eye) pipe(t *testing.T, engine *scanners.Engine, batch int) *pipe {
	p := &pipe{t: t, now: time.Unix(1_800_000_000, 0)}
	var err error
	p.stream, err = redact.New(&p.out, redact.Options{Engine: engine, Marks: scan.NewMarks(known{e.rows}), Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pipe) take(b []byte) {
	if err := p.stream.Take(p.t.Context(), p.now, b); err != nil {
		p.t.Error(err)
	}
}

// pause lets time pass, and whatever is due in it.
func (p *pipe) pause(d time.Duration) {
	end := p.now.Add(d)
	for due := p.stream.Due(); !due.IsZero() && !due.After(end); due = p.stream.Due() {
		if due.After(p.now) {
			p.now = due
		}
		if err := p.stream.Tick(p.t.Context(), p.now); err != nil {
			p.t.Error(err)
			return
		}
	}
	p.now = end
}

func (p *pipe) end() []byte {
	if err := p.stream.End(p.t.Context()); err != nil {
		p.t.Error(err)
	}
	return p.out.Bytes()
}

// reading is every registered hit that an engine finds.
func reading(t *testing.T, e *scanners.Engine, content []byte) []scanners.Hit {
	var hits []scanners.Hit
	_, err := e.Scan(context.Background(), bytes.NewReader(content), "", func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return hits
}

// without is a content with every value that an engine finds taken out.
func (e eye) without(t *testing.T, engine *scanners.Engine, content []byte) []byte {
	var out []byte
	at := 0
	for _, c := range scan.NewMarks(known{e.rows}).Covers(t.Context(), scan.WholeRows(content, 0, 0, reading(t, engine, content))) {
		out = append(append(out, content[at:c.Span.Start]...), c.Mark...)
		at = int(c.Span.End)
	}
	return append(out, content[at:]...)
}

// TestRedaction pushes every encoding through the pipe, cut at every byte with a
// pause in which whole lines go out. Nothing of any value is found in what comes
// out, and every other byte is what it was.
func TestRedaction(t *testing.T) {
	b, e := newBench(t), wanted(t)
	for i, w := range rows() {
		if brief(i) {
			continue
		}
		t.Run(w.group+"/"+strings.ReplaceAll(w.name, "/", "|"), func(t *testing.T) {
			t.Parallel()
			engine := b.whole.exactly()
			r := seeded("redaction", w.group, w.name)
			kind := "log"
			if w.text == noText {
				kind = "binary"
			}
			most := b.kinds
			if e.quick {
				most = 2
			}
			for _, p := range b.plantsOf(r, w, b.offers[:b.kinds], most) {
				b.cutEverywhere(t, engine, r, kind, w, p)
			}
		})
	}
}

// pause is how long nothing comes at a cut of an encoding: less than what lets
// everything through. Where nothing but the value itself shows that it goes on in
// the next line, it is less than what lets lines through.
func (w row) pause() time.Duration {
	if slices.Contains([]string{"a line break", "a line break and blanks", "log lines behind timestamps", "RTF"}, w.name) {
		return redact.DefaultSettle / 2
	}
	return redact.DefaultSilence * 3 / 4
}

// manyCuts is how many places a plant is cut at, at the most.
const manyCuts = 60

func (b *bench) cutEverywhere(t *testing.T, engine *scanners.Engine, r *rand.Rand, kind string, w row, p plant) {
	before := b.straw(r, kind, 200)
	content := slices.Concat(before, p.text, b.straw(r, kind, 200))
	want := b.whole.without(t, engine, content)
	if hits := reading(t, engine, want); len(hits) > 0 {
		t.Errorf("%s: %v are found in what was redacted at once: %q of %s", p.kind, places(hits), want, shown(p.text, p.at))
		return
	}
	if bytes.Equal(want, content) {
		t.Errorf("%s: not found", p.kind)
		return
	}
	step := max(1, len(p.text)/manyCuts)
	for cut := len(before) + r.IntN(step); cut <= len(before)+len(p.text); cut += step {
		one := b.whole.pipe(t, engine, 0)
		one.take(content[:cut])
		one.pause(w.pause())
		one.take(content[cut:])
		if got := one.end(); !bytes.Equal(got, want) {
			t.Errorf("%s, cut behind %q:\n got %q\nwant %q", p.kind, content[max(0, cut-100):cut], got, want)
			return
		}
	}
}

// TestRedactionOfMuch has plants of every encoding in one stream, which comes in
// pieces of any size, fast and slowly, and is looked at in parts that are small
// beside what is held.
func TestRedactionOfMuch(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		eye   eye
		batch int
		bytes int
	}{
		"every value":  {b.whole, 30_000, 600 << 10},
		"short values": {b.short, 7_000, 300 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := c.eye.exactly()
			content := b.allKinds(c.eye, seeded("redaction of much", name), c.bytes)
			want := c.eye.without(t, engine, content)
			if hits := reading(t, engine, want); len(hits) > 0 {
				t.Errorf("%v are found in what was redacted at once", places(hits))
			}
			for how, most := range map[string]int{"small": 40, "large": 90_000} {
				r := seeded("pieces", name, how)
				p := c.eye.pipe(t, engine, c.batch)
				for rest := content; len(rest) > 0; {
					n := min(len(rest), 1+r.IntN(most))
					p.take(rest[:n])
					rest = rest[n:]
					if r.IntN(20) == 0 {
						p.pause(time.Duration(r.IntN(int(redact.DefaultSettle))))
					}
				}
				// Which of two zeros belongs to a character of UTF-16 hangs on what is around.
				if got := unblanked(p.end()); !bytes.Equal(got, unblanked(want)) {
					t.Errorf("%s pieces: %s", how, difference(got, unblanked(want)))
				}
				if p.stream.Late() > 0 {
					t.Errorf("%s pieces: %d values had gone out in part", how, p.stream.Late())
				}
			}
		})
	}
}

// allKinds is a log with plants of every encoding in it that the eye looks for.
func (b *bench) allKinds(e eye, r *rand.Rand, n int) (content []byte) {
	all := rows()
	for len(content) < n {
		for _, i := range r.Perm(len(all)) {
			if all[i].text == noText {
				continue
			}
			for _, p := range b.plantsOf(r, all[i], b.offers[:b.kinds], 1) {
				if e.rows[p.value] != (fingerprints.RowID{}) {
					content = append(append(content, b.straw(r, "log", 100+r.IntN(2000))...), p.text...)
				}
			}
		}
	}
	return content
}

// unblanked is a text without zeros and blanks.
func unblanked(text []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte{0}, nil), []byte(" "), nil)
}

// difference is where two texts begin to differ.
func difference(got, want []byte) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	from := max(0, i-60)
	return fmt.Sprintf("at %d of %d:\n got %q\nwant %q", i, len(want), got[from:min(len(got), i+200)], want[from:min(len(want), i+200)])
}
