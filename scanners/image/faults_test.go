package image_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

// newServer is a registry in memory, before which something may stand.
func newServer(t *testing.T, before func(w http.ResponseWriter, r *http.Request, next http.Handler)) string {
	t.Helper()
	next := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil {
			next.ServeHTTP(w, r)
			return
		}
		before(w, r, next)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// rawManifest answers every question for a manifest with a text.
func rawManifest(raw string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/manifests/") && !strings.Contains(r.URL.Path, "/sha256-") {
			w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
			_, _ = io.WriteString(w, raw)
			return
		}
		next.ServeHTTP(w, r)
	}
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func sizeOf(text string) string { return strconv.Itoa(len(text)) }

// hasty is a clock for which no time passes in waits.
func hasty(o image.RegistryOptions) image.RegistryOptions {
	o.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return o
}

// twoLayers is an index of an image whose layers and configuration hold something.
func twoLayers(t testing.TB) (index v1.ImageIndex, digests map[string]string) {
	t.Helper()
	img := pictureOf(t, v1.Config{Env: []string{"A=" + wanted}}, nil,
		tarOf(t, file{name: "one", text: wanted}, file{name: "pad", text: strings.Repeat("0123456789", 20_000)}), tarOf(t, file{name: "two", text: wanted + "!"}))
	index = mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: img})
	m, err := img.Manifest()
	digest, digestErr := img.Digest()
	fatal(t, err, digestErr)
	return index, map[string]string{
		"layer": m.Layers[0].Digest.String(), "config": m.Config.Digest.String(), "manifest": digest.String(),
	}
}

// recorded is an answer that is looked at before it is sent.
func recorded(r *http.Request, next http.Handler) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, r)
	return rec
}

// TestRegistryFaults: what can be read is read, the rest is listed.
func TestRegistryFaults(t *testing.T) {
	index, digests := twoLayers(t)
	all := []string{"metadata @env/A", "visible one", "visible two"}
	change := func(b []byte) []byte { // of the same size, in what pads an archive
		b = bytes.Clone(b)
		b[len(b)-5] ^= 1
		return b
	}
	send := func(w http.ResponseWriter, rec *httptest.ResponseRecorder, body []byte) {
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if n, err := w.Write(body); err != nil || n < len(body) {
			return
		}
	}
	tests := map[string]struct {
		at    string // whose digest is asked for
		fault func(w http.ResponseWriter, rec *httptest.ResponseRecorder)
		want  []string
		skip  string // path, reason, a word of the detail; empty: none
	}{
		"none": {"", nil, all, ""},
		"layer cut short": {"layer", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			w.Header().Set("Content-Length", strconv.Itoa(rec.Body.Len()))
			_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()-40])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, all, "@layer unreadable broke off"},
		"layer changed":    {"layer", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) { send(w, rec, change(rec.Body.Bytes())) }, all, "@layer unreadable damaged"},
		"layer of another": {"layer", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) { send(w, rec, []byte("no layer "+wanted)) }, []string{"metadata @env/A", "visible two"}, ""},
		"layer too long": {"layer", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			send(w, rec, append(rec.Body.Bytes(), rec.Body.Bytes()...))
		}, all, "@layer unreadable size"},
		"layer missing":  {"layer", func(w http.ResponseWriter, _ *httptest.ResponseRecorder) { http.Error(w, "{}", http.StatusNotFound) }, []string{"metadata @env/A", "visible two"}, "@layer unreadable 404"},
		"layer denied":   {"layer", func(w http.ResponseWriter, _ *httptest.ResponseRecorder) { http.Error(w, "{}", http.StatusForbidden) }, []string{"metadata @env/A", "visible two"}, "@layer unreadable login"},
		"layer fails":    {"layer", func(w http.ResponseWriter, _ *httptest.ResponseRecorder) { http.Error(w, "{}", http.StatusBadGateway) }, []string{"metadata @env/A", "visible two"}, "@layer unreadable 502"},
		"config missing": {"config", func(w http.ResponseWriter, _ *httptest.ResponseRecorder) { http.Error(w, "{}", http.StatusNotFound) }, []string{"visible one", "visible two"}, "@config unreadable 404"},
		"config changed": {"config", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			send(w, rec, append(bytes.Clone(rec.Body.Bytes()[:rec.Body.Len()-1]), ' ', '}'))
		}, all, "@config unreadable size"},
		"config of 100 MiB": {"config", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			send(w, rec, bytes.Repeat([]byte(" "), 100<<20))
		}, []string{"visible one", "visible two"}, "@config too-large 16 MiB"},
		"manifest missing": {"manifest", func(w http.ResponseWriter, _ *httptest.ResponseRecorder) { http.Error(w, "{}", http.StatusNotFound) }, nil, "@manifest unreadable 404"},
		"manifest changed": {"manifest", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			send(w, rec, append(bytes.Clone(rec.Body.Bytes()), '\n'))
		}, all, "@manifest unreadable digest"},
		"manifest is html": {"manifest", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) { send(w, rec, []byte("<html>")) }, nil, "@manifest unreadable no manifest"},
		"manifest too long": {"manifest", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			send(w, rec, bytes.Repeat([]byte(" "), 100<<20))
		}, nil, "@manifest too-large 16 MiB"},
		"manifest is odd": {"manifest", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			send(w, rec, []byte(`{"layers":[{"digest":"`+wanted+`"}]}`))
		}, []string{"metadata @manifest"}, "@manifest unreadable"},
		"manifest of version 1": {"manifest", func(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
			rec.Header().Set("Content-Type", string(types.DockerManifestSchema1Signed))
			send(w, rec, []byte(`{"schemaVersion":1,"history":[{"v1Compatibility":"ENV `+wanted+`"}]}`))
		}, []string{"metadata @manifest"}, "@manifest unreadable version before 2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			active := false
			host := newServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if active && tt.at != "" && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/"+digests[tt.at]) {
					tt.fault(w, recorded(r, next))
					return
				}
				next.ServeHTTP(w, r)
			})
			pushIndex(t, host+"/shop:1", index)
			active = true
			src, err := image.NewRegistry(host+"/shop:1", hasty(image.RegistryOptions{}), image.Options{Screen: screen, Workers: 2})
			fatal(t, err)
			items, skips := lines(t, src)
			for i := range items {
				items[i] = strings.TrimSuffix(items[i], " of shop:1")
			}
			got := slices.DeleteFunc(items, func(s string) bool { return strings.Contains(s, "@layer ends in: ") })
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			checkSkip(t, skips, tt.skip)
		})
	}
}

