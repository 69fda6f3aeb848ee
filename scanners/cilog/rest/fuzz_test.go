package rest_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"revenant/scanners/cilog/rest"
)

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
		if got := rest.Next(link); got != want {
			t.Errorf("next of %q is %q, want %q", link, got, want)
		}
	}
}

// Headers are a server's: whatever they hold, a next page is on Base's host, and
// a wait is neither negative nor endless.
func FuzzHeaders(f *testing.F) {
	f.Add(`<https://h/x?page=2>; rel="next"`, "120", "Sun, 01 Mar 2026 12:00:00 GMT", "bytes 5-9/10")
	f.Add(`<//h@evil/x>;rel=next`, "Sun, 01 Mar 2026 12:00:20 GMT", "", "bytes 5")
	f.Add(`<http:opaque>;rel=next`, "1e300", "x", "items 1-2/3")
	f.Add(`<javascript:x>;rel=next`, "-1", "x", "bytes -5/3")
	c, err := rest.New(rest.Options{Base: "https://ci.example/api"})
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, link, after, date, ranged string) {
		if next := rest.Next(link); next != "" && !strings.Contains(link, next) {
			t.Errorf("next of %q is %q", link, next)
		}
		if ref := c.Rehosts(rest.Next(link)); ref != "" {
			u, err := url.Parse(ref)
			if err != nil || u.Scheme != "https" || u.Host != "ci.example" || u.User != nil {
				t.Errorf("%q leads to %q", link, ref)
			}
		}
		if d, _ := rest.RetryAfter(after, date, now); d < 0 || d > 366*24*time.Hour {
			t.Errorf("%q is a wait of %v", after, d)
		}
		if n := rest.Begins(ranged); n < -1 {
			t.Errorf("%q begins at %d", ranged, n)
		}
	})
}
