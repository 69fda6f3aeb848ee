package registered_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

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
				for b.Loop() {
					if hits := m.AppendHits(nil, c); len(hits) > 0 {
						b.Fatalf("%d hits in made-up text", len(hits))
					}
				}
			})
		}
	}
}
