package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// storage is a host of another port that notes what it is sent.
type storage struct {
	*httptest.Server
	mu   sync.Mutex
	seen []http.Header
}

func newStorage(t *testing.T, answer http.HandlerFunc) *storage {
	s := &storage{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Header.Clone())
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestOpenGivesNoCredentialsAway(t *testing.T) {
	var back string
	store := newStorage(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			http.Redirect(w, r, back, http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "log")
	})
	var bare sync.Map
	c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: token()})
		switch r.URL.Path {
		case "/api/v3/logs":
			u, _ := url.Parse(store.URL)
			u.User, u.RawQuery = url.UserPassword("u", token()), "sig="+token()
			http.Redirect(w, r, u.String(), http.StatusFound)
		case "/api/v3/home":
			http.Redirect(w, r, "/api/v3/end", http.StatusTemporaryRedirect)
		case "/api/v3/round":
			http.Redirect(w, r, store.URL+"/back", http.StatusFound)
		default:
			bare.Store(r.URL.Path, r.Header.Get("Authorization")+r.Header.Get("Cookie"))
			_, _ = io.WriteString(w, "log")
		}
	}), nil)
	back = c.Base() + "returned"
	for _, ref := range []string{"logs", "home", "round"} {
		body, a, err := c.Open(t.Context(), ref, 0)
		if err != nil {
			t.Fatalf("%s: %v", ref, err)
		}
		text, err := io.ReadAll(body)
		if err != nil || string(text) != "log" || a.Status != 200 || a.Size != 3 {
			t.Errorf("%s: read %q, %v, %+v", ref, text, err, a)
		}
		_ = body.Close()
	}
	if got, _ := bare.Load("/api/v3/returned"); got != "" {
		t.Errorf("a chain that came back from elsewhere carried %q", got)
	}
	if got, _ := bare.Load("/api/v3/end"); got != "Bearer "+token() {
		t.Errorf("a redirect on the same host carried %q", got)
	}
	for _, h := range store.seen {
		for _, name := range []string{"Authorization", "Private-Token", "Cookie", "Referer", "Accept"} {
			if h.Get(name) != "" {
				t.Errorf("the storage was sent %s", name)
			}
		}
		if h.Get("User-Agent") != "revenant-test" {
			t.Errorf("the storage was sent the agent %q", h.Get("User-Agent"))
		}
	}
	if n := c.Counts(); n.Requests != 4 || n.Away != 3 { // what comes back counts as away
		t.Errorf("counts %+v", n)
	}
}

func TestOpenRefusesRedirects(t *testing.T) {
	tests := map[string]string{
		"in circles":       "/api/v3/x",
		"without a place":  "",
		"to a file":        "file:///etc/passwd",
		"to the metadata":  "http://169.254.169.254/latest/meta-data/",
		"to link-local":    "http://[fe80::1]/",
		"by a name":        "http://metadata.google.internal/",
		"in other clothes": "http://[::ffff:169.254.169.254]/",
		"as a number":      "http://2852039166/",
		"through NAT64":    "http://[64:ff9b::a9fe:a9fe]/",
	}
	for name, location := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusFound)
			}), nil)
			_, _, err := c.Open(t.Context(), "x", 0)
			if !errors.Is(err, cilog.ErrUnreachable) {
				t.Fatalf("error %v", err)
			}
			if location != "" && strings.Contains(err.Error(), location) {
				t.Errorf("error %q names the target", err)
			}
			if n := c.Counts(); n.Away != 0 || n.Requests > 6 {
				t.Errorf("counts %+v", n)
			}
		})
	}
}

// wire answers without a network, whatever the host.
type wire func(*http.Request) *http.Response

func (f wire) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func respond(r *http.Request, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Header: header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// A server out in the world may not send anybody into this machine; one on
// https may not lead to http.
func TestOpenOfAServerElsewhere(t *testing.T) {
	tests := map[string]struct {
		location string
		follows  bool
	}{
		"to a storage":          {"https://storage.example/x", true},
		"to this machine":       {"https://127.0.0.1/x", false},
		"to localhost":          {"https://LocalHost./x", false},
		"to this machine, IPv6": {"https://[::1]:8443/x", false},
		"to no address":         {"https://0.0.0.0/x", false},
		"as half a number":      {"https://127.1/x", false},
		"to http":               {"http://storage.example/x", false},
		"to http at home":       {"http://ci.example/x", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := client(t, http.NotFoundHandler(), func(o *rest.Options) {
				o.Base = "https://ci.example"
				o.Transport = wire(func(r *http.Request) *http.Response {
					if r.URL.Host == "ci.example" && r.URL.Path == "/log" {
						return respond(r, 302, http.Header{"Location": {tt.location}}, "")
					}
					if r.Header.Get("Authorization") != "" {
						t.Error("credentials went along")
					}
					return respond(r, 200, nil, "log")
				})
			})
			body, _, err := c.Open(t.Context(), "log", 0)
			if tt.follows != (err == nil) {
				t.Fatalf("error %v", err)
			}
			if err == nil {
				_ = body.Close()
			}
		})
	}
}

