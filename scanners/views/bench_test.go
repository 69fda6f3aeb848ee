//go:build linux

package views_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"revenant/scanners"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// BenchmarkViews is what looking through texts without anything encoded costs,
// on one core.
func BenchmarkViews(b *testing.B) {
	for _, k := range scannerstest.Kinds() {
		b.Run(string(k), func(b *testing.B) {
			v := views.New()
			l := scanners.Layer{Data: scannerstest.Corpus(k, 1, 16<<20), Piece: 1 << 20, Overlap: 64 << 10}
			b.SetBytes(int64(len(l.Data)))
			b.ReportAllocs()
			runtime.LockOSThread() // for the thread's own time: other work on the machine does not count
			defer runtime.UnlockOSThread()
			began := threadTime(b)
			texts, size := 0, 0
			for b.Loop() {
				v.View(context.Background(), l, func(t scanners.Text) bool {
					texts++
					size += len(t.Data)
					return true
				})
			}
			b.ReportMetric((threadTime(b)-began).Seconds()*1e9/float64(b.N)/float64(len(l.Data)), "core-ns/B")
			b.ReportMetric(float64(texts)/float64(b.N)/16, "texts/MB")
			b.ReportMetric(float64(size)/float64(b.N)/float64(len(l.Data)), "out/B")
		})
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
