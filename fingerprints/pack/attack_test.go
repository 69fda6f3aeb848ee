package pack_test

import (
	"encoding/hex"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/pack/packtest"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/strength"
)

const hexDigits = "0123456789abcdef"

// hexTokens are n values of size hex digits, each by itself of 4 bits a digit.
func hexTokens(seed uint64, n, size int) [][]byte {
	src := packtest.Seed(seed)
	out := make([][]byte, n)
	for i := range out {
		b := make([]byte, size/2)
		_, _ = src.Read(b)
		out[i] = []byte(hex.EncodeToString(b))
	}
	return out
}

// holder is an attacker with an edge pack and its key file.
type holder struct {
	table  *pack.Table
	tagger *anchor.Tagger
}

func (h *holder) inFilter(window []byte) bool {
	word, mask := anchor.Place(h.table.Key.WindowAt(window), h.table.LogWords)
	return h.table.Filter[word]&mask == mask
}

// grow extends a stretch whose windows are in the filter until it is a region
// whose tag is in the pack.
func (h *holder) grow(stretch []byte, found map[string]pack.Candidate) {
	g := h.table.Key.Geometry()
	if !h.inFilter(stretch[len(stretch)-g.Window:]) {
		return
	}
	if len(stretch) == g.Region() {
		for _, c := range h.table.AppendCandidates(nil, h.tagger.Tag(stretch)) {
			found[string(stretch)] = c
		}
		return
	}
	for i := range len(hexDigits) {
		h.grow(append(stretch, hexDigits[i]), found)
	}
}

// all tries every window over the alphabet.
func (h *holder) all() map[string]pack.Candidate {
	found := map[string]pack.Candidate{}
	w := make([]byte, h.table.Key.Geometry().Window, 32)
	for n := range 1 << (4 * len(w)) {
		for i := range w {
			w[i] = hexDigits[n>>(4*i)&15]
		}
		h.grow(w, found)
	}
	return found
}

// Whoever holds an edge pack and its keys recovers the regions of the values
// in it, and nothing more: not a byte beside a region, and no value from what
// is left.
func TestRegionAttack(t *testing.T) {
	const n = 64
	ring := packtest.Ring(t, 1)
	values := hexTokens(1, n, 40)
	weaker := hexTokens(2, n, 28) // 112 bits, of which a region leaves 76
	entries := register(t, ring, append(values, weaker...)...)
	p, err := pack.OpenBytes(write(t, ring, spec(fingerprints.AudienceEdge), entries...), ring.EdgeKeys(""), pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Count() != n || len(p.Tables()) != 1 {
		t.Fatalf("%d entries and %d tables: only the %d strong values belong here", p.Count(), len(p.Tables()), n)
	}
	h := &holder{table: p.Tables()[0], tagger: p.Tables()[0].Key.NewTagger()}
	found := h.all()

	// The attack is real: it finds every region, so a region counts as known.
	regions := map[string]bool{}
	for i, v := range values {
		off := entries[i].Edge.Regions[0].Offset
		region := string(v[off:][:anchor.Edge.Region()])
		regions[region] = true
		if c, ok := found[region]; !ok || c.Offset != off || c.Length != 40 {
			t.Fatalf("value %d: its region was not found as it was registered", i)
		}
	}
	for r := range found {
		if !regions[r] {
			t.Fatal("a stretch was confirmed that is no region")
		}
	}

	// Beside a region the filter answers like noise: the true neighbour is in
	// it as seldom as any other.
	neighbours, hits := 0, 0
	for i, v := range values {
		off := int(entries[i].Edge.Regions[0].Offset)
		for _, at := range []int{off - 1, off + anchor.Edge.Region() - anchor.Edge.Window + 1} {
			if at >= 0 && at+anchor.Edge.Window <= len(v) {
				neighbours++
				if h.inFilter(v[at:]) {
					hits++
				}
			}
		}
	}
	if neighbours < n || hits > 2 {
		t.Fatalf("%d of %d windows beside a region are in the filter", hits, neighbours)
	}

	// What is left outside is what the classes admit.
	for i, v := range values {
		r := entries[i].Edge.Regions[0]
		left := strength.Analyse(v, strength.Hint{}).Outside(strength.Span{Start: int(r.Offset), End: int(r.Offset) + 9})
		if left < strength.EdgeEstimated+strength.Known {
			t.Fatalf("value %d keeps %.0f bits outside its region", i, left)
		}
	}
}

// With the exact strength of its generator a value is admitted from 72 bits
// outside and 8 off on, without it from 80.
func TestAdmission(t *testing.T) {
	ring := packtest.Ring(t, 1)
	for _, c := range []struct {
		name string
		size int // hex digits
		hint strength.Hint
		want bool
	}{
		{"28 digits, estimated", 28, strength.Hint{}, false},
		{"28 digits, exact", 28, strength.Hint{Bits: 112}, false}, // 76
		{"30 digits, estimated", 30, strength.Hint{}, false},      // 84
		{"30 digits, exact", 30, strength.Hint{Bits: 120}, true},  // 84
		{"32 digits, estimated", 32, strength.Hint{}, true},       // 92
		{"40 digits of a poor generator", 40, strength.Hint{Bits: 64}, false},
		{"40 digits with a checksum of 10", 40, strength.Hint{Checksum: 10}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := registration.New(ring, packtest.Seed(5), nil)
			done, err := r.Register(registration.Input{
				Value: fingerprints.NewValue(hexTokens(9, 1, c.size)[0]), Field: "value", Revision: 1, Hint: c.hint,
			})
			if err != nil {
				t.Fatal(err)
			}
			h, err := pack.OpenBytes(write(t, ring, spec(fingerprints.AudienceEdge), done.Entry), ring, pack.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Count() == 1; got != c.want || (done.Row.Strength == fingerprints.StrengthEdge) != c.want {
				t.Fatalf("in the edge pack: %v, class %s", got, done.Row.Strength)
			}
			if h.Header().Registered != 1 {
				t.Fatal("the pack does not say how many fields it leaves out")
			}
		})
	}
}
