package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registry"
)

// TestLife goes with a secret from its leak to its retirement, as somebody who has
// nothing but the API.
func TestLife(t *testing.T) {
	k := newKit(t)
	value, other := k.text(32), k.text(32)
	rows := k.add("shop/db", value)
	id := k.found("git:host/shop", "config/.env", value, rows...)
	generic := k.found("dir:/srv", "notes.txt", other)
	const at = "/api/v1/secrets/shop%2Fdb"

	var list struct {
		Secrets []wire.SecretSummary `json:"secrets"`
		Next    string               `json:"next"`
	}
	k.must(200, "GET", "/api/v1/secrets?prefix=shop&limit=1", nil, &list)
	if len(list.Secrets) != 1 || list.Secrets[0].Name != "shop/db" || list.Next != "" {
		t.Errorf("%+v", list)
	}
	verdict := func(id fingerprints.FindingID) fingerprints.Verdict {
		t.Helper()
		var d wire.FindingDetail
		k.must(200, "GET", "/api/v1/findings/"+string(id), nil, &d)
		if len(d.Sightings) != 1 {
			t.Errorf("%d sightings", len(d.Sightings))
		}
		return d.Verdict
	}
	if v := verdict(id); v != fingerprints.VerdictLeaked {
		t.Errorf("verdict %s", v)
	}
	var c wire.Changed
	k.must(409, "POST", at+"/versions/1/retire", nil, nil)
	k.must(200, "POST", at+"/versions/1/supersede", map[string]any{"window": "24h"}, &c)
	if c.To != fingerprints.StateSuperseded || c.WindowEnds == nil {
		t.Errorf("%+v", c)
	}
	k.must(200, "POST", at+"/versions/1/retire", nil, &c)
	if v := verdict(id); c.To != fingerprints.StateRetired || v != fingerprints.VerdictStale {
		t.Errorf("%+v, verdict %s", c, v)
	}
	k.must(200, "POST", at+"/versions/1/retire", nil, &c) // again
	if !c.Unchanged {
		t.Errorf("%+v", c)
	}
	k.must(409, "POST", at+"/versions/1/activate", nil, nil)
	k.must(404, "POST", at+"/versions/9/retire", nil, nil)

	var cov wire.Coverage
	k.must(200, "GET", at+"/versions/1/coverage", nil, &cov)
	if len(cov.Sources) != 2 {
		t.Errorf("%+v", cov)
	}
	var proof struct {
		Outcome  wire.ProofOutcome `json:"outcome"`
		Document json.RawMessage   `json:"document"`
	}
	k.must(200, "POST", at+"/versions/1/proofs", map[string]any{}, &proof)
	if _, err := k.reg.VerifyProof(proof.Document); err != nil || proof.Outcome != wire.LiveCopy {
		t.Errorf("%s, %v", proof.Outcome, err)
	}

	var bulk struct {
		Changed int
		Results []struct {
			ID      string
			Problem *wire.Problem
		}
	}
	k.must(200, "POST", "/api/v1/findings/triage", map[string]any{"ids": []string{string(generic), "rv1:00000000000000000000000000000000"}, "action": "dismiss", "reason": "an example"}, &bulk)
	if bulk.Changed != 1 || len(bulk.Results) != 2 || bulk.Results[0].Problem != nil || bulk.Results[1].Problem == nil || bulk.Results[1].Problem.Status != 404 {
		t.Errorf("%+v", bulk)
	}
	var counts struct{ Verdicts map[fingerprints.Verdict]int }
	k.must(200, "GET", "/api/v1/findings/counts?source=dir%3A%2Fsrv", nil, &counts)
	if counts.Verdicts[fingerprints.VerdictUnregistered] != 1 || len(counts.Verdicts) != 1 {
		t.Errorf("%v", counts)
	}
	var audit struct {
		Entries []wire.AuditEntry
		Next    uint64
	}
	k.must(200, "GET", "/api/v1/audit?limit=2", nil, &audit)
	if len(audit.Entries) != 2 || audit.Next != audit.Entries[1].Sequence+1 {
		t.Errorf("%+v", audit)
	}
	var check struct{ Checkpoint string }
	k.must(201, "POST", "/api/v1/audit/checkpoints", nil, &check)
	var verified struct{ Intact bool }
	k.must(200, "POST", "/api/v1/audit/verify", check, &verified)
	if !verified.Intact {
		t.Error("the audit log does not verify against its checkpoint")
	}
	k.exported(t, value, other)
}

// exported reads findings as NDJSON and CSV, and looks for values in all that was
// answered.
func (k *kit) exported(t *testing.T, values ...string) {
	t.Helper()
	w := k.ask(master, "GET", "/api/v1/findings/export", nil)
	if lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n"); len(lines) != 3 || lines[2] != `{"end":2}` {
		t.Errorf("%s", w.Body)
	}
	w = k.ask(master, "GET", "/api/v1/findings/export?format=csv&verdict=stale", nil)
	if lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "id,verdict,") || lines[2] != "#end,1" {
		t.Errorf("%s", w.Body)
	}
	for _, v := range values {
		if strings.Contains(k.said.String(), v) || strings.Contains(k.logs.String(), v) {
			t.Error("an answer or the log has a value")
		}
	}
}

