package buildcontext_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image/buildcontext"
)

// folder writes files; a name that ends with a slash is a folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write(t, filepath.Join(root, name), text)
	}
	return root
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func newSource(t *testing.T, o buildcontext.Options) *buildcontext.Source {
	t.Helper()
	s, err := buildcontext.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// told is an item as it is compared.
type told struct {
	Path, Locator, Text, Step string
	Presence                  fingerprints.Presence
}

// read reads a source to its end.
func read(t *testing.T, s scanners.Source) (items []told, skips []fingerprints.Skip, notes []string) {
	t.Helper()
	for {
		b, err := s.Next(t.Context())
		for _, it := range b.Items {
			rc, openErr := it.Open(context.Background())
			if openErr != nil {
				t.Fatal(openErr)
			}
			text, readErr := io.ReadAll(rc)
			if err := errors.Join(readErr, rc.Close()); err != nil {
				t.Fatal(err)
			}
			items = append(items, told{it.Path, it.Locator, string(text), it.Origin.Message, it.Presence})
		}
		skips, notes = append(skips, b.Skipped...), append(notes, b.Notes...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.SortStableFunc(items, func(a, b told) int { return cmp.Compare(a.Path, b.Path) })
	return items, skips, notes
}

// where are the files of a context with their presences and instructions.
func where(t *testing.T, o buildcontext.Options) map[string]string {
	t.Helper()
	items, skips, _ := read(t, newSource(t, o))
	out := map[string]string{}
	for _, it := range items {
		if it.Path[0] != '@' {
			out[it.Path] = string(it.Presence) + " " + it.Step
		}
	}
	for _, k := range skips {
		out[k.Path] = string(k.Reason)
	}
	return out
}
