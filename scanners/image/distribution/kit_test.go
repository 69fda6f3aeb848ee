package distribution_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"revenant/scanners/image/distribution"
)

// clock is one that only sleeping moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (c *clock) total() (sum time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		sum += d
	}
	return sum
}

// asked is what a server was asked.
type asked struct {
	mu   sync.Mutex
	list []*http.Request
}

func (a *asked) paths() (out []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.list {
		out = append(out, r.URL.Path)
	}
	return out
}

func (a *asked) count(path string) (n int) {
	for _, p := range a.paths() {
		if strings.HasPrefix(p, path) {
			n++
		}
	}
	return n
}

// serve answers /v2/ like a registry without logins, and gives the rest to a
// handler.
func serve(t *testing.T, h http.HandlerFunc) (host string, seen *asked) {
	t.Helper()
	seen = &asked{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.mu.Lock()
		seen.list = append(seen.list, r)
		seen.mu.Unlock()
		if r.URL.Path == "/v2/" {
			return
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), seen
}

// nobody has no login.
type nobody struct{}

func (nobody) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// somebody has one, for everything.
type somebody struct{ user, password string }

func (s somebody) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: s.user, Password: s.password}), nil
}

func open(t *testing.T, o distribution.Options) (*distribution.Client, *clock) {
	t.Helper()
	now := newClock()
	if o.Keychain == nil {
		o.Keychain = nobody{}
	}
	o.Agent, o.Now, o.Sleep = "revenant", now.Now, now.Sleep
	c, err := distribution.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, now
}

func repository(t *testing.T, o distribution.Options) (*distribution.Repository, *clock) {
	t.Helper()
	c, now := open(t, o)
	r, err := c.Repository("team/shop")
	if err != nil {
		t.Fatal(err)
	}
	return r, now
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func page(w http.ResponseWriter, contentType, text string) {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write([]byte(text))
}
