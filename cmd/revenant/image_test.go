package main

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path"
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
	sayingImage(t, reference, file, text, "", o...)
}

// sayingImage says something in the instruction that removes the file, and in a
// label that names the owner.
func sayingImage(t *testing.T, reference, file, text, said string, o ...remote.Option) {
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
	config := v1.Config{Env: []string{"NOTE=" + base64.StdEncoding.EncodeToString([]byte(text))}}
	if said != "" {
		config.Labels = map[string]string{"team": said}
	}
	img, err := mutate.Config(empty.Image, config)
	if err == nil {
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer("app/.env", text), History: v1.History{CreatedBy: "COPY . /app"}},
			mutate.Addendum{Layer: layer("app/.wh..env", ""), History: v1.History{CreatedBy: strings.TrimSpace("RUN rm /app/.env " + said)}})
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
	for target, source := range map[string]string{host + "/shop:1.4": "image:" + host + "/shop", file: "image:" + host + "/shop"} {
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

// TestImageGone: what is found in one image stays found while another is scanned, and
// is gone once no scanned image has it.
func TestImageGone(t *testing.T) {
	b := newBox(t)
	v, other := generated(78), generated(79)
	b.must(0, "", "init")
	b.must(0, v, "secret", "add", "shop/db")
	host := newRegistry(t)
	savedImage(t, host+"/shop:1", "", "db="+v)
	savedImage(t, host+"/shop:2", "", "db="+v)
	open := func() (out []string) {
		var found []struct{ Path, Presence string }
		if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &found); err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			out = append(out, f.Path+" "+f.Presence)
		}
		slices.Sort(out)
		return out
	}
	found := []string{"@env/NOTE metadata", "app/.env shadowed"}
	b.must(1, "", "image", host+"/shop:1")
	b.must(1, "", "image", host+"/shop:2")
	if diff := cmp.Diff(found, open()); diff != "" {
		t.Fatalf("findings (-want +got):\n%s", diff)
	}
	savedImage(t, host+"/shop:1", "", "db="+other)
	b.must(0, "", "image", host+"/shop:1")
	if diff := cmp.Diff(found, open()); diff != "" {
		t.Errorf("another image still has it (-want +got):\n%s", diff)
	}
	savedImage(t, host+"/shop:2", "", "db="+other)
	b.must(0, "", "image", host+"/shop:2")
	if diff := cmp.Diff([]string{"@env/NOTE gone", "app/.env gone"}, open()); diff != "" {
		t.Errorf("no image has it any more (-want +got):\n%s", diff)
	}
}

// TestLayersAcrossRepositories: a layer that another repository has is not read
// again.
func TestLayersAcrossRepositories(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(80)
	b.must(0, v, "secret", "add", "shop/db")
	asked := map[string]int{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			asked[path.Base(r.URL.Path)]++
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	savedImage(t, host+"/a:1", "", "nothing")
	savedImage(t, host+"/b:1", "", "nothing")
	b.must(0, "", "image", host+"/a:1")
	layers := 0
	for _, repository := range []string{"b", "a"} {
		b.must(0, "", "image", host+"/"+repository+":1")
	}
	for _, n := range asked {
		if n == 1 {
			layers++
		}
	}
	if layers != 2 || len(asked) != 3 { // and the configuration, at each scan
		t.Errorf("blobs were asked for %v times", asked)
	}
}

// images drives scans of images.
func (w *walk) images(added, rotated string) {
	host := newRegistry(w.t)
	file := w.write("../images/shop.tar", "")
	sayingImage(w.t, host+"/shop:1", file, "a="+added+" b="+rotated, "key "+rotated)
	w.do("", "image", file)
	w.do("", "image", host+"/shop", "--all-tags", "-r", w.out("image.json"))
	w.write("../context/Dockerfile", "FROM x\nARG A="+added+"\nENV B="+base64.StdEncoding.EncodeToString([]byte(rotated))+"\nCOPY . /"+added+"\n")
	w.write("../context/"+rotated+".txt", added)
	w.write("../context/.dockerignore", "left-"+added+"\n")
	w.write("../context/left-"+added, "x")
	w.do("", "image", "--build-context", filepath.Dir(file)+"/../context", "--build-arg", "C="+added, "-r", w.out("context.json"), "-r", w.out("context.sarif"))
	w.try("", "image", "--build-context", w.plant("context"), "--file", w.plant("Dockerfile"))
	w.try("", "image", "--build-context", filepath.Dir(file)+"/../context", "--target", w.plant("stage"), "--build-arg", "="+w.plant("argument"))
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
