package image_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image"
)

// kept is a memory in memory.
type kept struct {
	mu    sync.Mutex
	parts map[string][]byte
}

func (k *kept) Load(part string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.parts[part], nil
}

func (k *kept) Save(part string, b []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.parts == nil {
		k.parts = map[string][]byte{}
	}
	k.parts[part] = b
	return nil
}

func (k *kept) Keep(parts map[string]bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.parts, func(part string, _ []byte) bool { return strings.HasPrefix(part, "layer-") && !parts[part] })
	return nil
}

// counting is a registry that counts how often each blob is asked for.
type counting struct {
	host  string
	mu    sync.Mutex
	has   map[string][]byte // manifests and blobs, by the end of their address
	tags  []string
	blobs map[string]int
	after func(blob string) // a blob was asked for
}

func newCounting(t testing.TB) *counting {
	c := &counting{blobs: map[string]int{}, has: map[string][]byte{}}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.host = strings.TrimPrefix(s.URL, "http://")
	return c
}

// ServeHTTP serves a repository of any name.
func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what, last := path.Base(path.Dir(r.URL.Path)), path.Base(r.URL.Path)
	c.mu.Lock()
	b, has := c.has[last]
	tags := slices.Clone(c.tags)
	if what == "blobs" && r.Method == http.MethodGet {
		c.blobs[last]++
	}
	c.mu.Unlock()
	switch {
	case r.URL.Path == "/v2/":
	case what == "tags":
		_ = json.NewEncoder(w).Encode(map[string]any{"name": "shop", "tags": tags})
	case !has:
		http.NotFound(w, r)
	default:
		if what == "blobs" && c.after != nil {
			c.after(last)
		}
		w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		_, _ = w.Write(b)
	}
}

// push keeps an image under a tag.
func (c *counting) push(t testing.TB, tag string, img v1.Image) {
	t.Helper()
	manifest, err := img.RawManifest()
	config, configErr := img.RawConfigFile()
	digest, digestErr := img.Digest()
	name, nameErr := img.ConfigName()
	layers, layersErr := img.Layers()
	if err = errors.Join(err, configErr, digestErr, nameErr, layersErr); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.has[tag], c.has[digest.String()], c.has[name.String()] = manifest, manifest, config
	if !slices.Contains(c.tags, tag) {
		c.tags = append(c.tags, tag)
	}
	for _, l := range layers {
		digest, err := l.Digest()
		if err == nil && c.has[digest.String()] == nil {
			rc, openErr := l.Compressed()
			if openErr != nil {
				t.Fatal(openErr)
			}
			c.has[digest.String()], err = io.ReadAll(rc)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// asked tells how often layers were asked for since the last call: the most, and in
// all.
func (c *counting) asked(configs map[string]bool) (most, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for digest, n := range c.blobs {
		if !configs[digest] {
			most, all = max(most, n), all+n
		}
	}
	clear(c.blobs)
	return most, all
}

func (c *counting) open(t testing.TB, text string, tags func(string) bool, o image.Options) *image.Source {
	t.Helper()
	if o.Screen == nil {
		o.Screen = screen
	}
	o.Workers = max(o.Workers, 2)
	s, err := image.NewRegistry(c.host+"/"+text, image.RegistryOptions{Insecure: true, Tags: tags}, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// manyTags pushes images that share layers: a base, one of three in its middle, and
// one of its own.
func manyTags(t testing.TB, c *counting, tags int) (configs map[string]bool) {
	configs = map[string]bool{}
	base := layerOf(t, tarOf(t, file{name: "etc/"}, file{name: "etc/base", text: "base " + wanted}, file{name: "etc/kept", text: wanted}))
	var middle [3]v1.Layer
	for n := range middle {
		middle[n] = layerOf(t, tarOf(t, file{name: fmt.Sprint("middle", n), text: fmt.Sprint(n, wanted)}, file{name: "shared", text: fmt.Sprint(n)}))
	}
	for n := range tags {
		own := tarOf(t, file{name: fmt.Sprint("own", n), text: wanted}, file{name: "etc/.wh.base"})
		img := imageOf(t, v1.Config{}, []v1.History{{CreatedBy: "FROM base"}, {CreatedBy: "COPY middle"}, {CreatedBy: "RUN rm /etc/base"}}, base, middle[n%3], layerOf(t, own))
		c.push(t, fmt.Sprint(n), img)
		digest, err := img.ConfigName()
		if err != nil {
			t.Fatal(err)
		}
		configs[digest.String()] = true
	}
	clear(c.blobs)
	return configs
}

// TestThousandTags: what a thousand tags share is read once, and nothing is read
// again by the next scan.
func TestThousandTags(t *testing.T) {
	tags := 1000
	if testing.Short() { // under the race detector
		tags = 30
	}
	c := newCounting(t)
	configs := manyTags(t, c, tags)
	m := &kept{}
	items, skips := drain(t, c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true}))
	if most, all := c.asked(configs); most != 1 || all != tags+4 {
		t.Errorf("layers were asked for up to %d times, %d requests, want 1 and %d", most, all, tags+4)
	}
	if len(items) != tags+5 || len(skips) > 0 {
		t.Errorf("%d items, %d skips", len(items), len(skips))
	}
	again, _ := drain(t, c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true}))
	if diff := cmp.Diff(items, again); diff != "" {
		t.Errorf("a second scan (-want +got):\n%s", diff)
	}
	c.asked(configs)
	s := c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true})
	if n := listed(t, s); n != len(items) {
		t.Errorf("%d items the third time", n)
	}
	if _, all := c.asked(configs); all != 0 {
		t.Errorf("a scan that opens nothing asked for %d layers", all)
	}
	if s = c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true, Look: [32]byte{1}}); listed(t, s) != len(items) {
		t.Error("another look sees other items")
	}
	if most, all := c.asked(configs); most != 1 || all != tags+4 {
		t.Errorf("another look asked up to %d times, %d requests", most, all)
	}
}

