package rest_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

// TestNoFilterIsDropped asks with filters that are not what they look like: an answer to
// another question than was asked would read as that nothing, or everything, is there.
func TestNoFilterIsDropped(t *testing.T) {
	k := newKit(t)
	for name, c := range map[string]struct {
		query, pointer string
		code           int
	}{
		"twice":                {"verdict=leaked&verdict=stale", "/verdict", http.StatusUnprocessableEntity},
		"twice the same":       {"owner=shop&owner=shop", "/owner", http.StatusUnprocessableEntity},
		"a broken escape":      {"verdict=%zz", "", http.StatusBadRequest},
		"a broken name":        {"%zz=leaked", "", http.StatusBadRequest},
		"parted by semicolons": {"owner=shop;verdict=leaked", "", http.StatusBadRequest},
		"no secret":            {"version=2", "/secret", http.StatusUnprocessableEntity},
		"several words":        {"verdict=leaked,stale&owner=shop", "", http.StatusOK},
		"of a secret":          {"secret=shop/db&version=2", "", http.StatusOK},
	} {
		for _, path := range []string{"/findings", "/findings/counts", "/findings/export"} {
			w := k.ask(master, "GET", "/api/v1"+path+"?"+c.query, nil)
			if w.Code != c.code {
				t.Errorf("%s, %s: %d, want %d: %s", name, path, w.Code, c.code, w.Body)
				continue
			}
			var p wire.Problem
			if c.code == http.StatusOK {
				continue
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || c.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer) {
				t.Errorf("%s, %s: %s", name, path, w.Body)
			}
		}
	}
	if w := k.ask(k.token(registry.ScopePack), "GET", "/api/v1/findings?a=%zz", nil); w.Code != http.StatusForbidden {
		t.Errorf("a token that may not read: %d", w.Code)
	}
}

// TestTriageTakesNoOtherWords sends what another action takes: it would be dropped, and
// whoever sent it would think that it holds.
func TestTriageTakesNoOtherWords(t *testing.T) {
	k := newKit(t)
	id := string(k.found("dir:/srv", "notes.txt", k.text(32)))
	for pointer, body := range map[string]string{
		"/until":  `"action":"dismiss","reason":"a test's","until":"2099-01-31T00:00:00Z"`,
		"/reason": `"action":"assign","owner":"shop","reason":"theirs"`,
		"/owner":  `"action":"reopen","owner":"shop"`,
		"/due":    `"action":"accept","reason":"soon","until":"2099-01-31T00:00:00Z","due":"2099-01-31T00:00:00Z"`,
	} {
		for path, b := range map[string]string{"/findings/" + id + "/triage": "{" + body + "}", "/findings/triage": `{"ids":["` + id + `"],` + body + "}"} {
			w := k.ask(master, "POST", "/api/v1"+path, b)
			var p wire.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
				t.Errorf("%s of %s: %d %s", pointer, path, w.Code, w.Body)
			}
		}
	}
}

// TestRefusalsSayTheWay holds what is refused against what its sender needs to know.
func TestRefusalsSayTheWay(t *testing.T) {
	k := newKit(t)
	id := string(k.found("dir:/srv", "notes.txt", k.text(32)))
	value := k.text(32)
	copied := string(k.found("dir:/srv", "copy.txt", value, k.add("shop/db", value)...))
	for name, c := range map[string]struct {
		token, method, path, body string
		header, value             string
		code                      int
		way                       string
	}{
		"another scope":          {k.token(registry.ScopePack), "GET", "/findings", "", "", "", http.StatusForbidden, "scope `read`"},
		"another scope, changed": {k.token(registry.ScopePack), "POST", "/findings/triage", "{}", "", "", http.StatusForbidden, "scope `triage`"},
		"If-Match, unread":       {k.token(registry.ScopeTriage), "POST", "/findings/" + id + "/triage", `{"action":"reopen"}`, "If-Match", `"x"`, http.StatusForbidden, "scope `read`"},
		"a wrong token":          {registry.TokenPrefix + "x", "GET", "/me", "", "", "", http.StatusUnauthorized, "revenant token add"},
		"no body":                {master, "POST", "/findings/triage", "", "", "", http.StatusBadRequest, "JSON"},
		"half a body":            {master, "POST", "/findings/triage", "{", "", "", http.StatusBadRequest, "JSON"},
		"a compressed body":      {master, "POST", "/findings/triage", "{}", "Content-Encoding", "gzip", http.StatusUnsupportedMediaType, "Content-Encoding"},
		"a registered value":     {master, "POST", "/findings/" + copied + "/triage", `{"action":"dismiss","reason":"a test's"}`, "", "", http.StatusConflict, "accept the finding until a date"},
		"a message":              {master, "GET", "/notifications/1", "", "", "", http.StatusNotFound, "no such message:"},
	} {
		w := k.withBy(c.token, cmp.Or(c.header, "Accept"), c.value, c.method, "/api/v1"+c.path, c.body)
		var p wire.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != c.code || !strings.Contains(p.Detail, c.way) {
			t.Errorf("%s: %d, want %d with %q: %s", name, w.Code, c.code, c.way, w.Body)
		}
	}
}
