package views_test

import (
	"runtime"
	"testing"

	"revenant/scanners"
	"revenant/scanners/scannerstest"
)

func BenchmarkRef(b *testing.B) {
	m := registeredMatcher(b, random(1, 30, base62))
	for _, k := range []scannerstest.Kind{scannerstest.Source, scannerstest.Logs} {
		text := scannerstest.Corpus(k, 1, 8<<20)
		b.Run(string(k), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			began := threadTime(b)
			for b.Loop() {
				m.AppendHits(nil, scanners.Chunk{Data: text})
			}
			b.ReportMetric(float64((threadTime(b)-began).Nanoseconds())/float64(b.N)/float64(len(text)), "core-ns/B")
		})
	}
}
