package image_test

import (
	"os"
	"path/filepath"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/image"
	"revenant/scanners/sourcetest"
)

// TestBadIndex: of a layout whose index cannot be read every blob is read.
func TestBadIndex(t *testing.T) {
	for _, c := range []struct{ name, index, manifest string }{
		{"no index", "foo\n", ""}, {"no manifest", "", "{"}, {"neither", "[]", "\"\""}, {"an index of nothing", "{}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{
				"index.json": c.index, "manifest.json": c.manifest, "blobs/sha256/ab": string(tarOf(t, file{name: "etc/key", text: wanted})), "blobs/sha256/cd": wanted,
			} {
				if text == "" {
					continue
				}
				at := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			src, err := image.NewSaved(t.Context(), dir, image.Options{Screen: screen})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			items, skips, _ := sourcetest.Drain(t, src)
			if len(items) != 2 || items[0].Content != wanted || items[1].Content != wanted {
				t.Errorf("items %v", items)
			}
			bad := 0
			for _, k := range skips {
				if k.Reason == fingerprints.SkipUnreadable {
					bad++
				}
			}
			if want := map[string]int{"no index": 1, "no manifest": 1, "neither": 2}[c.name]; bad != want {
				t.Errorf("%d of %v are unreadable, want %d", bad, skips, want)
			}
		})
	}
}
