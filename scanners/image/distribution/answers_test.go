package distribution_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"revenant/scanners/image/distribution"
)

const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"x","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}`

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	schema1      = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

func good(w http.ResponseWriter) { page(w, manifestType, manifest) }

// TestLimits: a limit is waited for as the server says, as long as patience lasts;
// failures are asked again a few times.
func TestLimits(t *testing.T) {
	tests := map[string]struct {
		status   int
		after    string // Retry-After
		failing  int    // answers before a good one
		err      error
		requests int
		slept    time.Duration // at least
	}{
		"429, with Retry-After":    {429, "17", 2, nil, 3, 34 * time.Second},
		"429, as a date":           {429, "Sun, 01 Mar 2026 12:00:20 GMT", 1, nil, 2, 20 * time.Second},
		"429, without":             {429, "", 6, nil, 7, 15 * time.Second},
		"429, beyond patience":     {429, "3600", 1, distribution.ErrLimited, 1, 0},
		"429, for ever":            {429, "", 1000, distribution.ErrLimited, 0, 30 * time.Second},
		"429, of no sense":         {429, "soon", 1, nil, 2, 0},
		"503, with Retry-After":    {503, "30", 3, nil, 4, 90 * time.Second},
		"503, for ever":            {503, "", 1000, distribution.ErrUnreachable, 4, time.Second},
		"500, once":                {500, "", 1, nil, 2, 0},
		"502, for ever":            {502, "", 1000, distribution.ErrUnreachable, 4, time.Second},
		"404":                      {404, "", 1000, distribution.ErrNotFound, 1, 0},
		"401":                      {401, "", 1000, distribution.ErrDenied, 1, 0},
		"403":                      {403, "", 1000, distribution.ErrDenied, 1, 0},
		"418":                      {418, "", 1000, distribution.ErrUnreachable, 1, 0},
		"302 that leads nowhere":   {302, "", 1000, distribution.ErrUnreachable, 1, 0},
		"407":                      {407, "", 1000, distribution.ErrUnreachable, 1, 0},
		"429 while others wait, 0": {429, "0", 1, nil, 2, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := 0
			host, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if n++; n > tt.failing {
					good(w)
					return
				}
				w.Header().Set("Date", "Sun, 01 Mar 2026 12:00:00 GMT")
				if tt.after != "" {
					w.Header().Set("Retry-After", tt.after)
				}
				w.WriteHeader(tt.status)
				_, _ = fmt.Fprint(w, `{"errors":[{"code":"X","message":"see https://h/?sig=SIGNATURE"}]}`)
			})
			r, now := repository(t, distribution.Options{Registry: host})
			m, err := r.Manifest(t.Context(), "1")
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if err == nil && string(m.Raw) != manifest {
				t.Errorf("manifest %q", m.Raw)
			}
			if err != nil && (strings.Contains(err.Error(), "SIGNATURE") || !strings.Contains(err.Error(), host)) {
				t.Errorf("told %v", err)
			}
			if got := seen.count("/v2/team"); tt.requests > 0 && got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
			if got := now.total(); got < tt.slept || got > 3*time.Minute {
				t.Errorf("slept %v, want %v", got, tt.slept)
			}
		})
	}
}

