package registration_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/strength"
)

func offsets(a *registration.Anchors) []uint32 {
	if a == nil {
		return nil
	}
	var out []uint32
	for _, r := range a.Regions {
		out = append(out, r.Offset)
	}
	return out
}

// jwt is a signed token whose header and payload other tokens share.
func jwt(seed uint64) []byte {
	head := "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" + ".ey" + "Jpc3MiOiJiaWxsaW5nIiwic3ViIjoid29ya2VyIn0."
	return append([]byte(head), token(seed, 43)...)
}

// Regions keep to where the specification wants them.
func TestRegionAvoids(t *testing.T) {
	r := registration.New(newRing(t, 1), seeded(2), nil)
	for _, c := range []struct {
		name     string
		value    func(seed uint64) []byte
		hint     strength.Hint
		from, to int // where core regions must lie
	}{
		{"prefix and checksum", func(s uint64) []byte { return append([]byte("gh"+"p_"), token(s, 36)...) }, strength.Hint{}, 4, 34},
		{"hint", func(s uint64) []byte { return append([]byte("ourkey."), token(s, 40)...) }, strength.Hint{Prefix: 7, Checksum: 8}, 7, 39},
		{"signature of a JWT", jwt, strength.Hint{}, 81, 124},
		{"escaped characters", func(s uint64) []byte {
			return slices.Concat([]byte("%$&'\"/+="), token(s, 13), bytes.Repeat([]byte("<\\>"), 9))
		}, strength.Hint{}, 8, 21},
		{"few different bytes", func(s uint64) []byte { return append(bytes.Repeat([]byte("01"), 30), token(s, 15)...) }, strength.Hint{}, 50, 75},
		{"common windows", func(s uint64) []byte { return append([]byte("pass"+"word-localhost-12345-"), token(s, 24)...) }, strength.Hint{}, 25, 49},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(40) {
				v := c.value(seed)
				done, err := r.Register(registration.Input{Value: fingerprints.NewValue(v), Revision: 1, Hint: c.hint})
				if err != nil {
					t.Fatal(err)
				}
				for _, off := range offsets(done.Entry.Core) {
					if int(off) < c.from || int(off)+anchor.Core.Region() > c.to {
						t.Fatalf("seed %d: region at %d of %d bytes, want it in %d..%d", seed, off, len(v), c.from, c.to)
					}
				}
			}
		})
	}
}

// A value of punctuation alone still gets the best region there is.
func TestRegionOfPunctuation(t *testing.T) {
	v := []byte("%$&'\"/+=!?#@*()[]{}<>|~^`,;:%$&'")
	e := register(t, registration.New(newRing(t, 1), seeded(2), nil), v).Entry
	if e.Core == nil || len(e.Core.Regions) != 1 {
		t.Fatal("no region")
	}
}

// Positions are spread evenly over a value, and the edge region over the core
// region.
func TestRegionDistribution(t *testing.T) {
	r := registration.New(newRing(t, 1), seeded(2), nil)
	const n, length = 2500, 40
	core, edge := make([]int, length-13+1), make([]int, 13-9+1)
	for i := range n {
		e := register(t, r, token(uint64(i), length)).Entry
		core[e.Core.Regions[0].Offset]++
		if e.Edge != nil {
			edge[e.Edge.Regions[0].Offset-e.Core.Regions[0].Offset]++
		}
	}
	// Regions with '-' and '_' or repeated characters are as good; nothing
	// weighs on a position but the value, so chi-square stays near its mean.
	for name, counts := range map[string][]int{"core": core, "edge": edge} {
		total := 0
		for _, c := range counts {
			total += c
		}
		mean, chi := float64(total)/float64(len(counts)), 0.0
		for _, c := range counts {
			chi += (float64(c) - mean) * (float64(c) - mean) / mean
		}
		free := float64(len(counts) - 1)
		if limit := free + 5*math.Sqrt(2*free); chi > limit {
			t.Errorf("%s: chi-square %.1f over %.0f degrees, limit %.1f: %v", name, chi, free, limit, counts)
		}
	}
}

// The region of a value depends on the installation's keys, and on nothing
// that changes.
func TestRegionStays(t *testing.T) {
	ring, other := newRing(t, 1), newRing(t, 2)
	differ := 0
	for i := range uint64(50) {
		v := token(i, 60)
		a := register(t, registration.New(ring, seeded(3), nil), v).Entry
		b := register(t, registration.New(ring, seeded(4), newIndex()), v).Entry
		if d := cmp.Diff([][]uint32{offsets(a.Core), offsets(a.Edge)}, [][]uint32{offsets(b.Core), offsets(b.Edge)}); d != "" {
			t.Fatalf("registered twice: %s", d)
		}
		if c := register(t, registration.New(other, seeded(3), nil), v).Entry; offsets(c.Core)[0] != offsets(a.Core)[0] {
			differ++
		}
	}
	if differ < 40 {
		t.Fatalf("%d of 50 regions differ under another ring: the order is not keyed", differ)
	}
}

