package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"revenant/api/rest"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// operation is one of the document's, as far as the tests need it.
type operation struct {
	ID         string                `json:"operationId"`
	Summary    string                `json:"summary"`
	Security   []map[string][]string `json:"security"`
	Responses  map[string]any        `json:"responses"`
	Parameters []parameter           `json:"parameters"`
	Body       *struct {
		Content map[string]struct{ Schema schema }
	} `json:"requestBody"`

	method, path string
}

type parameter struct {
	Name, In string
	Schema   schema
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Enum       []any             `json:"enum"`
	Format     string            `json:"format"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

func read(t *testing.T) (d document, ops []operation) {
	t.Helper()
	b, err := rest.Document()
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range d.Paths {
		for method, op := range item {
			op.method, op.path = strings.ToUpper(method), path
			ops = append(ops, op)
		}
	}
	slices.SortFunc(ops, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	if len(ops) < 40 {
		t.Fatalf("%d operations", len(ops))
	}
	return d, ops
}

func (o operation) scope() registry.Scope {
	if list := o.Security[0]["token"]; len(list) == 1 {
		return registry.Scope(list[0])
	}
	return ""
}

// kind is the type, without that it may be null.
func (s schema) kind() any {
	if list, is := s.Type.([]any); is {
		return list[0]
	}
	return s.Type
}

// value is something that a schema accepts, with text wherever any text will do.
func (d document) value(s schema, text string) any {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	switch s.kind() {
	case "object":
		out := map[string]any{}
		for _, name := range s.Required {
			out[name] = d.value(s.Properties[name], text)
		}
		return out
	case "array":
		return []any{d.value(*s.Items, text)}
	case "integer", "number":
		return 1
	case "boolean":
		return true
	}
	if s.Format == "date-time" {
		return "2099-01-31T00:00:00Z"
	}
	return text
}

// request is a well-formed one, with text wherever any text will do.
func (d document) request(o operation, text string) (path string, body any) {
	path = o.path
	for _, p := range o.Parameters {
		if p.In == "path" {
			v, is := d.value(p.Schema, text).(string)
			if !is {
				v = "1"
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v))
		}
	}
	if o.Body != nil {
		body = d.value(o.Body.Content["application/json"].Schema, text)
	}
	return path, body
}

// TestEveryRoute asks each operation without a token, with wrong ones, with every
// scope but its own, and with that alone. A new operation is among them.
func TestEveryRoute(t *testing.T) {
	d, ops := read(t)
	k := newKit(t)
	const canary = "canary-sk_live_51H8xJ2eZvKYlo2C"
	all := registry.Scopes()
	for _, o := range ops {
		t.Run(o.ID, func(t *testing.T) {
			k.t = t
			path, body := d.request(o, canary)
			if o.ID == "listen" {
				path += "?"
			}
			documented := func(who string, code int) {
				t.Helper()
				if _, has := o.Responses[http.StatusText(code)]; has {
					return
				}
				if _, has := o.Responses[itoa(code)]; !has {
					t.Errorf("%s: %d is not documented", who, code)
				}
			}
			refused := func(who, token string, want int) {
				t.Helper()
				w := k.ask(token, o.method, path, body)
				var p wire.Problem
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != want || p.Status != want || w.Header().Get("Content-Type") != wire.ProblemType {
					t.Errorf("%s: %d, want %d: %s", who, w.Code, want, w.Body)
				}
				if strings.Contains(w.Body.String(), "canary") {
					t.Errorf("%s: it repeats what was sent: %s", who, w.Body)
				}
				documented(who, w.Code)
			}
			refused("no token", "", http.StatusUnauthorized)
			refused("a wrong token", registry.TokenPrefix+canary, http.StatusUnauthorized)
			need := o.scope()
			own := o.ID == "who-am-i" || strings.Contains(o.ID, "-my-session")
			if need == "" && !own {
				t.Error("it needs no scope")
			}
			if need == "" {
				return
			}
			refused("every other scope", k.token(slices.DeleteFunc(slices.Clone(all), func(s registry.Scope) bool { return s == need })...), http.StatusForbidden)
			if o.ID == "listen" {
				return // it does not end; see TestEvents
			}
			w := k.ask(k.token(need), o.method, path, body)
			if w.Code == http.StatusUnauthorized || w.Code >= 500 || w.Code == http.StatusForbidden && !strings.HasPrefix(o.ID, "add-") { // nobody gives more than they have
				t.Errorf("with %s alone: %d %s", need, w.Code, w.Body)
			}
			if w.Code >= 400 && strings.Contains(w.Body.String(), "canary") {
				t.Errorf("it repeats what was sent: %s", w.Body)
			}
			documented("with its scope", w.Code)
		})
	}
	if strings.Contains(k.logs.String(), "canary") {
		t.Errorf("logged: %s", k.logs.String())
	}
	// What was refused is in the audit log, where it would have changed something.
	denied := map[string]bool{}
	if err := k.reg.AuditLog(t.Context(), me(), 0, func(e registry.AuditEntry) error {
		if e.Action == "denied" {
			denied[e.Details["what"]] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, o := range ops {
		if o.method != http.MethodGet && o.scope() != "" && !denied[o.ID] {
			t.Errorf("%s: that it was refused is not in the audit log", o.ID)
		}
	}
}

func itoa(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// TestNothingIsRepeated sends what is not valid, with a canary in every place of
// it.
func TestNothingIsRepeated(t *testing.T) {
	d, ops := read(t)
	k := newKit(t)
	const canary = "canary-sk_live_51H8xJ2eZvKYlo2C"
	for _, o := range ops {
		if o.ID == "listen" {
			continue
		}
		path, body := d.request(o, "x")
		bodies := map[string]any{
			"no JSON": canary, "cut off": `{"` + canary, "another shape": `["` + canary + `"]`, "unknown property": `{"` + canary + `":"` + canary + `"}`,
			"deep": strings.Repeat(`{"`+canary+`":`, 200) + "1" + strings.Repeat("}", 200), "null": "null", "text": `"` + canary + `"`,
		}
		if m, is := body.(map[string]any); is {
			for name := range m {
				for kind, v := range map[string]any{"text": canary + strings.Repeat("x", 5000), "object": map[string]any{canary: canary}, "list": []any{canary, canary}, "number": 1e99} {
					other := map[string]any{}
					for n, w := range m {
						other[n] = w
					}
					other[name] = v
					bodies[name+" "+kind] = other
				}
			}
		}
		for what, b := range bodies {
			w := k.ask(master, o.method, path, b)
			if w.Code >= 500 || w.Code >= 400 && strings.Contains(w.Body.String(), "canary") {
				t.Errorf("%s, %s: %d %s", o.ID, what, w.Code, w.Body)
			}
		}
		for _, query := range []string{canary + "=1", "limit=" + canary, "after=" + canary, "verdict=" + canary, "from=" + canary, "format=" + canary} {
			w := k.ask(master, o.method, path+"?"+query, body)
			if w.Code >= 500 || w.Code >= 400 && strings.Contains(w.Body.String(), "canary") {
				t.Errorf("%s?%s: %d %s", o.ID, query, w.Code, w.Body)
			}
		}
		large := k.ask(master, o.method, path, `{"x":"`+strings.Repeat(canary, 1<<16)+`"}`)
		if o.Body != nil && large.Code != http.StatusRequestEntityTooLarge || strings.Contains(large.Body.String(), "canary") {
			t.Errorf("%s: a body of 2 MB: %d", o.ID, large.Code)
		}
	}
	if strings.Contains(k.logs.String(), "canary") {
		t.Errorf("logged: %s", k.logs.String())
	}
}

