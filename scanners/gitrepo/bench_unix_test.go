//go:build unix

package gitrepo

import (
	"context"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// used is the processor time of this process, or of those that it waited for:
// what other work on the machine does not add to.
func used(b *testing.B, who int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAttribution attributes one of 500 objects in the histories of
// REVENANT_TEST_REPOS to commits, paths and refs, after they were read, and lets
// git print which commits changed what.
func BenchmarkAttribution(b *testing.B) {
	for _, dir := range filepath.SplitList(os.Getenv("REVENANT_TEST_REPOS")) {
		s, err := New(b.Context(), Options{
			Path: dir, Workers: 2, Screen: func(_ context.Context, data []byte) bool { return len(data) > 200 && crc32.ChecksumIEEE(data)%500 == 0 },
		})
		if err != nil {
			b.Fatal(err)
		}
		v, err := newSurvey(s)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.findRefs(b.Context(), v.before); err != nil {
			b.Fatal(err)
		}
		if err := v.all(b.Context()); err != nil {
			b.Fatal(err)
		}
		name := filepath.Base(dir)
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			begin, places := used(b, unix.RUSAGE_SELF), 0
			for b.Loop() {
				v.ancestry = nil
				h, err := v.attributed(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				places = len(h.places)
			}
			b.ReportMetric(float64((used(b, unix.RUSAGE_SELF)-begin).Milliseconds())/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(places), "places")
			b.ReportMetric(float64(len(s.refs)), "refs")
		})
		b.Run(name+"/git", func(b *testing.B) {
			begin := used(b, unix.RUSAGE_CHILDREN)
			for b.Loop() {
				err := s.r.lines(b.Context(), revisions(tips(s.refs), nil), 0, func([]byte) error { return nil }, rawLog("--stdin", "--topo-order")...)
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((used(b, unix.RUSAGE_CHILDREN)-begin).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
