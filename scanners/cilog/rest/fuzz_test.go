package rest_test

import (
	"net/http"
	"net/url"
	"testing"

	"revenant/scanners/cilog/rest"
	"revenant/scanners/web"
)

// Headers are a server's: whatever they hold, a next page is on Base's host.
func FuzzRehosts(f *testing.F) {
	for _, seed := range []string{`<https://h/x?page=2>; rel="next"`, `<//h@evil/x>;rel=next`, `<http:opaque>;rel=next`, `<javascript:x>;rel=next`} {
		f.Add(seed)
	}
	c, err := rest.New(rest.Options{Base: "https://ci.example/api"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link string) {
		ref := c.Rehosts(web.Next(http.Header{"Link": {link}}))
		if ref == "" {
			return
		}
		if u, err := url.Parse(ref); err != nil || u.Scheme != "https" || u.Host != "ci.example" || u.User != nil {
			t.Errorf("%q leads to %q", link, ref)
		}
	})
}
