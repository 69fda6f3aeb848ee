package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// drip gives a byte at a time, with a pause before each, until it is closed.
type drip struct {
	ctx   context.Context
	pause time.Duration
	bytes int
}

func (d *drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(d.pause):
		n := min(d.bytes, len(p))
		return n, nil
	case <-d.ctx.Done():
		return 0, context.Cause(d.ctx)
	}
}

func (d *drip) Close() error { return nil }

// trickle is a transport whose answers begin late and come slowly.
func trickle(head, pause time.Duration, bytes int) http.RoundTripper {
	return tripper(func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(head):
		case <-r.Context().Done():
			return nil, context.Cause(r.Context())
		}
		resp := respond(r, 200, nil, "")
		resp.Body, resp.ContentLength = &drip{ctx: r.Context(), pause: pause, bytes: bytes}, -1
		return resp, nil
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestSlow: no answer holds a scan for ever, be it that it does not begin, or
// stands still, or gives a byte now and then; one that is merely slow is read.
// The clock is the bubble's: no real time passes.
func TestSlow(t *testing.T) {
	tests := map[string]struct {
		head, pause time.Duration
		bytes       int
		max         time.Duration // until it is given up
		fails       bool
	}{
		"does not begin":       {24 * time.Hour, 0, 1, 6 * time.Minute, true},
		"stands still":         {0, 24 * time.Hour, 1, 2 * time.Minute, true},
		"a byte now and then":  {0, 10 * time.Second, 1, 2 * time.Minute, true},
		"slow, but it goes on": {20 * time.Second, 5 * time.Second, 32 << 10, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := rest.New(rest.Options{Base: "https://ci.example", Transport: trickle(tt.head, tt.pause, tt.bytes)})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				body, _, err := c.Open(t.Context(), "log", 0)
				var n int64
				if err == nil {
					n, err = io.Copy(io.Discard, io.LimitReader(body, 1<<20))
					_ = body.Close()
				}
				took := time.Since(began)
				if tt.fails != errors.Is(err, cilog.ErrUnreachable) || tt.fails && took > tt.max {
					t.Errorf("read %d bytes in %v: %v", n, took, err)
				}
				if !tt.fails && n != 1<<20 {
					t.Errorf("read %d bytes: %v", n, err)
				}
				if tt.fails && tt.head == 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("a body that was given up: %v", err)
				}
			})
		})
	}
}

// TestSlowReader: who takes its time to read is not held against the server.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := rest.New(rest.Options{Base: "https://ci.example", Transport: trickle(0, time.Second, 100)})
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := c.Open(t.Context(), "log", 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			time.Sleep(time.Hour)
			if _, err := body.Read(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
		}
		_ = body.Close()
	})
}

// TestSleepIsCancelled: the wait for a limit ends with the context.
func TestSleepIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := rest.New(rest.Options{Base: "https://ci.example", Patience: time.Hour, Transport: wire(func(r *http.Request) *http.Response {
			return respond(r, 429, http.Header{"Retry-After": {"1800"}}, "")
		})})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		_, err = c.Stat(ctx, "x")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// TestPatience: below zero nothing is waited for, and what is there is told.
func TestPatience(t *testing.T) {
	c, clock := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), func(o *rest.Options) { o.Patience = -1 })
	if _, err := c.Stat(t.Context(), "x"); !errors.Is(err, cilog.ErrUnreachable) || c.Counts().Requests != 1 || len(clock.naps()) > 0 {
		t.Errorf("error %v after %+v", err, c.Counts())
	}
}
