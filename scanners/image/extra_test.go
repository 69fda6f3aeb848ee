package image_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"revenant/scanners/image"
)

// TestExtras: what a saved image holds beside what its documents name is found.
func TestExtras(t *testing.T) {
	layer := file{name: "a/layer.tar", text: string(tarOf(t, file{name: "f", text: "nothing"}))}
	list := file{name: "manifest.json", text: `[{"Config":"c.json","Layers":["a/layer.tar"]}]`}
	config := file{name: "c.json", text: "{}"}
	image := []file{list, config, layer}
	with := func(more ...file) []byte { return tarOf(t, slices.Concat(image, more)...) }
	padded := with()
	copy(padded[bytes.Index(padded, []byte("}]"))+10:], wanted+wanted)
	for name, c := range map[string]struct {
		raw  []byte
		want []string
	}{
		"nothing":          {with(), nil},
		"a file":           {with(file{name: "notes/todo", text: wanted}), []string{"metadata @archive!notes/todo"}},
		"another layer":    {with(file{name: "b/layer.tar", text: string(tarOf(t, file{name: "f", text: wanted}))}), []string{"metadata @archive!b/layer.tar"}},
		"a file again":     {with(file{name: "x", text: wanted}, file{name: "x", text: "other"}), []string{"metadata @archive!x"}},
		"a layer again":    {tarOf(t, list, config, file{name: layer.name, text: wanted}, layer), []string{"metadata @archive!a/layer.tar"}},
		"a layer's second": {tarOf(t, file{name: list.name, text: `[{"Config":"c.json","Layers":["a/layer.tar"]},{"Config":"d.json","Layers":["b/layer.tar"]}]`}, file{name: "c.json", text: `{"rootfs":{"diff_ids":["` + digestOf(layer.text) + `"]}}`}, file{name: "d.json", text: `{"rootfs":{"diff_ids":["` + digestOf(layer.text) + `"]}}`}, layer, file{name: "b/layer.tar", text: wanted}), []string{"metadata @archive!b/layer.tar"}},
		"a link's target":  {with(file{name: "l", link: wanted + "/x"}), []string{"metadata @archive"}},
		"a record":         {with(file{name: "VERSION", text: "1.0", pax: map[string]string{"comment": wanted}}), []string{"metadata @archive"}},
		"a folder":         {with(file{name: wanted + "/"}), []string{"metadata @archive"}},
		"padding":          {padded, []string{"metadata @archive"}},
		"behind the end":   {append(with(), "and "+wanted...), []string{"metadata @archive"}},
		"a field":          {tarOf(t, file{name: list.name, text: `[{"Config":"c.json","Layers":["a/layer.tar"],"Parent":"it is ` + wanted + `"}]`}, config, layer), []string{"metadata @manifest"}},
		"the list of old":  {with(file{name: "repositories", text: `{"` + wanted + `/NAME":{}}`}), []string{"metadata @archive!repositories"}},
		"the version":      {with(file{name: "VERSION", text: wanted}), []string{"metadata @archive!VERSION"}},
		"a lower layer of old that says the same": {tarOf(t, file{name: "repositories", text: `{"shop":{"1":"top"}}`}, file{name: "top/json", text: `{"id":"top","parent":"base","config":{"Env":["` + wanted + `"]}}`}, file{name: "base/json", text: `{"config":{"Env":["` + wanted + `"]},"container_config":{"Cmd":["/bin/sh","-c","a command: ` + wanted + `"]}}`}, file{name: "top/layer.tar", text: layer.text}, file{name: "base/layer.tar", text: layer.text}), []string{"metadata @env/" + wanted, "metadata @history"}},
		"a lower layer of old":                    {tarOf(t, file{name: "repositories", text: `{"shop":{"1":"top"}}`}, file{name: "top/json", text: `{"id":"top","parent":"base"}`}, file{name: "base/json", text: `{"config":{"Env":["` + wanted + `=x"]}}`}, file{name: "top/layer.tar", text: layer.text}, file{name: "base/layer.tar", text: layer.text}), []string{"metadata @archive!base/json"}},
	} {
		for how, raw := range map[string][]byte{"plain": c.raw, "gzip": gzipped(t, c.raw)} {
			if got := inArchive(t, raw); !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: found %q, want %q", name, how, got, c.want)
			}
		}
	}
	for name, raw := range map[string][]byte{"a name": headed(t, with(), gzip.Header{Name: wanted + "NAME"}), "a frame": framed(t, with(), "and "+wanted)} {
		if got := inArchive(t, raw); !slices.Equal(got, []string{"metadata @archive"}) {
			t.Errorf("%s: found %q", name, got)
		}
	}
}

// inArchive is what is found in a saved image.
func inArchive(t *testing.T, raw []byte) []string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "image.tar")
	fatal(t, os.WriteFile(at, raw, 0o600))
	src, err := image.NewSaved(t.Context(), at, image.Options{Screen: screen, Workers: 1})
	fatal(t, err)
	items, _ := lines(t, src)
	for i := range items {
		items[i], _, _ = strings.Cut(items[i], " of ")
	}
	return slices.Compact(items)
}

func headed(t *testing.T, raw []byte, h gzip.Header) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Header = h
	_, err := z.Write(raw)
	fatal(t, err, z.Close())
	return b.Bytes()
}

func framed(t *testing.T, raw []byte, text string) []byte {
	var b bytes.Buffer
	_, err := io.WriteString(&b, "\x50\x2a\x4d\x18"+string([]byte{byte(len(text)), 0, 0, 0})+text)
	z, newErr := zstd.NewWriter(&b)
	fatal(t, err, newErr)
	_, err = z.Write(raw)
	fatal(t, errors.Join(err, z.Close()))
	return b.Bytes()
}
