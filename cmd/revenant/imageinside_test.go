package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// imageOf saves an image of one layer with these files.
func imageOf(t *testing.T, path string, files map[string]string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	err := w.Close()
	layer, layerErr := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err := errors.Join(err, layerErr); err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	tag, tagErr := name.NewTag("example.org/shop:1")
	if err := errors.Join(err, tagErr); err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(path, tag, img); err != nil {
		t.Fatal(err)
	}
}

// nested packs a text so many times.
func nested(t *testing.T, text string, depth int) string {
	for range depth {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := io.WriteString(z, text)
		if err := errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		text = b.String()
	}
	return text
}

// TestInsideLayers: archives and repositories in a layer are opened; what is nested
// deeper than the bound is listed.
func TestInsideLayers(t *testing.T) {
	b := newBox(t)
	v := generated(78)
	b.must(0, "", "init")
	b.must(0, v, "secret", "add", "shop/db")
	repo := b.holding("repo", "db = "+v+"\n")
	blob := b.gitIn(repo, "rev-parse", "HEAD:app.conf")
	b.write("repo/app.conf", "none\n")
	b.gitIn(repo, "commit", "-q", "-a", "-m", "second")
	b.gitIn(repo, "gc", "-q", "--prune=now")
	packs, err := filepath.Glob(filepath.Join(repo, ".git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	pack, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.work, "shop.tar")
	imageOf(t, file, map[string]string{
		"app/.git/objects/pack/p.pack": string(pack), "eight.gz": nested(t, "db="+v, 8), "twelve.gz": nested(t, "db="+v, 12), "thirty.gz": nested(t, "db="+v, 30),
	})
	r := b.must(1, "", "image", file, "-f", "json", "-r", "-")
	var told []struct{ File string }
	if err := json.Unmarshal([]byte(r.stdout), &told); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range told {
		got = append(got, f.File)
	}
	slices.Sort(got)
	deepest := strings.Repeat("!content", 7) // below that streams are undone as encodings are, where they stand
	want := []string{"app/.git/objects/pack/p.pack!blob/" + blob, "eight.gz!eight" + deepest, "twelve.gz!twelve" + strings.TrimPrefix(deepest, "!content")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if !strings.Contains(r.stderr, "nested deeper than 8") || !strings.Contains(r.stderr, "thirty.gz") {
		t.Errorf("what is nested deeper is not listed:\n%s", r.stderr)
	}
}
