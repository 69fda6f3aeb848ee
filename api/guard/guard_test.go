package guard_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	"revenant/api/guard"
)

// request is one from an address, with headers in pairs.
func request(t *testing.T, from string, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://server.example.org/", nil)
	r.RemoteAddr = from
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestProxies(t *testing.T) {
	p, err := guard.ParseProxies([]string{"10.0.0.0/8", "192.0.2.1", "fd00::/8"})
	if err != nil {
		t.Fatal(err)
	}
	const direct = "198.51.100.9:1"
	for name, c := range map[string]struct {
		from    string
		headers []string
		want    string // address, scheme, host
	}{
		"nobody says anything":      {direct, nil, "198.51.100.9 http server.example.org"},
		"said by who is not known":  {direct, []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil"}, "198.51.100.9 http server.example.org"},
		"Forwarded by the same":     {direct, []string{"Forwarded", "for=1.2.3.4;proto=https;host=evil"}, "198.51.100.9 http server.example.org"},
		"by a proxy":                {"10.1.1.1:1", []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "rev.example.org"}, "1.2.3.4 https rev.example.org"},
		"made up before it":         {"10.1.1.1:1", []string{"X-Forwarded-For", "9.9.9.9, 1.2.3.4"}, "1.2.3.4 http server.example.org"},
		"a chain of proxies":        {"10.1.1.1:1", []string{"X-Forwarded-For", "9.9.9.9, 1.2.3.4, 10.2.2.2, 192.0.2.1"}, "1.2.3.4 http server.example.org"},
		"in two headers":            {"10.1.1.1:1", []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-For", "10.2.2.2"}, "1.2.3.4 http server.example.org"},
		"all are proxies":           {"10.1.1.1:1", []string{"X-Forwarded-For", "10.3.3.3, 10.2.2.2"}, "10.3.3.3 http server.example.org"},
		"no address":                {"10.1.1.1:1", []string{"X-Forwarded-For", "1.2.3.4, <script>"}, "10.1.1.1 http server.example.org"},
		"Forwarded":                 {"10.1.1.1:1", []string{"Forwarded", `for=9.9.9.9, for="[2001:db8::7]:4711";proto=https;host=rev.example.org`}, "2001:db8::7 https rev.example.org"},
		"Forwarded before the rest": {"10.1.1.1:1", []string{"Forwarded", "for=1.2.3.4", "X-Forwarded-For", "9.9.9.9"}, "1.2.3.4 http server.example.org"},
		"over IPv6":                 {"[fd00::1]:1", []string{"X-Forwarded-For", "2001:db8::1"}, "2001:db8::1 http server.example.org"},
		"IPv4 in IPv6":              {"[::ffff:10.1.1.1]:1", []string{"X-Forwarded-For", "::ffff:1.2.3.4"}, "1.2.3.4 http server.example.org"},
		"a host that is none":       {"10.1.1.1:1", []string{"X-Forwarded-Host", "a/b@c"}, "10.1.1.1 http server.example.org"},
		"another protocol":          {"10.1.1.1:1", []string{"X-Forwarded-Proto", "gopher"}, "10.1.1.1 http server.example.org"},
	} {
		var got string
		p.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = guard.Address(r) + " " + r.URL.Scheme + " " + r.Host
			for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
				if r.Header.Get(h) != "" {
					t.Errorf("%s: %s is passed on", name, h)
				}
			}
		})).ServeHTTP(httptest.NewRecorder(), request(t, c.from, c.headers...))
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	over := request(t, direct)
	over.TLS = &tls.ConnectionState{}
	guard.Proxies(nil).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Scheme != "https" {
			t.Errorf("over TLS: %s", r.URL.Scheme)
		}
	})).ServeHTTP(httptest.NewRecorder(), over)
	for _, bad := range []string{"x", "10.0.0.0/33", "", "example.org"} {
		if _, err := guard.ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q is a proxy", bad)
		}
	}
	if a := guard.Address(request(t, "@")); a != "unknown" {
		t.Errorf("of a socket: %q", a)
	}
}

// clock is one that a test moves.
type clock struct{ now time.Time }

func (c *clock) time() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)} }

