package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/api/rest"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/jobs"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// What is asked over HTTP, by one after another and by many at once.

const token = "rvct_bench"

// caller asks an API over the loopback.
type caller struct {
	*bed
	url    string
	client *http.Client
	mu     sync.Mutex // of rand
	ids    []string   // findings that there are
	deep   []string   // cursors of pages of the search
}

// serve starts the API on what the bed has.
func (b *bed) serve(dir string) (*caller, func(), error) {
	queue, err := jobs.Open(b.ctx, filepath.Join(dir, "jobs.db"), jobs.Options{Worker: "bench", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	r := chi.NewRouter()
	rest.Mount(r, rest.Options{
		Registry: b.reg, Queue: queue, Owner: b.me, Token: fingerprints.NewValue([]byte(token)), Search: func() *search.Index { return b.x },
		Refuse: func(context.Context, ...string) error { return nil }, Wake: func() {}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	s := httptest.NewServer(r)
	c := &caller{bed: b, url: s.URL, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 1000, MaxConnsPerHost: 1000}}}
	return c, func() {
		c.client.CloseIdleConnections()
		s.Close()
		_ = queue.Close()
	}, c.prepare()
}

// get asks, and reads the answer to its end.
func (c *caller) get(path string) ([]byte, error) {
	q, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.url+rest.Prefix+path, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.client.Do(q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, resp.StatusCode, b)
	}
	return b, err
}

// prepare learns ids and cursors of deep pages.
func (c *caller) prepare() error {
	for i := range 16 {
		b, err := c.get(fmt.Sprintf("/findings?limit=20&after=rv1:%x", i))
		if err != nil {
			return err
		}
		var page struct{ Findings []struct{ ID string } }
		if err := json.Unmarshal(b, &page); err != nil {
			return err
		}
		for _, f := range page.Findings {
			c.ids = append(c.ids, f.ID)
		}
	}
	next := ""
	for range 20 {
		b, err := c.get("/search?limit=1000&after=" + url.QueryEscape(next))
		if err != nil {
			return err
		}
		var page struct{ Next string }
		if err := json.Unmarshal(b, &page); err != nil {
			return err
		}
		if next = page.Next; next == "" {
			break
		}
		c.deep = append(c.deep, next)
	}
	if len(c.ids) == 0 || len(c.deep) == 0 {
		return errors.New("nothing is there")
	}
	return nil
}

// request is one kind of question over HTTP.
type request struct {
	what string
	path func(c *caller) string
}

func (c *caller) n(of int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rand.IntN(of)
}

func (c *caller) a(list []string) string { return list[c.n(len(list))] }

// requests are all kinds, each with other words every time.
func requests() []request {
	fixed := func(path string) func(*caller) string { return func(*caller) string { return path } }
	team := func(c *caller) string { return "team-" + c.a(words()) }
	source := func(c *caller) string { return url.QueryEscape(sourceID(c.n(sources))) }
	secret := func(c *caller) string { return secretName(c.n(secrets)) }
	var facets []string
	for _, f := range query.Facets() {
		facets = append(facets, string(f))
	}
	all := "&facets=" + strings.Join(facets, ",")
	find := func(q func(*caller) string, more string) func(*caller) string {
		return func(c *caller) string { return "/search?q=" + url.QueryEscape(q(c)) + more }
	}
	word := func(c *caller) string { return c.a(words()) }
	return []request{
		{"list", fixed("/findings?limit=50")},
		{"list, a deep page", func(c *caller) string { return "/findings?limit=50&after=" + c.a(c.ids) }},
		{"list: a verdict that many have", fixed("/findings?limit=50&verdict=unregistered")},
		{"list: a verdict that few have", fixed("/findings?limit=50&verdict=stale")},
		{"list: that, a deep page", func(c *caller) string { return "/findings?limit=50&verdict=stale&after=" + c.a(c.ids) }},
		{"list: a verdict that none has", fixed("/findings?limit=50&verdict=premature")},
		{"list: status", fixed("/findings?limit=50&status=open")},
		{"list: a status that none has", fixed("/findings?limit=50&status=accepted")},
		{"list: presence", fixed("/findings?limit=50&presence=history")},
		{"list: a presence that none has", fixed("/findings?limit=50&presence=shadowed")},
		{"list: source", func(c *caller) string { return "/findings?limit=50&source=" + source(c) }},
		{"list: verdict and source", func(c *caller) string { return "/findings?limit=50&verdict=stale&source=" + source(c) }},
		{"list: secret", func(c *caller) string { return "/findings?limit=50&secret=" + url.QueryEscape(secret(c)) }},
		{"list: rule", func(c *caller) string { return "/findings?limit=50&rule=" + c.a(rules()) }},
		{"list: a rule that none has", fixed("/findings?limit=50&rule=none")},
		{"list: owner", func(c *caller) string { return "/findings?limit=50&owner=" + team(c) }},
		{"list: an owner that none has", fixed("/findings?limit=50&owner=none")},
		{"list: path", func(c *caller) string { return "/findings?limit=50&path=" + url.QueryEscape(word(c)+"/**") }},
		{"counts", fixed("/findings/counts")},
		{"counts: source", func(c *caller) string { return "/findings/counts?source=" + source(c) }},
		{"counts: secret", func(c *caller) string { return "/findings/counts?secret=" + url.QueryEscape(secret(c)) }},
		{"counts: owner", func(c *caller) string { return "/findings/counts?owner=" + team(c) }},
		{"counts: verdict", fixed("/findings/counts?verdict=stale")},
		{"counts: status", fixed("/findings/counts?status=open")},
		{"search", find(func(*caller) string { return "" }, "&limit=50")},
		{"search, a deep page", func(c *caller) string { return "/search?limit=50&after=" + url.QueryEscape(c.a(c.deep)) }},
		{"search: a word", find(word, "&limit=50")},
		{"search: two words in order", find(func(c *caller) string { return `"` + word(c) + " " + word(c) + `"` }, "&limit=50")},
		{"search: verdict, owner, age", find(func(c *caller) string { return "verdict:unregistered age>30d is:open owner:" + team(c) }, "&limit=50")},
		{"search: a beginning", find(func(c *caller) string { return word(c)[:3] + "*" }, "&limit=50")},
		{"facets of everything", find(func(*caller) string { return "" }, all)},
		{"facets of a word", find(word, all)},
		{"facets of verdict and owner", find(func(c *caller) string { return "verdict:leaked,stale owner:" + team(c) }, all)},
		{"suggestions", func(c *caller) string {
			return "/search/suggestions?q=" + url.QueryEscape("is:open source:git:git.example.org/"+word(c)[:2])
		}},
		{"a finding", func(c *caller) string { return "/findings/" + c.a(c.ids) }},
		{"a finding by a beginning", func(c *caller) string { return "/findings/" + c.a(c.ids)[:16] }},
		{"secrets", fixed("/secrets")},
		{"secrets: state", fixed("/secrets?state=retired")},
		{"a secret", func(c *caller) string { return "/secrets/" + url.PathEscape(secret(c)) }},
		{"sources", fixed("/sources")},
		{"a source", func(c *caller) string { return "/sources/" + url.PathEscape(sourceID(c.n(sources))) }},
		{"status", fixed("/status")},
	}
}

// alone asks each kind, one after another.
func (c *caller) alone(only string) ([]timing, error) {
	asked, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	var out []timing
	for _, q := range requests() {
		if !asked.MatchString(q.what) {
			continue
		}
		t, err := c.timed(q.what, func() (string, error) {
			b, err := c.get(q.path(c))
			return fmt.Sprintf("%d bytes", len(b)), err
		})
		if err != nil {
			return out, err
		}
		out = append(out, t)
	}
	return out, nil
}

// crowd is what many readers met while something wrote.
type crowd struct {
	readers, answers, failed, written int
	took                              time.Duration
	p50, p95, most                    time.Duration
	firstError                        string
}

// together has many ask at once while sightings are written and the index follows.
func (c *caller) together(s store.Store, readers int, long time.Duration) (crowd, error) {
	ctx, end := context.WithTimeout(c.ctx, long)
	defer end()
	out := crowd{readers: readers}
	var mu sync.Mutex
	var took []time.Duration
	var writing atomic.Int64
	var wg sync.WaitGroup
	kinds := requests()
	began := time.Now()
	for range readers {
		wg.Go(func() {
			for ctx.Err() == nil {
				at := time.Now()
				_, err := c.get(kinds[c.n(len(kinds))].path(c))
				mu.Lock()
				if err != nil {
					out.failed++
					out.firstError = err.Error()
				} else {
					took = append(took, time.Since(at))
				}
				mu.Unlock()
			}
		})
	}
	failed := make(chan error, 2)
	wg.Go(func() { failed <- c.write(ctx, s, &writing) })
	wg.Go(func() {
		for ctx.Err() == nil {
			if _, err := c.x.Follow(ctx); err != nil && ctx.Err() == nil {
				failed <- err
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
		failed <- nil
	})
	wg.Wait()
	out.took, out.answers, out.written = time.Since(began), len(took), int(writing.Load())
	if len(took) > 0 {
		slices.Sort(took)
		out.p50, out.p95, out.most = took[len(took)/2], took[len(took)*95/100], took[len(took)-1]
	}
	return out, errors.Join(<-failed, <-failed)
}

// write records sightings of new findings, a hundred in a transaction, as scans do.
func (c *caller) write(ctx context.Context, s store.Store, n *atomic.Int64) error {
	r := rand.New(rand.NewPCG(9, 9))
	for i := 1 << 40; ctx.Err() == nil; {
		var list []store.Observed
		for range 100 {
			i++
			list = append(list, observed(i, []fingerprints.RowID{{1, 0, byte(r.IntN(200))}}))
		}
		err := s.Update(ctx, func(tx store.Tx) error {
			_, err := tx.Record(ctx, time.Now(), list)
			return err
		})
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		n.Add(int64(len(list)))
	}
	return nil
}

// overHTTP measures what people and machines ask over HTTP.
func (b *bed) overHTTP(o options, s store.Store, dir string, m *measured) error {
	c, end, err := b.serve(dir)
	if err != nil {
		return err
	}
	defer end()
	if m.timings, err = c.alone(o.only); err != nil || o.only != "" {
		return err
	}
	if m.crowd, err = c.together(s, o.readers, o.crowd); err != nil {
		return err
	}
	x := m.crowd
	fmt.Fprintf(os.Stderr, "  %d readers: %d answers, %d failed (%s), %d written in %s; %s, %s, %s\n", x.readers, x.answers, x.failed, x.firstError, x.written, x.took.Round(time.Second), x.p50, x.p95, x.most)
	return nil
}
