package files_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"revenant/scanners"
	"revenant/scanners/files"
)

func TestMeasure(t *testing.T) {
	root := t.TempDir()
	for name, size := range map[string]int{"a": 10, "sub/b": 20, "sub/.hidden": 30} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]scanners.Counts{root: {Items: 3, Bytes: 60}, filepath.Join(root, "link"): {Items: 1, Bytes: 10}, filepath.Join(root, "none"): {}} {
		if got, err := files.Measure(t.Context(), path); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", filepath.Base(path), got, err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := files.Measure(stopped, root); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
