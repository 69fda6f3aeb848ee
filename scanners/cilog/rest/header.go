package rest

import (
	"net/http"
	"net/url"

	"revenant/scanners/web"
)

// rehost turns a link, of whatever host, into a reference on Base's: a server
// behind a proxy may not know the name or the scheme under which it is asked.
func (c *Client) rehost(link string, asked *url.URL) string {
	if link == "" {
		return ""
	}
	u, err := parse(link)
	if err != nil || u.Opaque != "" {
		return ""
	}
	u = asked.ResolveReference(u)
	u.Scheme, u.Host = c.base.Scheme, c.base.Host
	return u.String()
}

// answer reads what the headers of a reply say.
func (c *Client) answer(r *reply) Answer {
	h := r.resp.Header
	a := Answer{
		Status: r.resp.StatusCode, Header: h.Clone(), ETag: h.Get("ETag"),
		NotModified: r.resp.StatusCode == http.StatusNotModified,
		Next:        c.rehost(web.Next(h), r.asked), Size: r.resp.ContentLength,
	}
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		a.Date = at
	}
	return a
}
