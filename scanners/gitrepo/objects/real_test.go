package objects_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo/objects"
)

// realRepos are histories that the machine has, by REVENANT_TEST_REPOS; tests
// need none.
func realRepos() []string { return filepath.SplitList(os.Getenv("REVENANT_TEST_REPOS")) }

func TestRealHistories(t *testing.T) {
	for _, dir := range realRepos() {
		want := oracle(t, dir)
		s := open(t, dir, objects.Options{})
		c, report := collect(t, s, objects.Walk{Pieces: true})
		if diff := cmp.Diff(want, c.got); diff != "" || len(s.Problems()) > 0 {
			t.Errorf("%s: %v (-git +walk)\n%s", dir, s.Problems(), diff)
		}
		t.Logf("%s: %+v", filepath.Base(dir), report)
	}
}

// BenchmarkWalk reads everything in the histories of REVENANT_TEST_REPOS, and
// in a small one that is made here: by one worker, with the pieces of deltas,
// with every id checked, by all workers.
func BenchmarkWalk(b *testing.B) {
	benchmark(b, map[string]objects.Walk{"one": {Workers: 1}, "pieces": {Workers: 1, Pieces: true}, "all": {Pieces: true}}, objects.VerifyPacked)
	benchmark(b, map[string]objects.Walk{"ids": {Workers: 1}}, objects.VerifyIDs)
}

// BenchmarkRescan opens and closes the store too: with all packs known, and
// with one new object in a pack of old ones.
func BenchmarkRescan(b *testing.B) {
	var one atomic.Pointer[objects.ID]
	benchmark(b, map[string]objects.Walk{
		"packs": {Known: func(objects.PackInfo) bool { return true }},
		"ids": {Want: func(id objects.ID) bool {
			one.CompareAndSwap(nil, &id)
			return id == *one.Load()
		}},
	}, objects.VerifyPacked)
}

func benchmark(b *testing.B, walks map[string]objects.Walk, verify objects.Verify) {
	made := newRepo(b, objects.SHA1)
	history(b, made, 1, 400, 20, 200)
	git(b, made, "repack", "-q", "-adf", "--depth=50", "--window=20")
	for _, dir := range append(realRepos(), made) {
		for name, w := range walks {
			b.Run(filepath.Base(dir)+"/"+name, func(b *testing.B) {
				w.Visit = ignore
				b.ReportAllocs()
				begin, read := cpuTime(), int64(0)
				for b.Loop() {
					s, err := objects.Open(b.Context(), dir, objects.Options{Verify: verify})
					if err != nil {
						b.Fatal(err)
					}
					report, err := s.Walk(b.Context(), w)
					if err != nil || report.Damaged > 0 {
						b.Fatal(report, err)
					}
					b.SetBytes(report.Bytes)
					read += report.Bytes
					if err := s.Close(); err != nil {
						b.Fatal(err)
					}
				}
				used := cpuTime() - begin
				b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/op")
				if read > 0 {
					b.ReportMetric(float64(read)/1e6/used.Seconds(), "core-MB/s")
				}
			})
		}
	}
}