func TestLocks(t *testing.T) {
	c := newClock()
	l := guard.NewLocks(c.time)
	const who = "192.0.2.7"
	var waits []time.Duration
	for range 16 {
		c.now = c.now.Add(l.Wait(who))
		waits = append(waits, l.Failed(who))
	}
	want := []time.Duration{0, 0, 0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900}
	for i, w := range want {
		if waits[i] != w*time.Second {
			t.Errorf("failure %d: %s, want %s", i+1, waits[i], w*time.Second)
		}
	}
	if l.Wait(who) != 15*time.Minute || l.Wait("192.0.2.8") != 0 {
		t.Errorf("%s, another: %s", l.Wait(who), l.Wait("192.0.2.8"))
	}
	l.Succeeded(who)
	if l.Wait(who) != 0 || l.Failed(who) != 0 {
		t.Error("a success does not forget")
	}
	for range 5 {
		l.Failed(who)
	}
	c.now = c.now.Add(time.Hour + time.Second)
	if l.Failed(who) != 0 {
		t.Error("an hour does not forget")
	}
	// One sender has a whole network of IPv6.
	for i := range 6 {
		l.Failed(fmt.Sprintf("2001:db8:1:2::%x", i+1))
	}
	if l.Wait("2001:db8:1:2:ffff::1") == 0 || l.Wait("2001:db8:1:3::1") != 0 {
		t.Error("a network of 64 bits is not one sender")
	}
	recorded := 0
	for range 1000 {
		if l.Record() {
			recorded++
		}
	}
	if recorded != 30 {
		t.Errorf("%d of 1000 at once are recorded", recorded)
	}
}

// TestBounded has a million senders fail once each.
func TestBounded(t *testing.T) {
	c := newClock()
	l := guard.NewLocks(c.time)
	for range 6 {
		l.Failed("the first")
	}
	grow := func(from, to int) uint64 {
		for i := from; i < to; i++ {
			l.Failed(strconv.Itoa(i))
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := grow(0, 50_000)
	if after := grow(50_000, 400_000); after > before+before/2 {
		t.Errorf("%d bytes after 50,000 senders, %d after 400,000", before, after)
	}
	if l.Wait("the first") != 0 {
		t.Error("nobody is forgotten")
	}
}

func TestLimits(t *testing.T) {
	c := newClock()
	refused := 0
	l := guard.NewLimits(guard.LimitOptions{
		PerSender: 60, PerAddress: 120, Credential: func(r *http.Request) string { return r.Header.Get("Authorization") }, Refused: func() { refused++ }, Now: c.time,
	})
	h := l.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	ask := func(from, token string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, from+":1", "Authorization", token))
		return w
	}
	many := func(n int, from string, token func(i int) string) (passed int) {
		for i := range n {
			if ask(from, token(i)).Code == http.StatusNoContent {
				passed++
			}
		}
		return passed
	}
	same := func(int) string { return "a" }
	if n := many(50, "192.0.2.1", same); n != 10 {
		t.Errorf("of one sender %d pass at once", n)
	}
	w := ask("192.0.2.1", "a")
	var p struct{ Code string }
	if w.Code != http.StatusTooManyRequests || json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Code != "too-many" || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if n := many(5, "192.0.2.9", same); n != 0 {
		t.Errorf("the same token from elsewhere: %d", n)
	}
	c.now = c.now.Add(3 * time.Second)
	if n := many(50, "192.0.2.9", same); n != 3 {
		t.Errorf("three seconds later: %d", n)
	}
	// Who makes tokens up is bounded by the address.
	if n := many(100, "192.0.2.2", func(i int) string { return strconv.Itoa(i) }); n != 20 {
		t.Errorf("with made-up tokens %d pass", n)
	}
	if n := many(5, "192.0.2.3", func(int) string { return "" }); n != 5 {
		t.Errorf("without anything, elsewhere: %d", n)
	}
	if refused == 0 {
		t.Error("nobody is told of refusals")
	}
	free := guard.NewLimits(guard.LimitOptions{Credential: func(*http.Request) string { return "x" }, Now: c.time}).Handler(http.NotFoundHandler())
	for range 1000 {
		w := httptest.NewRecorder()
		free.ServeHTTP(w, request(t, "192.0.2.1:1"))
		if w.Code != http.StatusNotFound {
			t.Fatal(w.Code)
		}
	}
}
