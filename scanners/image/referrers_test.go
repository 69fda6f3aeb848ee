package image_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

const (
	inToto  = types.MediaType("application/vnd.in-toto+json")
	cosign  = types.MediaType("application/vnd.dev.cosign.simplesigning.v1+json")
	helm    = types.MediaType("application/vnd.cncf.helm.chart.content.v1.tar+gzip")
	helmSet = types.MediaType("application/vnd.cncf.helm.config.v1+json")
	ofBill  = types.MediaType("application/vnd.acme.checked+json")
	sbom    = types.MediaType("application/spdx+json")
)

// told is an item of a test in a line, with the names of images.
func lines(t *testing.T, s *image.Source) (items []string, skips []fingerprints.Skip) {
	t.Helper()
	defer func() { _ = s.Close() }()
	for {
		b, err := s.Next(context.Background())
		skips = append(skips, b.Skipped...)
		for _, it := range b.Items {
			line := string(it.Presence) + " " + it.Path
			rc, openErr := it.Open(context.Background())
			if openErr != nil {
				items = append(items, line+" cannot be opened: "+openErr.Error())
				continue
			}
			data, readErr := io.ReadAll(rc)
			_ = rc.Close()
			if readErr != nil {
				line += " ends in: " + readErr.Error()
			}
			if !strings.Contains(string(data), wanted) {
				continue
			}
			var names []string
			for _, ref := range it.Refs {
				names = append(names, ref[strings.LastIndex(ref, "/")+1:])
			}
			items = append(items, line+" of "+strings.Join(names, ","))
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(items)
			return slices.Compact(items), skips
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func fatal(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// artifact is a manifest that is no image.
func artifact(t testing.TB, config types.MediaType, layers ...mutate.Addendum) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), config)
	img, err := mutate.Append(img, layers...)
	fatal(t, err)
	return img
}

func layerAdd(text string, mediaType types.MediaType, annotations map[string]string) mutate.Addendum {
	return mutate.Addendum{Layer: static.NewLayer([]byte(text), mediaType), MediaType: mediaType, Annotations: annotations}
}

func subject(t testing.TB, img v1.Image, of partial.Describable) v1.Image {
	t.Helper()
	d, err := partial.Descriptor(of)
	fatal(t, err)
	about, is := mutate.Subject(img, v1.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}).(v1.Image)
	if !is {
		t.Fatal("no image")
	}
	return about
}

// signed is an image with everything that may refer to it.
type signed struct {
	index    v1.ImageIndex
	image    v1.Image
	sbom     v1.Image
	ofSBOM   v1.Image // refers to the bill of materials
	signs    v1.Image // cosign's
	attested v1.Image // what buildkit puts into the index
}

func newSigned(t testing.TB) *signed {
	t.Helper()
	s := &signed{image: pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: "app", text: "in the image " + wanted}))}
	digest, err := s.image.Digest()
	fatal(t, err)
	s.attested = artifact(t, types.OCIConfigJSON, layerAdd(`{"a":"`+wanted+`"}`, inToto, map[string]string{"in-toto.io/predicate-type": "x"}))
	s.index = mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: s.image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: s.attested, Descriptor: v1.Descriptor{
			Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest.String()},
		}})
	s.sbom = subject(t, artifact(t, "application/vnd.oci.empty.v1+json", layerAdd("bill "+wanted, sbom, map[string]string{"org.opencontainers.image.title": "sbom.json"})), s.image)
	s.ofSBOM = subject(t, artifact(t, types.OCIConfigJSON, layerAdd("of the bill "+wanted, ofBill, nil)), s.sbom)
	s.signs = artifact(t, types.OCIConfigJSON, layerAdd("signature "+wanted, cosign, map[string]string{"dev.cosignproject.cosign/signature": wanted + " annotated"}))
	return s
}

func (s *signed) cosignTag(t testing.TB) string {
	t.Helper()
	digest, err := s.index.Digest()
	fatal(t, err)
	return "sha256-" + digest.Hex + ".sig"
}

func (s *signed) push(t *testing.T, repository string) {
	t.Helper()
	write := func(tag string, img v1.Image) error {
		ref, err := name.ParseReference(repository + ":" + tag)
		return errors.Join(err, remote.Write(ref, img))
	}
	ref, err := name.ParseReference(repository + ":1")
	sbomDigest, sbomErr := s.sbom.Digest()
	ofDigest, ofErr := s.ofSBOM.Digest()
	fatal(t, err, sbomErr, ofErr, remote.WriteIndex(ref, s.index), write(s.cosignTag(t), s.signs))
	for digest, img := range map[v1.Hash]v1.Image{sbomDigest: s.sbom, ofDigest: s.ofSBOM} {
		ref, err := name.NewDigest(repository + "@" + digest.String())
		fatal(t, err, remote.Write(ref, img))
	}
}

func wantSigned() []string {
	return []string{
		"metadata @annotation/dev.cosignproject.cosign/signature of shop:1",
		"metadata @referrer/" + string(sbom) + " of shop:1",
		"metadata @referrer/" + string(ofBill) + " of shop:1",
		"metadata @referrer/" + string(cosign) + " of shop:1",
		"metadata @referrer/" + string(inToto) + " of shop:1",
		"visible app of shop:1",
	}
}

