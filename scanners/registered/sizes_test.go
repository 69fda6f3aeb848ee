package registered_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/registered"
	"revenant/scanners/scannerstest"
)

func TestNewRefusesNil(t *testing.T) {
	if _, err := registered.New(nil); !errors.Is(err, registered.ErrNoPack) {
		t.Error(err)
	}
}

func TestEmptyPack(t *testing.T) {
	m, _ := matcher(t, fingerprints.AudienceCore)
	if hits := scan(t, m, noise(1, 1<<16), 100); len(hits) != 0 || m.Overlap() != 0 {
		t.Errorf("%d hits, overlap %d", len(hits), m.Overlap())
	}
}

func TestConformance(t *testing.T) {
	vals := append(values(71, 2, 24, alnum), values(72, 1, 10, alnum)...)
	vals = append(vals, append(append([]byte("outer-"), vals[0]...), "-value"...))
	m, _ := matcher(t, fingerprints.AudienceCore, vals...)
	v, outer := string(vals[1]), string(vals[3])
	hay := strings.Repeat("the quick brown fox; ", 60)
	scannerstest.Run(t, m, []scannerstest.Sample{
		{Name: "edges", Content: []byte(v + hay + v), Hits: 2},
		{Name: "one in another", Content: []byte(hay + outer + hay), Hits: 2},
		{Name: "encoded", Content: []byte(hay + base64.StdEncoding.EncodeToString([]byte("x="+v)) + hay + hex.EncodeToString([]byte(v)) + "\n" + wide("le")(v)), Hits: 3},
		{Name: "escaped", Content: []byte(hay + strings.ReplaceAll(outer, "-", "%2D") + hay), Hits: 2},
		{Name: "short", Content: []byte(hay + string(vals[2]) + hay), Hits: 1},
		{Name: "side by side", Content: bytes.Repeat([]byte(v), 20), Hits: 20},
		{Name: "none", Content: []byte(hay)},
		{Name: "empty"},
	})
}

// TestLong has values up to the longest that can be registered, in every
// encoding, with a chunk that is far smaller.
func TestLong(t *testing.T) {
	for _, n := range []int{129, 4096, 256 << 10} {
		vals := [][]byte{values(uint64(n), 1, n, alnum)[0], noise(uint64(n), n)}
		m, built := matcher(t, fingerprints.AudienceCore, vals...)
		for i, v := range vals {
			for name, enc := range map[string]string{
				"raw": string(v), "base64": base64.StdEncoding.EncodeToString(v), "hex": hex.EncodeToString(v),
				"wrapped base64": wrapAt(76, "\r\n")(base64.StdEncoding.EncodeToString(v)),
			} {
				content := append(noise(3, 1000), "<"+enc+">"...)
				content = append(content, noise(4, 1000)...)
				for _, chunk := range []int{0, 1 + n/2} {
					hits := scan(t, m, content, chunk)
					want := scanners.Span{Start: 1001, End: int64(1001 + len(strings.TrimRight(enc, "=")))}
					if len(hits) != 1 || hits[0].Span != want || hits[0].Rows[0] != built.Rows[i] {
						t.Errorf("%d bytes, %s in chunks of %d: want %v, got %+v", n, name, chunk, want, hits)
					}
				}
				for _, at := range []int{0, n / 2, n - 1} {
					bad := bytes.Clone(content)
					k := 1001 + at*len(enc)/n
					for bad[k] = bad[k] ^ 1; bad[k] < ' '; k++ {
					}
					if hits := scan(t, m, bad, 0); len(hits) != 0 && name == "raw" {
						t.Errorf("%d bytes, %s, byte %d changed: %+v", n, name, at, hits)
					}
				}
			}
		}
	}
}

// TestSameValue reports every row of a value in one hit.
func TestSameValue(t *testing.T) {
	v := values(81, 1, 30, alnum)[0]
	m, built := matcher(t, fingerprints.AudienceCore, v, v)
	hits := scan(t, m, v, 0)
	if len(hits) != 1 || len(hits[0].Rows) != 2 || !slices.Contains(hits[0].Rows, built.Rows[0]) || !slices.Contains(hits[0].Rows, built.Rows[1]) {
		t.Errorf("%+v", hits)
	}
}
