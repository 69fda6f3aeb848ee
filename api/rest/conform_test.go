package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"revenant/api/rest"
	"revenant/fingerprints/registry"
)

// For how long requests are made up, and from which seed; see make test-api.
const (
	apiSeconds = "REVENANT_API_SECONDS"
	apiSeed    = "REVENANT_API_SEED"
)

// TestAnyRequest makes requests up from the document, and holds each answer against
// it: the status is documented, the content has its type and its schema, nothing is
// an error of the server, what the document does not allow is refused, a refusal
// points to what the operation takes, and none repeats what was sent.
func TestAnyRequest(t *testing.T) {
	t.Parallel()
	seconds, seed := 3, uint64(time.Now().UnixNano())
	for name, into := range map[string]func(uint64){apiSeconds: func(n uint64) { seconds = int(n) }, apiSeed: func(n uint64) { seed = n }} {
		if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
			into(n)
		}
	}
	t.Logf("%s=%d", apiSeed, seed)
	c := newConformer(t, seed)
	least, most, rounds := 5, 200, 0
	for end := time.Now().Add(time.Duration(seconds) * time.Second); rounds < least || time.Now().Before(end) || !c.reached() && rounds < most; rounds++ {
		for _, o := range c.ops {
			c.round(o)
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("%d rounds of %d operations; answers by status: %v", rounds, len(c.ops), c.seen)
	if strings.Contains(c.k.logs.String(), canary) {
		t.Errorf("logged: %s", c.k.logs.String())
	}
	for _, status := range reaching() {
		if c.seen[status] == 0 {
			t.Errorf("no answer was %d: the requests reach nothing", status)
		}
	}
}

// reaching are statuses that requests have to meet: each says that they come that far.
func reaching() []int { return []int{200, 201, 404, 409, 422} }

// reached reports whether all were met.
func (c *conformer) reached() bool {
	return !slices.ContainsFunc(reaching(), func(status int) bool { return c.seen[status] == 0 })
}

// conformer holds answers against the document.
type conformer struct {
	t       *testing.T
	k       *kit
	m       *maker
	ops     []operation
	schemas *jsonschema.Compiler
	seen    map[int]int
}

const documentURL = "mem:///openapi.json"

func newConformer(t *testing.T, seed uint64) *conformer {
	b, err := rest.Document()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := &conformer{t: t, k: newKit(t), schemas: jsonschema.NewCompiler(), seen: map[int]int{}, m: &maker{rand: rand.New(rand.NewPCG(seed, 1))}}
	c.schemas.AssertFormat()
	if err := c.schemas.AddResource(documentURL, doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &c.m.doc); err != nil {
		t.Fatal(err)
	}
	_, c.ops = read(t)
	c.m.known = c.furnish()
	return c
}

// furnish puts something of each kind there, and says how requests name it.
func (c *conformer) furnish() map[string][]string {
	k := c.k
	value := k.text(32)
	rows := k.add("shop/db", value)
	k.add("shop/mail", k.text(32))
	a, b := k.found("git:host/shop", "a b/ü.env", value, rows...), k.found("dir:/srv", "notes.txt", k.text(32))
	ids := []string{string(a), string(b), string(a)[:12]}
	if _, _, err := k.reg.AddToken(k.t.Context(), me(), registry.TokenRequest{Name: "laptop", Scopes: []registry.Scope{registry.ScopePack}}); err != nil {
		k.t.Fatal(err)
	}
	k.must(http.StatusCreated, "POST", "/api/v1/watches", `{"name":"srv","scan":["dir","/srv"],"schedule":"1h"}`, nil)
	k.must(http.StatusCreated, "POST", "/api/v1/people", `{"name":"ann","roles":["viewer"]}`, nil)
	return map[string][]string{
		"name": {"shop/db", "shop/mail", "srv"}, "id": append(ids, "git:host/shop", "dir:/srv", "laptop"), "ids": ids, "finding": ids, "source": {"git:host/shop", "git:*"}, "secret": {"shop/db"},
		"person": {"ann"}, "path": {"**", "*.txt", "a b/*"}, "rule": {"generic-api-key", "*"}, "owner": {"payments"}, "to": {"dir:/elsewhere"}, "consumer": {"billing"}, "window": {"24h", "0s"},
		"q": {"verdict:leaked", "owner:payments notes", "-is:open", `"a b" OR path:x*`, "age>1d", "age>"}, "facets": {"verdict", "owner"}, "scan": {"dir", "/srv"}, "schedule": {"1h", "15 3 * * *"},
		"reason": {"because"}, "accept_skip": {"all"},
	}
}

// onceWritten ends a request when its answer begins: that of listen never ends.
type onceWritten struct {
	*httptest.ResponseRecorder
	end context.CancelFunc
}

// Write implements io.Writer.
func (w onceWritten) Write(b []byte) (int, error) {
	defer w.end()
	return w.ResponseRecorder.Write(b)
}

// round makes one request of an operation and looks at the answer.
func (c *conformer) round(o operation) {
	item := c.m.doc["paths"].(map[string]any)[o.path].(map[string]any)[strings.ToLower(o.method)].(map[string]any)
	q := c.m.request(o.path, item)
	ctx, end := context.WithCancel(c.t.Context())
	defer end()
	r := httptest.NewRequestWithContext(ctx, o.method, q.path, strings.NewReader(q.body))
	r.Header.Set("Authorization", "Bearer "+master)
	if q.body != "" {
		r.Header.Set("Content-Type", q.kind)
	}
	for name, v := range q.header {
		r.Header.Set(name, v)
	}
	rec := httptest.NewRecorder()
	var w http.ResponseWriter = rec
	if o.ID == "listen" {
		w = onceWritten{rec, end}
	}
	c.k.h.ServeHTTP(w, r)
	c.seen[rec.Code]++
	if wrong := c.wrong(o, q, rec); wrong != "" {
		c.t.Errorf("%s: %s\n%s %s\n%.2000s\nanswer %d %.2000s", o.ID, wrong, o.method, q.path, q.body, rec.Code, rec.Body)
	}
}

// wrong says what an answer should not be.
func (c *conformer) wrong(o operation, q made, rec *httptest.ResponseRecorder) string {
	said, has := o.Responses[strconv.Itoa(rec.Code)].(map[string]any)
	switch {
	case rec.Code >= 500:
		return "an error of the server"
	case !has:
		return "a status that is not documented"
	case rec.Code >= 400 && strings.Contains(rec.Body.String(), canary[:12]):
		return "it repeats what was sent"
	case rec.Code < 400 && len(q.broken) > 0:
		return fmt.Sprintf("the document does not allow it: %q", q.broken)
	case rec.Code == http.StatusBadRequest && len(q.broken) == 0:
		return "the document allows it"
	}
	content, _ := said["content"].(map[string]any)
	if len(content) == 0 {
		if rec.Body.Len() > 0 {
			return "a body that is not documented"
		}
		return ""
	}
	kind, _, err := mime.ParseMediaType(rec.Header().Get("Content-Type"))
	if err != nil || content[kind] == nil {
		return "a content type that is not documented: " + rec.Header().Get("Content-Type")
	}
	if !strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "ndjson") {
		return ""
	}
	return c.shape(o, rec, kind)
}