func pushIndex(t *testing.T, text string, index v1.ImageIndex) {
	t.Helper()
	ref, err := name.ParseReference(text)
	fatal(t, err)
	fatal(t, remote.WriteIndex(ref, index))
}

// checkSkip compares skips with a path, a reason and a word of the detail.
func checkSkip(t *testing.T, skips []fingerprints.Skip, want string) {
	t.Helper()
	path, rest, _ := strings.Cut(want, " ")
	reason, word, _ := strings.Cut(rest, " ")
	if want == "" {
		if len(skips) > 0 {
			t.Errorf("skips %v", skips)
		}
		return
	}
	for _, s := range skips {
		if s.Path == path && string(s.Reason) == reason && strings.Contains(s.Detail, word) {
			return
		}
	}
	t.Errorf("skips %+v, want %s", skips, want)
}

// TestHostileIndexes: a registry that makes up indexes as they are asked for does
// not lead on without end.
func TestHostileIndexes(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	host := newServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !strings.Contains(r.URL.Path, "/manifests/") || strings.Contains(r.URL.Path, "/sha256-") {
			next.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		asked++
		list := make([]string, 50)
		for i := range list {
			list[i] = fmt.Sprintf(`{"mediaType":%q,"size":1,"digest":%q}`, types.OCIImageIndex, digestOf(fmt.Sprint(asked, i)))
		}
		w.Header().Set("Content-Type", string(types.OCIImageIndex))
		_, _ = fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s,%s],"annotations":{"a":%q}}`, strings.Join(list, ","), list[0], wanted)
	})
	src, err := image.NewRegistry(host+"/shop:1", image.RegistryOptions{}, image.Options{Screen: screen, Workers: 1})
	fatal(t, err)
	items, skips := lines(t, src)
	if asked > 60 || len(skips) != 50 {
		t.Errorf("%d requests, %d skips", asked, len(skips))
	}
	if diff := gocmp.Diff([]string{"metadata @annotation/a of shop:1", "metadata @manifest of shop:1"}, items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// TestForeignLayers: addresses that a manifest names are not asked.
func TestForeignLayers(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	t.Cleanup(other.Close)
	raw := fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":"%s","size":2,"digest":"%s"},"layers":[{"mediaType":"%s","size":5,"digest":"%s","urls":["%s/layer"]}]}`,
		types.DockerConfigJSON, digestOf("{}"), types.DockerForeignLayer, digestOf("layer"), other.URL)
	host := newServer(t, rawManifest(raw))
	src, err := image.NewRegistry(host+"/shop:1", image.RegistryOptions{}, image.Options{Screen: screen, Workers: 1})
	fatal(t, err)
	_, skips := lines(t, src)
	checkSkip(t, skips, "@layer missing-object foreign")
	checkSkip(t, skips, "@config unreadable 404")
}

