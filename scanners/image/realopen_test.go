package image_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func unzipped(t *testing.T, data []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tagOf(t *testing.T, tags []string) *name.Tag {
	if len(tags) == 0 {
		return nil
	}
	tag, err := name.NewTag(tags[0])
	if err != nil {
		t.Fatal(err)
	}
	return &tag
}

// unpack writes an archive's files into a folder.
func unpack(t *testing.T, data []byte, dir string) {
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err != nil {
			return
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, h.Name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// ofLayout are the images of an OCI layout.
func ofLayout(t *testing.T, dir string) (out []v1.Image, whole bool) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, false
	}
	out, whole = ofIndex(t, index)
	return out, whole && len(out) > 0
}

func ofIndex(t *testing.T, index v1.ImageIndex) (out []v1.Image, whole bool) {
	m, err := index.IndexManifest()
	if err != nil {
		t.Logf("the index: %v", err)
		return nil, false
	}
	whole = true
	for _, d := range m.Manifests {
		if d.MediaType.IsIndex() {
			inner, err := index.ImageIndex(d.Digest)
			if err != nil {
				whole = false
				continue
			}
			more, all := ofIndex(t, inner)
			out, whole = append(out, more...), whole && all
			continue
		}
		if img, err := index.Image(d.Digest); err == nil {
			out = append(out, img)
		} else {
			t.Logf("an image: %v", err)
			whole = false
		}
	}
	return out, whole
}
