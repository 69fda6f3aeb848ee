package recall_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"revenant/scanners"
	"revenant/scanners/image"
)

// imageMaker gathers what an image has, and saves it in any layout.
type imageMaker struct {
	t           *testing.T
	layers      [3]bytes.Buffer
	tars        [3]*tar.Writer
	more        [][]byte // layers that are no plain archives
	loose       [][]byte // blobs that no image names
	other       bytes.Buffer
	otherTar    *tar.Writer    // the layer of another platform's image
	run         map[string]any // how a container is run
	labels      map[string]string
	env         []string
	triggers    []string
	history     []map[string]any
	config      map[string]any // beside that
	annotations map[string]map[string]string
	tags        []string
}

func newImageMaker(t *testing.T) *imageMaker {
	m := &imageMaker{t: t, run: map[string]any{}, labels: map[string]string{}, config: map[string]any{}, annotations: map[string]map[string]string{}, tags: []string{"latest"}}
	for i := range m.tars {
		m.tars[i] = tar.NewWriter(&m.layers[i])
	}
	m.otherTar = tar.NewWriter(&m.other)
	return m
}

// entry adds to a layer, the lowest is 0.
func (m *imageMaker) entry(w *tar.Writer, h tar.Header, body string) {
	m.t.Helper()
	h.Mode, h.Size = 0o644, int64(len(body))
	if h.Typeflag == 0 {
		h.Typeflag = tar.TypeReg
	}
	err := w.WriteHeader(&h)
	if err == nil {
		_, err = io.WriteString(w, body)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *imageMaker) file(layer int, name, body string) {
	m.entry(m.tars[layer], tar.Header{Name: name}, body)
}

// sparse adds a file with a hole, as GNU tar wrote them of old.
func (m *imageMaker) sparse(layer int, name, body string) {
	block := make([]byte, 512)
	copy(block, name)
	for at, s := range map[int]string{
		100: "0000644", 108: "0000000", 116: "0000000", 124: fmt.Sprintf("%011o", len(body)), 136: "00000000000", 156: "S", 257: "ustar  \x00",
		386: fmt.Sprintf("%011o", 4096), 398: fmt.Sprintf("%011o", len(body)), 483: fmt.Sprintf("%011o", 4096+len(body)),
	} {
		copy(block[at:], s)
	}
	copy(block[148:], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	m.layers[layer].Write(block)
	m.layers[layer].WriteString(body + strings.Repeat("\x00", -len(body)&511))
}

func (m *imageMaker) annotate(what, name, text string) {
	if m.annotations[what] == nil {
		m.annotations[what] = map[string]string{}
	}
	m.annotations[what][name] = text
}

// saved is a folder, an archive or a registry that is being filled.
type saved struct {
	t     *testing.T
	files map[string][]byte
	pack  func([]byte) []byte // of layers
	kind  string              // of media types: gzip, zstd or nothing
}

type descriptor map[string]any

func (s *saved) json(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func hexOf(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func (s *saved) blob(mediaType string, b []byte, annotations map[string]string) descriptor {
	s.files["blobs/sha256/"+hexOf(b)] = b
	d := descriptor{"mediaType": mediaType, "digest": "sha256:" + hexOf(b), "size": len(b)}
	if len(annotations) > 0 {
		d["annotations"] = annotations
	}
	return d
}

// ends are the layers, whole.
func (m *imageMaker) ends() (out [][]byte) {
	for i := range m.tars {
		if err := m.tars[i].Close(); err != nil {
			m.t.Fatal(err)
		}
		out = append(out, m.layers[i].Bytes())
	}
	return append(out, m.more...)
}

// said is the configuration.
func (m *imageMaker) said(layers [][]byte) map[string]any {
	run := maps.Clone(m.run)
	run["Env"], run["Labels"], run["OnBuild"] = m.env, m.labels, m.triggers
	c := maps.Clone(m.config)
	c["architecture"], c["os"], c["config"] = "amd64", "linux", run
	ids := []string{}
	for _, l := range layers {
		ids = append(ids, "sha256:"+hexOf(l))
	}
	c["rootfs"] = map[string]any{"type": "layers", "diff_ids": ids}
	if m.history != nil {
		c["history"] = m.history
	}
	return c
}

const ociType = "application/vnd.oci.image."

// oci fills a layout; its index is returned.
func (m *imageMaker) oci(s *saved, layers [][]byte) []byte {
	if err := m.otherTar.Close(); err != nil {
		m.t.Fatal(err)
	}
	layer := ociType + "layer.v1.tar"
	if s.kind != "" {
		layer += "+" + s.kind
	}
	var list []descriptor
	for _, l := range layers {
		list = append(list, s.blob(layer, s.pack(l), m.annotations["layer"]))
	}
	manifest := func(config map[string]any, layers []descriptor, notes map[string]map[string]string) descriptor {
		c := s.blob(ociType+"config.v1+json", s.json(config), notes["configuration"])
		return s.blob(ociType+"manifest.v1+json", s.json(map[string]any{
			"schemaVersion": 2, "mediaType": ociType + "manifest.v1+json", "config": c, "layers": layers, "annotations": notes["manifest"],
		}), nil)
	}
	first := manifest(m.said(layers), list, m.annotations)
	first["platform"], first["annotations"] = map[string]string{"architecture": "amd64", "os": "linux"}, m.annotations["descriptor"]
	second := manifest(map[string]any{"architecture": "arm64", "os": "linux"}, []descriptor{s.blob(layer, s.pack(m.other.Bytes()), nil)}, nil)
	second["platform"] = map[string]string{"architecture": "arm64", "os": "linux"}
	index := s.json(map[string]any{"schemaVersion": 2, "mediaType": ociType + "index.v1+json", "manifests": []descriptor{first, second}, "annotations": m.annotations["index"]})
	for _, l := range m.loose {
		s.blob("", s.pack(l), nil)
	}
	return index
}

// layout writes an OCI layout.
func (m *imageMaker) layout(s *saved) {
	index := m.oci(s, m.ends())
	var tops []descriptor
	for _, tag := range m.tags {
		tops = append(tops, s.blob(ociType+"index.v1+json", index, map[string]string{"org.opencontainers.image.ref.name": tag}))
	}
	s.files["oci-layout"] = []byte(`{"imageLayoutVersion":"1.0.0"}`)
	s.files["index.json"] = s.json(map[string]any{"schemaVersion": 2, "manifests": tops, "annotations": m.annotations["top"]})
}

func (m *imageMaker) references() (out []string) {
	for _, tag := range m.tags {
		out = append(out, "shop:"+tag)
	}
	return out
}

// docker writes what docker save writes since 1.10; with an index, since 25.
func (m *imageMaker) docker(s *saved, index bool) {
	layers := m.ends()
	var names []string
	config := s.json(m.said(layers))
	at := hexOf(config) + ".json"
	if index {
		s.kind = ""
		at = "blobs/sha256/" + hexOf(config)
	}
	var list []descriptor
	for _, l := range layers {
		name := hexOf(append([]byte("v1"), l...)) + "/layer.tar"
		if index {
			name = "blobs/sha256/" + hexOf(l)
			// Docker 25.0 wrote the layers of this manifest in no order.
			list = slices.Insert(list, 0, s.blob(ociType+"layer.v1.tar", l, nil))
		}
		s.files[name] = l
		names = append(names, name)
	}
	s.files[at] = config
	s.files["manifest.json"] = s.json([]map[string]any{{"Config": at, "RepoTags": m.references(), "Layers": names}})
	if index {
		d := s.blob(ociType+"manifest.v1+json", s.json(map[string]any{
			"schemaVersion": 2, "mediaType": ociType + "manifest.v1+json", "config": s.blob(ociType+"config.v1+json", config, nil), "layers": list,
		}), map[string]string{"io.containerd.image.name": "docker.io/library/shop:latest"})
		s.files["index.json"] = s.json(map[string]any{"schemaVersion": 2, "manifests": []descriptor{d}})
	}
}

// legacy writes what docker save wrote before 1.10: each layer says what was run
// to make it.
func (m *imageMaker) legacy(s *saved) {
	parent := ""
	layers := m.ends()
	for i, l := range layers {
		id := hexOf(append([]byte(parent), l...))
		doc := map[string]any{"id": id}
		if i == len(layers)-1 {
			doc = m.said(layers)
			delete(doc, "history")
			delete(doc, "rootfs")
			doc["id"] = id
		}
		if parent != "" {
			doc["parent"] = parent
		}
		if i < len(m.history) {
			doc["container_config"] = map[string]any{"Cmd": []any{"/bin/sh", "-c", m.history[i]["created_by"]}}
		}
		s.files[id+"/json"], s.files[id+"/layer.tar"], s.files[id+"/VERSION"] = s.json(doc), l, []byte("1.0")
		parent = id
	}
	tags := map[string]string{}
	for _, tag := range m.tags {
		tags[tag] = parent
	}
	s.files["repositories"] = s.json(map[string]any{"shop": tags})
}

// folder writes the files.
func (s *saved) folder() string {
	dir := s.t.TempDir()
	for name, data := range s.files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return dir
}

// archive writes them into one.
func (s *saved) archive(pack func([]byte) []byte) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(s.files[name])), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(s.files[name])
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), "image.tar")
	if err := os.WriteFile(file, pack(b.Bytes()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// push fills a registry.
func (m *imageMaker) push(s *saved) string {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	m.t.Cleanup(server.Close)
	send := func(method, path, mediaType string, body []byte) {
		req, err := http.NewRequestWithContext(m.t.Context(), method, server.URL+"/v2/shop/"+path, bytes.NewReader(body))
		if err != nil {
			m.t.Fatal(err)
		}
		req.Header.Set("Content-Type", mediaType)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			m.t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusCreated {
			m.t.Fatalf("%s %s: %s", method, path, res.Status)
		}
	}
	index := m.oci(s, m.ends())
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		body := s.files[name]
		var doc struct{ MediaType string }
		if json.Unmarshal(body, &doc) == nil && strings.Contains(doc.MediaType, "manifest") {
			send(http.MethodPut, "manifests/sha256:"+hexOf(body), doc.MediaType, body)
		} else {
			send(http.MethodPost, "blobs/uploads/?digest=sha256:"+hexOf(body), "application/octet-stream", body)
		}
	}
	for _, tag := range m.tags {
		send(http.MethodPut, "manifests/"+tag, ociType+"index.v1+json", index)
	}
	return strings.TrimPrefix(server.URL, "http://")
}

// imageLayouts are how images are kept.
func imageLayouts() []string {
	return []string{"registry, gzip", "OCI folder, gzip", "OCI tar, zstd", "OCI tar.gz, not packed", "docker save", "docker save, 1.10", "docker save, 1.9"}
}

// source saves the image and opens it.
func (m *imageMaker) source(layout string, o image.Options) scanners.Source {
	t := m.t
	same := func(b []byte) []byte { return b }
	zip := func(b []byte) []byte { return asGzip()(t, b) }
	s := &saved{t: t, files: map[string][]byte{}, pack: same}
	var at string
	switch layout {
	case "registry, gzip":
		s.pack, s.kind = zip, "gzip"
		src, err := image.NewRegistry(m.push(s)+"/shop", image.RegistryOptions{Tags: func(string) bool { return true }, Insecure: true}, o)
		if err != nil {
			t.Fatal(err)
		}
		return src
	case "OCI folder, gzip":
		s.pack, s.kind = zip, "gzip"
		m.layout(s)
		at = s.folder()
	case "OCI tar, zstd":
		s.pack, s.kind = func(b []byte) []byte { return asZstd()(t, b) }, "zstd"
		m.layout(s)
		at = s.archive(same)
	case "OCI tar.gz, not packed":
		m.layout(s)
		at = s.archive(zip)
	case "docker save":
		m.docker(s, true)
		at = s.archive(same)
	case "docker save, 1.10":
		m.docker(s, false)
		at = s.archive(same)
	case "docker save, 1.9":
		m.legacy(s)
		at = s.archive(same)
	}
	src, err := image.NewSaved(t.Context(), at, o)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
