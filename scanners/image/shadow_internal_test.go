package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestShadows(t *testing.T) {
	file := func(name string) entry { return entry{name: name} }
	dir := func(name string) entry { return entry{name: name, kind: kindDir} }
	gone := func(name string) entry { return entry{name: name, kind: kindWhiteout} }
	opaque := func(name string) entry { return entry{name: name, kind: kindOpaque} }
	link := func(name, to string) entry { return entry{name: name, kind: kindSymlink, target: to} }
	hard := func(name, to string) entry { return entry{name: name, kind: kindHardlink, target: to} }
	for _, c := range []struct {
		name   string
		layers [][]entry
		want   string // for each file: its layer, name and who hides it
	}{
		{"one layer", [][]entry{{dir("a"), file("a/b")}}, "0:a/b"},
		{"removed", [][]entry{{file("a/b"), file("a/c")}, {gone("a/b")}}, "0:a/b<1 0:a/c"},
		{"a folder removed", [][]entry{{file("a/b"), file("a/d/c"), file("ab")}, {}, {gone("a")}}, "0:a/b<2 0:a/d/c<2 0:ab"},
		{"removed and made again", [][]entry{{file("a")}, {gone("a")}, {file("a")}}, "0:a<1 2:a"},
		{"removed and made again in one layer", [][]entry{{file("a")}, {file("a"), gone("a")}}, "0:a<1 1:a"},
		{"overwritten", [][]entry{{file("a")}, {file("a")}, {file("a")}}, "0:a<1 1:a<2 2:a"},
		{"twice in a layer", [][]entry{{file("a"), file("a")}}, "0:a<0 0:a"},
		{"opaque", [][]entry{{file("a/b"), file("a/c/d"), file("x")}, {opaque("a"), file("a/e")}}, "0:a/b<1 0:a/c/d<1 0:x 1:a/e"},
		{"opaque behind what the layer adds", [][]entry{{file("a/b")}, {file("a/e"), opaque("a")}}, "0:a/b<1 1:a/e"},
		{"the root is opaque", [][]entry{{file("a/b")}, {opaque("")}}, "0:a/b<1"},
		{"a file over a folder", [][]entry{{file("a/b")}, {file("a")}}, "0:a/b<1 1:a"},
		{"a folder over a file", [][]entry{{file("a")}, {dir("a"), file("a/b")}}, "0:a<1 1:a/b"},
		{"a folder over a folder", [][]entry{{file("a/b")}, {dir("a"), file("a/c")}}, "0:a/b 1:a/c"},
		{"a link over a folder", [][]entry{{file("a/b")}, {link("a", "x")}}, "0:a/b<1"},
		{"through a link", [][]entry{{dir("usr/lib"), file("usr/lib/x"), link("lib", "usr/lib")}, {file("lib/x")}}, "0:usr/lib/x<1 1:lib/x"},
		{"removed through a link", [][]entry{{file("usr/lib/x"), link("lib", "/usr/lib")}, {gone("lib/x")}}, "0:usr/lib/x<1"},
		{"links up", [][]entry{{file("x"), link("a/up", "../..")}, {gone("a/up/x")}}, "0:x<1"},
		{"links in a circle", [][]entry{{link("a", "b"), link("b", "a")}, {file("a/x")}}, "1:a/x<1"},
		{"a link to nothing", [][]entry{{link("a", "none")}, {file("a/x")}}, "1:a/x"},
		{"a hard link outlives the file", [][]entry{{file("a"), hard("b", "a")}, {gone("a")}}, "0:a"},
		{"and is removed", [][]entry{{file("a"), hard("b", "a")}, {gone("a")}, {gone("b")}}, "0:a<2"},
		{"a hard link to a layer below", [][]entry{{file("a")}, {hard("b", "a"), gone("c")}, {gone("a")}}, "0:a"},
		{"a hard link to nothing", [][]entry{{hard("b", "a")}, {file("b")}}, "1:b"},
		{"a device over a file", [][]entry{{file("a")}, {entry{name: "a", kind: kindOther}}}, "0:a<1"},
		{"whiteout of nothing", [][]entry{{gone("a"), opaque("b"), file("c")}}, "0:c"},
		{"out of the root", [][]entry{{file("etc/x"), link("a", "../../../etc")}, {file("a/x")}}, "0:etc/x<1 1:a/x"},
	} {
		if got := told(c.layers); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func told(layers [][]entry) string {
	var out []string
	for i, by := range shadows(layers) {
		for k, e := range layers[i] {
			if e.kind != kindFile {
				continue
			}
			s := fmt.Sprintf("%d:%s", i, e.name)
			if by[k] != visible {
				s += fmt.Sprintf("<%d", by[k])
			}
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// TestShadowsAsExtracted compares with go-containerregistry, which flattens
// images, on random ones.
func TestShadowsAsExtracted(t *testing.T) {
	compared := 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		layers := make([][]entry, 1+rng.IntN(5))
		img := v1.Image(empty.Image)
		for i := range layers {
			seen := map[string]bool{}
			for range rng.IntN(8) {
				parts := []string{"a", "b", "c", "d"}[rng.IntN(4)]
				for range rng.IntN(3) {
					parts = path.Join(parts, []string{"a", "b", "c"}[rng.IntN(3)])
				}
				e := entry{name: parts, kind: []kind{kindFile, kindFile, kindDir, kindWhiteout}[rng.IntN(4)]}
				if above := path.Dir(parts); seen[parts] || seen["."+above] || e.kind == kindFile && below(seen, parts) {
					continue // what one layer says against itself is another test's matter
				}
				if e.kind != kindDir {
					seen["."+parts] = true
				}
				seen[parts] = true
				layers[i] = append(layers[i], e)
			}
			layers[i] = consistent(layers[i])
			img = appended(t, img, i, layers[i])
		}
		want := extracted(t, img)
		if impossible(want) { // it leaves a file where a name above became a folder
			continue
		}
		compared++
		got := map[string]int{}
		for i, by := range shadows(layers) {
			for k, e := range layers[i] {
				if e.kind == kindFile && by[k] == visible {
					got[e.name] = i
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: %v, extracted %v\n%+v", seed, got, want, layers)
		}
	}
	if compared < 300 {
		t.Errorf("%d were compared", compared)
	}
}

// impossible reports whether a file stands where another has a folder.
func impossible(files map[string]int) bool {
	for name := range files {
		for other := range files {
			if strings.HasPrefix(other, name+"/") {
				return true
			}
		}
	}
	return false
}

func below(seen map[string]bool, name string) bool {
	for n := range seen {
		if strings.HasPrefix(strings.TrimPrefix(n, "."), name+"/") {
			return true
		}
	}
	return false
}

// consistent leaves out entries below something in the same layer that is no
// directory.
func consistent(list []entry) (out []entry) {
	for _, e := range list {
		ok := true
		for _, o := range list {
			if o.kind != kindDir && o.name != e.name && (strings.HasPrefix(e.name, o.name+"/") || strings.HasPrefix(o.name, e.name+"/") && e.kind != kindDir) {
				ok = false
			}
		}
		if ok {
			out = append(out, e)
		}
	}
	return out
}

func appended(t *testing.T, img v1.Image, n int, list []entry) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range list {
		h := &tar.Header{Name: e.name, Mode: 0o644, Typeflag: tar.TypeReg}
		text := fmt.Sprint(n)
		switch e.kind {
		case kindDir:
			h.Typeflag, h.Name, h.Mode, text = tar.TypeDir, e.name+"/", 0o755, ""
		case kindWhiteout:
			h.Name, text = path.Join(path.Dir(e.name), ".wh."+path.Base(e.name)), ""
		case kindFile, kindSymlink, kindHardlink, kindOther, kindOpaque:
		}
		h.Size = int64(len(text))
		if err := errors.Join(w.WriteHeader(h), ignore(w.Write([]byte(text)))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err == nil {
		img, err = mutate.AppendLayers(img, layer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func ignore(_ int, err error) error { return err }

func extracted(t *testing.T, img v1.Image) map[string]int {
	t.Helper()
	rc := mutate.Extract(img)
	defer rc.Close()
	out := map[string]int{}
	for r := tar.NewReader(rc); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			var n int
			if _, err := fmt.Fscan(r, &n); err != nil {
				t.Fatal(err)
			}
			out[strings.Trim(h.Name, "/")] = n
		}
	}
}
