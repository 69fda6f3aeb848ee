package distribution

import (
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"net/url"
	"strings"

	"revenant/scanners/web"
)

// Bounds of lists.
const (
	pageSize = "1000" // some registries refuse more
	maxPages = 100_000
	maxNames = 2_000_000
	maxPage  = 256 << 20 // bytes: some registries send all in one
)

// ErrCircle is returned by lists whose pages lead to each other. What they had is
// told before.
var ErrCircle = errors.New("the pages of its list lead in a circle")

// Tags calls each for every tag, once, as the pages come.
func (r *Repository) Tags(ctx context.Context, each func(tag string) error) error {
	return r.c.list(ctx, r.door, r.c.url(r.at.RepositoryStr()+"/tags/list", "n="+pageSize), "tags", each)
}

// Catalog calls each for the path of every repository, once, as the pages come;
// of a mirror with a prefix for those below it, without it.
func (c *Client) Catalog(ctx context.Context, each func(path string) error) error {
	err := c.list(ctx, c.door(c.at), c.url("_catalog", "n="+pageSize), "repositories", func(path string) error {
		if c.prefix != "" {
			below, is := strings.CutPrefix(path, c.prefix+"/")
			if !is {
				return nil
			}
			path = below
		}
		return each(path)
	})
	var e *Error
	if errors.As(err, &e) && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusTooManyRequests {
		const out = "it does not list its repositories: name one, as REGISTRY/REPOSITORY with --all-tags"
		no := c.fault(e.kind, out)
		if errors.Is(e, ErrDenied) {
			no.reason = e.reason + "; or " + out
		}
		no.Status = e.Status
		return no
	}
	return err
}

// list reads the pages of a list.
func (c *Client) list(ctx context.Context, d *door, u *url.URL, field string, each func(string) error) error {
	seen := unseen{seed: maphash.MakeSeed(), had: map[uint64]struct{}{}}
	pages := pages{}
	header := http.Header{"Accept": {"application/json"}}
	for u != nil {
		resp, err := c.ask(ctx, d, http.MethodGet, u, header)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return c.status(resp, d)
		}
		before := len(seen.had)
		err = names(io.LimitReader(resp.Body, maxPage), field, func(name string) error {
			if !seen.add(name) {
				return nil
			}
			if len(seen.had) > maxNames {
				return c.fault(ErrTooLong, "its list has more than two million names")
			}
			return each(name)
		})
		_ = resp.Body.Close()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errNoList):
			return c.fault(ErrUnreachable, "its answer is no list, or breaks off: a page for people, or of a proxy, may have this address")
		case err != nil:
			return err
		}
		if u, err = pages.next(c, resp.Header, u, len(seen.had) > before); err != nil {
			return err
		}
	}
	return nil
}

// unseen tells names apart that were not met before, by keyed sums of them: lists
// may be long.
type unseen struct {
	seed maphash.Seed
	had  map[uint64]struct{}
}

func (s *unseen) add(name string) bool {
	sum := maphash.String(s.seed, name)
	if _, has := s.had[sum]; has {
		return false
	}
	s.had[sum] = struct{}{}
	return true
}

// pages follows links from page to page.
type pages struct{ n int }

// next is the page after one; nil: there is none. A page that brought nothing and
// leads on leads in a circle.
func (p *pages) next(c *Client, h http.Header, asked *url.URL, brought bool) (*url.URL, error) {
	link := web.Next(h)
	if link == "" {
		return nil, nil
	}
	to, err := asked.Parse(link)
	if p.n++; err != nil || p.n > maxPages || !brought {
		return nil, ErrCircle
	}
	// A server behind a proxy may not know its own name.
	to.Scheme, to.Host, to.User, to.Fragment = c.at.Scheme(), c.at.RegistryStr(), nil, ""
	return to, nil
}

var errNoList = errors.New("no list")

// names calls each for the texts of a list in an object, as they are read.
func names(r io.Reader, field string, each func(string) error) error {
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errNoList
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return errNoList
		}
		if key != field {
			var other json.RawMessage
			if d.Decode(&other) != nil {
				return errNoList
			}
			continue
		}
		if err := texts(d, each); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errNoList
	}
	return nil
}

// texts reads an array of texts, or null.
func texts(d *json.Decoder, each func(string) error) error {
	switch t, err := d.Token(); {
	case err != nil:
		return errNoList
	case t == nil:
		return nil
	case t != json.Delim('['):
		return errNoList
	}
	for d.More() {
		var name string
		if d.Decode(&name) != nil {
			return errNoList
		}
		if err := each(name); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errNoList
	}
	return nil
}
