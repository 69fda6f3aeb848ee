package distribution_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"revenant/scanners/image/distribution"
)

// tokens is a registry whose tokens are good for so many requests.
type tokens struct {
	t        *testing.T
	good     int
	password string
	answer   http.HandlerFunc

	mu     sync.Mutex
	issued int
	left   int
}

func (k *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch user, password, _ := r.BasicAuth(); {
	case r.URL.Path == "/token":
		if user != "robot" || password != k.password {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		k.issued++
		k.left = k.good
		page(w, "application/json", fmt.Sprintf(`{"token":"token-%d"}`, k.issued))
	case r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", k.issued) || k.left == 0 || r.URL.Path == "/v2/":
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="registry",scope="repository:team/shop:pull"`, r.Host))
		http.Error(w, "{}", http.StatusUnauthorized)
	default:
		k.left--
		k.answer(w, r)
	}
}

// TestTokens: a token that expires in mid-pull, also between two parts of a blob,
// is asked for anew, and the storage that has the blob does not get it; a wrong
// password is told.
func TestTokens(t *testing.T) {
	blob := content(5 << 20)
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
			t.Errorf("the storage was told %v", r.Header)
		}
		cutting(blob, 1<<20, true)(w, r)
	}))
	t.Cleanup(storage.Close)
	k := &tokens{t: t, good: 2, password: "right" + "-one"}
	k.answer = func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			good(w)
			return
		}
		http.Redirect(w, r, storage.URL+"/stored?sig=SIGNATURE", http.StatusTemporaryRedirect)
	}
	s := httptest.NewServer(k)
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "http://")
	r, _ := repository(t, distribution.Options{Registry: host, Keychain: somebody{"robot", k.password}})
	for range 5 {
		if _, err := r.Manifest(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
	}
	rc, err := r.Blob(t.Context(), digest(blob), int64(len(blob)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(rc)
	if err != nil || !bytes.Equal(got, blob) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_ = rc.Close()
	if k.issued < 5 {
		t.Errorf("%d tokens", k.issued)
	}
	for name, keychain := range map[string]authn.Keychain{"wrong": somebody{"robot", "wrong" + "-one"}, "no login": nobody{}, "cannot be read": broken{}} {
		r, _ = repository(t, distribution.Options{Registry: host, Keychain: keychain})
		_, err := r.Manifest(t.Context(), "1")
		if !errors.Is(err, distribution.ErrDenied) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "-one") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// broken is a keychain that fails, and says what it should not.
type broken struct{}

func (broken) Resolve(authn.Resource) (authn.Authenticator, error) {
	return nil, errors.New("helper says: password is wrong-one")
}

// TestRedirects: a blob may lie in a storage elsewhere, which gets no credentials
// and no address with a signature.
func TestRedirects(t *testing.T) {
	blob := content(100)
	var stored []*http.Request
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stored = append(stored, r)
		if r.URL.Path == "/first" {
			http.Redirect(w, r, "/second?sig=SIGNATURE-2", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write(blob)
	}))
	t.Cleanup(storage.Close)
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte("robot:pass"))
	tests := map[string]struct {
		to   string
		want string // of the error; empty: it is read
	}{
		"storage":       {storage.URL + "/first?sig=SIGNATURE-1", ""},
		"relative":      {"/v2/team/shop/blobs/other", ""},
		"itself":        {"?sig=SIGNATURE", "again and again"},
		"metadata":      {"http://169.254.169.254/latest?sig=SIGNATURE", "not followed"},
		"another way":   {"file:///etc/passwd?sig=SIGNATURE", "not of the web"},
		"no URL":        {"http://%zz?sig=SIGNATURE", "sense"},
		"refused there": {storage.URL + "/first?deny", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stored = nil
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Header.Get("Authorization") != login:
					w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
					http.Error(w, "{}", http.StatusUnauthorized)
				case strings.HasSuffix(r.URL.Path, "/other"):
					_, _ = w.Write(blob)
				default:
					w.Header().Set("Location", tt.to)
					w.WriteHeader(http.StatusTemporaryRedirect)
				}
			}))
			t.Cleanup(s.Close)
			r, _ := repository(t, distribution.Options{Registry: strings.TrimPrefix(s.URL, "http://"), Keychain: somebody{"robot", "pass"}})
			rc, err := r.Blob(t.Context(), digest(blob), int64(len(blob)))
			if tt.want != "" {
				if !errors.Is(err, distribution.ErrUnreachable) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "SIGNATURE") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(rc)
			if err != nil || !bytes.Equal(got, blob) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			_ = rc.Close()
			for _, r := range stored {
				if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
					t.Errorf("the storage was told %v", r.Header)
				}
			}
			if name == "storage" && len(stored) != 2 {
				t.Errorf("%d requests to the storage", len(stored))
			}
		})
	}
}
