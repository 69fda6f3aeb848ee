package image_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// wanted is what the tests' screen lets through.
const wanted = "PLANTED"

func screen(_ context.Context, data []byte) bool { return bytes.Contains(data, []byte(wanted)) }

// file is an entry of a test's layer: a name that ends in a slash is a folder.
type file struct {
	name, text string
	link       string
	hard       string
	pax        map[string]string
}

func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text)), Typeflag: tar.TypeReg, PAXRecords: f.pax}
		switch {
		case f.link != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.link, 0
		case f.hard != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, f.hard, 0
		case strings.HasSuffix(f.name, "/"):
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.text[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func layerOf(t testing.TB, raw []byte) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// pictureOf is an image of these layers.
func pictureOf(t testing.TB, config v1.Config, history []v1.History, layers ...[]byte) v1.Image {
	t.Helper()
	list := make([]v1.Layer, len(layers))
	for i, raw := range layers {
		list[i] = layerOf(t, raw)
	}
	return imageOf(t, config, history, list...)
}

func imageOf(t testing.TB, config v1.Config, history []v1.History, layers ...v1.Layer) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img, err := mutate.Config(img, config)
	var list []mutate.Addendum
	for i, l := range layers {
		add := mutate.Addendum{Layer: l}
		if i < len(history) {
			add.History = history[i]
		}
		list = append(list, add)
	}
	if err == nil {
		img, err = mutate.Append(img, list...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func gzipped(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(raw)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
