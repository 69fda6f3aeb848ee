package recall_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"revenant/fingerprints"
	"revenant/scanners"
)

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

// offer is a kind of value, or a rule: some of b.values or b.secrets.
type offer struct {
	from, to int
	secret   bool
}

// allOffers are the kinds of the values, then the rules of the secrets.
func allOffers(values []value, secrets []secret) (out []offer) {
	for i, v := range values {
		if i == 0 || v.kind != values[i-1].kind {
			out = append(out, offer{from: i})
		}
		out[len(out)-1].to = i + 1
	}
	for i, s := range secrets {
		if i == 0 || s.rule != secrets[i-1].rule {
			out = append(out, offer{from: i, secret: true})
		}
		out[len(out)-1].to = i + 1
	}
	return out
}

// offered are the kinds and rules that a row may be tried with; those of
// values come first.
func (b *bench) offered(w row) []offer {
	if w.bare || w.sure {
		return b.offers[:b.kinds]
	}
	return b.offers
}

// plant makes a plant of an offer; false where the row is not for it.
func (b *bench) plant(r *rand.Rand, w row, o offer) (plant, bool) {
	i := o.from + r.IntN(o.to-o.from)
	if o.secret {
		s := b.secrets[i]
		p, ok := encode(r, w, s.text, s.at)
		p.value, p.of, p.kind, p.pem = -1, s, s.rule, s.pem
		return p, ok && w.takes(s.pem)
	}
	v := b.values[i]
	p, ok := encode(r, w, v.bytes, stretch{0, len(v.bytes)})
	p.value, p.kind, p.pem = i, v.kind, v.key
	return p, ok && w.takes(v.key)
}

// plants are one plant of every kind of value, and of every rule.
func (b *bench) plants(r *rand.Rand, w row) []plant {
	return b.firstPlants(r, w, len(b.offers))
}

// firstPlants are the first n of the plants.
func (b *bench) firstPlants(r *rand.Rand, w row, n int) []plant {
	var out []plant
	for _, o := range b.offered(w) {
		if len(out) == n {
			break
		}
		if p, ok := b.plant(r, w, o); ok {
			out = append(out, p)
		}
	}
	return out
}

// plantsOf are plants of some of the offers, at the most n, in random order.
func (b *bench) plantsOf(r *rand.Rand, w row, offers []offer, n int) []plant {
	var out []plant
	for _, i := range r.Perm(len(offers)) {
		if len(out) == n {
			break
		}
		if p, ok := b.plant(r, w, offers[i]); ok {
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
	case p.value < 0: // a rule may also match from one plant to the next
		wrong := ""
		for _, h := range mine {
			if wrong = misplaced(h.Span, zone, h.Form); wrong == "" {
				break
			}
		}
		return wrong
	case len(mine) > 1 && !w.gutter:
		return fmt.Sprintf("found %d times: %v", len(mine), places(mine))
	case !slices.Equal(mine[0].Rows, []fingerprints.RowID{e.rows[p.value]}):
		return "taken for another value"
	}
	want := scanners.Span{Start: int64(offset + p.at.from), End: int64(offset + p.at.to)}
	got := mine[0].Span
	if w.exact && !p.pem {
		// Escaping may leave the value as it is, but for a character before it.
		if got != want && !bytes.Equal(content[got.Start:got.End], v[p.value].bytes) && !behindItsEscape(got, want, content) {
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

// behindItsEscape reports whether a value that begins with a backslash was
// found but for the one that escapes it: another encoding within was undone
// first, and the value stands there, too.
func behindItsEscape(got, want scanners.Span, content []byte) bool {
	return got.End == want.End && got.Start == want.Start+1 && content[want.Start] == '\\' && content[got.Start] == '\\'
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