// shape holds a body against its schema, and pointers against what the operation
// takes.
func (c *conformer) shape(o operation, rec *httptest.ResponseRecorder, kind string) string {
	pointer := ""
	for _, part := range []string{"paths", o.path, strings.ToLower(o.method), "responses", strconv.Itoa(rec.Code), "content", kind, "schema"} {
		pointer += "/" + url.PathEscape(strings.ReplaceAll(strings.ReplaceAll(part, "~", "~0"), "/", "~1"))
	}
	schema, err := c.schemas.Compile(documentURL + "#" + pointer)
	if err != nil {
		c.t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(rec.Body.Bytes()))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		return "not of its schema: " + err.Error()
	}
	var p struct{ Errors []struct{ Pointer string } }
	_ = json.Unmarshal(rec.Body.Bytes(), &p)
	for _, e := range p.Errors {
		first, _, _ := strings.Cut(strings.TrimPrefix(e.Pointer, "/"), "/")
		if rec.Code >= 400 && first != "" && !slices.Contains(c.takes(o), first) {
			return "it points to what the operation does not take: " + e.Pointer
		}
	}
	return ""
}

// takes are the names of what an operation takes.
func (c *conformer) takes(o operation) (out []string) {
	for _, p := range o.Parameters {
		out = append(out, p.Name)
	}
	if o.Body != nil {
		s := c.m.resolve(map[string]any{"$ref": o.Body.Content["application/json"].Schema.Ref})
		for name := range s["properties"].(map[string]any) {
			out = append(out, name)
		}
	}
	return out
}
