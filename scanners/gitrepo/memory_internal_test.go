package gitrepo

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// parts is a memory in memory, which can be killed while it saves.
type parts struct {
	by   map[string][]byte
	left int // savings and removals until it is killed; negative: never
}

var errKilled = errors.New("killed")

type openedPart struct{ *bytes.Reader }

func (openedPart) Close() error { return nil }

func (p *parts) Open(name string) (Part, error) {
	b, has := p.by[name]
	if !has {
		return nil, os.ErrNotExist
	}
	return openedPart{bytes.NewReader(b)}, nil
}

func (p *parts) step() error {
	if p.left == 0 {
		return errKilled
	}
	p.left--
	return nil
}

func (p *parts) Save(name string, b []byte) error {
	if err := p.step(); err != nil {
		return err
	}
	p.by[name] = bytes.Clone(b)
	return nil
}

func (p *parts) Remove(name string) error {
	if err := p.step(); err != nil {
		return err
	}
	delete(p.by, name)
	return nil
}

func testID(rng *rand.Rand, size int) oid {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return objects.MakeID(b)
}

// someMemory is a memory with something in each field.
func someMemory(rng *rand.Rand, size int) *memory {
	ids := func() (list []oid) {
		for range 1 + rng.IntN(3) {
			list = append(list, testID(rng, size))
		}
		return list
	}
	m := &memory{
		knows: Knowledge{Generic: [32]byte{1, 2}, Fields: rng.Uint64(), Rules: []RuleMark{{1}, {2}}, Permits: []RuleMark{{3}}},
		salt:  [16]byte{5}, came: true, surely: true, links: rng.IntN(2) == 0,
		read:    keptMarks{base{slot: 1, generation: 7, count: 1 << 33}, []uint64{1, 5, 1 << 60}},
		reached: keptMarks{base{slot: 0, generation: 9, count: 3}, []uint64{2}},
		clean:   []uint64{4, 8}, packs: [][]byte{ids()[0].Bytes()},
		trees: ids(), pointers: ids(),
		held:    []remembered{{id: ids()[0], size: 1 << 40}},
		written: []remembered{{id: ids()[0], kind: objects.Tag, presence: fingerprints.PresenceHistory}},
		places:  []remembered{{id: ids()[0], commit: ids()[0], presence: fingerprints.PresenceTip, mark: 5}},
		tags:    []peeled{{ids()[0], ids()[0], true}},
		sets:    [][]uint32{{0, 1}, {}},
		spots:   []stoodSpot{{ids()[0], true, 77, ids()}, {ids()[0], false, 78, []oid{}}},
	}
	for _, id := range sorted(ids()) {
		m.commits = append(m.commits, tip{id: id, tip: rng.IntN(2) == 0, is: true, set: uint32(rng.IntN(3))})
	}
	return m
}

// TestMemoryCode: a memory comes back as it was, and none comes back that was
// cut or changed anywhere.
func TestMemoryCode(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{20, 32} {
		want := someMemory(rng, size)
		b := want.encode()
		got, err := decodeMemory(b, size)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(memory{}, keptMarks{}, base{}, tip{}, peeled{}, remembered{}, stoodSpot{}, oid{})); diff != "" {
			t.Errorf("%d bytes (-kept +remembered):\n%s", size, diff)
		}
		if !bytes.Equal(got.encode(), b) {
			t.Error("what was remembered is kept differently")
		}
		for cut := range len(b) {
			if _, err := decodeMemory(b[:cut], size); !errors.Is(err, errForgotten) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			bad := bytes.Clone(b)
			bad[cut] ^= 0x10
			if _, err := decodeMemory(bad, size); !errors.Is(err, errForgotten) {
				t.Fatalf("changed at %d: %v", cut, err)
			}
		}
		if _, err := decodeMemory(b, 52-size); err == nil {
			t.Error("ids of another size")
		}
	}
}

// FuzzMemory reads fields that nobody vouches for: what is taken can be kept and
// says the same again.
func FuzzMemory(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 3 {
		f.Add(someMemory(rng, 20).encode()[len(memoryHead)+sha256.Size:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeFields(b, 20)
		if err != nil {
			return
		}
		recallStood(m.salt, m)
		again, err := decodeMemory(m.encode(), 20)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.encode(), m.encode()) {
			t.Fatal("it says something else now")
		}
	})
}