// TestLimitsHold: who asks while a limit lasts waits for its end first.
func TestLimitsHold(t *testing.T) {
	n := 0
	host, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		good(w)
	})
	r, now := repository(t, distribution.Options{Registry: host})
	for range 2 {
		if _, err := r.Manifest(t.Context(), "1"); !errors.Is(err, distribution.ErrLimited) {
			t.Fatal(err)
		}
	}
	if seen.count("/v2/team") != 1 {
		t.Error("it was asked before the limit's end")
	}
	_ = now.Sleep(t.Context(), 601*time.Second)
	if _, err := r.Manifest(t.Context(), "1"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Manifest(ctx, "1"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestManifests: what is no manifest, or not the one, is told.
func TestManifests(t *testing.T) {
	sum := digest([]byte(manifest))
	tests := map[string]struct {
		ref  string
		h    http.HandlerFunc
		want distribution.Manifest
		err  error
	}{
		"by tag":                    {"1", func(w http.ResponseWriter, _ *http.Request) { page(w, manifestType+"; charset=utf-8", manifest) }, distribution.Manifest{Digest: sum, MediaType: manifestType, Raw: []byte(manifest)}, nil},
		"by digest":                 {sum, func(w http.ResponseWriter, _ *http.Request) { good(w) }, distribution.Manifest{Digest: sum, MediaType: manifestType, Raw: []byte(manifest)}, nil},
		"another digest":            {digest(nil), func(w http.ResponseWriter, _ *http.Request) { good(w) }, distribution.Manifest{Digest: digest(nil), MediaType: manifestType, Raw: []byte(manifest)}, distribution.ErrDigest},
		"a digest of no known kind": {"md5:00", func(w http.ResponseWriter, _ *http.Request) { good(w) }, distribution.Manifest{Digest: "md5:00", MediaType: manifestType, Raw: []byte(manifest)}, distribution.ErrDigest},
		"html":                      {"1", func(w http.ResponseWriter, _ *http.Request) { page(w, "text/html", "<html>log in</html>") }, distribution.Manifest{}, distribution.ErrUnreachable},
		"a list":                    {"1", func(w http.ResponseWriter, _ *http.Request) { page(w, manifestType, "[]") }, distribution.Manifest{}, distribution.ErrUnreachable},
		"nothing":                   {"1", func(http.ResponseWriter, *http.Request) {}, distribution.Manifest{}, distribution.ErrUnreachable},
		"cut JSON":                  {"1", func(w http.ResponseWriter, _ *http.Request) { page(w, manifestType, manifest[:99]) }, distribution.Manifest{}, distribution.ErrUnreachable},
		"of 100 MiB":                {"1", func(w http.ResponseWriter, _ *http.Request) { page(w, manifestType, strings.Repeat(" ", 100<<20)) }, distribution.Manifest{}, distribution.ErrTooLong},
		"of schema 1":               {"1", func(w http.ResponseWriter, _ *http.Request) { page(w, schema1, `{"schemaVersion":1}`) }, distribution.Manifest{Digest: "schema1:1", MediaType: schema1, Raw: []byte(`{"schemaVersion":1}`)}, nil},
		"breaks off": {"1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte(manifest[:100]))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, distribution.Manifest{}, distribution.ErrUnreachable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			host, _ := serve(t, tt.h)
			r, _ := repository(t, distribution.Options{Registry: host})
			m, err := r.Manifest(t.Context(), tt.ref)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if m.Digest != tt.want.Digest || m.MediaType != tt.want.MediaType || string(m.Raw) != string(tt.want.Raw) {
				t.Errorf("manifest %+v", m)
			}
		})
	}
}

func TestHas(t *testing.T) {
	host, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodHead:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case strings.HasSuffix(r.URL.Path, "/1"):
		case strings.HasSuffix(r.URL.Path, "/2"):
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	})
	r, _ := repository(t, distribution.Options{Registry: host})
	for tag, want := range map[string]bool{"1": true, "2": false} {
		if got, err := r.Has(t.Context(), tag); err != nil || got != want {
			t.Errorf("%s: %t, %v", tag, got, err)
		}
	}
	if _, err := r.Has(t.Context(), "3"); !errors.Is(err, distribution.ErrDenied) {
		t.Error(err)
	}
}

func TestReferrers(t *testing.T) {
	const index = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"m","size":1,"digest":"%s","artifactType":"t"}]}`
	a, b := digest([]byte("a")), digest([]byte("b"))
	tests := map[string]struct {
		h    http.HandlerFunc
		want []string
		err  error
	}{
		"pages": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("next") == "" {
				w.Header().Set("Link", `<?next=1>; rel="next"`)
				page(w, "application/vnd.oci.image.index.v1+json", fmt.Sprintf(index, a))
				return
			}
			page(w, "application/vnd.oci.image.index.v1+json", fmt.Sprintf(index, b))
		}, []string{a, b}, nil},
		"none":        {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) }, nil, distribution.ErrUnsupported},
		"not allowed": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, nil, distribution.ErrUnsupported},
		"html":        {func(w http.ResponseWriter, _ *http.Request) { page(w, "text/html", "<html>") }, nil, distribution.ErrUnsupported},
		"failing":     {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, nil, distribution.ErrUnreachable},
		"a circle": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<>; rel="next"`)
			page(w, "application/vnd.oci.image.index.v1+json", `{"schemaVersion":2,"manifests":[]}`)
		}, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			host, _ := serve(t, tt.h)
			r, _ := repository(t, distribution.Options{Registry: host})
			list, err := r.Referrers(t.Context(), a)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			var got []string
			for _, d := range list {
				got = append(got, d.Digest.String())
			}
			if strings.Join(got, " ") != strings.Join(tt.want, " ") {
				t.Errorf("got %v", got)
			}
		})
	}
}
