package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"revenant/fingerprints"
)

// manyTags is a repository of so many tags, each an image of its own with shared
// layers, in pages of a hundred.
func manyTags(t *testing.T, tags, layers int, asked *atomic.Int64) string {
	t.Helper()
	sum := func(text string) string {
		s := sha256.Sum256([]byte(text))
		return "sha256:" + hex.EncodeToString(s[:])
	}
	config := func(n string) string {
		return fmt.Sprintf(`{"config":{"Labels":{"n":%q,"pad":%q}}}`, n, strings.Repeat("x", 2000))
	}
	var shared []string
	for i := range layers {
		shared = append(shared, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":9,"digest":%q}`, sum(fmt.Sprint("layer", i))))
	}
	of := map[string]string{} // configurations by digest
	for n := range tags {
		text := config(fmt.Sprint(n))
		of[sum(text)] = text
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, last, _ := strings.Cut(r.URL.Path, "/manifests/")
		switch {
		case r.URL.Path == "/v2/":
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			from := 0
			_, _ = fmt.Sscan(r.URL.Query().Get("from"), &from)
			var page []string
			for n := from; n < min(from+100, tags); n++ {
				page = append(page, fmt.Sprintf(`"%d"`, n))
			}
			if from+100 < tags {
				w.Header().Set("Link", fmt.Sprintf(`</v2/shop/tags/list?from=%d>; rel="next"`, from+100))
			}
			_, _ = fmt.Fprintf(w, `{"tags":[%s]}`, strings.Join(page, ","))
		case last != "" && !strings.Contains(last, "sha256-"):
			text := config(last)
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			_, _ = fmt.Fprintf(w, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":%d,"digest":%q},"layers":[%s]}`, len(text), sum(text), strings.Join(shared, ","))
		case of[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]] != "":
			_, _ = w.Write([]byte(of[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// TestManyTags: a repository costs two requests for each tag, one for each page
// and few more; what is kept of an image is its configuration and little else.
func TestManyTags(t *testing.T) {
	const tags, layers = 1000, 20
	var asked atomic.Int64
	host := manyTags(t, tags, layers, &asked)
	src, err := NewRegistry(host+"/shop", RegistryOptions{Tags: func(string) bool { return true }}, Options{Screen: func(context.Context, []byte) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	pictures, err := src.place.pictures(t.Context(), nil, func(path, locator string, why fingerprints.SkipReason, detail string) {
		t.Errorf("%s %s: %s %s", path, locator, why, detail)
	})
	if err != nil || len(pictures) != tags {
		t.Fatalf("%d images, %v", len(pictures), err)
	}
	each := int64(heap()-before) / tags
	t.Logf("%d bytes for each image", each)
	if each > 12<<10 {
		t.Errorf("%d bytes for each image of %d layers, whose configuration has 2 KB", each, layers)
	}
	// A manifest and a configuration each; the registry is asked for referrers until
	// it says that it does not tell, and then nothing more: its tags are known.
	if n := asked.Load(); n < 2*tags || n > 2*tags+30 {
		t.Errorf("%d requests", n)
	}
	runtime.KeepAlive(pictures)
}
