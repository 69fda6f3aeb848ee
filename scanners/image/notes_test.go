package image_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/image"
	"revenant/scanners/sourcetest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
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
			want := []sourcetest.Seen{{Path: "etc/key", Content: wanted}, {Path: "@layer", Content: wanted}}
			for _, doc := range []string{c.index, c.manifest} { // it is text all the same
				if doc != "" && doc != "{}" {
					want = append(want, sourcetest.Seen{Path: "@manifest", Content: doc})
				}
			}
			for i := range items {
				items[i].Locator = ""
			}
			if diff := cmp.Diff(want, items, cmpopts.SortSlices(func(a, b sourcetest.Seen) bool { return a.Path+a.Content < b.Path+b.Content })); diff != "" {
				t.Error(diff)
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

// TestBrokenArchive: a saved image whose archive ends early is listed, wherever that
// is, and what stands before it is read.
func TestBrokenArchive(t *testing.T) {
	const config = `{"rootfs":{"diff_ids":["sha256:a","sha256:b"]}}`
	whole := tarOf(t,
		file{name: "manifest.json", text: `[{"Config":"c.json","Layers":["a/layer.tar","b/layer.tar"]}]`}, file{name: "c.json", text: config},
		file{name: "a/layer.tar", text: string(tarOf(t, file{name: "etc/key", text: wanted}))}, file{name: "b/layer.tar", text: string(tarOf(t, file{name: "b", text: "b"}))})
	second := bytes.Index(whole, []byte("b/layer.tar\x00"))
	damaged := bytes.Clone(whole)
	damaged[second+1] ^= 1
	for name, c := range map[string]struct {
		raw  []byte
		want bool
	}{
		"whole": {whole, false}, "in a header": {whole[:second+100], true}, "in a file": {whole[:second+1024], true}, "a damaged header": {damaged, true},
		"compressed, in its stream": {gzipped(t, whole)[:len(gzipped(t, whole))-20], true}, "compressed, whole": {gzipped(t, whole), false},
	} {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), "image.tar")
			fatal(t, os.WriteFile(at, c.raw, 0o600))
			src, err := image.NewSaved(t.Context(), at, image.Options{Screen: screen})
			fatal(t, err)
			defer src.Close()
			items, skips, _ := sourcetest.Drain(t, src)
			items = slices.DeleteFunc(items, func(it sourcetest.Seen) bool { return it.Path == "@archive" }) // what is no header
			if len(items) != 1 || items[0].Content != wanted {
				t.Errorf("items %v", items)
			}
			listed := slices.ContainsFunc(skips, func(k fingerprints.Skip) bool {
				return k.Path == "@archive" && k.Locator == "image.tar" && k.Reason == fingerprints.SkipUnreadable
			})
			if listed != c.want {
				t.Errorf("skips %v", skips)
			}
		})
	}
}

// TestBadEntry: an entry of an index that cannot be read is listed, and does not hide
// the others.
func TestBadEntry(t *testing.T) {
	dir := t.TempDir()
	p, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = p.AppendImage(pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: "etc/key", text: wanted})))
	}
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "index.json")
	index, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	index = bytes.Replace(index, []byte("["), []byte(`[{"digest":"sha256:short","size":2},{"size":"x"},`), 1)
	if err := os.WriteFile(at, index, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := image.NewSaved(t.Context(), dir, image.Options{Screen: screen})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	items, skips, _ := sourcetest.Drain(t, src)
	if len(items) != 1 || items[0].Path != "etc/key" {
		t.Errorf("items %+v", items)
	}
	if len(skips) != 1 || skips[0].Reason != fingerprints.SkipUnreadable || skips[0].Detail != "2 entries of the index cannot be read" {
		t.Errorf("skips %+v", skips)
	}
}
