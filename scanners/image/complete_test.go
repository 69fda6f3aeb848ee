package image_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

// written is a layout that is written by hand.
type written map[string]string

func (w written) blob(text string) (digest string) {
	digest = digestOf(text)
	w["blobs/sha256/"+strings.TrimPrefix(digest, "sha256:")] = text
	return digest
}

// entry names a document, with more fields.
func entry(digest, more string) string {
	return fmt.Sprintf(`{"digest":%q,"size":-1%s}`, digest, more)
}

func indexOf(entries ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, types.OCIImageIndex, strings.Join(entries, ","))
}

// image is a manifest of a configuration and layers.
func (w written) image(t *testing.T, os string, layers ...string) (manifest, config string) {
	config = w.blob(`{"os":"` + os + `"}`)
	var list []string
	for _, l := range layers {
		list = append(list, entry(w.blob(string(tarOf(t, file{name: l, text: wanted}))), ""))
	}
	return w.blob(fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]}`, types.OCIManifestSchema1, entry(config, ""), strings.Join(list, ","))), config
}

func (w written) without(digests ...string) {
	for _, d := range digests {
		delete(w, "blobs/sha256/"+strings.TrimPrefix(d, "sha256:"))
	}
}

// saved is the folder of a layout.
func (w written) saved(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range w {
		at := filepath.Join(dir, name)
		fatal(t, os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, []byte(text), 0o600))
	}
	return dir
}

// scanned is what is found in a layout and listed.
func (w written) scanned(t *testing.T) (items []string, skips []fingerprints.Skip) {
	t.Helper()
	src, err := image.NewSaved(t.Context(), w.saved(t), image.Options{Screen: screen, Workers: 1})
	fatal(t, err)
	items, skips = lines(t, src)
	for i := range items {
		items[i], _, _ = strings.Cut(items[i], " of ")
	}
	items = slices.DeleteFunc(items, func(s string) bool { return strings.Contains(s, "@layer ends in: ") })
	return slices.Compact(items), skips
}

// TestNotThere: what files of a layout lack is listed: as a failure where it is part of
// an image that is there, and not where nothing of an image is.
func TestNotThere(t *testing.T) {
	const other = `,"platform":{"os":"other"}`
	layerOf := func(name string) string { return digestOf(string(tarOf(t, file{name: name, text: wanted}))) }
	for name, c := range map[string]struct {
		make func(w written)
		want []string // path and reason
	}{
		"all": {func(w written) {
			m, _ := w.image(t, "linux", "a")
			w["index.json"] = indexOf(entry(m, ""))
		}, nil},
		"a layer": {func(w written) {
			m, _ := w.image(t, "linux", "a", "b")
			w.without(layerOf("b"))
			w["index.json"] = indexOf(entry(m, ""))
		}, []string{"@layer unreadable"}},
		"the configuration": {func(w written) {
			m, c := w.image(t, "linux", "a", "b")
			w.without(c)
			w["index.json"] = indexOf(entry(m, ""))
		}, []string{"@config unreadable"}},
		"the manifest": {func(w written) {
			m, _ := w.image(t, "linux", "a")
			w.without(m)
			w["index.json"] = indexOf(entry(m, ""))
		}, []string{"@manifest unreadable"}},
		"all of an index": {func(w written) {
			m, _ := w.image(t, "linux", "a")
			w.without(m)
			w["index.json"] = indexOf(entry(w.blob(indexOf(entry(m, ""))), ""))
		}, []string{"@manifest unreadable"}},
		"another platform": {func(w written) {
			m, _ := w.image(t, "linux", "a")
			n, _ := w.image(t, "other", "b")
			w.without(n)
			w["index.json"] = indexOf(entry(w.blob(indexOf(entry(m, ""), entry(n, other))), ""))
		}, []string{"@manifest missing-object"}},
		"another platform, but for its manifest": {func(w written) {
			m, _ := w.image(t, "linux", "a", "common")
			n, c := w.image(t, "other", "b", "common")
			w.without(c, layerOf("b"))
			w["index.json"] = indexOf(entry(w.blob(indexOf(entry(m, ""), entry(n, other))), ""))
		}, []string{"@config missing-object", "@layer missing-object"}},
		"another platform, but for a layer": {func(w written) {
			m, _ := w.image(t, "linux", "a")
			n, c := w.image(t, "other", "b", "c")
			w.without(c, layerOf("c"))
			w["index.json"] = indexOf(entry(w.blob(indexOf(entry(m, ""), entry(n, other))), ""))
		}, []string{"@config unreadable", "@layer unreadable"}},
		"a layer of two": {func(w written) {
			m, c := w.image(t, "linux", "common")
			n, _ := w.image(t, "other", "common")
			w.without(c, layerOf("common"))
			w["index.json"] = indexOf(entry(w.blob(indexOf(entry(m, ""), entry(n, other))), ""))
		}, []string{"@config missing-object", "@layer unreadable"}},
		"a manifest that is embedded": {func(w written) {
			m, _ := w.image(t, "linux", "a")
			data := base64.StdEncoding.EncodeToString([]byte(w["blobs/sha256/"+m[7:]]))
			w.without(m)
			w["index.json"] = indexOf(entry(m, `,"data":"`+data+`"`))
		}, nil},
		"what docker names": {func(w written) {
			w["manifest.json"] = `[{"Config":"c.json","Layers":["a/layer.tar","b/layer.tar"]}]`
			w["a/layer.tar"] = string(tarOf(t, file{name: "a", text: wanted}))
		}, []string{"@config unreadable", "@layer unreadable"}},
		"what docker says is kept elsewhere": {func(w written) {
			const diff = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			w["c.json"] = `{"rootfs":{"diff_ids":["` + diff + `"]}}`
			w["manifest.json"] = `[{"Config":"c.json","Layers":["b/layer.tar"],"LayerSources":{"` + diff + `":{"mediaType":"` + string(types.DockerForeignLayer) + `","size":5,"digest":"` + diff + `"}}}]`
		}, []string{"@layer missing-object"}},
		"what docker named of old": {func(w written) {
			w["repositories"] = `{"shop":{"1":"top"}}`
			w["top/json"] = `{"id":"top","parent":"base"}`
		}, []string{"@config unreadable", "@layer unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := written{}
			c.make(w)
			_, skips := w.scanned(t)
			var got []string
			for _, k := range skips {
				got = append(got, k.Path+" "+string(k.Reason))
			}
			slices.Sort(got)
			if diff := gocmp.Diff(c.want, slices.Compact(got)); diff != "" {
				t.Errorf("listed (-want +got):\n%s\n%+v", diff, skips)
			}
		})
	}
}

// TestEntriesOfIndexes: what an index says of its entries is found, wherever those lead.
func TestEntriesOfIndexes(t *testing.T) {
	const says = `,"annotations":{"note":"` + wanted + `"}`
	for name, c := range map[string]struct {
		make func(w written, image string) (index string)
		path string
	}{
		"to an image":      {func(_ written, m string) string { return indexOf(entry(m, says)) }, "note"},
		"to nothing":       {func(_ written, m string) string { return indexOf(entry(m, ""), entry(digestOf("none"), says)) }, "note"},
		"to an index":      {func(w written, m string) string { return indexOf(entry(w.blob(indexOf(entry(m, ""))), says)) }, "note"},
		"to no document":   {func(w written, m string) string { return indexOf(entry(m, ""), entry(w.blob("{"), says)) }, "note"},
		"to an image, too": {func(_ written, m string) string { return indexOf(entry(m, ""), entry(m, says)) }, "note"},
		"by a name": {func(_ written, m string) string {
			return indexOf(entry(m, ""), entry(digestOf("none"), `,"annotations":{"org.opencontainers.image.ref.name":"`+wanted+`"}`))
		}, "org.opencontainers.image.ref.name"},
		"from a lower one": {func(w written, m string) string {
			return indexOf(entry(w.blob(indexOf(entry(m, ""), entry(digestOf("none"), says))), ""))
		}, "note"},
		"no entry": {func(_ written, m string) string {
			return indexOf(entry(m, ""), `{"digest":"sha256:none","annotations":{"note":"`+wanted+wanted+wanted+`"}}`)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := written{}
			m, _ := w.image(t, "linux")
			w["index.json"] = c.make(w, m)
			items, _ := w.scanned(t)
			want := []string{"metadata @annotation/" + c.path}
			if c.path == "" {
				want = []string{"metadata @manifest"}
			}
			if !slices.Contains(items, want[0]) {
				t.Errorf("found %q, want %q", items, want)
			}
		})
	}
}

// TestEntriesOfIndexesInRegistries is that of a registry.
func TestEntriesOfIndexesInRegistries(t *testing.T) {
	raw := indexOf(entry(digestOf("none"), `,"annotations":{"note":"`+wanted+`"}`))
	host := newServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/manifests/1") {
			w.Header().Set("Content-Type", string(types.OCIImageIndex))
			_, _ = w.Write([]byte(raw))
			return
		}
		next.ServeHTTP(w, r)
	})
	src, err := image.NewRegistry(host+"/shop:1", image.RegistryOptions{}, image.Options{Screen: screen, Workers: 1})
	fatal(t, err)
	items, skips := lines(t, src)
	if !slices.Contains(items, "metadata @annotation/note of shop:1") {
		t.Errorf("found %q", items)
	}
	checkSkip(t, skips, "@manifest unreadable 404")
}

// TestCutArchive: an archive that ends between two files is known not to be whole.
func TestCutArchive(t *testing.T) {
	whole := tarOf(t, file{name: "manifest.json", text: `[{"Config":"c.json","Layers":["a/layer.tar"]}]`}, file{name: "c.json", text: "{}"},
		file{name: "a/layer.tar", text: string(tarOf(t, file{name: "etc/key", text: wanted}))}, file{name: "VERSION", text: "1.0"})
	last := bytes.LastIndex(whole, []byte("VERSION\x00"))
	for name, c := range map[string]struct {
		raw  []byte
		want bool
	}{
		"whole":               {whole, false},
		"one block of zeros":  {whole[:last+1536], false},
		"no zeros":            {whole[:last+1024], true},
		"no padding":          {whole[:last+515], true},
		"before a file":       {whole[:last], true},
		"compressed":          {gzipped(t, whole), false},
		"before, compressed":  {gzipped(t, whole[:last]), true},
		"between the members": {slices.Concat(gzipped(t, whole[:512]), gzipped(t, whole[512:last])), true},
	} {
		at := filepath.Join(t.TempDir(), "image.tar")
		fatal(t, os.WriteFile(at, c.raw, 0o600))
		src, err := image.NewSaved(t.Context(), at, image.Options{Screen: screen})
		fatal(t, err)
		_, skips := lines(t, src)
		if listed := slices.ContainsFunc(skips, func(k fingerprints.Skip) bool { return k.Path == "@archive" && k.Reason == fingerprints.SkipUnreadable }); listed != c.want {
			t.Errorf("%s: listed %v", name, skips)
		}
	}
}
