//go:build linux

package views_test

import (
	"fmt"
	"runtime"
	"testing"

	"revenant/scanners"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

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
