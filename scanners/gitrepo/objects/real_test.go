package objects_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
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
// in a small one that is made here.
func BenchmarkWalk(b *testing.B) {
	made := newRepo(b, objects.SHA1)
	history(b, made, 1, 400, 20, 200)
	git(b, made, "repack", "-q", "-adf", "--depth=50", "--window=20")
	for _, dir := range append(realRepos(), made) {
		for name, w := range map[string]struct {
			workers int
			verify  objects.Verify
			pieces  bool
		}{
			"one":    {1, objects.VerifyPacked, false},
			"pieces": {1, objects.VerifyPacked, true},
			"ids":    {1, objects.VerifyIDs, false},
			"all":    {runtime.GOMAXPROCS(0), objects.VerifyPacked, true},
		} {
			b.Run(filepath.Base(dir)+"/"+name, func(b *testing.B) {
				walk := objects.Walk{Workers: w.workers, Pieces: w.pieces, Visit: func(context.Context, int, *objects.Object) (any, error) { return nil, nil }}
				b.ReportAllocs()
				begin, read := cpuTime(), int64(0)
				for b.Loop() {
					s, err := objects.Open(b.Context(), dir, objects.Options{Verify: w.verify})
					if err != nil {
						b.Fatal(err)
					}
					report, err := s.Walk(b.Context(), walk)
					if err != nil || report.Damaged > 0 {
						b.Fatal(report, err)
					}
					b.SetBytes(report.Bytes)
					read += report.Bytes
					if err := s.Close(); err != nil {
						b.Fatal(err)
					}
				}
				if used := cpuTime() - begin; used > 0 {
					b.ReportMetric(float64(read)/1e6/used.Seconds(), "core-MB/s")
				}
			})
		}
	}
}