// listed reads a source to its end, and opens nothing.
func listed(t testing.TB, s *image.Source) (n int) {
	t.Helper()
	defer s.Close()
	for {
		b, err := s.Next(context.Background())
		n += len(b.Items)
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestHiddenBy: a finding says where it stands and what hides it.
func TestHiddenBy(t *testing.T) {
	c := newCounting(t)
	manyTags(t, c, 1)
	s := c.open(t, "shop:0", nil, image.Options{})
	defer s.Close()
	b, err := s.Next(t.Context())
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	got := map[string]scanners.ImageLayer{}
	for _, it := range b.Items {
		l := *it.Layer
		if l.Digest == "" || l.Image == "" || l.Digest == l.HiddenBy || strings.HasPrefix(l.HiddenBy, "sha256:") != (l.Hiding != "") {
			t.Errorf("%s: %+v", it.Path, l)
		}
		l.Image, l.Digest, l.HiddenBy = "", "", ""
		got[it.Path] = l
	}
	want := map[string]scanners.ImageLayer{
		"etc/base": {Index: 1, Of: 3, Hiding: "RUN rm /etc/base"}, "etc/kept": {Index: 1, Of: 3}, "middle0": {Index: 2, Of: 3}, "own0": {Index: 3, Of: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
}

// TestStopped: a scan that is stopped gives out what it found until then, and the
// next one reads what is missing alone and sees what an undisturbed one sees.
func TestStopped(t *testing.T) {
	c := newCounting(t)
	configs := manyTags(t, c, 40)
	want, _ := drain(t, c.open(t, "shop", everyTag, image.Options{}))
	c.asked(configs)
	m := &kept{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var layers int
	var mu sync.Mutex
	c.after = func(blob string) {
		mu.Lock()
		defer mu.Unlock()
		if !configs[blob] {
			if layers++; layers == 20 {
				cancel()
			}
		}
	}
	s := c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true})
	found := 0
	for {
		b, err := s.Next(ctx)
		found += len(b.Items)
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %v", err)
			}
			break
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_, before := c.asked(configs)
	if found < 10 || found >= len(want) {
		t.Errorf("%d of %d items until it was stopped", found, len(want))
	}
	s = c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true})
	if n := listed(t, s); n != len(want) {
		t.Errorf("%d items, want %d", n, len(want))
	}
	if _, all := c.asked(configs); all > 44-before+4 {
		t.Errorf("%d layers were read before, and %d after", before, all)
	}
	got, _ := drain(t, c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after it was stopped (-want +got):\n%s", diff)
	}
}

// TestStands: what an image that was scanned before has is not gone because another
// one is scanned; what no name leads to any more is.
func TestStands(t *testing.T) {
	c := newCounting(t)
	base, other := tarOf(t, file{name: "a", text: wanted}), tarOf(t, file{name: "b", text: wanted})
	c.push(t, "1", pictureOf(t, v1.Config{}, nil, base))
	c.push(t, "2", pictureOf(t, v1.Config{}, nil, base, other))
	m := &kept{}
	locators := map[string]string{}
	scan := func(text string) *image.Source {
		s := c.open(t, text, nil, image.Options{Memory: m})
		for {
			b, err := s.Next(t.Context())
			for _, it := range b.Items {
				locators[it.Path] = it.Locator
			}
			if err != nil {
				return s
			}
		}
	}
	if s := scan("shop:1"); s.Whole() {
		t.Error("nothing was known before, yet it calls itself whole")
	}
	if s := scan("shop:2"); !s.Whole() || !s.Stands(locators["a"]) || s.Stands(locators["b"]) {
		t.Errorf("whole %t, a stands %t, b stands %t", s.Whole(), s.Stands(locators["a"]), s.Stands(locators["b"]))
	}
	c.push(t, "1", pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: "c"})))
	if s := scan("shop:1"); !s.Stands(locators["a"]) {
		t.Error("the other image still has it")
	}
	c.push(t, "2", pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: "c"})))
	if s := scan("shop:2"); s.Stands(locators["a"]) || s.Stands(locators["b"]) {
		t.Error("no image has them any more")
	}
	if n := len(m.parts); n != 2 { // names, and the layer that is left
		t.Errorf("%d parts are kept", n)
	}
	if m.parts["names"] = []byte("damaged"); scan("shop:1").Whole() {
		t.Error("what was scanned before is not known, yet it calls itself whole")
	}
}

