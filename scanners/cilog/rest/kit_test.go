package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"revenant/scanners/cilog/rest"
)

// clock is one that only sleeping moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

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

func (c *clock) naps() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}

// token is generated, not written: a secret in a test would be one in the tree.
func token() string { return "canary" + strconv.FormatUint(0x5eed5eed5eed5eed, 36) }

// limits reads headers as GitHub has them.
func limits(h http.Header) (int, time.Time, bool) {
	left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, err2 := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	return left, time.Unix(reset, 0), err == nil && err2 == nil
}

// client asks a handler, with a clock of its own.
func client(t *testing.T, h http.Handler, change func(*rest.Options)) (*rest.Client, *clock) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := newClock()
	o := rest.Options{
		Base: server.URL + "/api/v3", Agent: "revenant-test", Now: c.Now, Sleep: c.Sleep, Limit: limits,
		Authorize: func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token())
			r.Header.Set("PRIVATE-TOKEN", token())
		},
		Header: http.Header{"Accept": {"application/json"}},
	}
	if change != nil {
		change(&o)
	}
	r, err := rest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, c
}
