package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/ingest/settings"
)

// raw sends bytes to a server, and returns what it answers until it closes.
func (s *serving) raw(text string) string {
	s.t.Helper()
	c, err := (&net.Dialer{}).DialContext(s.t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
	out, err := io.ReadAll(c) // it ends because the server closes
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		s.t.Errorf("the server does not close after %.40q", text)
	}
	return string(out)
}

// TestHostileRequests sends what no browser sends, slowly and too much of it; the
// server ends each such connection, and answers others meanwhile.
func TestHostileRequests(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	s := b.serve()
	form := "POST /auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	done := make(chan string)
	slow := map[string]string{
		"a header that does not end": "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ",
		"nothing at all":             "",
		"a body that does not come":  form + "Content-Length: 100\r\n\r\ntoken=",
	}
	for what, text := range slow {
		go func() {
			s.raw(text)
			done <- what
		}()
	}
	for what, c := range map[string]struct{ text, want string }{
		"no HTTP":               {"\x16\x03\x01\x02\x00\x01\r\n\r\n", "400"},
		"a header without end":  {"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 100_000) + "\r\n\r\n", "431"},
		"two lengths":           {form + "Content-Length: 5\r\nContent-Length: 6\r\n\r\ntoken=", "400"},
		"length and chunks":     {form + "Connection: close\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " "},
		"a chunk that is none":  {form + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "303"},
		"a length below zero":   {form + "Content-Length: -1\r\n\r\n", "400"},
		"a name with a blank":   {"GET / HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n", "400"},
		"no host":               {"GET / HTTP/1.1\r\n\r\n", "400"},
		"a cookie of 60 KB":     {"GET /api/v1/me HTTP/1.1\r\nConnection: close\r\nHost: x\r\nCookie: revenant-session=" + strings.Repeat("a", 60_000) + "\r\n\r\n", "401"},
		"a body of many MB":     {form + "Connection: close\r\nContent-Length: 33554432\r\n\r\ntoken=" + strings.Repeat("x", 40_000), "303"},
		"a path that goes up":   {"GET /auth/../../etc/passwd HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n", "404"},
		"another way to ask it": {"TRACE /auth/token HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n", "405"},
	} {
		got := s.raw(c.text)
		line, _, _ := strings.Cut(got, "\r\n")
		if !strings.Contains(line, c.want) || strings.Contains(got, "panic") {
			t.Errorf("%s: %q, want %s", what, line, c.want)
		}
	}
	if code, _, _ := s.ask(http.MethodGet, "/healthz", ""); code != 200 {
		t.Errorf("meanwhile: %d", code)
	}
	for range slow {
		<-done
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
}

// TestStolenToken is the drill: a token was copied, and somebody listens and is
// signed in with it. It is revoked at the command line.
func TestStolenToken(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	s := b.serve()
	stolen := strings.TrimSpace(b.must(0, "", "token", "add", "ci", "--scope", "read").stdout)
	thief := s.visitor()
	if code, to, _ := thief.do(http.MethodPost, "/auth/token", url.Values{"token": {stolen}}); code != 303 || to != "/" {
		t.Fatalf("%d %s", code, to)
	}
	listen := func(set func(*http.Request)) chan error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		set(r)
		w, err := http.DefaultClient.Do(r) //nolint:bodyclose // it is closed where it is read
		if err != nil || w.StatusCode != 200 {
			t.Fatalf("%+v, %v", w, err)
		}
		in := bufio.NewReader(w.Body)
		if line, err := in.ReadString('\n'); err != nil || line != ": there\n" {
			t.Fatalf("%q, %v", line, err)
		}
		ended := make(chan error, 1)
		go func() {
			defer w.Body.Close()
			_, err := io.Copy(io.Discard, in)
			ended <- err
		}()
		return ended
	}
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	byToken := listen(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+stolen) })
	bySession := listen(func(r *http.Request) {
		for _, c := range thief.c.Jar.Cookies(at) {
			r.AddCookie(c)
		}
	})
	b.must(0, "", "token", "revoke", "ci")
	if code, _, _ := s.ask(http.MethodGet, "/api/v1/me", "", "Bearer "+stolen); code != 401 {
		t.Errorf("the next request: %d", code)
	}
	if code, _, _ := thief.do(http.MethodGet, "/api/v1/me", nil); code != 401 {
		t.Errorf("the session: %d", code)
	}
	if code, to, _ := thief.do(http.MethodPost, "/auth/token", url.Values{"token": {stolen}}); code != 303 || to != "/sign-in?error=token" {
		t.Errorf("signing in again: %d %s", code, to)
	}
	for what, ended := range map[string]chan error{"with the token": byToken, "with the session": bySession} {
		select {
		case <-ended:
		case <-time.After(soon):
			t.Errorf("who listens %s still does", what)
		}
	}
	log := b.must(0, "", "audit", "list").stdout
	for _, want := range []string{"token.revoke", "sign-in.refused"} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not audited: %s", want, log)
		}
	}
	if strings.Contains(log+s.said(), stolen) {
		t.Error("the token is told")
	}
}

// renewed writes a certificate for a name, with its key.
func renewed(t *testing.T, dir, name string) settings.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := settings.TLS{Certificate: filepath.Join(dir, "server.pem"), Key: filepath.Join(dir, "server.key")}
	for file, block := range map[string]*pem.Block{files.Certificate: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestCertificateIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	files := renewed(t, dir, "first")
	now := time.Now()
	c, err := openCertificate(files, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		cert, err := c.config().GetCertificate(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		x, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return x.Subject.CommonName
	}
	step := func(want, what string) {
		t.Helper()
		now = now.Add(certificateEvery)
		if got := shown(); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	step("first", "nothing changed")
	renewed(t, dir, "second")
	if got := shown(); got != "first" {
		t.Errorf("within the moment: %s", got)
	}
	step("second", "renewed")
	if err := os.WriteFile(files.Key, []byte("half of a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	step("second", "half written")
	renewed(t, dir, "third, which is longer")
	step("third, which is longer", "written wholly")
	if err := os.Remove(files.Certificate); err != nil {
		t.Fatal(err)
	}
	step("third, which is longer", "gone")
	if _, err := openCertificate(settings.TLS{Certificate: fmt.Sprint(dir, "/none"), Key: files.Key}, time.Now, slog.Default()); err == nil {
		t.Error("a server begins without its certificate")
	}
}
