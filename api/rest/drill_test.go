package rest_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// TestStolenToken has a thief listen with a token. When it is revoked they hear
// nothing more, although there is always something to tell.
func TestStolenToken(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	stolen, shown, err := k.reg.AddToken(t.Context(), me(), registry.TokenRequest{Name: "stolen", Scopes: []registry.Scope{registry.ScopeRead}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k.h)
	t.Cleanup(s.Close) // when nobody listens any more
	heard := listen(t, s.URL, string(shown.Reveal()))
	until := func(prefix string) (string, error) {
		for {
			line, err := heard.ReadString('\n')
			if err != nil || strings.HasPrefix(line, prefix) {
				return line, err
			}
		}
	}
	if _, err := until(": there"); err != nil {
		t.Fatal(err)
	}
	k.found("git:host/shop", "a.env", k.text(32))
	if _, err := until("data: "); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.RevokeToken(t.Context(), me(), stolen.ID); err != nil {
		t.Fatal(err)
	}
	k.found("git:host/shop", "b.env", k.text(32))
	if line, err := until("data: "); !errors.Is(err, io.EOF) {
		t.Errorf("with a token that was revoked they hear %q, %v", line, err)
	}
	if w := k.ask(string(shown.Reveal()), "GET", "/api/v1/events", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("they listen again: %d", w.Code)
	}
}

func listen(t *testing.T, url, token string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil || a.StatusCode != http.StatusOK {
		t.Fatal(a, err)
	}
	t.Cleanup(func() { _ = a.Body.Close() })
	return bufio.NewReader(a.Body)
}

// TestListenerHangs has a listener that does not read: the server lets go of it,
// and others hear everything meanwhile.
func TestListenerHangs(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	ended := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.h.ServeHTTP(w, r)
		if r.Header.Get("X-Hangs") != "" {
			close(ended)
		}
	}))
	s.Listener = narrow{s.Listener}
	s.Start()
	t.Cleanup(s.Close)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := io.WriteString(c, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nX-Hangs: 1\r\nAuthorization: Bearer "+master+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReaderSize(c, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatal(line, err)
	}
	live := listen(t, s.URL, master)
	if _, err := live.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	const files = 40
	value := k.text(32)
	rows := k.add("shop/db", value)
	last := fingerprints.FindingID("")
	for range files { // the paths are long, and so are the events
		last = k.found("git:host/shop", strings.Repeat(k.text(40)+"/", 25)+".env", value, rows...)
	}
	for {
		line, err := live.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data: ") && strings.Contains(line, string(last)) {
			break
		}
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the server holds who does not read")
	}
}

// narrow has connections that take little before somebody reads.
type narrow struct{ net.Listener }

// Accept implements net.Listener.
func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, is := c.(*net.TCPConn); is {
		_ = t.SetWriteBuffer(4096)
	}
	return c, err
}