// TestWords compares the words that parameters take with those that there are.
func TestWords(t *testing.T) {
	_, ops := read(t)
	want := map[string][]string{
		"verdict": plain(fingerprints.Verdicts()), "presence": plain(fingerprints.Presences()), "state": plain(fingerprints.States()),
		"class": plain(fingerprints.Classes()),
	}
	met := 0
	for _, o := range ops {
		for _, p := range o.Parameters {
			words, is := want[p.Name]
			if !is || o.ID == "list-notifications" {
				continue
			}
			met++
			s := p.Schema
			if s.Items != nil {
				s = *s.Items
			}
			var have []string
			for _, w := range s.Enum {
				have = append(have, w.(string))
			}
			slices.Sort(have)
			slices.Sort(words)
			if !slices.Equal(have, words) {
				t.Errorf("%s %s: %v, want %v", o.ID, p.Name, have, words)
			}
		}
	}
	if met < 6 {
		t.Errorf("%d parameters", met)
	}
}

func plain[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// TestEveryErrorIsKnown lists the registry's errors and wants each to be something
// to a sender: what is not is an internal error.
func TestEveryErrorIsKnown(t *testing.T) {
	// No operation meets these: it is about keys and stores, or about registering.
	others := map[string]bool{
		"ErrNotInitialised": true, "ErrNoRing": true, "ErrForeignRing": true, "ErrScanOver": true, "ErrNotRedacted": true, "ErrEmptyValue": true,
		"ErrValueTooLong": true, "ErrOtherValue": true, "ErrAdoptWeak": true, "ErrContainsOld": true, "ErrReused": true, "ErrAuditBroken": true, "ErrBadProof": true,
		"ErrNoRole": true, "ErrBadCode": true, "ErrBusy": true, // of signing in
	}
	known := map[string]bool{"ErrInput": true, "ErrTransition": true}
	for _, e := range rest.KnownErrors() {
		known[e.Error()] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "../../fingerprints/registry/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	ast.Inspect(file, func(n ast.Node) bool {
		v, is := n.(*ast.ValueSpec)
		if !is || !strings.HasPrefix(v.Names[0].Name, "Err") {
			return true
		}
		met++
		text, err := strconv.Unquote(v.Values[0].(*ast.CallExpr).Args[0].(*ast.BasicLit).Value)
		if name := v.Names[0].Name; err != nil || !known[name] && !known[text] && !others[name] {
			t.Errorf("%s is nothing to a sender: %v", name, err)
		}
		return true
	})
	if met < 30 {
		t.Errorf("%d errors", met)
	}
}

