package rest

import (
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Next is the link to the next page of a header.
func Next(link string) string { return next(http.Header{"Link": {link}}) }

// RetryAfter reads the header of this name.
func RetryAfter(after, date string, now time.Time) (time.Duration, bool) {
	return retryAfter(http.Header{"Retry-After": {after}, "Date": {date}}, now)
}

// Begins is the first offset of a Content-Range.
func Begins(text string) int64 { return begins(http.Header{"Content-Range": {text}}) }

// Rehosts is what becomes of a link on the page of a client.
func (c *Client) Rehosts(link string) string { return c.rehost(link, c.base) }

// Leads reports whether a redirect from base, whose connection led to home, may
// be followed to an address.
func Leads(base, home, to string) (bool, error) {
	u, err := url.Parse(base)
	if err != nil {
		return false, err
	}
	g := &guard{}
	g.home(u)
	if home != "" {
		g.learn(netip.MustParseAddrPort(home).String())
	}
	return g.check(to) == nil, nil
}

// Named reports whether a host is one that redirects may name.
func Named(host string) bool { return named(host) == anywhere }
