package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/client"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// TestClient asks a server by the client for all that it has, and compares it with
// what the registry says.
func TestClient(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	rows := k.add("shop/db", value)
	id := k.found("git:host/shop", "a b/ü.env", value, rows...)
	generic := k.found("dir:/srv", "notes.txt", k.text(32))
	s := httptest.NewServer(k.h)
	defer s.Close()
	c, err := client.New(s.URL, fingerprints.NewValue([]byte(master)), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	ref := fingerprints.VersionRef{Name: "shop/db", Number: 1}
	same := func(what string, want any, wantErr error, got any, gotErr error) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" || wantErr != nil || gotErr != nil {
			t.Errorf("%s: %v, %v\n%s", what, wantErr, gotErr, d)
		}
	}
	secret, err := k.reg.Show(ctx, me(), "shop/db")
	got, gotErr := c.Secret(ctx, "shop/db")
	same("Secret", secret, err, got, gotErr)
	list, err := k.reg.List(ctx, me(), registry.ListFilter{})
	page, gotErr := c.Secrets(ctx, client.SecretFilter{Limit: 5})
	same("Secrets", list, err, page.Secrets, gotErr)
	detail, err := k.reg.Finding(ctx, me(), string(id))
	gotDetail, gotErr := c.Finding(ctx, string(id))
	same("Finding", detail, err, gotDetail, gotErr)
	source, err := k.reg.Source(ctx, me(), "git:host/shop")
	gotSource, gotErr := c.Source(ctx, "git:host/shop")
	same("Source", source, err, gotSource, gotErr)
	coverage, err := k.reg.Coverage(ctx, me(), ref)
	gotCoverage, gotErr := c.Coverage(ctx, ref)
	for i := range coverage.Sources { // it is never encoded
		coverage.Sources[i].All = nil
	}
	same("Coverage", coverage, err, gotCoverage, gotErr)
	history, err := k.reg.History(ctx, me(), "shop/db")
	gotHistory, gotErr := c.History(ctx, "shop/db")
	same("History", history, err, gotHistory, gotErr)

	var ids []fingerprints.FindingID
	for after := ""; ; {
		p, err := c.Findings(ctx, client.FindingFilter{}, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range p.Findings {
			ids = append(ids, f.ID)
		}
		if after = p.Next; after == "" {
			break
		}
	}
	if len(ids) != 2 {
		t.Errorf("%d findings, a page each", len(ids))
	}
	only := client.FindingFilter{Verdicts: []fingerprints.Verdict{fingerprints.VerdictLeaked, fingerprints.VerdictStale}, Presences: []fingerprints.Presence{fingerprints.PresenceTip}}
	if n, err := c.CountFindings(ctx, only); err != nil || len(n) != 1 || n[fingerprints.VerdictLeaked] != 1 {
		t.Errorf("%v, %v", n, err)
	}
	n := 0
	if err := c.Export(ctx, client.FindingFilter{}, func(wire.FindingDetail) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("exported %d, %v", n, err)
	}
	k.changes(t, c, ref, generic)
}

// changes does what changes something.
func (k *kit) changes(t *testing.T, c *client.Client, ref fingerprints.VersionRef, generic fingerprints.FindingID) {
	t.Helper()
	ctx := t.Context()
	if f, err := c.Triage(ctx, string(generic), client.Triage{Action: "dismiss", Reason: "an example"}); err != nil || f.Status != fingerprints.StatusFalsePositive {
		t.Errorf("%+v, %v", f, err)
	}
	heard := make(chan client.Event, 100)
	listening, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error)
	go func() {
		done <- c.Events(listening, "", func(e client.Event) error { heard <- e; return nil })
	}()
	for range 100 { // until it listens
		k.now = k.now.Add(time.Second)
		if _, err := c.Compromise(ctx, ref); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Triage(ctx, string(generic), client.Triage{Action: "assign", Owner: k.text(8)}); err != nil {
			t.Fatal(err)
		}
		select {
		case e := <-heard:
			if e.ID == "" || e.Finding.ID == "" {
				t.Errorf("%+v", e)
			}
			stop()
		case <-time.After(50 * time.Millisecond):
			continue
		}
		break
	}
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := c.Retire(ctx, ref, false); !client.IsStatus(err, http.StatusConflict) {
		t.Errorf("without a successor: %v", err)
	}
	if r, err := c.Retire(ctx, ref, true); err != nil || r.To != fingerprints.StateRetired {
		t.Errorf("%+v, %v", r, err)
	}
	p, err := c.Prove(ctx, ref, true, []string{"all"})
	if err != nil || p.Proof.Outcome != wire.LiveCopy {
		t.Errorf("%+v, %v", p.Proof, err)
	}
	if _, err := k.reg.VerifyProof(p.Document); err != nil {
		t.Error(err)
	}
	made, err := c.AddToken(ctx, "laptop", []wire.Scope{registry.ScopePack}, k.now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	k.laptop(t, c, made)
	check, err := c.Checkpoint(ctx)
	if r, verr := k.reg.VerifyAudit(ctx, me(), check); err != nil || verr != nil || r.Records == 0 || !r.Against {
		t.Errorf("%v, %v", err, verr)
	}
	if a, err := c.Audit(ctx, 2, 3); err != nil || len(a.Entries) != 3 || a.Next != 5 {
		t.Errorf("%+v, %v", a, err)
	}
}

// laptop takes a pack with a token that may do nothing else, until it is revoked.
func (k *kit) laptop(t *testing.T, owner *client.Client, made client.NewToken) {
	t.Helper()
	s := httptest.NewServer(k.h)
	defer s.Close()
	c, err := client.New(s.URL, fingerprints.NewValue([]byte(made.Token)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := c.Me(t.Context()); err != nil || who.Name != "token:laptop" {
		t.Errorf("%+v, %v", who, err)
	}
	p, err := c.EdgePack(t.Context(), "")
	if err != nil || p.Newest {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(p.Body); err != nil || len(b) == 0 {
		t.Error(len(b), err)
	}
	_ = p.Body.Close()
	if again, err := c.EdgePack(t.Context(), p.ETag); err != nil || !again.Newest {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := c.Secrets(t.Context(), client.SecretFilter{}); !client.IsStatus(err, http.StatusForbidden) {
		t.Errorf("it reads: %v", err)
	}
	if _, err := owner.RevokeToken(t.Context(), "laptop"); err != nil {
		t.Error(err)
	}
	if _, err := c.EdgePack(t.Context(), p.ETag); !client.IsStatus(err, http.StatusUnauthorized) {
		t.Errorf("revoked: %v", err)
	}
}