// TestUntagged: an image that was scanned by its digest is scanned with all tags, as
// long as it is there.
func TestUntagged(t *testing.T) {
	c := newCounting(t)
	old := pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: "a", text: wanted}))
	c.push(t, "1", old)
	c.push(t, "1", pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: "b", text: wanted})))
	digest, err := old.Digest()
	if err != nil {
		t.Fatal(err)
	}
	m := &kept{}
	drain(t, c.open(t, "shop@"+digest.String(), nil, image.Options{Memory: m}))
	for _, want := range []int{2, 1} {
		items, skips := drain(t, c.open(t, "shop", everyTag, image.Options{Memory: m, Whole: true}))
		if len(items) != want || len(skips) > 0 {
			t.Errorf("items %v, skips %v, want %d items", items, skips, want)
		}
		delete(c.has, digest.String())
	}
}

// TestDanglingTag: a tag that is listed and leads to nothing holds nothing any more.
func TestDanglingTag(t *testing.T) {
	c := newCounting(t)
	c.push(t, "1", pictureOf(t, v1.Config{}, nil, tarOf(t, file{name: "a", text: wanted})))
	c.tags = append(c.tags, "deleted")
	items, skips := drain(t, c.open(t, "shop", everyTag, image.Options{}))
	if len(items) != 1 || len(skips) != 1 || skips[0].Reason != fingerprints.SkipVanished || skips[0].Locator != "deleted" {
		t.Errorf("items %v, skips %v", items, skips)
	}
}
