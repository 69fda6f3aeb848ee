package rest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints/registry"
)

// with asks with a header.
func (k *kit) with(header, value, method, path, body string) *httptest.ResponseRecorder {
	k.t.Helper()
	return k.withBy(master, header, value, method, path, body)
}

// withBy asks with a header and a token.
func (k *kit) withBy(token, header, value, method, path, body string) *httptest.ResponseRecorder {
	k.t.Helper()
	r := httptest.NewRequestWithContext(k.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set(header, value)
	w := httptest.NewRecorder()
	k.h.ServeHTTP(w, r)
	return w
}

// TestIfMatch: what is not as it was read is not changed.
func TestIfMatch(t *testing.T) {
	k := newKit(t)
	rows := k.add("shop/db", k.text(32))
	value := k.text(32)
	id := k.found("dir:/srv", "a.env", value)
	_ = rows
	if _, err := k.reg.AddWatch(t.Context(), me(), registry.WatchSpec{Name: "w", Kind: "dir", Location: "/srv"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	k.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "ci", "scopes": []string{"read"}}, nil)
	for _, c := range []struct{ read, method, change, body, again string }{
		{"/secrets/shop%2Fdb", "POST", "/secrets/shop%2Fdb/homes", `{"path":"x","reason":"r"}`, `{"path":"y","reason":"r"}`},
		{"/secrets/shop%2Fdb/versions/1", "POST", "/secrets/shop%2Fdb/versions/1/supersede", `{}`, `{"window":"1h"}`},
		{"/findings/" + string(id), "POST", "/findings/" + string(id) + "/triage", `{"action":"assign","owner":"a"}`, `{"action":"assign","owner":"b"}`},
		{"/watches/w", "PATCH", "/watches/w", `{"schedule":"6h"}`, `{"schedule":"7h"}`},
		{"/sources/dir:%2Fsrv", "POST", "/sources/dir:%2Fsrv/move", `{"to":"dir:/other"}`, ""},
		{"/tokens/ci", "DELETE", "/tokens/ci", "", ""},
	} {
		tag := k.ask(master, "GET", "/api/v1"+c.read, nil).Header().Get("ETag")
		if len(tag) < 10 || tag != k.ask(master, "GET", "/api/v1"+c.read, nil).Header().Get("ETag") {
			t.Fatalf("%s: tag %q, or another each time", c.read, tag)
		}
		if w := k.with("If-Match", `"other"`, c.method, "/api/v1"+c.change, c.body); w.Code != http.StatusPreconditionFailed || !strings.Contains(w.Body.String(), `"changed"`) {
			t.Errorf("%s with another tag: %d %s", c.change, w.Code, w.Body)
		}
		if tag != k.ask(master, "GET", "/api/v1"+c.read, nil).Header().Get("ETag") {
			t.Errorf("%s was changed", c.read)
		}
		if w := k.with("If-Match", `"other", `+tag, c.method, "/api/v1"+c.change, c.body); w.Code/100 != 2 {
			t.Errorf("%s with its tag: %d %s", c.change, w.Code, w.Body)
		}
		if c.again == "" {
			continue
		}
		if w := k.with("If-Match", tag, c.method, "/api/v1"+c.change, c.again); w.Code != http.StatusPreconditionFailed {
			t.Errorf("%s with the tag of before: %d %s", c.change, w.Code, w.Body)
		}
		if w := k.with("If-Match", "*", c.method, "/api/v1"+c.change, c.again); w.Code/100 != 2 && w.Code != http.StatusConflict {
			t.Errorf("%s with any: %d %s", c.change, w.Code, w.Body)
		}
	}
}

// TestIdempotencyKey: what is asked for twice with one key is done once.
func TestIdempotencyKey(t *testing.T) {
	k := newKit(t)
	const body = `{"name":"ci","scopes":["read"]}`
	post := func(key, path, body string) *httptest.ResponseRecorder {
		return k.with("Idempotency-Key", key, "POST", "/api/v1"+path, body)
	}
	type made struct{ ID, Token string }
	read := func(w *httptest.ResponseRecorder) (m made) {
		t.Helper()
		if w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	first, second := read(post("k1", "/tokens", body)), read(post("k1", "/tokens", body))
	if first.Token == "" || second.Token != "" || second.ID != first.ID {
		t.Errorf("a token twice: %v, then %v: it is shown once", first.ID, second)
	}
	if w := post("k1", "/tokens", `{"name":"other","scopes":["read"]}`); w.Code != 422 || !strings.Contains(w.Body.String(), "another request") {
		t.Errorf("the key of another request: %d %s", w.Code, w.Body)
	}
	if w := post("k2", "/tokens", body); w.Code != 409 {
		t.Errorf("another key, the same name: %d %s", w.Code, w.Body)
	}
	if w := post("k2", "/tokens", `{"name":"late","scopes":["read"]}`); w.Code != 201 {
		t.Errorf("the key of what failed: %d %s", w.Code, w.Body)
	}
	one, two := post("k3", "/audit/checkpoints", "").Body.String(), post("k3", "/audit/checkpoints", "").Body.String()
	if one != two || !strings.Contains(one, "checkpoint") {
		t.Errorf("a checkpoint twice: %s, %s", one, two)
	}
	if post("k4", "/audit/checkpoints", "").Body.String() == one {
		t.Error("another key has the same answer: the test proves nothing")
	}
	k.now = k.now.Add(25 * time.Hour)
	if post("k3", "/audit/checkpoints", "").Body.String() == one {
		t.Error("a day later the answer is the same")
	}
	if w := post(strings.Repeat("x", 256), "/audit/checkpoints", ""); w.Code != 422 {
		t.Errorf("a long key: %d", w.Code)
	}
	if strings.Contains(k.logs.String(), first.Token) {
		t.Error("the log has the token")
	}
}

// TestNoValueIsTaken: no operation takes the value of a secret. Where a fingerprint
// belongs, anything else is refused.
func TestNoValueIsTaken(t *testing.T) {
	d, ops := read(t)
	for name, s := range d.Components.Schemas {
		for property := range s.Properties {
			for _, word := range []string{"value", "plaintext", "password", "content", "raw"} {
				if strings.Contains(strings.ToLower(property), word) && property != "values" && property != "value_id" && property != "content_at" {
					if name == "DecisionView" || name == "FoundAt" || name == "Count" { // whether it is about one; its keyed id; of a facet
						continue
					}
					t.Errorf("%s has a property %s", name, property)
				}
			}
		}
	}
	k := newKit(t)
	plain := "plain-" + k.text(40)
	field := map[string]any{
		"name": "value", "row": strings.Repeat("0a", 16), "version": strings.Repeat("0b", 16), "format": 1, "epoch": 1, "filter_generation": 1,
		"strength": "edge", "sealed": []byte(plain),
	}
	generic := k.found("dir:/srv", "notes.txt", k.text(32))
	met := 0
	for _, path := range []string{
		"/secrets", "/secrets/rotate", "/secrets/issue", "/secrets/import",
		"/findings/rv1:00000000000000000000000000000000/adopt", "/findings/" + string(generic) + "/adopt",
	} {
		var body any = map[string]any{"name": "shop/db", "fields": []any{field}}
		if path == "/secrets/import" {
			body = map[string]any{"records": []any{body}}
		}
		w := k.ask(master, "POST", "/api/v1"+path, body)
		if w.Code/100 == 2 && path != "/secrets/import" || strings.Contains(w.Body.String(), plain) || w.Code >= 500 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		met++
	}
	list, err := k.reg.List(t.Context(), me(), registry.ListFilter{})
	if err != nil || len(list) != 0 {
		t.Errorf("registered: %v, %v", list, err)
	}
	if met == 0 || len(ops) == 0 || strings.Contains(k.logs.String(), plain) {
		t.Error("nothing was met, or the log has it")
	}
}
