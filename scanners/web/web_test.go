package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"revenant/scanners/web"
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
		got, err := web.Leads(tt.base, tt.home, tt.to)
		if err != nil || got != tt.want {
			t.Errorf("%s at %s leads to %s: %t, %v", tt.base, tt.home, tt.to, got, err)
		}
	}
}

// TestAllows: a server of the world may not name this machine or its neighbours.
func TestAllows(t *testing.T) {
	guard := web.NewGuard(&url.URL{Scheme: "https", Host: "ci.example"})
	for host, want := range map[string]bool{
		"storage.example": true, "10.1.2.3": true, "0x.example": true, "1.example": true, "dead.beef": true, "": true,
		"localhost": false, "a.localhost": false, "127.0.0.1": false, "127.1": false, "2130706433": false, "0x7f000001": false, "0x7f.1": false,
		"0177.0.0.1": false, "1.2.3.": false, "metadata.google.internal": false, "METADATA.google.internal.": false, "::1": false,
	} {
		if got := guard.Allows(host); got != want {
			t.Errorf("%q may be named: %t", host, got)
		}
	}
}

func TestNext(t *testing.T) {
	for link, want := range map[string]string{
		``:                                 "",
		`<https://h/x?page=2>; rel="next"`: "https://h/x?page=2",
		`<https://h/1>; rel="prev", <https://h/3>; rel=next`:        "https://h/3",
		`<https://h/a,b>; title="x, <y>; rel=\"next\""; rel="last"`: "",
		`<https://h/a,b>; title="a,\"b"; REL="first NEXT"`:          "https://h/a,b",
		`<https://h/1>; rel="last"; rel="next"`:                     "",
		`<https://h/1`:                                              "",
		`https://h/1; rel="next"`:                                   "",
		`<https://h/1>, <https://h/2>; rel="next"`:                  "https://h/2",
	} {
		if got := web.Next(http.Header{"Link": {link}}); got != want {
			t.Errorf("next of %q is %q, want %q", link, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"https://h", "https://H:443/x", true},
		{"http://h:80", "http://h", true},
		{"https://h", "http://h", false},
		{"https://h", "https://h:444", false},
		{"https://h", "https://h.example", false},
	} {
		a, errA := url.Parse(tt.a)
		b, errB := url.Parse(tt.b)
		if errA != nil || errB != nil || web.SameOrigin(a, b) != tt.want {
			t.Errorf("%s and %s: want %t", tt.a, tt.b, tt.want)
		}
	}
}

// Headers are a server's: whatever they hold, a wait is neither negative nor
// endless.
func FuzzHeaders(f *testing.F) {
	f.Add(`<https://h/x?page=2>; rel="next"`, "120", "Sun, 01 Mar 2026 12:00:00 GMT", "bytes 5-9/10")
	f.Add(`<//h@evil/x>;rel=next`, "Sun, 01 Mar 2026 12:00:20 GMT", "", "bytes 5")
	f.Add(`<http:opaque>;rel=next`, "1e300", "x", "items 1-2/3")
	f.Add(`<javascript:x>;rel=next`, "-1", "x", "bytes -5/3")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, link, after, date, ranged string) {
		h := http.Header{"Link": {link}, "Retry-After": {after}, "Date": {date}, "Content-Range": {ranged}}
		if next := web.Next(h); next != "" && !strings.Contains(link, next) {
			t.Errorf("next of %q is %q", link, next)
		}
		if d, _ := web.RetryAfter(h, now); d < 0 || d > 366*24*time.Hour {
			t.Errorf("%q is a wait of %v", after, d)
		}
		if n := web.Begins(h); n < -1 {
			t.Errorf("%q begins at %d", ranged, n)
		}
	})
}