func TestOpenFromAnOffset(t *testing.T) {
	const text = "0123456789"
	c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v3/whole" {
			_, _ = io.WriteString(w, text)
			return
		}
		http.ServeContent(w, r, "", newClock().now, strings.NewReader(text))
	}), nil)
	tests := []struct {
		ref        string
		from       int64
		want       string
		begin, all int64
	}{
		{"log", 0, text, 0, 10}, {"log", 4, text[4:], 4, 6}, {"log", 10, "", 10, 0}, {"log", 99, "", 99, 0}, {"whole", 4, text, 0, 10},
	}
	for _, tt := range tests {
		body, a, err := c.Open(t.Context(), tt.ref, tt.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		_ = body.Close()
		if err != nil || string(got) != tt.want || a.From != tt.begin || a.Size != tt.all {
			t.Errorf("%s from %d: %q, %v, %+v", tt.ref, tt.from, got, err, a)
		}
	}
}

func TestOpenTellsOfBrokenBodies(t *testing.T) {
	for name, declared := range map[string]bool{"with a length": true, "in chunks": false} {
		t.Run(name, func(t *testing.T) {
			c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if declared {
					w.Header().Set("Content-Length", "1000")
				}
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}), nil)
			body, _, err := c.Open(t.Context(), "log", 0)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			_ = body.Close()
			if string(got) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, cilog.ErrUnreachable) {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
}

// A transport of somebody else's may not compare the length itself.
func TestOpenChecksTheLength(t *testing.T) {
	c, _ := client(t, http.NotFoundHandler(), func(o *rest.Options) {
		o.Transport = wire(func(r *http.Request) *http.Response {
			resp := respond(r, 200, nil, "short")
			resp.ContentLength = 6
			return resp
		})
	})
	body, _, err := c.Open(t.Context(), "log", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	if _, err := io.ReadAll(body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestStat(t *testing.T) {
	c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v3/there":
			http.Redirect(w, r, "http://storage.example/?sig="+token(), http.StatusFound)
		case "/api/v3/old":
			w.WriteHeader(http.StatusGone)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}), nil)
	if a, err := c.Stat(t.Context(), "there"); err != nil || a.Status != http.StatusFound {
		t.Errorf("there: %+v, %v", a, err)
	}
	if _, err := c.Stat(t.Context(), "old"); !errors.Is(err, cilog.ErrExpired) {
		t.Errorf("old: %v", err)
	}
	if _, err := c.Stat(t.Context(), "nowhere"); !errors.Is(err, rest.ErrNotFound) {
		t.Errorf("nowhere: %v", err)
	}
	if n := c.Counts(); n.Requests != 3 || n.Away != 0 {
		t.Errorf("counts %+v", n)
	}
}

// A link to a storage that expired is asked for anew; its 404 is a 404.
func TestStorageRefuses(t *testing.T) {
	for status, want := range map[int]error{403: cilog.ErrUnreachable, 404: rest.ErrNotFound, 410: cilog.ErrExpired} {
		store := newStorage(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, store.URL, http.StatusFound)
		}), nil)
		_, _, err := c.Open(t.Context(), "log", 0)
		var e *rest.Error
		if !errors.Is(err, want) || errors.Is(err, cilog.ErrDenied) || !errors.As(err, &e) || !e.Away {
			t.Errorf("%d: error %v", status, err)
		}
		if strings.Contains(err.Error(), strings.TrimPrefix(store.URL, "http://")) {
			t.Errorf("error %q names the storage", err)
		}
	}
}

func TestCancelledEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	}), nil)
	body, _, err := c.Open(ctx, "log", 0)
	if err == nil {
		_, err = io.ReadAll(body)
		_ = body.Close()
	}
	if !errors.Is(err, context.Canceled) || errors.Is(err, cilog.ErrUnreachable) {
		t.Errorf("error %v", err)
	}
	var v value
	if _, err := c.JSON(ctx, "x", "", &v); !errors.Is(err, context.Canceled) || c.Counts().Requests != 1 {
		t.Errorf("error %v after %+v", err, c.Counts())
	}
}

func TestReferences(t *testing.T) {
	c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.EscapedPath())
	}), nil)
	host := strings.TrimSuffix(c.Base(), "/api/v3/")
	tests := map[string]string{ // empty: refused
		"projects/a%2Fb/x":                    "/api/v3/projects/a%2Fb/x",
		"/x?y=..":                             "/api/v3/x",
		host + "/elsewhere":                   "/elsewhere",
		"a/../../../b":                        "",
		"a/%2e%2E/b":                          "",
		"http://other.example/x":              "",
		"https" + host[len("http"):]:          "",
		"x%zz":                                "",
		"http://u:p@" + host[len("http://"):]: "/",
	}
	for ref, want := range tests {
		a, err := c.Stat(t.Context(), ref)
		if want == "" {
			if err == nil || strings.Contains(err.Error(), "other.example") {
				t.Errorf("%s: %v", ref, err)
			}
			continue
		}
		if got := a.Header.Get("X-Path"); err != nil || got != want {
			t.Errorf("%s: path %q, %v, want %q", ref, got, err, want)
		}
	}
}

func TestNewJudgesTheAddress(t *testing.T) {
	for _, base := range []string{"", "ci.example", "ftp://ci.example", "https://", "https://u:" + token() + "@ci.example", "https://ci.example/?t=" + token(), "https://ci.example/#x", "mailto:x", "https://ci.example:port"} {
		if _, err := rest.New(rest.Options{Base: base}); err == nil || strings.Contains(err.Error(), token()) {
			t.Errorf("%q: %v", base, err)
		}
	}
	c, err := rest.New(rest.Options{Base: "https://CI.example/jenkins//"})
	if err != nil || c.Base() != "https://ci.example/jenkins/" {
		t.Errorf("base %v, %v", c, err)
	}
}
