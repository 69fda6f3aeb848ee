package image_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image"
)

// example is an image of three layers with something everywhere.
func example(t testing.TB) v1.Image {
	big := strings.Repeat("x", 33<<20) + wanted
	return pictureOf(t, v1.Config{
		Env: []string{"PATH=/bin", "TOKEN=" + wanted}, Labels: map[string]string{"a": "1", "key": wanted}, Cmd: []string{"run", wanted},
	}, []v1.History{{CreatedBy: "COPY . /app"}, {CreatedBy: "RUN rm /app/.env"}, {CreatedBy: "COPY " + wanted}},
		tarOf(t,
			file{name: "app/"}, file{name: "app/.env", text: "a " + wanted}, file{name: "app/plain", text: "nothing"}, file{name: "app/link", link: wanted},
			file{name: "app/again", text: "one " + wanted}, file{name: "app/again", text: "two " + wanted}, file{name: "app/big", text: big},
			file{name: "app/" + wanted + ".txt", text: "by its name"}, file{name: "app/hard", hard: "app/big"}),
		tarOf(t, file{name: "app/.wh..env"}, file{name: "app/.wh.big"}, file{name: "etc/x", text: wanted, pax: map[string]string{"SCHILY.xattr.user.note": wanted}}),
		append(tarOf(t, file{name: "etc/"}, file{name: "etc/.wh..wh..opq"}), wanted...),
	)
}

