package rules

import (
	"math/rand/v2"
	"testing"
)

// TestPrefilter: every lead is told of wherever it stands, however near to the edges of a
// text, whatever is beside it.
func TestPrefilter(t *testing.T) {
	m, err := New(Options{Own: OwnOn})
	if err != nil {
		t.Fatal(err)
	}
	var all []lead
	var builder prefilterBuilder
	for _, b := range m.engine.branches {
		for _, l := range b.leads {
			builder.add([]lead{l}, len(all))
			all = append(all, l)
		}
	}
	p := builder.build()
	stands := func(l *lead, text []byte, at int) bool {
		for i := range l.sets {
			if at+i >= len(text) || !l.sets[i].has(text[at+i]) {
				return false
			}
		}
		n := at + len(l.sets)
		return l.next == (byteSet{}) || n < len(text) && l.next.has(text[n])
	}
	type place struct{ lead, at int }
	r := rand.New(rand.NewPCG(5, 2))
	var marked []uint32
	stood := 0
	for round := range 3 * len(all) {
		text := []byte(leadText(m.engine, r))
		text = text[:min(len(text), r.IntN(120))]
		first := len(text)
		text = append(text, leadIn(all[round%len(all)], r)...)
		from := 0
		switch round % 4 {
		case 0: // it begins the text
			text, from = text[first:], 0
		case 1: // it ends it
		default:
			text = append(text, leadText(m.engine, r)[:20]...)
		}
		marked = p.grams.Append(marked[:0], text[from:], len(text)-from)
		told := map[place]bool{}
		p.suspects(text, from, marked, nil, func(target, at int) no {
			told[place{target, at}] = true
			return no{read: unsure}
		})
		for i := range all {
			for at := range text {
				if !stands(&all[i], text, at) {
					continue
				}
				stood++
				if !told[place{i, at}] {
					t.Fatalf("lead %d of %q at %d is not told of in %q", i, describe(all[i:i+1]), at, text)
				}
			}
		}
	}
	if stood < len(all) {
		t.Errorf("%d leads stood anywhere, of %d", stood, len(all))
	}
}