// A known value keeps its region where it is crowded and under new keys.
func TestKnownValueKeepsItsRegion(t *testing.T) {
	ring, known := newRing(t, 1), newIndex()
	r := registration.New(ring, seeded(3), known)
	for _, n := range []int{12, 60, 300} {
		v := token(uint64(n), n)
		first := register(t, r, v).Entry
		known.add(first)
		for _, tag := range first.Tags() {
			known.shared[tag] += 1000
		}
		again := register(t, r, v).Entry
		if d := cmp.Diff(first.Core, again.Core); d != "" {
			t.Fatal(d)
		}
		if err := ring.Rotate(seeded(uint64(n)), day, keys.RotateCompromise); err != nil {
			t.Fatal(err)
		}
		moved := register(t, registration.New(ring, seeded(9), known), v).Entry
		if d := cmp.Diff([][]uint32{offsets(first.Core), offsets(first.Edge)}, [][]uint32{offsets(moved.Core), offsets(moved.Edge)}); d != "" {
			t.Fatal(d)
		}
		if moved.Core.MAC == first.Core.MAC || moved.Core.Regions[0].Tag == first.Core.Regions[0].Tag || moved.ValueID != first.ValueID {
			t.Fatal("after a compromise MAC and tags change and the id stays")
		}
		r = registration.New(ring, seeded(10), known)
	}
}

// Values that share most of their bytes do not share their regions.
func TestFlood(t *testing.T) {
	for _, c := range []struct {
		name  string
		value func(i uint64) []byte
	}{
		{"common head", func(i uint64) []byte { return append(token(1<<16, 60), token(i, 20)...) }},
		{"common tail", func(i uint64) []byte { return append(token(i, 20), token(1<<16, 60)...) }},
		{"common ends of long values", func(i uint64) []byte {
			return slices.Concat(token(1<<16, 100), token(i, 60), token(1<<16, 100))
		}},
		{"short", func(i uint64) []byte { return append([]byte("Zq7x"), token(i, 10)...) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			known := newIndex()
			r := registration.New(newRing(t, 1), seeded(3), known)
			values := map[uint64]map[fingerprints.ValueID]bool{}
			single := map[int]int{} // crowded regions of a value
			for i := range uint64(1000) {
				e := register(t, r, c.value(i)).Entry
				known.add(e)
				for _, tag := range e.Tags() {
					if values[tag] == nil {
						values[tag] = map[fingerprints.ValueID]bool{}
					}
					values[tag][e.ValueID] = true
				}
			}
			for _, v := range values {
				if len(v) > 4 {
					single[len(v)]++
				}
			}
			if len(single) > 0 {
				t.Fatalf("regions that more than 4 values share, by number of values: %v", single)
			}
		})
	}
}

// Lines of 60 bytes and more never break two regions of a long value, and
// lines of 30 and more leave one whole.
func TestWrappingLeavesRegionsWhole(t *testing.T) {
	r := registration.New(newRing(t, 1), seeded(2), nil)
	for i := range uint64(60) {
		v := token(i, 129+int(i*i)*3)
		off := offsets(register(t, r, v).Entry.Core)
		if len(off) != 3 {
			t.Fatalf("%d regions", len(off))
		}
		for width := 30; width <= 200; width++ {
			for lead := range width {
				cut := 0
				for _, o := range off {
					if (int(o)+lead)%width+13 > width {
						cut++
					}
				}
				if cut == 3 || cut == 2 && width >= 60 {
					t.Fatalf("value of %d bytes, regions %v: wrapping at %d from column %d cuts %d", len(v), off, width, lead, cut)
				}
			}
		}
	}
}

// Three regions stand anywhere in a long value.
func TestClustersAreSpread(t *testing.T) {
	r := registration.New(newRing(t, 1), seeded(2), nil)
	const n, length = 600, 1000
	var thirds [3]int
	for i := range uint64(n) {
		thirds[int(offsets(register(t, r, token(i, length)).Entry.Core)[1])*3/length]++
	}
	for _, c := range thirds {
		if c < n/3-60 || c > n/3+60 {
			t.Fatalf("middle regions in the thirds of the value: %v", thirds)
		}
	}
}