// TestNoValueIsStored refuses texts that hold a registered value, wherever a text
// would be stored.
func TestNoValueIsStored(t *testing.T) {
	d, ops := read(t)
	k := newKit(t)
	k.refused = "pasted-" + k.text(16)
	met := 0
	for _, o := range ops {
		if o.Body == nil || o.ID == "add-watch" || o.ID == "look-up-values" { // that asks its own; that stores nothing
			continue
		}
		body, _ := d.value(o.Body.Content["application/json"].Schema, "x").(map[string]any)
		ref := o.Body.Content["application/json"].Schema.Ref
		for name, s := range d.Components.Schemas[ref[strings.LastIndexByte(ref, '/')+1:]].Properties {
			if s.kind() != "string" || len(s.Enum) > 0 || s.Format != "" || name == "window" || name == "checkpoint" || name == "finding" {
				continue
			}
			met++
			body := map[string]any{}
			for n, v := range d.value(o.Body.Content["application/json"].Schema, "x").(map[string]any) {
				body[n] = v
			}
			body[name] = k.refused
			path, _ := d.request(o, "x")
			if w := k.ask(master, o.method, path, body); w.Code != http.StatusUnprocessableEntity {
				t.Errorf("%s, %s: %d %s", o.ID, name, w.Code, w.Body)
			}
		}
		_ = body
	}
	if met < 12 {
		t.Errorf("%d texts", met)
	}
}

// TestTokens makes a token over the API, uses it and ends it.
func TestTokens(t *testing.T) {
	k := newKit(t)
	var made struct {
		ID, Token string
	}
	k.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "ci", "scopes": []string{"read"}}, &made)
	var me struct {
		Name   string
		Scopes []registry.Scope
	}
	w := k.ask(made.Token, "GET", "/api/v1/me", nil)
	if err := json.Unmarshal(w.Body.Bytes(), &me); err != nil || me.Name != "token:ci" || len(me.Scopes) != 1 {
		t.Errorf("%s", w.Body)
	}
	k.must(409, "POST", "/api/v1/tokens", map[string]any{"name": "ci", "scopes": []string{"read"}}, nil)
	if w := k.ask(k.token(registry.ScopeAdmin), "POST", "/api/v1/tokens", map[string]any{"name": "more", "scopes": []string{"read", "admin"}}); w.Code != 403 {
		t.Errorf("more than one has: %d", w.Code)
	}
	k.must(200, "DELETE", "/api/v1/tokens/"+made.ID, nil, nil)
	if w := k.ask(made.Token, "GET", "/api/v1/me", nil); w.Code != 401 {
		t.Errorf("revoked: %d", w.Code)
	}
}

// TestEdgePack takes a pack as a laptop does, and again when nothing changed.
func TestEdgePack(t *testing.T) {
	k := newKit(t)
	k.add("shop/db", k.text(32))
	token := k.token(registry.ScopePack)
	get := func(match string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/packs/edge", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		k.h.ServeHTTP(w, r)
		return w
	}
	first := get("")
	tag := first.Header().Get("ETag")
	body := first.Body.Bytes()
	p, err := pack.Open(strings.NewReader(string(body)), int64(len(body)), k.ring, pack.Options{})
	if err != nil || p.Count() != 1 || first.Code != 200 || first.Header().Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("%d, %v", first.Code, err)
	}
	if again := get(tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("nothing changed: %d", again.Code)
	}
	k.add("shop/mail", k.text(32))
	if newer := get(tag); newer.Code != 200 || newer.Header().Get("ETag") == tag {
		t.Errorf("a new value: %d", newer.Code)
	}
}

// TestEvents hears of a finding as it changes, goes on where it was, and hears no
// more when its token is revoked.
func TestEvents(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	rows := k.add("shop/db", value)
	s := httptest.NewServer(k.h)
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	hear := func(last string) *bufio.Reader {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+master)
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil || a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatal(a, err)
		}
		t.Cleanup(func() { _ = a.Body.Close() })
		return bufio.NewReader(a.Body)
	}
	event := func(b *bufio.Reader) (id string, f wire.FindingView) {
		t.Helper()
		for {
			line, err := b.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if text, is := strings.CutPrefix(line, "id: "); is {
				id = strings.TrimSpace(text)
			}
			if text, is := strings.CutPrefix(line, "data: "); is {
				if err := json.Unmarshal([]byte(text), &f); err != nil {
					t.Fatal(err)
				}
				return id, f
			}
		}
	}
	live := hear("")
	if line, err := live.ReadString('\n'); err != nil || line != ": there\n" {
		t.Fatal(line, err)
	}
	id := k.found("git:host/shop", "a.env", value, rows...)
	after, f := event(live)
	if f.ID != id || f.Verdict != fingerprints.VerdictLeaked {
		t.Errorf("%+v", f)
	}
	k.now = k.now.Add(time.Second)
	k.must(200, "POST", "/api/v1/secrets/shop%2Fdb/versions/1/compromise", nil, nil)
	if _, f := event(hear(after)); f.ID != id || f.Verdict != fingerprints.VerdictCompromised {
		t.Errorf("where it went on: %+v", f)
	}
	if _, f := event(live); f.ID != id || f.Verdict != fingerprints.VerdictCompromised {
		t.Errorf("%+v", f)
	}
}

// TestDocs serves a page that asks nobody for anything.
func TestDocs(t *testing.T) {
	k := newKit(t)
	page := k.ask("", "GET", "/api/docs", nil)
	text := page.Body.String()
	if page.Code != 200 || !strings.Contains(text, "retire-version") || strings.Contains(text, "<script") || strings.Contains(text, "http://") || strings.Contains(text, "https://") {
		t.Errorf("%d, %d bytes", page.Code, len(text))
	}
	if csp := page.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Error(csp)
	}
	var d document
	w := k.ask("", "GET", "/openapi.json", nil)
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || len(d.Paths) < 30 {
		t.Error(err)
	}
}
