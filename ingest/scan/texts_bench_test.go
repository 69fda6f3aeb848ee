//go:build linux

package scan_test

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"revenant/scanners/scannerstest"
)

// BenchmarkTexts is what messages of 300 bytes cost to look at: one after the other,
// and together. us/message is the thread's own time, so that other work on the machine
// does not count.
func BenchmarkTexts(b *testing.B) {
	s := realScreen(b, "", 10_000)
	texts := scannerstest.Messages(1, 20_000, 300)
	for name, look := range map[string]func() int{
		"alone": func() (n int) {
			for _, t := range texts {
				if s.Of(b.Context(), t) {
					n++
				}
			}
			return n
		},
		"together": func() (n int) {
			s.Texts(b.Context(), texts, func(int) { n++ })
			return n
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			began := threadTime(b)
			for b.Loop() {
				if n := look(); n > 0 {
					b.Fatalf("%d of made-up messages may hold something", n)
				}
			}
			b.ReportMetric(float64((threadTime(b)-began).Microseconds())/float64(b.N)/float64(len(texts)), "us/message")
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