// TestAddWatchFails tells what a sender can mend from what is the server's: a store
// that is away is no fault of the request, and nothing of either is repeated.
func TestAddWatchFails(t *testing.T) {
	const pasted = "pasted-into-the-wrong-place"
	for name, c := range map[string]struct {
		err  error
		code int
	}{
		"not a scan":    {errors.New("scan: a watch repeats a scan"), http.StatusUnprocessableEntity},
		"store away":    {fmt.Errorf("looking: %w", store.ErrUnreachable), http.StatusServiceUnavailable},
		"store locked":  {fmt.Errorf("looking: %w", store.ErrLocked), http.StatusServiceUnavailable},
		"store is full": {fmt.Errorf("looking: %w", store.ErrFull), http.StatusServiceUnavailable},
	} {
		k := newKit(t)
		k.spec = c.err
		w := k.ask(master, "POST", "/api/v1/watches", `{"name":"`+pasted+`","scan":["dir","/`+pasted+`"]}`)
		if w.Code != c.code || w.Header().Get("Content-Type") != wire.ProblemType || strings.Contains(w.Body.String(), pasted) {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, c.code, w.Body)
		}
		if again := w.Header().Get("Retry-After"); (again != "") != (c.code == http.StatusServiceUnavailable) {
			t.Errorf("%s: Retry-After %q", name, again)
		}
	}
}
