package objects_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo/objects"
)

func ignore(context.Context, int, *objects.Object) (any, error) { return nil, nil }

// What came since the last walk is shown, and nothing else: by packs that are
// known, by ids, or both.
func TestIncremental(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	history(t, dir, 1, 30, 5, 30)
	git(t, dir, "repack", "-q", "-adf")
	old := oracle(t, dir)
	sums := map[string]bool{}
	s := open(t, dir, objects.Options{})
	for _, p := range s.Packs() {
		sums[string(p.Sum)] = true
	}
	history(t, dir, 2, 3, 3, 30) // loose
	history(t, dir, 3, 30, 5, 30)
	git(t, dir, "repack", "-q") // a second pack
	history(t, dir, 4, 2, 2, 20)
	fresh := map[string]seen{}
	for id, w := range oracle(t, dir) {
		if _, was := old[id]; !was {
			fresh[id] = w
		}
	}
	known := func(p objects.PackInfo) bool { return sums[string(p.Sum)] }
	want := func(id objects.ID) bool { _, was := old[id.String()]; return !was }
	for name, w := range map[string]objects.Walk{"packs": {Known: known}, "ids": {Want: want}, "both": {Known: known, Want: want}} {
		c, report := collect(t, open(t, dir, objects.Options{}), w)
		if diff := cmp.Diff(fresh, c.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if report.Unwanted == 0 {
			t.Errorf("%s: %+v", name, report)
		}
	}
	// After everything was packed anew, ids tell.
	git(t, dir, "repack", "-q", "-adfk", "--depth=200")
	c, _ := collect(t, open(t, dir, objects.Options{}), objects.Walk{Known: known, Want: want})
	if diff := cmp.Diff(fresh, c.got); diff != "" {
		t.Error(diff)
	}
	// A few of many: what they stand on is found one by one, and not shown.
	for id, w := range fresh {
		only := func(o objects.ID) bool { return o.String() == id }
		c, _ := collect(t, open(t, dir, objects.Options{}), objects.Walk{Want: only, Pieces: true})
		if diff := cmp.Diff(map[string]seen{id: w}, c.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestKinds(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	history(t, dir, 1, 20, 3, 30)
	git(t, dir, "repack", "-q", "-adf")
	history(t, dir, 2, 5, 3, 30)
	for _, kinds := range [][]objects.Kind{{objects.Blob}, {objects.Commit, objects.Tag}, {objects.Tree}, {}} {
		want := map[string]seen{}
		for id, w := range oracle(t, dir) {
			for _, k := range kinds {
				if w.Kind == k.String() {
					want[id] = w
				}
			}
		}
		c, _ := collect(t, open(t, dir, objects.Options{}), objects.Walk{Kinds: kinds})
		if diff := cmp.Diff(want, c.got); diff != "" {
			t.Errorf("%v: %s", kinds, diff)
		}
	}
}

var errEnough = errors.New("enough")

// An error of Visit, and a context that ends, end the walk.
func TestWalkEnds(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	history(t, dir, 1, 30, 5, 30)
	git(t, dir, "repack", "-q", "-adf")
	s := open(t, dir, objects.Options{})
	var calls atomic.Int64
	_, err := s.Walk(t.Context(), objects.Walk{Visit: func(context.Context, int, *objects.Object) (any, error) {
		if calls.Add(1) == 20 {
			return nil, fmt.Errorf("visiting: %w", errEnough)
		}
		return nil, nil
	}})
	if !errors.Is(err, errEnough) || calls.Load() > 200 {
		t.Errorf("%v after %d", err, calls.Load())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = s.Walk(ctx, objects.Walk{Visit: func(context.Context, int, *objects.Object) (any, error) {
		cancel(errEnough)
		return nil, nil
	}})
	if !errors.Is(err, errEnough) {
		t.Error(err)
	}
	if _, err := objects.Open(ctx, dir, objects.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Whatever breaks: what is shown is right, what is not shown is told, and
// nothing else is lost.
func TestBrokenBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, index := range []string{"1", "2"} {
		dir := newRepo(t, objects.SHA1)
		history(t, dir, 1, 12, 4, 30)
		git(t, dir, "-c", "pack.indexVersion="+index, "repack", "-q", "-adf")
		want := oracle(t, dir)
		for _, suffix := range []string{".pack", ".idx"} {
			name := packFiles(t, dir, suffix)[0]
			whole := read(t, name)
			for range 60 {
				broken := bytes.Clone(whole)
				switch at := r.IntN(len(broken)); r.IntN(4) {
				case 0:
					broken = broken[:at]
				default:
					broken[at] ^= 1 << r.IntN(8)
				}
				write(t, name, broken)
				s := open(t, dir, objects.Options{Access: objects.Access(r.IntN(2))})
				c, _ := collect(t, s, objects.Walk{Pieces: true})
				lost := false
				for _, p := range s.Problems() {
					lost = lost || p.Lost
				}
				for id := range want {
					_, shown := c.got[id]
					_, told := c.damaged[id]
					// In a broken index an id is another one: the content is
					// told under that.
					if !shown && !told && !lost && len(c.damaged) == 0 {
						t.Errorf("index %s, %s: %s is lost without a word", index, suffix, id)
					}
				}
				if suffix == ".pack" && !lost && len(c.got)+len(c.damaged) != len(want) {
					t.Errorf("index %s: %d and %d of %d", index, len(c.got), len(c.damaged), len(want))
				}
			}
			write(t, name, whole)
		}
	}
}

// A file that shrinks under its mapping is an error of the objects in it.
func TestShrinkingPack(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	history(t, dir, 1, 40, 10, 200)
	git(t, dir, "repack", "-q", "-adf")
	want := oracle(t, dir)
	s := open(t, dir, objects.Options{})
	collect(t, s, objects.Walk{}) // everything is mapped now
	name := packFiles(t, dir, ".pack")[0]
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 5000); err != nil {
		t.Fatal(err)
	}
	c, _ := collect(t, s, objects.Walk{Pieces: true})
	if len(c.damaged) == 0 || len(c.got) == 0 || len(c.got)+len(c.damaged) != len(want) {
		t.Errorf("%d and %d of %d", len(c.got), len(c.damaged), len(want))
	}
	if err := os.Truncate(strings.TrimSuffix(name, ".pack")+".idx", 100); err == nil {
		_, err := s.Walk(t.Context(), objects.Walk{Visit: ignore})
		t.Log(err)
	}
	for name := range want {
		id, _ := objects.ParseID(name)
		_, _, _ = s.Get(t.Context(), id)
		_, _, _ = s.Header(t.Context(), id)
	}
}

// Objects that are packed while the walk goes on are found in their pack.
func TestPackedMeanwhile(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	history(t, dir, 1, 4, 3, 30)
	want := oracle(t, dir)
	s := open(t, dir, objects.Options{})
	c := collector{tb: t, format: s.Format(), got: map[string]seen{}}
	first := true
	report, err := s.Walk(t.Context(), objects.Walk{Workers: 1, Visit: func(ctx context.Context, worker int, o *objects.Object) (any, error) {
		if first {
			first = false
			git(t, dir, "repack", "-q", "-adk")
			git(t, dir, "prune-packed")
		}
		return c.visit(ctx, worker, o)
	}})
	if diff := cmp.Diff(want, c.got); diff != "" || err != nil || report.Damaged > 0 {
		t.Errorf("%+v, %v, %s", report, err, diff)
	}
}

// Packs that went before they were opened are no loss when others have what was
// in them; what nobody has is told.
func TestPackedAnewMeanwhile(t *testing.T) {
	for _, keep := range []bool{true, false} {
		dir := newRepo(t, objects.SHA1)
		history(t, dir, 1, 20, 3, 30)
		git(t, dir, "repack", "-q", "-ad")
		want := oracle(t, dir)
		s := open(t, dir, objects.Options{})
		if keep {
			git(t, dir, "repack", "-q", "-adf", "--depth=3")
		} else {
			remove(t, packFiles(t, dir, ".pack")...)
		}
		c, _ := collect(t, s, objects.Walk{})
		if keep && cmp.Diff(want, c.got) != "" || !keep && len(c.damaged) != len(want) {
			t.Errorf("kept %v: %d shown, %d damaged, %d were there", keep, len(c.got), len(c.damaged), len(want))
		}
		for _, reason := range c.damaged {
			if reason != objects.ReasonGone {
				t.Error(reason)
			}
		}
	}
}

// A multi-pack index stands in for an index that is gone, and the indexes for
// one that is damaged or old.
func TestMultiPackIndex(t *testing.T) {
	master := multiPack(t, objects.SHA1)
	for name, change := range map[string]struct {
		change  func(dir, midx string)
		trouble int // problems
	}{
		"plain":   {func(string, string) {}, 0},
		"gone":    {func(dir, _ string) { remove(t, packFiles(t, dir, ".idx")...) }, 1},
		"cut":     {func(_, midx string) { data := read(t, midx); write(t, midx, data[:len(data)/2]) }, 1},
		"newer":   {func(_, midx string) { data := read(t, midx); data[4] = 9; write(t, midx, data) }, 1},
		"missing": {func(dir, _ string) { history(t, dir, 99, 5, 3, 20); git(t, dir, "repack", "-q") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(master)); err != nil {
				t.Fatal(err)
			}
			want := oracle(t, dir)
			change.change(dir, filepath.Join(dir, ".git/objects/pack/multi-pack-index"))
			if name == "missing" {
				want = oracle(t, dir)
			}
			s := open(t, dir, objects.Options{})
			c, _ := collect(t, s, objects.Walk{})
			if diff := cmp.Diff(want, c.got); diff != "" {
				t.Error(diff)
			}
			for _, p := range s.Problems() {
				if p.Lost {
					t.Errorf("lost: %+v", p)
				}
			}
			if n := len(s.Problems()); (n > 0) != (change.trouble > 0) {
				t.Errorf("problems %v", s.Problems())
			}
			readEach(t, s, want)
		})
	}
}

func remove(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := os.Remove(n); err != nil {
			t.Fatal(err)
		}
	}
}

// Missing is missing, and said to be.
func TestMissing(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	history(t, dir, 1, 3, 3, 30)
	s := open(t, dir, objects.Options{})
	for _, name := range []string{strings.Repeat("1", 40), strings.Repeat("1", 64)} {
		id, err := objects.ParseID(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _, get := s.Get(t.Context(), id)
		_, _, head := s.Header(t.Context(), id)
		_, _, _, stream := s.Open(t.Context(), id)
		for _, err := range []error{get, head, stream} {
			if !errors.Is(err, objects.ErrMissing) {
				t.Error(err)
			}
		}
		if s.Has(id) {
			t.Error("has what it has not")
		}
	}
	if s.Partial() {
		t.Error("nothing is promised")
	}
	if !open(t, partial(t, objects.SHA1), objects.Options{}).Partial() {
		t.Error("objects are promised")
	}
	ids, err := open(t, shallow(t, objects.SHA1), objects.Options{}).Shallow()
	if err != nil || len(ids) != 1 {
		t.Errorf("shallow at %v, %v", ids, err)
	}
}

// Large contents are streamed from packs and files, and checked at their end.
func TestStreams(t *testing.T) {
	for _, damage := range []bool{false, true} {
		dir, p := t.TempDir(), newPacker(t)
		large := bytes.Repeat([]byte("0123456789abcdef\n"), 20_000)
		id, off := p.raw3(large)
		wide, result := appended(large, "and more")
		child, _ := p.ofs(off, wide, result)
		p.save(dir, "l")
		loose := bytes.Repeat([]byte("loose and large\n"), 20_000)
		name := hexID(idOf(objects.Blob, loose))
		write(t, filepath.Join(dir, "objects", name[:2], name[2:]), deflated(t, 0, append(fmt.Appendf(nil, "blob %d\x00", len(loose)), loose...)))
		if damage {
			for _, f := range []string{"objects/pack/pack-l.pack", filepath.Join("objects", name[:2], name[2:])} {
				data := read(t, filepath.Join(dir, f))
				data[100_000] ^= 1
				write(t, filepath.Join(dir, f), data)
			}
		}
		s := open(t, dir, objects.Options{Limits: objects.Limits{Whole: 64 << 10, Cache: 1 << 20}})
		shown, damaged := map[string]int64{}, map[string]objects.Reason{}
		_, err := s.Walk(t.Context(), objects.Walk{Workers: 1, Damaged: func(d objects.Damage) { damaged[d.ID.String()] = d.Reason }, Visit: func(_ context.Context, _ int, o *objects.Object) (any, error) {
			n, err := io.Copy(io.Discard, o.Stream)
			if err == nil {
				shown[o.ID.String()] = n
			}
			return nil, err
		}})
		want := map[string]int64{hexID(id): int64(len(large)), name: int64(len(loose))}
		wantBad := map[string]objects.Reason{hexID(child): objects.ReasonBase}
		if damage {
			wantBad[hexID(id)], wantBad[name] = objects.ReasonStream, objects.ReasonStream
			want = map[string]int64{}
		}
		if diff := cmp.Diff(want, shown) + cmp.Diff(wantBad, damaged); diff != "" || err != nil {
			t.Errorf("damage %v: %v, %s", damage, err, diff)
		}
	}
}

// Offsets of 2 GiB and more stand in a table of their own.
func TestFarOffsets(t *testing.T) {
	const far = 3 << 30
	dir, p := t.TempDir(), newPacker(t)
	base := []byte("at the beginning\n")
	p.whole(objects.Blob, base)
	delta, result := appended(base, "far away")
	tail := append(append(entryHead(ofsDelta, uint64(len(delta))), backBy(far-12)...), p.deflated(delta)...)
	p.rows = append(p.rows, row{idOf(objects.Blob, result), crc32.ChecksumIEEE(tail), far})
	p.save(dir, "far")
	name := filepath.Join(dir, "objects/pack/pack-far.pack")
	whole := read(t, name)
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(append(tail, whole[len(whole)-20:]...), far) // with a hole before it
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, access := range []objects.Access{objects.AccessMap, objects.AccessRead} {
		s := open(t, dir, objects.Options{Access: access})
		c, _ := collect(t, s, objects.Walk{Pieces: true})
		if len(c.got) != 2 || len(c.damaged) > 0 {
			t.Errorf("%v, %v", c.got, c.damaged)
		}
		id := idOf(objects.Blob, result)
		if _, data, err := s.Get(t.Context(), objects.MakeID(id[:])); err != nil || !bytes.Equal(data, result) {
			t.Errorf("%q, %v", data, err)
		}
	}
}
