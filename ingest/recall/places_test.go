package recall_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/files"
)

// place is where a text can stand: a file that holds it.
type place struct {
	name string
	// file makes the bytes of a file of the text.
	file func(t *testing.T, b *bench, r *rand.Rand, text []byte) []byte
	// source, when there is one, is how the files are come by; nil: as records.
	source func(t *testing.T, items []stored) []scanners.Source
	// chunk is the engine's chunk size, 0 for its own.
	chunk int
	// sure: rules need not see it.
	sure bool
	// ext is what the name ends with; "": of some data.
	ext string
}

// stored is a file with what is planted in it.
type stored struct {
	path string
	data []byte
	plant
	decoy bool
	code  string
}

// placeRows are the encodings that every place is tried with.
func placeRows() []row {
	return []row{
		{name: "raw", code: chain(plain(), frame("password: ", "\n"))},
		{name: "base64", code: chain(base64Std(), frame("data: ", "\n"))},
		{name: "json", code: chain(jsonString(), frame(`{"k": "`, `", "n": 1}`+"\n"))},
	}
}

// placeKinds are the values and rules that every place is tried with.
func placeKinds() []string {
	return []string{"20 letters and digits", "password with punctuation", "300 characters", "EC key, P-256", "github-pat"}
}

// stores makes the files of a place.
func (b *bench) stores(t *testing.T, pl place, w row, n int) []stored {
	var out []stored
	r := seeded("place", pl.name, w.name, fmt.Sprint(n))
	add := func(p plant, decoy bool) {
		out = append(out, stored{path: fmt.Sprintf("f%d-%d%s", n, len(out), cmp.Or(pl.ext, ".dat")), data: pl.file(t, b, r, p.text), plant: p, decoy: decoy, code: w.name})
	}
	for _, p := range b.plants(r, w) {
		if !slices.Contains(placeKinds(), p.kind) || pl.sure && p.value < 0 {
			continue
		}
		add(p, false)
		if p.value < 0 {
			continue
		}
		miss := b.values[p.value].misses
		d, ok := encode(r, w, miss[r.IntN(len(miss))], stretch{0, 1})
		if ok && !bytes.Contains(d.text, b.values[p.value].bytes) {
			d.value, d.kind = p.value, p.kind
			add(d, true)
		}
	}
	return out
}

// known names rows by the index of their value.
type known struct{ rows []fingerprints.RowID }

func (k known) Labels(_ context.Context, rows []fingerprints.RowID, _ fingerprints.Value) ([]scan.Label, error) {
	var out []scan.Label
	for _, row := range rows {
		if i := slices.Index(k.rows, row); i >= 0 {
			out = append(out, scan.Label{Row: row, Secret: fmt.Sprintf("value-%d", i), Version: 1, Field: "value", State: fingerprints.StateActive})
		}
	}
	return out, nil
}

func (known) Homes(context.Context, string, string, string) ([]scan.Home, error) { return nil, nil }

// records are files as a source has them that needs no disk.
type records struct {
	id    string
	items []stored
}

func (s *records) ID() string                    { return s.id }
func (s *records) Kind() fingerprints.SourceKind { return fingerprints.KindDir }
func (s *records) Close() error                  { return nil }

func (s *records) Next(context.Context) (scanners.Batch, error) {
	var batch scanners.Batch
	for _, f := range s.items {
		batch.Items = append(batch.Items, scanners.Item{
			SourceID: s.id, Path: f.path, Size: int64(len(f.data)), Presence: fingerprints.PresenceTip,
			Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil },
		})
	}
	s.items = nil
	return batch, io.EOF
}

func asRecords(_ *testing.T, items []stored) []scanners.Source {
	return []scanners.Source{&records{id: "dir:/recall", items: items}}
}

// asFolder writes the files into a folder and reads that.
func asFolder(t *testing.T, items []stored) []scanners.Source {
	dir := t.TempDir()
	for _, f := range items {
		if err := os.WriteFile(filepath.Join(dir, f.path), f.data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := files.NewDir(files.DirOptions{Root: dir, SourceID: "dir:/recall"})
	if err != nil {
		t.Fatal(err)
	}
	return []scanners.Source{src}
}

// asStdin feeds each file to a scan of its own.
func asStdin(_ *testing.T, items []stored) []scanners.Source {
	var out []scanners.Source
	for _, f := range items {
		out = append(out, files.NewStdin(bytes.NewReader(f.data), "stdin:"+f.path))
	}
	return out
}

// findings scans and returns the findings by file.
func (b *bench) findings(t *testing.T, pl place, items []stored) map[string][]wire.Finding {
	engine := &scanners.Engine{Matchers: b.whole.engine.Matchers, Viewer: b.whole.engine.Viewer, ChunkSize: pl.chunk}
	make := asRecords
	if pl.source != nil {
		make = pl.source
	}
	out := map[string][]wire.Finding{}
	for _, src := range make(t, items) {
		_, err := scan.Run(t.Context(), scan.Options{
			Source: src, Engine: engine, PathMatchers: engine.Matchers, Labels: known{b.whole.rows},
			Archives: &archives.Expander{Limits: archives.DefaultLimits()},
			Now:      func() time.Time { return time.Unix(1_800_000_000, 0) }, Workers: 1,
			Emit: func(f wire.Finding) error {
				name, _, _ := strings.Cut(f.Path, "!")
				if id, is := strings.CutPrefix(src.ID(), "stdin:"); is {
					name = id
				}
				out[name] = append(out[name], f)
				return nil
			},
		})
		if err != nil {
			t.Error(err)
		}
	}
	return out
}

// judge counts what was found in a file.
func (c *cell) judge(pl place, f stored, found []wire.Finding) {
	var mine []wire.Finding
	for _, x := range found {
		switch {
		case f.value < 0 && x.Rule == f.of.rule:
			mine = append(mine, x)
		case f.value >= 0 && len(x.Matches) > 0:
			mine = append(mine, x)
		}
	}
	where := pl.name + ", " + f.code
	if f.decoy {
		if c.registered.decoys++; len(mine) > 0 {
			c.registered.false++
			c.gaps = append(c.gaps, gap{where, f.kind, "decoy found", shown(f.text, f.at)})
		}
		return
	}
	wrong := ""
	switch {
	case len(mine) == 0:
		wrong = "missed"
	case f.value >= 0 && mine[0].Matches[0].Secret != fmt.Sprintf("value-%d", f.value):
		wrong = "taken for another value"
	case len(mine) > 1:
		wrong = fmt.Sprintf("found %d times:", len(mine))
		for _, x := range mine {
			wrong += fmt.Sprintf(" %s at %d-%d %s", x.Path, x.Span.Start, x.Span.End, x.Form)
		}
	}
	c.take(f.plant, wrong, where)
}

// tryPlace plants in a place and counts, for each of the encodings.
func (b *bench) tryPlace(t *testing.T, pl place, e effort) []cell {
	var cells []cell
	for _, w := range placeRows() {
		var c cell
		for n := range e.plants {
			items := b.stores(t, pl, w, n)
			found := b.findings(t, pl, items)
			for _, f := range items {
				c.judge(pl, f, found[f.path])
			}
		}
		cells = append(cells, c)
	}
	return cells
}
