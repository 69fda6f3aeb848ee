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

// TestLeads: the address of a connection decides, whatever the name was.
func TestLeads(t *testing.T) {
	tests := []struct {
		base, home, to string
		want           bool
	}{
		{"https://ci.example", "203.0.113.7:443", "198.51.100.1:443", true},
		{"https://ci.example", "203.0.113.7:443", "10.0.0.9:443", true}, // storages in-house
		{"https://ci.example", "203.0.113.7:443", "127.0.0.1:443", false},
		{"https://ci.example", "203.0.113.7:443", "[::1]:443", false},
		{"https://ci.example", "203.0.113.7:443", "[::ffff:127.0.0.1]:443", false},
		{"https://ci.example", "203.0.113.7:443", "0.0.0.0:443", false},
		{"https://ci.example", "203.0.113.7:443", "[::]:443", false},
		{"https://ci.example", "203.0.113.7:443", "169.254.169.254:80", false},
		{"https://ci.example", "203.0.113.7:443", "169.254.1.1:80", false},
		{"https://ci.example", "203.0.113.7:443", "[fe80::1%eth0]:80", false},
		{"https://ci.example", "203.0.113.7:443", "[fd00:ec2::254]:80", false},
		{"https://ci.example", "203.0.113.7:443", "100.100.100.200:80", false},
		{"https://ci.example", "203.0.113.7:443", "[64:ff9b::7f00:1]:80", false},
		{"https://ci.example", "203.0.113.7:443", "[64:ff9b::c633:6401]:80", true},
		{"https://ci.example", "127.0.0.1:443", "127.0.0.1:9000", true}, // a name that stands for this machine
		{"https://ci.example", "127.0.0.1:443", "169.254.169.254:80", false},
		{"http://localhost:8080", "", "127.0.0.1:9000", true},
		{"http://169.254.169.254", "", "169.254.169.254:81", false},
		{"https://ci.example", "", "no address", false},
	}
	for _, tt := range tests {
		got, err := rest.Leads(tt.base, tt.home, tt.to)
		if err != nil || got != tt.want {
			t.Errorf("%s at %s leads to %s: %t, %v", tt.base, tt.home, tt.to, got, err)
		}
	}
}

func TestNamed(t *testing.T) {
	for host, want := range map[string]bool{
		"storage.example": true, "10.1.2.3": true, "0x.example": true, "1.example": true, "dead.beef": true, "": true,
		"localhost": false, "a.localhost": false, "127.0.0.1": false, "127.1": false, "2130706433": false, "0x7f000001": false, "0x7f.1": false,
		"0177.0.0.1": false, "1.2.3.": false, "metadata.google.internal": false, "METADATA.google.internal.": false, "::1": false,
	} {
		if got := rest.Named(host); got != want {
			t.Errorf("%q may be named: %t", host, got)
		}
	}
}

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
