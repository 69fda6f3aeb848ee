package main

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	zap "github.com/blevesearch/zapx/v17"

	"revenant/ingest/search/query"
)

// heard listens to a server's events until its test ends, and returns what was heard.
func (s *serving) heard() func() string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/api/v1/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	w, err := http.DefaultClient.Do(r) //nolint:bodyclose // it is closed where it is read
	if err != nil || w.StatusCode != http.StatusOK {
		s.t.Fatal(w, err)
	}
	lines, all := make(chan string, 10_000), ""
	go func() {
		defer close(lines)
		defer func() { _ = w.Body.Close() }()
		in := bufio.NewReader(w.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			lines <- line
		}
	}()
	return func() string {
		for {
			select {
			case line, open := <-lines:
				if !open {
					return all
				}
				all += line
			default:
				return all
			}
		}
	}
}

// indexTerms are all terms in the files of a search index, in lower case: segments
// hold them as paths through an automaton, which no search for text finds.
func indexTerms(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "index", "*.zap"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	var out strings.Builder
	for _, name := range names {
		segment, err := (&zap.ZapPlugin{}).Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range segment.Fields() {
			d, err := segment.Dictionary(field)
			if err != nil {
				t.Fatal(err)
			}
			it := d.AutomatonIterator(nil, nil, nil)
			for e, err := it.Next(); e != nil || err != nil; e, err = it.Next() {
				if err != nil {
					t.Fatal(err)
				}
				out.WriteString(e.Term + "\n")
			}
		}
		if err := segment.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// everyRead asks a server everything that can be read, about what there is.
func (s *serving) everyRead(ids map[string]string, more ...string) {
	s.t.Helper()
	_, _, body := s.ask(http.MethodGet, "/openapi.json", "")
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		s.t.Fatal(err)
	}
	asked := 0
	for path, item := range doc.Paths {
		if _, is := item["get"]; !is || strings.HasSuffix(path, "/events") {
			continue
		}
		part := strings.Split(strings.TrimPrefix(path, "/api/v1/"), "/")[0]
		id, want := ids[part], http.StatusOK
		if id == "" && strings.Contains(path, "{") { // there is none
			id, want = "none", http.StatusNotFound
		}
		at := strings.NewReplacer("{name}", url.PathEscape(id), "{id}", url.PathEscape(id), "{person}", id, "{version}", "1").Replace(path)
		if code, _, answer := s.ask(http.MethodGet, at, ""); code != want {
			s.t.Errorf("%s: %d %s", at, code, answer)
		}
		asked++
	}
	if asked < 25 {
		s.t.Errorf("%d operations", asked)
	}
	for _, path := range more {
		s.ask(http.MethodGet, path, "")
	}
}

// TestNothingOfTheAPILeaks drives a server by its API, with canaries in what is
// registered, found, pasted into the wrong places and registered afterwards, and looks
// for them in everything that it answered, told, indexed, recorded, logged and stored.
func TestNothingOfTheAPILeaks(t *testing.T) {
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 17))
	var planted canaries
	plant := func(name string) string {
		planted = append(planted, newCanary(rng, name))
		return planted[len(planted)-1].value
	}
	registered, generic, later, beside, pasted := plant("registered"), plant("generic"), plant("registered later"), plant("beside a hit"), plant("pasted")
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, registered, "secret", "add", "shop/db", "--owner", "payments", "--consumer", "till")
	b.must(0, "", "person", "add", "ann", "--role", "viewer")
	b.write("a.env", "DB_PASSWORD="+registered+"  # token="+beside+"\napi_key = \""+generic+"\"\n")
	b.write("dir/"+later+".txt", "secret_key = \""+later+"\"\n")
	b.must(0, "", "watch", "add", "work", "--every", "never", "--", "dir", b.work)
	b.remote = true
	s := b.serve()
	b.through = s
	before := s.heard()
	if code, _, answer := s.ask(http.MethodPost, "/api/v1/watches/work/scan", ""); code/100 != 2 {
		t.Fatalf("%d %s", code, answer)
	}
	s.until("it is scanned", func() bool { return s.watched("work").Outcome != "" })
	b.must(0, later, "secret", "add", "shop/later", "--owner", "payments")
	heard := s.heard() // nobody could know that value before
	b.must(0, "", "secret", "retire", "shop/db@1", "--no-successor")
	for _, c := range []struct{ path, body string }{
		{"/api/v1/tokens", `{"name":"` + pasted + `","scopes":["read"],"` + pasted + `":1}`},
		{"/api/v1/watches", `{"name":"` + registered + `","scan":["dir","/x"]}`},
		{"/api/v1/people", `{"name":"` + registered + `","roles":["viewer"]}`},
		{"/api/v1/secrets/shop%2Fdb/homes", `{"path":"` + registered + `","reason":"r"}`},
		{"/api/v1/decisions", `{"rule":"r","path":"x","status":"false_positive","reason":"` + registered + `"}`},
		{"/api/v1/secrets/" + pasted + "/versions/1/retire", ""},
		{"/api/v1/lookups", `{"tags":["` + pasted + `"]}`},
		{"/api/v1/proofs/verify", `{"proof":"` + pasted + `"}`},
	} {
		if code, _, answer := s.ask(http.MethodPost, c.path, c.body); code < 400 {
			t.Errorf("%s takes it: %d %s", c.path, code, answer)
		}
	}
	var page struct{ Findings []struct{ ID string } }
	_, _, list := s.ask(http.MethodGet, "/api/v1/findings", "")
	if err := json.Unmarshal([]byte(list), &page); err != nil || len(page.Findings) < 3 {
		t.Fatalf("%v: %s", err, list)
	}
	ids := map[string]string{"secrets": "shop/db", "findings": page.Findings[0].ID, "sources": "dir:" + b.work, "watches": "work", "people": "ann", "tokens": "none"}
	token := strings.TrimSpace(b.must(0, "", "token", "add", "reader", "--scope", "read").stdout)
	ids["tokens"] = "reader"
	more := []string{"/api/v1/findings/export?format=csv", "/metrics", "/api/v1/findings/" + pasted, "/api/v1/secrets/" + pasted}
	for _, c := range planted {
		more = append(more, "/api/v1/search?q="+c.value, "/api/v1/search?q=path:"+c.value+"*&facets=path", "/api/v1/search/suggestions?q="+c.value[:6], "/api/v1/search/suggestions?q=path:"+c.value[:6])
	}
	s.everyRead(ids, more...)
	told := ""
	s.until("the events tell of the change, and the index has it", func() bool {
		told += heard()
		return strings.Contains(told, `"stale"`) && s.search("verdict:stale").By == "index" && s.search("verdict:stale").Total > 0
	})
	s.until("what was redacted has left the index", func() bool {
		return leftIn(indexTerms(t, searchDir(b.registry())), canaries{{"registered later", later}}) == ""
	})
	if in := slices.DeleteFunc(planted.in([]byte(before())), func(of string) bool { return strings.HasPrefix(of, "registered later ") }); len(in) > 0 {
		t.Errorf("events from the beginning: %v", in)
	}
	printed := s.printed() + s.said()
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
	if in := leftIn(indexTerms(t, searchDir(b.registry())), planted); in != "" {
		t.Errorf("a term of the index is a piece of the value that was planted as %s", in)
	}
	for what, text := range map[string]string{"answers": s.spoken.String(), "events": told, "log": printed, "the audit log": b.audit()} {
		if in := planted.in([]byte(text)); len(in) > 0 {
			t.Errorf("%s: %v", what, slices.Compact(in))
		}
	}
	if strings.Contains(printed, token) {
		t.Error("a token is in the log")
	}
	if in := planted.inTree(t, b.registry()); len(in) > 0 {
		t.Errorf("the server's folder: %v", in)
	}
}

// audit is the audit log as JSON, asked here.
func (b *box) audit() string {
	b.t.Helper()
	was := b.remote
	b.remote = false
	defer func() { b.remote = was }()
	return b.must(0, "", "audit", "list", "--json").stdout
}

// leftIn says which canary has a piece among terms; empty: none.
func leftIn(terms string, planted canaries) string {
	for _, c := range planted {
		for _, tok := range append(query.Tokens(c.value), query.Token{Text: strings.ToLower(c.value)}) {
			if len(tok.Text) > 5 && strings.Contains("\n"+terms, "\n"+tok.Text+"\n") {
				return c.name
			}
		}
	}
	return ""
}