// TestMarkSet keeps sets of many sizes, changes them, and kills the keeping after
// every step: what a state names is always there and says what was kept.
func TestMarkSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	mem := &parts{by: map[string][]byte{}, left: -1}
	want := map[uint64]bool{}
	var state keptMarks
	for round := range 40 {
		s := markSet{saved: base{name: "test"}}
		if !s.recall(mem, state) {
			t.Fatalf("round %d: the marks are gone", round)
		}
		for m := range want {
			if !s.has(m) {
				t.Fatalf("round %d: %x is gone", round, m)
			}
		}
		for range 200 {
			if m := rng.Uint64(); s.has(m) != want[m] {
				t.Fatalf("round %d: %x was never there", round, m)
			}
		}
		next := map[uint64]bool{}
		for m := range want {
			next[m] = true
		}
		var gone []uint64
		if round%7 == 3 {
			for m := range want {
				gone = append(gone, m)
				delete(next, m)
				break
			}
		}
		for range rng.IntN([]int{3, 500, 9000}[round%3]) {
			m := rng.Uint64()
			s.fresh, next[m] = append(s.fresh, m), true
		}
		mem.left = -1
		if round%2 == 0 {
			mem.left = rng.IntN(3)
		}
		kept, moved, err := s.keep(mem, gone)
		if err == nil && mem.step() == nil { // the state is saved
			state, want = kept, next
			err = s.kept(mem, kept, moved)
		}
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if len(mem.by) > slots {
			t.Fatalf("%d parts", len(mem.by))
		}
	}
	if len(want) < 20_000 || state.base.count == 0 {
		t.Fatalf("only %d marks, %d of them in a part", len(want), state.base.count)
	}
}

// TestMarksDamaged: a damaged block is noticed when it is read, and its marks are
// not there.
func TestMarksDamaged(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	all := make([]uint64, 3*blockMarks+17)
	for i := range all {
		all[i] = rng.Uint64()
	}
	slices.Sort(all)
	b := base{name: "x", generation: 3, count: int64(len(all))}
	good := b.encode(all)
	for _, at := range []int{0, 5000, 2*blockSize - 1, len(good) - 1} {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		s := openMarks(&parts{by: map[string][]byte{"x0": bad}}, b)
		missing := 0
		for _, m := range all {
			if !s.has(m) {
				missing++
			}
		}
		if missing == 0 || missing > 2*blockMarks || !s.damaged() {
			t.Errorf("damage at %d: %d marks are missing, noticed: %v", at, missing, s.damaged())
		}
	}
	for name, other := range map[string]base{
		"another generation": {name: "x", generation: 4, count: b.count},
		"fewer":              {name: "x", generation: 3, count: b.count - 1},
		"too many":           {name: "x", generation: 3, count: 1 << 62},
		"negative":           {name: "x", generation: 3, count: -1},
		"elsewhere":          {name: "x", slot: 1, generation: 3, count: b.count},
	} {
		s := openMarks(&parts{by: map[string][]byte{"x0": good}}, other)
		if s != nil && s.has(all[len(all)/2]) {
			t.Errorf("%s: it is taken for the part", name)
		}
	}
}

// TestChange: what is looked for now and was not before.
func TestChange(t *testing.T) {
	a, b, c, p, q := RuleMark{1}, RuleMark{2}, RuleMark{3}, RuleMark{4}, RuleMark{5}
	for name, tc := range map[string]struct {
		before, now Knowledge
		want        Change
	}{
		"nothing":            {Knowledge{Rules: []RuleMark{a, b}}, Knowledge{Rules: []RuleMark{a, b}}, Change{}},
		"one more":           {Knowledge{Rules: []RuleMark{a}}, Knowledge{Rules: []RuleMark{a, b}}, Change{Rules: []RuleMark{b}}},
		"one less":           {Knowledge{Rules: []RuleMark{a, b}}, Knowledge{Rules: []RuleMark{b}}, Change{}},
		"one changed":        {Knowledge{Rules: []RuleMark{a, b}}, Knowledge{Rules: []RuleMark{a, c}}, Change{Rules: []RuleMark{c}}},
		"values":             {Knowledge{Rules: []RuleMark{a}, Fields: 1}, Knowledge{Rules: []RuleMark{a}, Fields: 2}, Change{Fields: true}},
		"both":               {Knowledge{Fields: 1}, Knowledge{Rules: []RuleMark{a}, Fields: 2}, Change{Fields: true, Rules: []RuleMark{a}}},
		"one permit more":    {Knowledge{Rules: []RuleMark{a}, Permits: []RuleMark{p}}, Knowledge{Rules: []RuleMark{a}, Permits: []RuleMark{q, p}}, Change{}},
		"one permit less":    {Knowledge{Rules: []RuleMark{a, b}, Permits: []RuleMark{p, q}}, Knowledge{Rules: []RuleMark{a, b}, Permits: []RuleMark{q}}, Change{Rules: []RuleMark{a, b}}},
		"one permit changed": {Knowledge{Rules: []RuleMark{a}, Permits: []RuleMark{p}}, Knowledge{Rules: []RuleMark{a}, Permits: []RuleMark{q}}, Change{Rules: []RuleMark{a}}},
	} {
		if diff := cmp.Diff(tc.want, tc.now.since(tc.before)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