// TestReferrers: what refers to an image is read with it, however it is kept, and
// known as the image's.
func TestReferrers(t *testing.T) {
	s := newSigned(t)
	for kind, supported := range map[string]bool{"the registry tells": true, "by tags": false} {
		server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(supported)))
		t.Cleanup(server.Close)
		repository := strings.TrimPrefix(server.URL, "http://") + "/shop"
		s.push(t, repository)
		for what, o := range map[string]image.RegistryOptions{
			repository + ":1": {}, repository: {Tags: everyTag}, repository + "#": {Tags: func(tag string) bool { return tag == "1" }},
		} {
			src, err := image.NewRegistry(strings.TrimSuffix(what, "#"), o, image.Options{Screen: screen, Workers: 2})
			fatal(t, err)
			items, skips := lines(t, src)
			if diff := gocmp.Diff(wantSigned(), items); diff != "" || len(skips) > 0 {
				t.Errorf("%s, %s: skips %v (-want +got):\n%s", kind, what, skips, diff)
			}
		}
	}
}

// TestReferrersInLayouts: the same of an image in files.
func TestReferrersInLayouts(t *testing.T) {
	s := newSigned(t)
	dir := t.TempDir()
	at, err := layout.Write(dir, empty.Index)
	fatal(t, err)
	named := func(ref string) layout.Option {
		return layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": ref})
	}
	fatal(t, at.AppendIndex(s.index, named("example.org/shop:1")), at.AppendImage(s.sbom), at.AppendImage(s.ofSBOM), at.AppendImage(s.signs, named(s.cosignTag(t))))
	src, err := image.NewSaved(t.Context(), dir, image.Options{Screen: screen, Workers: 2})
	fatal(t, err)
	items, skips := lines(t, src)
	if diff := gocmp.Diff(wantSigned(), items); diff != "" || len(skips) > 0 {
		t.Errorf("skips %v (-want +got):\n%s", skips, diff)
	}
}

// TestArtifacts: what is no image is read as contents.
func TestArtifacts(t *testing.T) {
	host := newServer(t, nil)
	chart := gzipped(t, tarOf(t, file{name: "chart/values.yaml", text: wanted}))
	push := func(tag string, img v1.Image) {
		ref, err := name.ParseReference(host + "/shop:" + tag)
		fatal(t, err, remote.Write(ref, img))
	}
	push("chart", artifact(t, helmSet, mutate.Addendum{Layer: static.NewLayer(chart, helm), MediaType: helm}))
	push("titled", artifact(t, "application/vnd.acme.config+json",
		layerAdd(wanted, "text/plain", map[string]string{"org.opencontainers.image.title": "../notes/a.txt"}), layerAdd(wanted+"!", "application/wasm", nil)))
	src, err := image.NewRegistry(host+"/shop", image.RegistryOptions{Tags: everyTag}, image.Options{Screen: screen, Workers: 2})
	fatal(t, err)
	var got []string
	for {
		b, err := src.Next(t.Context())
		for _, it := range b.Items {
			got = append(got, string(it.Presence)+" "+it.Path)
		}
		if len(b.Skipped) > 0 {
			t.Errorf("skips %v", b.Skipped)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		fatal(t, err)
	}
	slices.Sort(got)
	want := []string{"metadata @artifact/" + string(helm), "metadata @artifact/application/wasm", "metadata @config", "metadata notes/a.txt"}
	if diff := gocmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLyingSizes: a content is read and held against its size, however small that
// is said to be; an empty one is not asked for.
func TestLyingSizes(t *testing.T) {
	const kind = "application/wasm"
	for size, text := range map[int]string{0: wanted, 1: wanted + "1", 2: wanted + "2"} {
		raw := fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":%q},"layers":[{"mediaType":%q,"size":%d,"digest":%q}]}`,
			digestOf("{}"), kind, size, digestOf(text))
		manifest := rawManifest(raw)
		host := newServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/blobs/"+digestOf(text)):
				_, _ = io.WriteString(w, text)
			case strings.HasSuffix(r.URL.Path, "/blobs/"+digestOf("{}")):
				t.Error("the empty content was asked for")
			default:
				manifest(w, r, next)
			}
		})
		src, err := image.NewRegistry(host+"/shop:x", image.RegistryOptions{}, image.Options{Screen: screen, Workers: 1})
		fatal(t, err)
		items, skips := lines(t, src)
		if len(items) != 1 || !strings.HasPrefix(items[0], "metadata @artifact/"+kind) {
			t.Errorf("size %d: items %q, skips %v", size, items, skips)
		}
	}
}

// TestEmbedded: what a manifest holds of a blob need not be asked for; what is not
// the blob does not count.
func TestEmbedded(t *testing.T) {
	config := `{"config":{"Env":["A=` + wanted + `"]}}`
	for data, want := range map[string]string{config: "metadata @env/A of shop:x", "other": ""} {
		embedded := base64.StdEncoding.EncodeToString([]byte(data))
		raw := `{"schemaVersion":2,"config":{"mediaType":"` + string(types.OCIConfigJSON) + `","size":` + sizeOf(config) + `,"digest":"` + digestOf(config) + `","data":"` + embedded + `"},"layers":[]}`
		host := newServer(t, rawManifest(raw))
		src, err := image.NewRegistry(host+"/shop:x", image.RegistryOptions{}, image.Options{Screen: screen, Workers: 1})
		fatal(t, err)
		items, skips := lines(t, src)
		if got := strings.Join(items, " "); got != want {
			t.Errorf("got %q", got)
		}
		if missing := len(skips) == 1 && skips[0].Reason == fingerprints.SkipUnreadable; missing != (want == "") {
			t.Errorf("skips %v", skips)
		}
	}
}
