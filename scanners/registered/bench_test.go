//go:build linux

package registered_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/scannerstest"
)

// BenchmarkMatcher is the registered matcher alone on one core. Sizes over
// 100,000 versions take a minute to register: set REVENANT_BENCH_VERSIONS.
func BenchmarkMatcher(b *testing.B) {
	sizes := []int{1_000, 10_000, 100_000}
	if n, err := strconv.Atoi(os.Getenv("REVENANT_BENCH_VERSIONS")); err == nil {
		sizes = []int{n}
	}
	texts := map[scannerstest.Kind][]byte{}
	for _, k := range scannerstest.Kinds() {
		texts[k] = scannerstest.Corpus(k, 1, 16<<20)
	}
	for _, n := range sizes {
		m, _ := matcher(b, fingerprints.AudienceCore, values(5, n, 32, alnum)...)
		for _, k := range scannerstest.Kinds() {
			b.Run(fmt.Sprintf("%d/%s", n, k), func(b *testing.B) {
				c := scanners.Chunk{Data: texts[k], Path: "file"}
				b.SetBytes(int64(len(c.Data)))
				b.ReportAllocs()
				runtime.LockOSThread() // for the thread's own time: other work on the machine does not count
				defer runtime.UnlockOSThread()
				began := threadTime(b)
				for b.Loop() {
					if hits := m.AppendHits(nil, c); len(hits) > 0 {
						b.Fatalf("%d hits in made-up text", len(hits))
					}
				}
				b.ReportMetric(float64(b.N)*float64(len(c.Data))/1e6/(threadTime(b)-began).Seconds(), "core-MB/s")
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
