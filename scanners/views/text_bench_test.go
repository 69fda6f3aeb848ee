//go:build linux

package views_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"revenant/scanners"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// BenchmarkViews looks through the corpora once; yielded/B is how much there is
// to be matched and looked through again.
func BenchmarkViews(b *testing.B) {
	v := views.New()
	for _, k := range scannerstest.Kinds() {
		text := scannerstest.Corpus(k, 1, 8<<20)
		b.Run(string(k), func(b *testing.B) {
			bytes, texts := lookThrough(v, text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			runtime.LockOSThread() // for the thread's own time: other work on the machine does not count
			defer runtime.UnlockOSThread()
			began := threadTime(b)
			for b.Loop() {
				lookThrough(v, text)
			}
			b.ReportMetric(float64((threadTime(b)-began).Nanoseconds())/float64(b.N)/float64(len(text)), "core-ns/B")
			b.ReportMetric(float64(bytes)/float64(len(text)), "yielded/B")
			b.ReportMetric(float64(texts), "texts")
		})
	}
}

func lookThrough(v *views.Viewer, text []byte) (bytes, texts int) {
	v.View(context.Background(), scanners.Layer{Data: text, Piece: 1 << 20, Overlap: 64 << 10}, func(t scanners.Text) bool {
		bytes, texts = bytes+len(t.Data), texts+1
		return true
	})
	return bytes, texts
}

// BenchmarkEngine is what views cost with matchers, and without.
func BenchmarkEngine(b *testing.B) {
	all := []scanners.Matcher{registeredMatcher(b, random(1, 30, base62)), ruleMatcher(b)}
	for _, k := range []scannerstest.Kind{scannerstest.Source, scannerstest.Logs} {
		text := string(scannerstest.Corpus(k, 1, 4<<20))
		for _, depth := range []int{-1, 0} {
			b.Run(fmt.Sprintf("%s/%d", k, depth), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				began := threadTime(b)
				e := &scanners.Engine{Matchers: all, Viewer: views.New(), ViewDepth: depth}
				for b.Loop() {
					scanWith(b, e, text)
				}
				b.ReportMetric(float64((threadTime(b)-began).Nanoseconds())/float64(b.N)/float64(len(text)), "core-ns/B")
			})
		}
	}
}

// threadTime is the processor time of the calling thread.
func threadTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
