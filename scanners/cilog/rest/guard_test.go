package rest_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// TestDialsAreGuarded drives the real transport: the server is this machine by a
// name of the world, and so a redirect to this machine is followed; a server
// that is not may not send anybody here.
func TestDialsAreGuarded(t *testing.T) {
	store := newStorage(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "log") })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, store.URL, http.StatusFound)
	}))
	t.Cleanup(server.Close)
	c, err := rest.New(rest.Options{Base: server.URL, Patience: -1})
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := c.Open(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()

	// By a proxy that stands for the world: literal addresses are judged, too.
	proxied := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(server.URL) }}
	c, err = rest.New(rest.Options{Base: "http://ci.example", Patience: -1, Transport: proxied})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Open(t.Context(), "x", 0); !errors.Is(err, cilog.ErrUnreachable) {
		t.Errorf("error %v", err)
	}
	if n := c.Counts(); n.Away != 0 {
		t.Errorf("counts %+v", n)
	}
}

// TestTroubles: each failure has words of its own, without names of hosts.
func TestTroubles(t *testing.T) {
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of us
	tls.StartTLS()
	t.Cleanup(tls.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	tests := map[string]struct {
		base, want string
		requests   int64
	}{
		"unknown authority": {tls.URL, "SSL_CERT_FILE", 1},
		"no TLS":            {"https" + plain.URL[len("http"):], "does not speak TLS", 1},
		"no connection":     {"http://" + closed.Addr().String(), "no connection", 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			c, err := rest.New(rest.Options{Base: tt.base, Now: clock.Now, Sleep: clock.Sleep})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Stat(context.WithoutCancel(t.Context()), "x")
			if !errors.Is(err, cilog.ErrUnreachable) || !contains(err, tt.want) || c.Counts().Requests != tt.requests {
				t.Errorf("error %v after %d requests", err, c.Counts().Requests)
			}
		})
	}
}
