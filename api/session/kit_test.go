package session_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/api/guard"
	"revenant/api/session"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store/sqlstore"
)

// kit is a server that people sign in to, over a registry in a file.
type kit struct {
	t    *testing.T
	reg  *registry.Registry
	srv  *httptest.Server
	s    *session.Server
	idp  *idp
	mu   sync.Mutex
	now  time.Time
	logs bytes.Buffer
	said bytes.Buffer // bodies and headers but for cookies
}

func (k *kit) time() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *kit) wait(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(d)
}

// Write implements io.Writer, for the log.
func (k *kit) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.logs.Write(p)
}

func me() registry.Actor { return registry.Local("me") }

func terms() registry.SessionTerms {
	return registry.SessionTerms{Idle: time.Hour, Longest: 24 * time.Hour}
}

func newKit(t *testing.T, change ...func(*session.ProviderOptions)) *kit {
	t.Helper()
	k := &kit{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
	st, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	ring, err := keys.NewRing(rand.Reader, k.now)
	if err != nil {
		t.Fatal(err)
	}
	if k.reg, err = registry.New(registry.Options{Store: st, Ring: ring, Now: k.time}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.Init(t.Context(), me()); err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	k.srv = httptest.NewServer(r)
	t.Cleanup(k.srv.Close)
	k.idp = newIDP(t, k.time)
	o := session.ProviderOptions{
		Issuer: k.idp.srv.URL, ClientID: "revenant", BaseURL: k.srv.URL, Now: k.time,
		Secret: func(context.Context) (fingerprints.Value, error) {
			return fingerprints.NewValue([]byte(clientSecret)), nil
		},
		Roles: map[string][]registry.Role{"*": {registry.RoleViewer}},
	}
	for _, fn := range change {
		fn(&o)
	}
	k.s = k.server(k.srv.URL, session.NewProvider(o))
	r.Group(func(r chi.Router) {
		r.Use(k.s.Guarded)
		k.s.Mount(r)
		who := func(w http.ResponseWriter, r *http.Request) {
			if a, is := k.s.Who(r); is {
				_, _ = io.WriteString(w, a.Name)
			}
		}
		r.Get("/who", who)
		r.Post("/who", who)
	})
	return k
}

func (k *kit) server(base string, p *session.Provider) *session.Server {
	k.t.Helper()
	s, err := session.New(session.Options{
		Registry: k.reg, BaseURL: base, Terms: terms(), Provider: p, Locks: guard.NewLocks(k.time), Now: k.time, Log: slog.New(slog.NewTextHandler(k, nil)),
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

// browser keeps cookies, and does not follow redirects by itself.
type browser struct {
	k *kit
	c http.Client
}

func (k *kit) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		k.t.Fatal(err)
	}
	return &browser{k, http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is one without its body, which is read.
type answer struct {
	StatusCode int
	Header     http.Header
}

// do sends a request and reads the answer.
func (b *browser) do(method, at string, form url.Values, header ...string) (answer, string) {
	b.k.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = b.k.srv.URL + at
	}
	r, err := http.NewRequestWithContext(b.k.t.Context(), method, at, strings.NewReader(form.Encode()))
	if err != nil {
		b.k.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w, err := b.c.Do(r)
	if err != nil {
		b.k.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		b.k.t.Fatal(err)
	}
	if strings.HasPrefix(at, b.k.srv.URL) {
		b.k.mu.Lock()
		b.k.said.Write(body)
		for name, values := range w.Header {
			if name != "Set-Cookie" && !strings.HasPrefix(w.Header.Get("Location"), b.k.idp.srv.URL) {
				b.k.said.WriteString(strings.Join(values, " "))
			}
		}
		b.k.mu.Unlock()
	}
	return answer{w.StatusCode, w.Header}, string(body)
}

// goes is where an answer sends the browser, without the server's own address.
func (b *browser) goes(w answer) string {
	return strings.TrimPrefix(w.Header.Get("Location"), b.k.srv.URL)
}

// flight begins a sign-in, goes to the provider, and returns where that sends back.
func (b *browser) flight(next string) string {
	b.k.t.Helper()
	w, _ := b.do(http.MethodGet, "/auth/oidc?next="+url.QueryEscape(next), nil)
	if w.StatusCode != http.StatusSeeOther {
		b.k.t.Fatalf("leaving: %d", w.StatusCode)
	}
	w, _ = b.do(http.MethodGet, w.Header.Get("Location"), nil)
	return w.Header.Get("Location")
}

// oidc signs in with the provider, and returns where the server sends the browser.
func (b *browser) oidc(next string) string {
	b.k.t.Helper()
	w, _ := b.do(http.MethodGet, b.flight(next), nil)
	return b.goes(w)
}

func (b *browser) who() string {
	b.k.t.Helper()
	_, body := b.do(http.MethodGet, "/who", nil)
	return body
}

// token makes a token.
func (k *kit) token(name string, scopes ...registry.Scope) string {
	k.t.Helper()
	_, shown, err := k.reg.AddToken(k.t.Context(), me(), registry.TokenRequest{Name: name, Scopes: scopes})
	if err != nil {
		k.t.Fatal(err)
	}
	return string(shown.Reveal())
}

// audited are the entries of the audit log, as text.
func (k *kit) audited() string {
	k.t.Helper()
	var out strings.Builder
	err := k.reg.AuditLog(k.t.Context(), me(), 0, func(e registry.AuditEntry) error {
		out.WriteString(e.Actor + " " + e.Action + " " + e.Subject)
		for _, name := range []string{"way", "why", "address", "roles", "teams", "claimed_roles", "claimed_teams"} {
			out.WriteString(" " + name + "=" + e.Details[name])
		}
		out.WriteString("\n")
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return out.String()
}

func mount(s *session.Server) http.Handler {
	r := chi.NewRouter()
	s.Mount(r)
	return r
}
