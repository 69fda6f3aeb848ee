package archives_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/archives"
)

// contents keeps what every content is.
type contents struct{ all []string }

func (c *contents) Content(_ context.Context, k archives.Content, r io.Reader) error {
	b, err := io.ReadAll(r)
	c.all = append(c.all, fmt.Sprintf("%s %v: %x", k.Path, err, b))
	return nil
}

func (c *contents) Skip(k fingerprints.Skip) { c.all = append(c.all, k.Path+": "+k.Detail) }

// TestReuse: memory that streams are read with serves one after the other. Whatever
// became of those before, each gives what it gives by itself.
func TestReuse(t *testing.T) {
	t.Parallel()
	expanded := func(x *archives.Expander, data []byte) []string {
		t.Helper()
		c := &contents{}
		must(t, x.Expand(t.Context(), bytes.NewReader(data), "item", c))
		return c.all
	}
	packers := packers(t)
	for _, name := range slices.Sorted(maps.Keys(packers)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used := &archives.Expander{Limits: archives.DefaultLimits()}
			for i := range 60 {
				text := bytes.Repeat([]byte(canary(uint64(i))), 1+i*7%50)
				data := packers[name](text)
				switch i % 3 {
				case 1:
					data = data[:len(data)*(i+1)/61] // cut
				case 2:
					data[len(data)*i/60] ^= 0x55 // damaged
				}
				if got, want := expanded(used, data), expanded(&archives.Expander{Limits: archives.DefaultLimits()}, data); !slices.Equal(got, want) {
					t.Fatalf("%d:\n%q\nby itself:\n%q", i, got, want)
				}
			}
		})
	}
}