// seen is an item as a line.
func drain(t testing.TB, s *image.Source) (items map[string]string, skips []fingerprints.Skip) {
	t.Helper()
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	items = map[string]string{}
	for {
		b, err := s.Next(context.Background())
		skips = append(skips, b.Skipped...)
		for _, it := range b.Items {
			rc, openErr := it.Open(context.Background())
			if openErr != nil {
				t.Fatalf("%s: %v", it.Path, openErr)
			}
			data, readErr := io.ReadAll(rc)
			if err := errors.Join(readErr, rc.Close()); err != nil {
				t.Fatalf("%s: %v", it.Path, err)
			}
			if len(data) > 100 {
				data = data[len(data)-len(wanted):]
			}
			key := it.Path
			for items[key] != "" {
				key += "+"
			}
			items[key] = string(it.Presence) + " " + string(data)
			if it.Origin.Message != "" {
				items[key] += " by " + it.Origin.Message
			}
		}
		if errors.Is(err, io.EOF) {
			return items, skips
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func wantExample() map[string]string {
	return map[string]string{
		"app/.env": "shadowed a " + wanted + " by COPY . /app", "app/link": "visible " + wanted + " by COPY . /app",
		"app/again": "shadowed one " + wanted + " by COPY . /app", "app/again+": "visible two " + wanted + " by COPY . /app",
		"app/big": "visible " + wanted + " by COPY . /app", "app/" + wanted + ".txt": "visible  by COPY . /app",
		"etc/x": "shadowed " + wanted + " by RUN rm /app/.env", "etc/x!@attributes": "shadowed SCHILY.xattr.user.note=" + wanted + "\n by RUN rm /app/.env",
		"@layer":     "shadowed " + wanted + " by COPY " + wanted,
		"@env/TOKEN": "metadata TOKEN=" + wanted, "@label/key": "metadata key=" + wanted, "@command": "metadata run\n" + wanted,
		"@history": "metadata COPY . /app\nRUN rm /app/.env\nCOPY " + wanted + "\n",
	}
}

// forms saves an image in every way that is read.
func forms(t *testing.T, img v1.Image) map[string]func() (*image.Source, error) {
	dir := t.TempDir()
	o := image.Options{Screen: screen, Workers: 2}
	tag, err := name.NewTag("example.org/shop:1")
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(dir, "saved.tar")
	oci := filepath.Join(dir, "oci")
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	text := strings.TrimPrefix(server.URL, "http://") + "/shop:1"
	ref, refErr := name.ParseReference(text)
	path, layoutErr := layout.Write(oci, empty.Index)
	if err := errors.Join(tarball.WriteToFile(saved, tag, img), layoutErr, path.AppendImage(img), refErr, remote.Write(ref, img)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(saved)
	if err == nil {
		err = os.WriteFile(saved+".gz", gzipped(t, raw), 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "oci.tar"), tarOf(t, filesBelow(t, oci)...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]func() (*image.Source, error){
		"registry": func() (*image.Source, error) {
			return image.NewRegistry(text, image.RegistryOptions{Insecure: true}, o)
		},
		"repository": func() (*image.Source, error) {
			return image.NewRegistry(strings.TrimSuffix(text, ":1"), image.RegistryOptions{Insecure: true, Tags: everyTag}, o)
		},
	}
	for _, at := range []string{saved, saved + ".gz", oci, filepath.Join(dir, "oci.tar")} {
		out[filepath.Base(at)] = func() (*image.Source, error) { return image.NewSaved(context.Background(), at, o) }
	}
	return out
}

func everyTag(string) bool { return true }

func filesBelow(t *testing.T, dir string) (out []file) {
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out = append(out, file{name: filepath.ToSlash(rel), text: string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryForm(t *testing.T) {
	all := forms(t, example(t))
	for _, form := range slices.Sorted(maps.Keys(all)) {
		t.Run(form, func(t *testing.T) {
			s, err := all[form]()
			if err != nil {
				t.Fatal(err)
			}
			if s.Kind() != fingerprints.KindImage || !strings.HasPrefix(s.ID(), "image:") {
				t.Errorf("kind %s, id %s", s.Kind(), s.ID())
			}
			items, skips := drain(t, s)
			if diff := cmp.Diff(wantExample(), items); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if len(skips) > 0 {
				t.Errorf("skips %v", skips)
			}
		})
	}
}

var _ scanners.Source = (*image.Source)(nil)

// TestSharedLayers: a layer that several images have is one, and a file is visible
// where any of them shows it.
func TestSharedLayers(t *testing.T) {
	base := tarOf(t, file{name: "a", text: wanted})
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for tag, layers := range map[string][][]byte{
		"clean": {base, tarOf(t, file{name: ".wh.a"})}, "full": {base},
	} {
		ref, err := name.ParseReference(host + "/shop:" + tag)
		if err == nil {
			err = remote.Write(ref, pictureOf(t, v1.Config{}, nil, layers...))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{"/shop": "visible", "/shop:clean": "shadowed", "/shop:full": "visible"} {
		r := image.RegistryOptions{Insecure: true}
		if text == "/shop" {
			r.Tags = everyTag
		}
		s, err := image.NewRegistry(host+text, r, image.Options{Screen: screen, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		items, _ := drain(t, s)
		if diff := cmp.Diff(map[string]string{"a": want + " " + wanted}, items); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestPlatforms: all images of an index are read.
func TestPlatforms(t *testing.T) {
	index := v1.ImageIndex(empty.Index)
	for i, arch := range []string{"amd64", "arm64"} {
		img := pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: arch, text: wanted + strings.Repeat("!", i)}))
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendIndex(index)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := image.NewSaved(t.Context(), dir, image.Options{Screen: screen, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	items, _ := drain(t, s)
	if len(items) != 2 || items["arm64"] != "visible "+wanted+"!" {
		t.Errorf("items %v", items)
	}
	blobs, _ := filepath.Glob(filepath.Join(dir, "blobs", "sha256", "*"))
	for _, b := range blobs { // a layer breaks off
		data, err := os.ReadFile(b)
		if err == nil && bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			err = os.WriteFile(b, data[:len(data)-9], 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err = image.NewSaved(t.Context(), dir, image.Options{Screen: screen, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, skips := drain(t, s); len(skips) != 2 || skips[0].Path != "@layer" || skips[0].Reason != fingerprints.SkipUnreadable {
		t.Errorf("layers that break off: %v", skips)
	}
}
