package objects_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo/objects"
)

func hexID(id [20]byte) string { return fmt.Sprintf("%x", id) }

// bad is the id of an object that cannot be read: its content is not known.
func bad(n int) [20]byte { return idOf(objects.Blob, fmt.Appendf(nil, "bad %d", n)) }

// hostile are packs in which some objects cannot be read; each adds them to
// want, with the reason.
var hostile = map[string]func(p *packer, want map[string]objects.Reason){
	"kinds": func(p *packer, want map[string]objects.Reason) {
		for i, kind := range []int{0, 5} {
			p.raw(bad(i), entryHead(kind, 3), p.deflated([]byte("abc")))
			want[hexID(bad(i))] = objects.ReasonHeader
		}
		p.raw(bad(9), bytes.Repeat([]byte{0xff}, 40)) // a size without an end
		want[hexID(bad(9))] = objects.ReasonHeader
	},
	"sizes": func(p *packer, want map[string]objects.Reason) {
		for i, size := range []uint64{4, 6, 1 << 20, 1 << 40, 1 << 62} {
			p.raw(bad(i), entryHead(3, size), p.deflated([]byte("12345")))
			want[hexID(bad(i))] = objects.ReasonSize
		}
		want[hexID(bad(4))] = objects.ReasonHeader
		want[hexID(bad(2))] = objects.ReasonSize
	},
	"streams": func(p *packer, want map[string]objects.Reason) {
		good := p.deflated(bytes.Repeat([]byte("0123456789abcde\n"), 40))
		for i, data := range [][]byte{good[:len(good)/2], good[:3], good[:2], append([]byte{0x78, 0x9d}, good[2:]...), bytes.Repeat([]byte{0x55}, 50)} {
			p.raw(bad(i), entryHead(3, 640), data)
			want[hexID(bad(i))] = objects.ReasonStream
		}
	},
	"deltas": func(p *packer, want map[string]objects.Reason) {
		base := []byte("0123456789")
		_, off := p.whole(objects.Blob, base)
		for i, delta := range [][]byte{
			bytes.Join([][]byte{sizes(10, 5), copied(8, 5)}, nil),                          // out of the base
			bytes.Join([][]byte{sizes(10, 5), copied(0xffffffff, 5)}, nil),                 // far out
			bytes.Join([][]byte{sizes(10, 5), copied(0, 6)}, nil),                          // more than was said
			bytes.Join([][]byte{sizes(10, 5), copied(0, 4)}, nil),                          // less
			bytes.Join([][]byte{sizes(11, 5), copied(0, 5)}, nil),                          // of another base
			bytes.Join([][]byte{sizes(10, 5), {0}, inserted("12345")}, nil),                // an instruction that is none
			bytes.Join([][]byte{sizes(10, 5), {5, 'a', 'b'}}, nil),                         // cut
			bytes.Join([][]byte{sizes(10, 5), {0x91, 1}}, nil),                             // cut
			bytes.Join([][]byte{sizes(10, 1<<40), copied(0, 5)}, nil),                      // cannot be that much
			{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, // a size without an end
			{},
			{10},
		} {
			p.ofsAs(bad(i), off, delta)
			want[hexID(bad(i))] = objects.ReasonDelta
		}
		want[hexID(bad(8))] = objects.ReasonTooLarge
	},
	"bases": func(p *packer, want map[string]objects.Reason) {
		delta, _ := appended([]byte("x"), "y")
		first := p.raw(bad(0), entryHead(3, 9), p.deflated([]byte("x")))
		want[hexID(bad(0))] = objects.ReasonSize
		last := p.ofsAs(bad(1), first, delta)
		p.ofsAs(bad(2), last, delta)
		p.ref(bad(3), bad(99), delta)                                               // not there
		p.ref(bad(4), bad(3), delta)                                                // on that
		p.raw(bad(5), entryHead(ofsDelta, 3), backBy(1<<50), p.deflated([]byte{1})) // before the beginning
		p.raw(bad(6), entryHead(ofsDelta, 3), backBy(0), p.deflated([]byte{1}))
		p.ofsAs(bad(7), first+1, delta) // in the middle of another
		want[hexID(bad(1))], want[hexID(bad(2))], want[hexID(bad(4))] = objects.ReasonBase, objects.ReasonBase, objects.ReasonBase
		want[hexID(bad(3))] = objects.ReasonNoBase
		want[hexID(bad(5))], want[hexID(bad(6))] = objects.ReasonHeader, objects.ReasonHeader
		want[hexID(bad(7))] = objects.ReasonBase
	},
	"cycles": func(p *packer, want map[string]objects.Reason) {
		delta, _ := appended([]byte("x"), "y")
		p.ref(bad(0), bad(0), delta)
		for i := 1; i <= 5; i++ { // 1 -> 2 -> ... -> 5 -> 1
			p.ref(bad(i), bad(i%5+1), delta)
			want[hexID(bad(i))] = objects.ReasonCycle
		}
		want[hexID(bad(0))] = objects.ReasonCycle
		off := p.ref(bad(6), bad(3), delta) // hangs on it
		p.ofsAs(bad(7), off, delta)
		want[hexID(bad(6))], want[hexID(bad(7))] = objects.ReasonBase, objects.ReasonBase
	},
	"offsets": func(p *packer, want map[string]objects.Reason) {
		_, off := p.whole(objects.Blob, []byte("somewhere"))
		for i, at := range []int64{0, 5, 1 << 20, 1 << 35, -1, off + 2} {
			p.rows = append(p.rows, row{bad(i), 0, at})
			want[hexID(bad(i))] = objects.ReasonOffset
		}
		want[hexID(bad(5))] = "" // whatever stands there
	},
	"doubling": func(p *packer, want map[string]objects.Reason) {
		data := bytes.Repeat([]byte("doubling"), 128)
		_, off := p.whole(objects.Blob, data)
		twice := func() []byte {
			n := len(data)
			return bytes.Join([][]byte{sizes(n, 2*n), copied(0, uint32(n)), copied(0, uint32(n))}, nil)
		}
		for len(data) < 4<<20 {
			_, off = p.ofs(off, twice(), bytes.Repeat(data, 2))
			data = bytes.Repeat(data, 2)
		}
		for i := range 40 {
			off = p.ofsAs(bad(i), off, twice())
			want[hexID(bad(i))] = objects.ReasonBase
		}
		want[hexID(bad(0))] = objects.ReasonTooLarge
	},
	"overlaps": func(p *packer, want map[string]objects.Reason) {
		// One stream, and an entry at each of its stored bytes that claims all
		// that follows.
		var inner bytes.Buffer
		for range 300 {
			inner.Write(entryHead(3, 900))
			inner.Write([]byte{0x78, 0x01, 0x00})
		}
		_, off := p.raw3(inner.Bytes())
		for i := range 300 {
			at := off + 20 + int64(i*5)
			p.rows = append(p.rows, row{bad(i), 0, at})
			want[hexID(bad(i))] = ""
		}
	},
}

// raw3 stores a blob without compression.
func (p *packer) raw3(data []byte) (id [20]byte, off int64) {
	id = idOf(objects.Blob, data)
	return id, p.raw(id, entryHead(3, uint64(len(data))), deflated(p.tb, 0, data))
}

func TestHostilePacks(t *testing.T) {
	for name, build := range hostile {
		for access, opts := range map[string]objects.Options{
			"map": {}, "read": {Access: objects.AccessRead}, "ids": {Verify: objects.VerifyIDs},
		} {
			t.Run(name+"/"+access, func(t *testing.T) {
				dir, p := t.TempDir(), newPacker(t)
				want := map[string]objects.Reason{}
				good := map[string]seen{}
				before, _ := p.whole(objects.Blob, []byte("before"))
				good[hexID(before)] = seen{"blob", 6}
				build(p, want)
				after, _ := p.whole(objects.Tree, []byte{})
				good[hexID(after)] = seen{"tree", 0}
				for _, r := range p.rows {
					if _, is := want[hexID(r.id)]; !is {
						good[hexID(r.id)] = seen{}
					}
				}
				p.save(dir, "h")
				opts.Limits = objects.Limits{Whole: 4 << 20, Cache: 1 << 20, Retries: 1000}
				s := open(t, dir, opts)
				for _, workers := range []int{1, 2} {
					c, _ := collect(t, s, objects.Walk{Workers: workers, Pieces: true})
					for id, reason := range want {
						if got, is := c.damaged[id]; !is || reason != "" && got != reason {
							t.Errorf("%s: damaged by %q, want %q", id, got, reason)
						}
					}
					for id, w := range good {
						if got, is := c.got[id]; !is || w.Kind != "" && got != w {
							t.Errorf("%s: %+v, %q; want %+v", id, got, c.damaged[id], w)
						}
					}
					if len(c.damaged) != len(want) || len(c.got) != len(good) {
						t.Errorf("%d damaged, want %d; %d read, want %d", len(c.damaged), len(want), len(c.got), len(good))
					}
				}
				byID(t, s, want, good)
			})
		}
	}
}

// byID expects of single reads what the walk came to.
func byID(t *testing.T, s *objects.Store, bad map[string]objects.Reason, good map[string]seen) {
	t.Helper()
	for name := range bad {
		id, _ := objects.ParseID(name)
		if kind, data, err := s.Get(t.Context(), id); err == nil {
			t.Errorf("%s: %s of %d, but it is damaged", name, kind, len(data))
		}
		if _, _, rc, err := s.Open(t.Context(), id); err == nil {
			if _, err := io.Copy(io.Discard, rc); err == nil {
				t.Errorf("%s: streamed, but it is damaged", name)
			}
			rc.Close()
		}
		_, _, _ = s.Header(t.Context(), id) // no panic, and an end
	}
	for name := range good {
		id, _ := objects.ParseID(name)
		if _, _, err := s.Get(t.Context(), id); err != nil {
			if _, _, _, err := s.Open(t.Context(), id); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Very long chains, and many deltas on one base, cost what they are long.
func TestLongChains(t *testing.T) {
	dir, p := t.TempDir(), newPacker(t)
	base := bytes.Repeat([]byte("line\n"), 20)
	_, first := p.whole(objects.Blob, base)
	off, data := first, base
	const deep = 12_000
	for i := range deep {
		// Each replaces the text at the end.
		text := fmt.Sprintf("version %08d\n", i)
		delta := append(append(sizes(len(data), len(base)+len(text)), copied(0, uint32(len(base)))...), inserted(text)...)
		data = append(bytes.Clone(base), text...)
		_, off = p.ofs(off, delta, data)
	}
	for i := range 5000 {
		delta, result := appended(base, fmt.Sprintf("wide %d", i))
		p.ofs(first, delta, result)
	}
	p.save(dir, "long")
	s := open(t, dir, objects.Options{})
	c, report := collect(t, s, objects.Walk{Pieces: true})
	if len(c.damaged) > 0 || report.Objects != deep+5001 || report.Deltas != deep+5000 {
		t.Fatalf("%d damaged, %+v", len(c.damaged), report)
	}
	id := objects.MakeID(p.rows[deep].id[:])
	if _, got, err := s.Get(t.Context(), id); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("the deepest: %q, %v", got, err)
	}
}

// Another copy stands in for one that is damaged, and what was made from that
// one is made from it.
func TestRecovered(t *testing.T) {
	base := bytes.Repeat([]byte("base line\n"), 30)
	delta, result := appended(base, "and more")
	delta2, result2 := appended(result, "and more again")
	build := func(name string, damage func(pack []byte, p *packer)) (string, *packer) {
		dir, p := t.TempDir(), newPacker(t)
		_, off := p.whole(objects.Blob, base)
		_, off = p.ofs(off, delta, result)
		p.ofs(off, delta2, result2)
		p.save(dir, "broken")
		file := filepath.Join(dir, "objects/pack/pack-broken.pack")
		pack := read(t, file)
		damage(pack, p)
		write(t, file, pack)
		return dir, p
	}
	flip := func(i int) func([]byte, *packer) {
		return func(pack []byte, p *packer) { pack[p.rows[i].off+8] ^= 0x10 }
	}
	for i, data := range [][]byte{base, result, result2} {
		dir, p := build("one", flip(i))
		c, _ := collect(t, open(t, dir, objects.Options{}), objects.Walk{})
		if len(c.damaged) != 3-i {
			t.Errorf("%d broken: damaged %v", i, c.damaged)
		}
		other := newPacker(t)
		other.whole(objects.Blob, data)
		other.save(dir, "z-whole")
		c, report := collect(t, open(t, dir, objects.Options{}), objects.Walk{})
		if len(c.got) != 3 || report.Recovered != 1 {
			t.Errorf("%d broken: damaged %v, %+v", i, c.damaged, report)
		}
		for k := range p.rows { // the fallback has the last word
			fall := &fake{objects: map[string][]byte{hexID(p.rows[k].id): [][]byte{base, result, result2}[k]}}
			dir, _ := build("two", flip(i))
			c, report := collect(t, open(t, dir, objects.Options{Fallback: fall}), objects.Walk{})
			if wantDamaged := map[bool]int{true: k - i, false: 3 - i}[k >= i]; len(c.damaged) != wantDamaged || (report.Fallback == 1) != (k >= i) {
				t.Errorf("%d broken, %d in the fallback: damaged %v, %+v", i, k, c.damaged, report)
			}
		}
	}
}

// fake is a fallback that has a few blobs.
type fake struct {
	objects map[string][]byte
	lies    bool
}

func (f *fake) Object(_ context.Context, id objects.ID) (objects.Kind, int64, io.ReadCloser, error) {
	data, ok := f.objects[id.String()]
	if !ok {
		return 0, 0, nil, objects.ErrMissing
	}
	if f.lies {
		data = append(bytes.Clone(data), '!')
	}
	return objects.Blob, int64(len(data)), io.NopCloser(bytes.NewReader(data)), nil
}

// What the fallback reads is checked too.
func TestFallbackIsChecked(t *testing.T) {
	dir, p := t.TempDir(), newPacker(t)
	data := []byte("content")
	id := idOf(objects.Blob, data)
	p.raw(id, entryHead(3, 99), deflated(t, 6, data))
	p.save(dir, "x")
	for _, lies := range []bool{false, true} {
		s := open(t, dir, objects.Options{Fallback: &fake{map[string][]byte{hexID(id): data}, lies}})
		c, report := collect(t, s, objects.Walk{})
		if (report.Fallback == 1) == lies || (len(c.damaged) == 1) != lies || len(s.Fallbacks()) != 1 {
			t.Errorf("lies %v: %+v, %v", lies, report, c.damaged)
		}
		_, got, err := s.Get(t.Context(), objects.MakeID(id[:]))
		if lies != (err != nil) || !lies && !bytes.Equal(got, data) {
			t.Errorf("lies %v: %q, %v", lies, got, err)
		}
	}
}

// A pack that cannot be opened is a problem; what others have of it is read.
func TestUnreadablePack(t *testing.T) {
	dir := t.TempDir()
	p, q := newPacker(t), newPacker(t)
	both, _ := p.whole(objects.Blob, []byte("in both"))
	only, _ := p.whole(objects.Blob, []byte("only here"))
	q.whole(objects.Blob, []byte("in both"))
	p.save(dir, "a")
	q.save(dir, "b")
	write(t, filepath.Join(dir, "objects/pack/pack-a.pack"), []byte("PACC"))
	if err := os.WriteFile(filepath.Join(dir, "objects/pack/pack-c.pack"), []byte("PACK"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, objects.Options{})
	c, _ := collect(t, s, objects.Walk{})
	want := map[string]objects.Reason{hexID(only): objects.ReasonPack}
	if diff := cmp.Diff(want, c.damaged); diff != "" || len(c.got) != 1 || c.got[hexID(both)].Size != 7 {
		t.Errorf("%v, %s", c.got, diff)
	}
	var lost []string
	for _, pr := range s.Problems() {
		if pr.Lost {
			lost = append(lost, filepath.Base(pr.Path))
		}
	}
	if diff := cmp.Diff([]string{"pack-c.idx", "pack-a.pack"}, lost); diff != "" {
		t.Error(diff)
	}
}
