package image_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image"
	"revenant/scanners/sourcetest"
)

// TestConformance runs the suite that every source runs, on a registry, a layout and
// a saved image, one layer of which is not there.
func TestConformance(t *testing.T) {
	img := pictureOf(t, v1.Config{Env: []string{"TOKEN=" + wanted}}, nil,
		tarOf(t, file{name: "app/.env", text: "a " + wanted}, file{name: "app/plain", text: "nothing"}),
		tarOf(t, file{name: "app/.wh..env"}, file{name: "b", text: wanted}), tarOf(t, file{name: "lost", text: wanted}))
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	lost, err := layers[2].Digest()
	if err != nil {
		t.Fatal(err)
	}
	c := newCounting(t)
	c.push(t, "1", img)
	delete(c.has, lost.String())
	dir := t.TempDir()
	at, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = at.AppendImage(img)
	}
	if err == nil {
		err = os.Remove(filepath.Join(dir, "blobs", lost.Algorithm, lost.Hex))
	}
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"app/.env": "a " + wanted, "b": wanted, "@env/TOKEN": "TOKEN=" + wanted}
	listed := func(r fingerprints.SkipReason) map[string]fingerprints.SkipReason {
		return map[string]fingerprints.SkipReason{"@layer": r}
	}
	t.Run("registry", func(t *testing.T) {
		sourcetest.Run(t, sourcetest.Subject{
			New:  func(t *testing.T, _ []byte) scanners.Source { return c.open(t, "shop:1", nil, image.Options{}) },
			Want: want, Skips: listed(fingerprints.SkipUnreadable),
		})
	})
	t.Run("layout", func(t *testing.T) {
		sourcetest.Run(t, sourcetest.Subject{New: func(t *testing.T, _ []byte) scanners.Source { return savedSource(t, dir) }, Want: want, Skips: listed(fingerprints.SkipUnreadable)})
	})
	t.Run("docker save", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "shop.tar")
		ref, err := name.ParseReference("shop:1")
		if err == nil {
			err = tarball.WriteToFile(file, ref, img)
		}
		if err != nil {
			t.Fatal(err)
		}
		want["lost"] = wanted
		sourcetest.Run(t, sourcetest.Subject{New: func(t *testing.T, _ []byte) scanners.Source { return savedSource(t, file) }, Want: want})
	})
}

func savedSource(t *testing.T, at string) *image.Source {
	t.Helper()
	s, err := image.NewSaved(t.Context(), at, image.Options{Screen: screen, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
