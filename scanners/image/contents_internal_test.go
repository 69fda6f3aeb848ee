package image

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const hex64 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

func TestSubjectOf(t *testing.T) {
	const image = `{"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:` + hex64 + `"}]}`
	attested := map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "sha256:" + hex64}
	tests := map[string]struct {
		annotations map[string]string
		raw         string
		names       []string
		want        string
	}{
		"an image":                 {nil, image, []string{"h/shop:1"}, ""},
		"with a subject":           {nil, `{"subject":{"digest":"sha256:` + hex64 + `"}}`, nil, "sha256:" + hex64},
		"buildkit's":               {attested, `{}`, nil, "sha256:" + hex64},
		"buildkit's, of no digest": {map[string]string{"vnd.docker.reference.type": "x"}, `{}`, nil, unknownSubject},
		"a digest alone":           {map[string]string{"vnd.docker.reference.digest": "sha256:" + hex64}, `{}`, nil, ""},
		"cosign's":                 {nil, image, []string{"h:5/shop:sha256-" + hex64 + ".sig"}, "sha256:" + hex64},
		"cosign's, saved":          {map[string]string{"kind": "dev.cosignproject.cosign/sigs"}, image, nil, unknownSubject},
		"cosign's image, saved":    {map[string]string{"kind": "dev.cosignproject.cosign/image"}, image, nil, ""},
		"the fallback's":           {nil, `{}`, []string{"sha256-" + hex64}, "sha256:" + hex64},
		"copied by digest":         {nil, image, []string{"h/shop:sha256-" + hex64}, ""},
		"a longer tag":             {nil, `{}`, []string{"h/shop:sha256-" + hex64 + "-1"}, ""},
		"a shorter one":            {nil, `{}`, []string{"h/shop:sha256-" + hex64[1:]}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, ok := parseManifest([]byte(tt.raw))
			if !ok {
				t.Fatal("no manifest")
			}
			if got := subjectOf(v1.Descriptor{Annotations: tt.annotations}, m, tt.names); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestTie: what is about what is about an image is the image's, whatever circles
// there are.
func TestTie(t *testing.T) {
	pictures := []picture{
		{digest: "image", names: []string{"shop:1"}},
		{digest: "sbom", about: "image", names: []string{"shop:sha256-" + hex64}},
		{digest: "signature", about: "sbom"},
		{digest: "of the index", about: "index"},
		{digest: "orphan", about: "gone", names: []string{"shop:x"}},
		{digest: "circle", about: "round"},
		{digest: "round", about: "circle"},
	}
	tie(pictures, map[string][]string{"image": {"shop:1"}, "sbom": {"shop:sha256-" + hex64}, "index": {"shop:1", "shop:2"}})
	var got []string
	for _, p := range pictures {
		got = append(got, p.digest+" "+strings.Join(p.names, ","))
	}
	want := []string{"image shop:1", "sbom shop:1", "signature shop:1", "of the index shop:1,shop:2", "orphan shop:x", "circle ", "round "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzManifest: whatever a manifest says, every blob that it names is taken once,
// but for what is empty.
func FuzzManifest(f *testing.F) {
	f.Add(`{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":5,"digest":"sha256:`+hex64+`"},"layers":[{"mediaType":"application/vnd.in-toto+json","size":9,"digest":"sha256:`+hex64+`","annotations":{"org.opencontainers.image.title":"../../x"}}]}`, "shop:1")
	f.Add(`{"blobs":[{"size":-7,"digest":"sha256:`+hex64+`"}],"subject":{"digest":"sha256:`+hex64+`"},"artifactType":"a/b"}`, "sha256-"+hex64+".att")
	f.Add(`{"layers":[{},{"urls":["https://h/x"],"mediaType":"foreign"}]}`, "")
	f.Fuzz(func(t *testing.T, raw, name string) {
		m, ok := parseManifest([]byte(raw))
		if !ok {
			return
		}
		p := picture{about: subjectOf(v1.Descriptor{}, m, []string{name})}
		config := p.take(m, func(d v1.Descriptor) blob {
			return blob{digest: d.Digest.String(), mediaType: d.MediaType, size: d.Size}
		})
		_ = m.said(nil)
		most := len(m.Layers) + len(m.Blobs) + 1
		if config != nil {
			most--
		}
		if len(p.layers) > most {
			t.Errorf("%d blobs of %d", len(p.layers), most)
		}
		for _, b := range p.layers {
			if strings.HasPrefix(b.path, "/") || slices.Contains(strings.Split(b.path, "/"), "..") && !strings.HasPrefix(b.path, "@") {
				t.Errorf("path %q", b.path)
			}
		}
	})
}
