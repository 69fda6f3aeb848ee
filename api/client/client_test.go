package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"revenant/api/client"
	"revenant/api/wire"
	"revenant/fingerprints"
)

const shown = "rvt_this-is-the-token-of-the-test"

func open(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, fingerprints.NewValue([]byte(shown)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAddress(t *testing.T) {
	for _, bad := range []string{"", "revenant.example.com", "ftp://x", "https://", "https://me:secret@x", "https://x?a=b", "https://x#y", ":", "https://%zz"} {
		if _, err := client.New(bad, fingerprints.Value{}, nil); !errors.Is(err, client.ErrAddress) || bad != "" && strings.Contains(err.Error(), bad) && len(bad) > 8 {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"https://x", "http://127.0.0.1:8077/", "https://x/below/a/path/"} {
		if _, err := client.New(good, fingerprints.Value{}, nil); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// TestServers asks what is not, or not quite, a server.
func TestServers(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked elsewhere, with a token: %v", r.Header.Get("Authorization") != "")
	}))
	defer other.Close()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, client.ErrRedirect},
		"a page":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, client.ErrNoServer},
		"a proxy":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, client.ErrNoServer},
		"half of it": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"name":`))
		}, client.ErrNoServer},
		"another one": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			_, _ = w.Write([]byte(`{"message":"no"}`))
		}, client.ErrNoServer},
	} {
		_, err := open(t, c.answer).Me(t.Context())
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), shown) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	c, err := client.New(gone.URL, fingerprints.NewValue([]byte(shown)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Secret(t.Context(), "name-of-a-secret"); err == nil || strings.Contains(err.Error(), "name-of-a-secret") || strings.Contains(err.Error(), shown) {
		t.Errorf("nobody answers: %v", err)
	}
}

func TestProblem(t *testing.T) {
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+shown || r.URL.EscapedPath() != "/api/v1/secrets/shop%2Fdb" {
			t.Errorf("%s", r.URL.EscapedPath())
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(503)
		_, _ = w.Write([]byte(`{"title":"t","status":503,"code":"store-away","detail":"later","errors":[{"pointer":"/x","detail":"y"}]}`))
	})
	_, err := c.Secret(t.Context(), "shop/db")
	var e *client.Error
	if !errors.As(err, &e) || e.RetryAfter != 7*time.Second || !client.IsStatus(err, 503) || e.Error() != "later; /x: y" {
		t.Errorf("%v", err)
	}
}

// TestExportCutOff tells an export that has an end from one that has none.
func TestExportCutOff(t *testing.T) {
	for end, want := range map[string]error{`{"end":2}`: nil, "": client.ErrCutOff, `{"en`: client.ErrCutOff} {
		n := 0
		c := open(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{\"id\":\"a\"}\n{\"id\":\"b\"}\n"+end) })
		err := c.Export(t.Context(), client.FindingFilter{}, func(wire.FindingDetail) error { n++; return nil })
		if !errors.Is(err, want) || n != 2 {
			t.Errorf("end %q: %d, %v", end, n, err)
		}
	}
}

// TestAfterZero goes on behind what is called 0, which is no number here.
func TestAfterZero(t *testing.T) {
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.RawQuery; q != "after=0" {
			t.Errorf("asked for %q", q)
		}
		fmt.Fprint(w, "{}")
	})
	if _, err := c.Secrets(t.Context(), client.SecretFilter{After: "0"}); err != nil {
		t.Error(err)
	}
}
