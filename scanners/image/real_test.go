package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

// TestRealImages compares what the source gives out of images with a walk over their
// layers, and what it calls visible with what go-containerregistry extracts: those
// below the folder that REVENANT_TEST_IMAGES names, else some that are made here.
// Layers are opened by go-containerregistry.
func TestRealImages(t *testing.T) {
	root := os.Getenv("REVENANT_TEST_IMAGES")
	if root == "" {
		root = t.TempDir()
		for seed := range uint64(12) {
			madeImage(t, root, seed)
		}
	}
	var found []string
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == "oci-layout":
			found = append(found, filepath.Dir(name))
		case strings.HasSuffix(name, ".tar"), strings.HasSuffix(name, ".tar.gz"):
			found = append(found, name)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no images: %v", err)
	}
	for _, name := range found {
		rel, err := filepath.Rel(root, name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.ToSlash(rel), func(t *testing.T) { compareImage(t, name) })
	}
}

// madeImage saves an image of random layers as docker does, and as a layout.
func madeImage(t *testing.T, root string, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	var layers [][]byte
	for n := range 2 + rng.IntN(4) {
		var list []file
		had := map[string]bool{} // a name stands once in a layer
		for k := range 1 + rng.IntN(12) {
			dir := []string{"a", "a/b", "c"}[rng.IntN(3)]
			base := []string{"x", "y", "z"}[rng.IntN(3)]
			if had[dir+"/"+base] {
				continue
			}
			had[dir+"/"+base] = true
			switch text := fmt.Sprintf("%d %d %d", seed, n, k); rng.IntN(8) {
			case 0:
				list = append(list, file{name: dir + "/.wh." + base})
			case 1:
				list = append(list, file{name: dir + "/" + base, link: "to-" + text})
			default:
				list = append(list, file{name: dir + "/" + base, text: text})
			}
		}
		layers = append(layers, tarOf(t, list...))
	}
	img := pictureOf(t, v1.Config{}, nil, layers...)
	saved := filepath.Join(root, fmt.Sprintf("%d.tar", seed))
	at, err := layout.Write(filepath.Join(root, fmt.Sprint(seed)), empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err = errors.Join(tarball.WriteToFile(saved, *tagOf(t, []string{"made:1"}), img), at.AppendImage(img)); err != nil {
		t.Fatal(err)
	}
}

// contents counts names with the digests of their contents.
type contents map[string]int

func keyOf(name string, text []byte) string {
	return fmt.Sprintf("%s %x", strings.Trim(path.Clean("/"+name), "/"), sha256.Sum256(text))
}

func compareImage(t *testing.T, name string) {
	pictures, whole := opened(t, name)
	all, seen, layers := contents{}, map[string]bool{}, 0
	shown, leadsOut, hard := contents{}, map[string]bool{}, contents{}
	for _, img := range pictures {
		if m, err := img.Manifest(); err != nil || m.Config.MediaType != "" && !m.Config.MediaType.IsConfig() {
			t.Log("no image of a file system")
			whole = false
			continue
		}
		list, err := img.Layers()
		if err != nil {
			t.Logf("layers: %v", err)
			continue
		}
		for _, l := range list {
			id, err := l.DiffID()
			if err != nil || seen[id.String()] {
				continue
			}
			seen[id.String()] = true
			layers++
			rc, err := l.Uncompressed()
			if err != nil {
				t.Logf("a layer: %v", err)
				continue
			}
			all.add(rc, leadsOut, hard)
		}
		shown.add(mutate.Extract(img), map[string]bool{}, contents{})
	}
	mine, visible, loose, skips := given(t, name)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if mine[key] != all[key] {
			t.Errorf("%s: given %d times, is there %d times", key, mine[key], all[key])
		}
		if (visible[key] > 0) != (shown[key] > 0) && !leadsOut[key] {
			t.Errorf("%s: visible %d times, extracted %d times", key, visible[key], shown[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(mine)) {
		if all[key] == 0 && hard[key] == 0 && whole {
			t.Errorf("%s: given %d times, and not there", key, mine[key])
		}
	}
	t.Logf("%d images, %d layers, %d files and links with content, %d visible, %d others, skips %v", len(pictures), layers, len(mine), len(visible), loose, skips)
}

// add takes the files and links of an archive that have content. Links that lead
// out of it, which go-containerregistry does not extract, are noted, and so are
// hard links: what they lead to may be given out with their names.
func (c contents) add(rc io.ReadCloser, leadsOut map[string]bool, hard contents) {
	defer rc.Close()
	r := tar.NewReader(rc)
	for {
		h, err := r.Next()
		if err != nil {
			return
		}
		base := path.Base(h.Name)
		switch {
		case strings.HasPrefix(base, ".wh."):
		case h.Typeflag == tar.TypeSymlink:
			key := keyOf(h.Name, []byte(h.Linkname))
			c[key]++
			leadsOut[key] = !path.IsAbs(h.Linkname) && !filepath.IsLocal(path.Join(path.Dir(strings.TrimPrefix(h.Name, "/")), h.Linkname))
		case h.Typeflag == tar.TypeLink:
			for _, target := range []string{h.Linkname, strings.Trim(path.Clean("/"+h.Linkname), "/")} {
				hard[keyOf(h.Name, []byte(target))]++
			}
		case h.Typeflag == tar.TypeReg && h.Size > 0:
			if text, err := io.ReadAll(r); err == nil {
				c[keyOf(h.Name, text)]++
			}
		}
	}
}

// given is what the source gives out, by layer: files, those that are visible, how
// much else, and what is listed.
func given(t *testing.T, name string) (all, visible contents, others int, skips map[fingerprints.SkipReason]int) {
	all, visible, skips = contents{}, contents{}, map[fingerprints.SkipReason]int{}
	src, err := image.NewSaved(t.Context(), name, image.Options{Screen: func(context.Context, []byte) bool { return true }, Workers: 2})
	if err != nil {
		t.Logf("the source: %v", err)
		return all, visible, 0, skips
	}
	defer src.Close()
	for {
		b, err := src.Next(t.Context())
		for _, k := range b.Skipped {
			skips[k.Reason]++
		}
		for _, it := range b.Items {
			rc, openErr := it.Open(t.Context())
			if openErr != nil {
				t.Errorf("%s: %v", it.Path, openErr)
				continue
			}
			text, readErr := io.ReadAll(rc)
			if err := errors.Join(readErr, rc.Close()); err != nil {
				t.Errorf("%s: %v", it.Path, err)
			}
			switch {
			case strings.HasPrefix(it.Path, "@"), strings.HasSuffix(it.Path, "!@attributes"), slices.Contains(it.Refs, "unreferenced"):
				others++
				continue
			case len(text) == 0:
				continue
			}
			all[keyOf(it.Path, text)]++
			if it.Presence == fingerprints.PresenceVisible {
				visible[keyOf(it.Path, text)]++
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Logf("the source ended: %v", err)
			}
			return all, visible, others, skips
		}
	}
}

// opened are the images that go-containerregistry finds; whole, when it finds some
// and can open each.
func opened(t *testing.T, name string) (out []v1.Image, whole bool) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return ofLayout(t, name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		data = unzipped(t, data)
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	if m, err := tarball.LoadManifest(opener); err == nil {
		for i, d := range m {
			img, err := tarball.Image(opener, tagOf(t, d.RepoTags))
			if err != nil {
				t.Logf("image %d: %v", i, err)
				continue
			}
			out = append(out, img)
		}
		return out, len(out) == len(m) && len(m) > 0
	}
	dir := t.TempDir()
	unpack(t, data, dir)
	return ofLayout(t, dir)
}