// TestSavedFaults: files of a layout are held against their digests, too.
func TestSavedFaults(t *testing.T) {
	index, digests := twoLayers(t)
	tests := map[string]struct {
		at     string
		change func(b []byte) []byte // nil: the file is removed
		want   []string
		skip   string
	}{
		"layer longer":     {"layer", func(b []byte) []byte { return append(b, b...) }, []string{"metadata @env/A", "visible one", "visible two"}, "@layer unreadable size"},
		"layer gone":       {"layer", nil, []string{"metadata @env/A", "visible two"}, "@layer unreadable not complete"},
		"config changed":   {"config", func(b []byte) []byte { return bytes.Replace(b, []byte("A="), []byte("B="), 1) }, []string{"metadata @env/B", "visible one", "visible two"}, "@config unreadable digest"},
		"manifest changed": {"manifest", func(b []byte) []byte { return append(b, '\n') }, []string{"metadata @env/A", "visible one", "visible two"}, "@manifest unreadable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			at, err := layout.Write(dir, empty.Index)
			fatal(t, err)
			fatal(t, at.AppendIndex(index))
			file := filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digests[tt.at], "sha256:"))
			b, err := os.ReadFile(file)
			fatal(t, err)
			if fatal(t, os.Remove(file)); tt.change != nil {
				fatal(t, os.WriteFile(file, tt.change(b), 0o600))
			}
			src, err := image.NewSaved(t.Context(), dir, image.Options{Screen: screen, Workers: 2})
			fatal(t, err)
			items, skips := lines(t, src)
			for i := range items {
				items[i], _, _ = strings.Cut(items[i], " of ")
			}
			items = slices.DeleteFunc(items, func(s string) bool { return strings.Contains(s, "@layer ends in: ") })
			if diff := gocmp.Diff(tt.want, items); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			checkSkip(t, skips, tt.skip)
		})
	}
}

// TestTags: names that no tag has are listed, what is named twice is read once.
func TestTags(t *testing.T) {
	index, digests := twoLayers(t)
	asked := map[string]int{}
	var mu sync.Mutex
	host := newServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/tags/list") {
			_, _ = io.WriteString(w, `{"tags":["1","2","1","../../x","a b","-x","","sha256:00"]}`)
			return
		}
		if strings.Contains(r.URL.Path, "/blobs/") {
			mu.Lock()
			asked[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]++
			mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
	pushIndex(t, host+"/shop:1", index)
	pushIndex(t, host+"/shop:2", index)
	clear(asked)
	src, err := image.NewRegistry(host+"/shop", image.RegistryOptions{Tags: everyTag}, image.Options{Screen: screen, Workers: 1})
	fatal(t, err)
	items, skips := lines(t, src)
	if diff := gocmp.Diff([]string{"metadata @env/A of shop:1,shop:2", "visible one of shop:1,shop:2", "visible two of shop:1,shop:2"}, items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	if len(skips) != 5 {
		t.Errorf("skips %v", skips)
	}
	if asked[digests["config"]] != 1 || asked[digests["layer"]] != 1 {
		t.Errorf("asked %v", asked)
	}
}

// TestRepositories: a whole registry is known by what it lists.
func TestRepositories(t *testing.T) {
	host := newServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == "/v2/_catalog" {
			_, _ = io.WriteString(w, `{"repositories":["shop","team/a","../x","UPPER","a:b","a@b"]}`)
			return
		}
		next.ServeHTTP(w, r)
	})
	var names, odd []string
	err := image.Repositories(t.Context(), host, image.RegistryOptions{}, func(s string) { names = append(names, s) }, func(s string) { odd = append(odd, s) })
	fatal(t, err)
	if diff := gocmp.Diff([]string{host + "/shop", host + "/team/a"}, names); diff != "" || len(odd) != 4 {
		t.Errorf("odd %v, (-want +got):\n%s", odd, diff)
	}
	refusing := newServer(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == "/v2/_catalog" {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
	err = image.Repositories(t.Context(), refusing, image.RegistryOptions{}, func(string) {}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "--all-tags") {
		t.Errorf("error %v", err)
	}
	if err := image.Repositories(t.Context(), "a b", image.RegistryOptions{}, nil, nil); err == nil {
		t.Error("no registry, and no error")
	}
}
