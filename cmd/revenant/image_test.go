package main

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// savedImage makes an image whose first layer has app/.env and whose second
// removes it, pushes it to a registry and saves it in a file; either may be empty.
func savedImage(t *testing.T, reference, file, text string, o ...remote.Option) {
	t.Helper()
	layer := func(name, text string) v1.Layer {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		err = errors.Join(err, w.Close())
		l, layerErr := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
		if err := errors.Join(err, layerErr); err != nil {
			t.Fatal(err)
		}
		return l
	}
	img, err := mutate.Config(empty.Image, v1.Config{Env: []string{"NOTE=" + base64.StdEncoding.EncodeToString([]byte(text))}})
	if err == nil {
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer("app/.env", text), History: v1.History{CreatedBy: "COPY . /app"}},
			mutate.Addendum{Layer: layer("app/.wh..env", ""), History: v1.History{CreatedBy: "RUN rm /app/.env"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if file != "" {
		err = tarball.WriteToFile(file, ref, img)
	}
	if strings.Contains(reference, "127.0.0.1") {
		err = errors.Join(err, remote.Write(ref, img, o...))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func newRegistry(t *testing.T) string {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestImages: a file that a later layer removed is found, and so is what the
// image says of itself, in a registry and in a file.
func TestImages(t *testing.T) {
	b := newBox(t)
	v := generated(77)
	b.must(0, "", "init")
	b.must(0, v, "secret", "add", "shop/db")
	host := newRegistry(t)
	file := filepath.Join(b.work, "shop.tar")
	savedImage(t, host+"/shop:1.4", file, "db="+v)
	for target, source := range map[string]string{host + "/shop:1.4": "image:" + host + "/shop", file: "image:file:" + file} {
		var told []struct{ File, Presence, Source, Message, Form string }
		if err := json.Unmarshal([]byte(b.must(1, "", "image", target, "-q", "-f", "json", "-r", "-").stdout), &told); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range told {
			got = append(got, strings.Join([]string{f.File, f.Presence, f.Form, f.Message}, " | "))
			if f.Source != source {
				t.Errorf("source %s, want %s", f.Source, source)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"@env/NOTE | metadata | base64 | ", "app/.env | shadowed | raw | COPY . /app"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
	b.must(2, "", "image", "no such thing!")
	if r := b.must(3, "", "image", host+"/none:1"); !strings.Contains(r.stdout+r.stderr, "404") {
		t.Errorf("an image that is not there: %s%s", r.stdout, r.stderr)
	}
}

// images drives scans of images.
func (w *walk) images(added, rotated string) {
	host := newRegistry(w.t)
	file := w.write("../images/shop.tar", "")
	savedImage(w.t, host+"/shop:1", file, "a="+added+" b="+rotated)
	w.do("", "image", file)
	w.do("", "image", host+"/shop", "--all-tags", "-r", w.out("image.json"))
	w.try("", "image", w.plant("image")+"!")
	w.registries(added, rotated)
	w.try("", "image", host+"/none:"+strings.ToLower(strings.Trim(w.plant("tag"), "-_."))[:9])
}

// runs drives scans of a CI project.
func (w *walk) runs(added, rotated string) {
	s := newActions(w.t)
	w.planted = append(w.planted, canary{"token of a CI system", s.token})
	w.env = append(w.env, "REVENANT_GITHUB_TOKEN="+s.token)
	s.run(1, actionsStep{"Run " + rotated, "login with " + added + "\n" + base64.StdEncoding.EncodeToString([]byte(rotated))})
	w.do("", "logs", s.api.URL+"/acme/shop", "--provider", "github")
	w.do("", "logs", s.api.URL+"/acme/shop", "--provider", "github", "-r", w.out("runs.sarif"), "-r", w.out("runs.json"))
	w.try("", "logs", s.api.URL+"/acme/"+w.plant("project"), "--provider", "github")
	w.try("", "logs", "https://u:"+w.plant("password in a URL")+"@github.com/acme/shop")
}
