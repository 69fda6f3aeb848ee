package rest_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"revenant/api/rest"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/storetest"
)

// estate is what a team has; every text of it has the team's word.
type estate struct {
	word, secret, source, watch, message string
	finding                              fingerprints.FindingID
	person                               string
}

// estate fills a registry with what a team owns.
func (k *kit) estate(word, owner string) estate {
	k.t.Helper()
	ctx := k.t.Context()
	e := estate{word: word, secret: word + "/db-password", source: "dir:/" + word, watch: word + "-watch", message: word + "-message"}
	value := k.text(40)
	_, err := k.reg.Add(ctx, me(), registry.AddRequest{Name: e.secret, Owner: owner, Consumers: []string{word + "-consumer"}, Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(value))}}})
	k.ok(err)
	e.finding = k.found(e.source, word+"/app.env", value, k.rowsOf(e.secret)...)
	k.found(e.source, word+"/generic.env", k.text(40))
	_, err = k.reg.Accept(ctx, me(), string(e.finding), k.now.Add(time.Hour), "because of "+word)
	k.ok(err)
	_, err = k.reg.Decide(ctx, me(), registry.DecisionRequest{Rule: word + "-rule", Path: word + "/**", Status: fingerprints.StatusFalsePositive, Reason: word, Owner: owner})
	k.ok(err)
	_, err = k.reg.Allow(ctx, me(), registry.AllowRequest{Name: e.secret, Path: word + "/allowed/**", Reason: word})
	k.ok(err)
	_, err = k.reg.AddWatch(ctx, me(), registry.WatchSpec{Name: e.watch, Kind: "dir", Location: "/" + word}, k.now)
	k.ok(err)
	_, _, err = k.reg.AddToken(ctx, me(), registry.TokenRequest{Name: word + "-token", Scopes: registry.Scopes(), Teams: teamsOf(owner)})
	k.ok(err)
	p, err := k.reg.AddPerson(ctx, me(), registry.PersonRequest{Name: word + "-person", Roles: []registry.Role{registry.RoleViewer}, Teams: teamsOf(owner)})
	k.ok(err)
	e.person = p.ID
	k.ok(k.store.Update(ctx, func(tx store.Tx) error {
		w, err := tx.Watch(ctx, e.watch)
		if err != nil {
			return err
		}
		w.SourceID = e.source
		if err := tx.PutWatch(ctx, w); err != nil {
			return err
		}
		return tx.AddDelivery(ctx, store.Delivery{ID: e.message, Receiver: "chat", Summary: word, Problem: word, CreatedAt: k.now, NextAt: k.now, Deadline: k.now.Add(time.Hour)},
			[]store.Notice{{Receiver: "chat", Event: "opened", Finding: e.finding, At: k.now}})
	}))
	return e
}

func teamsOf(owner string) []string {
	if owner == "" {
		return nil
	}
	return []string{owner}
}

func (k *kit) ok(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// rowsOf are the rows of a secret's first version.
func (k *kit) rowsOf(name string) []fingerprints.RowID {
	k.t.Helper()
	return storetest.Rows(k.t, k.store, fingerprints.VersionRef{Name: name, Number: 1})
}

// at puts a team's names into an operation's path.
func (e estate) at(o operation) string {
	id := map[string]string{
		"findings": string(e.finding), "sources": e.source, "notifications": e.message, "tokens": e.word + "-token", "decisions": "1", "secrets": "1", "me": "ss_none",
	}
	name := e.secret
	part := strings.Split(strings.TrimPrefix(o.path, "/api/v1/"), "/")[0]
	if part == "watches" {
		name = e.watch
	}
	return strings.NewReplacer("{name}", url.PathEscape(name), "{version}", "1", "{id}", url.PathEscape(id[part]), "{person}", e.person).Replace(o.path)
}

// TestTeamsSeeTheirOwn goes through every operation as somebody of one team, with
// every scope, and looks for another team's words in the answers.
func TestTeamsSeeTheirOwn(t *testing.T) {
	onBoth(t, teamsSeeTheirOwn)
}

func teamsSeeTheirOwn(t *testing.T, k *kit) {
	ours, theirs, nobodys := k.estate("ours", "payments"), k.estate("canary-theirs", "shop"), k.estate("canary-nobodys", "")
	// One of ours is a copy of theirs, and stands in a text from which their value was
	// taken: the name of their secret is in it.
	shared := k.text(40)
	_, err := k.reg.Rotate(t.Context(), me(), registry.RotateRequest{Name: theirs.secret, Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(shared))}}})
	k.ok(err)
	id := k.found(ours.source, "ours/[secret "+theirs.secret+"@1].env", shared, storetest.Rows(t, k.store, fingerprints.VersionRef{Name: theirs.secret, Number: 2})...)
	_, err = k.reg.Assign(t.Context(), me(), string(id), "payments")
	k.ok(err)
	_, shown, err := k.reg.AddToken(t.Context(), me(), registry.TokenRequest{Name: "bound", Scopes: registry.Scopes(), Teams: []string{"payments"}})
	k.ok(err)
	bound, wide := string(shown.Reveal()), k.token(registry.Scopes()...)
	_, ops := read(t)
	own := map[string]bool{}
	for _, o := range ops {
		if o.ID == "listen" || o.method != http.MethodGet {
			continue
		}
		for _, of := range []estate{ours, theirs, nobodys} {
			w := k.ask(bound, o.method, of.at(o), nil)
			body := w.Body.String()
			if strings.Contains(body, "canary") {
				t.Errorf("%s of %s: %s", o.ID, of.word, body)
			}
			named := strings.Contains(o.path, "{") && o.ID != "get-person"
			if of.word == "ours" {
				own[o.ID] = w.Code == 200 && strings.Contains(body, "ours")
				if w.Code >= 400 && o.scope() != registry.ScopePack {
					t.Errorf("%s of their own: %d %s", o.ID, w.Code, body)
				}
			} else if named && w.Code != http.StatusNotFound {
				t.Errorf("%s of %s: %d, want 404", o.ID, of.word, w.Code)
			}
			if all := k.ask(wide, o.method, of.at(o), nil); all.Code >= 400 && o.scope() != registry.ScopePack {
				t.Errorf("%s of %s, for who sees all: %d %s", o.ID, of.word, all.Code, all.Body)
			}
		}
	}
	for _, id := range []string{
		"get-finding", "list-findings", "export-findings", "list-secrets", "get-secret", "list-sources", "get-source", "list-watches", "list-audit", "list-notifications",
		"search-findings", "list-tokens", "list-people", "list-decisions", "list-homes", "coverage",
	} {
		if _, is := own[id]; is && !own[id] {
			t.Errorf("%s: their own is not in it", id)
		}
	}
	k.teamsLookAtPages(ours, theirs, nobodys)
	k.teamsHear(bound, id, ours, theirs)
	k.teamsCount(bound, ours)
	k.teamsSearch(bound, theirs)
	k.teamsChangeTheirOwn(bound, ops, ours, theirs, nobodys)
}

// teamsLookAtPages: what only pages ask for is theirs, too.
func (k *kit) teamsLookAtPages(ours, theirs, nobodys estate) {
	k.t.Helper()
	ctx, a := k.t.Context(), registry.Actor{Name: "bound", Scopes: registry.Scopes(), Teams: []string{"payments"}}
	homes, err := k.reg.AllHomes(ctx, a, "")
	k.ok(err)
	if len(homes) != 1 || homes[0].Secret != ours.secret {
		k.t.Errorf("allowed places: %+v", homes)
	}
	for _, of := range []estate{ours, theirs, nobodys} {
		homes, err := k.reg.AllHomes(ctx, a, of.secret)
		if len(homes) > 0 != (of.word == "ours") || err != nil && !errors.Is(err, registry.ErrUnknownSecret) {
			k.t.Errorf("allowed places of %s: %+v, %v", of.word, homes, err)
		}
		st, err := k.reg.Status(ctx, me())
		k.ok(err)
		run, err := k.reg.BeginScan(ctx, me(), registry.ScanStart{SourceID: of.source, PackRevision: st.PackRevision, FieldRevision: st.FieldRevision})
		k.ok(err)
		k.ok(run.Skips(ctx, []fingerprints.Skip{{Path: of.word + "/x.zip", Reason: fingerprints.SkipTooLarge}}))
		_, err = run.Finish(ctx, registry.Outcome{}) // not to its end: nothing is gone by it
		k.ok(err)
		skips, err := k.reg.Skips(ctx, a, of.source, registry.SkipFilter{Limit: 10})
		if len(skips.Places) > 0 != (of.word == "ours") || of.word != "ours" && !errors.Is(err, registry.ErrUnknownSource) {
			k.t.Errorf("what was not read of %s: %+v, %v", of.word, skips, err)
		}
	}
}

// teamsHear: of what others do they hear what it means for a finding of theirs, and
// nothing else: neither in events nor in what those are numbered by, nor by a number
// that they made up.
func (k *kit) teamsHear(bound string, copied fingerprints.FindingID, ours, theirs estate) {
	k.t.Helper()
	s := httptest.NewServer(k.h)
	k.t.Cleanup(s.Close) // when nobody listens any more
	heard, ids := listen(k.t, s.URL, bound), ""
	until := func(end string) (all string) {
		for {
			line, err := heard.ReadString('\n')
			k.ok(err)
			if id, is := strings.CutPrefix(line, "id: "); is {
				b, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(id))
				k.ok(err)
				ids = id
				all += string(b) + "\n"
			}
			all += line
			if strings.Contains(line, end) {
				return all
			}
		}
	}
	said := until(": there")
	_, err := k.reg.Compromise(k.t.Context(), me(), fingerprints.VersionRef{Name: theirs.secret, Number: 2})
	k.ok(err)
	_, err = k.reg.Note(k.t.Context(), me(), string(theirs.finding), "canary")
	k.ok(err)
	said += until(string(copied)) + until("\n")
	if !strings.Contains(said, `"compromised"`) {
		k.t.Errorf("what another team's change means for their finding is not told: %s", said)
	}
	_, err = k.reg.Assign(k.t.Context(), me(), string(ours.finding), "payments")
	k.ok(err)
	_, err = k.reg.Reopen(k.t.Context(), me(), string(ours.finding))
	k.ok(err)
	said += until(string(ours.finding))
	if strings.Contains(said, "canary") {
		k.t.Errorf("they hear %s", said)
	}
	if ids == "" {
		k.t.Error("events have no ids")
	}
	made := base64.RawURLEncoding.EncodeToString([]byte(`{"change":1000000,"audit":1000000,"page":{"secrets":["` + theirs.secret + `"]}}`))
	r, err := http.NewRequestWithContext(k.t.Context(), http.MethodGet, s.URL+"/api/v1/events", nil)
	k.ok(err)
	r.Header.Set("Authorization", "Bearer "+bound)
	r.Header.Set("Last-Event-ID", made)
	w, err := http.DefaultClient.Do(r)
	k.ok(err)
	defer func() { _ = w.Body.Close() }()
	in := bufio.NewReader(w.Body)
	_, err = in.ReadString('\n')
	k.ok(err)
	line := make(chan string, 1)
	go func() {
		for {
			text, err := in.ReadString('\n')
			if err != nil || strings.HasPrefix(text, "data: ") {
				line <- text
				return
			}
		}
	}()
	select {
	case text := <-line:
		k.t.Errorf("by a number that names another's secret they hear %s", text)
	case <-time.After(3 * time.Second): // nothing can be waited for that does not come
	}
}

// TestLargeChangesNameNobody: who is bound to teams is told of a change of another's
// secret in several pages, and by no id what the secret is called.
func TestLargeChangesNameNobody(t *testing.T) {
	k := newKit(t)
	const copies = 2*rest.EventBatch + 50
	value := k.text(40)
	_, err := k.reg.Add(t.Context(), me(), registry.AddRequest{Name: "shop/canary-secret", Owner: "shop", Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(value))}}})
	k.ok(err)
	rows := k.rowsOf("shop/canary-secret")
	aud, _ := registration.IdentityAudience([]byte(value))
	key := k.ring.Identity(aud)
	var obs []registry.Observation
	want := map[string]bool{}
	for i := range copies {
		path := fmt.Sprintf("a/%d", i)
		v, p := key.ValueID([]byte(value)), key.PathID([]byte(path))
		id := key.FindingID(v, "dir:/ours", p)
		want[string(id)] = true
		obs = append(obs, registry.Observation{RawPath: path, Observed: store.Observed{
			FindingID: id, Value: v, Rows: rows, SourceID: "dir:/ours", Path: path, PathID: p,
			Sighting: fingerprints.Sighting{Start: 1, End: 41, Line: 1, Form: fingerprints.FormRaw, Presence: fingerprints.PresenceTip},
		}})
	}
	st, err := k.reg.Status(t.Context(), me())
	k.ok(err)
	run, err := k.reg.BeginScan(t.Context(), me(), registry.ScanStart{SourceID: "dir:/ours", PackRevision: st.PackRevision, FieldRevision: st.FieldRevision})
	k.ok(err)
	_, err = run.Record(t.Context(), obs)
	k.ok(err)
	_, err = run.Finish(t.Context(), registry.Outcome{Complete: true})
	k.ok(err)
	for id := range want {
		_, err := k.reg.Assign(t.Context(), me(), id, "payments")
		k.ok(err)
	}
	_, shown, err := k.reg.AddToken(t.Context(), me(), registry.TokenRequest{Name: "bound", Scopes: registry.Scopes(), Teams: []string{"payments"}})
	k.ok(err)
	s := httptest.NewServer(k.h)
	t.Cleanup(s.Close)
	heard := listen(t, s.URL, string(shown.Reveal()))
	_, err = k.reg.Compromise(t.Context(), me(), fingerprints.VersionRef{Name: "shop/canary-secret", Number: 1})
	k.ok(err)
	told := map[string]bool{}
	for len(told) < copies {
		line, err := heard.ReadString('\n')
		k.ok(err)
		if id, is := strings.CutPrefix(line, "id: "); is {
			b, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(id))
			k.ok(err)
			line = string(b)
		}
		if data, is := strings.CutPrefix(line, "data: "); is {
			var f wire.FindingView
			k.ok(json.Unmarshal([]byte(data), &f))
			if want[string(f.ID)] {
				told[string(f.ID)] = true
			}
		}
		if strings.Contains(line, "canary") {
			t.Fatalf("after %d of %d: %s", len(told), copies, line)
		}
	}
}

// teamsCount: numbers are of what is seen.
func (k *kit) teamsCount(bound string, ours estate) {
	k.t.Helper()
	var counts struct{ Verdicts map[string]int }
	k.ok(json.Unmarshal(k.ask(bound, "GET", "/api/v1/findings/counts", nil).Body.Bytes(), &counts))
	sum := 0
	for _, n := range counts.Verdicts {
		sum += n
	}
	if sum != 2 { // the generic one is nobody's
		k.t.Errorf("%v, want two findings", counts.Verdicts)
	}
	var status struct{ Secrets int }
	k.ok(json.Unmarshal(k.ask(bound, "GET", "/api/v1/status", nil).Body.Bytes(), &status))
	var list struct{ Secrets []any }
	k.ok(json.Unmarshal(k.ask(bound, "GET", "/api/v1/secrets", nil).Body.Bytes(), &list))
	if len(list.Secrets) != 1 {
		k.t.Errorf("%d secrets", len(list.Secrets))
	}
}

func (k *kit) teamsSearch(bound string, theirs estate) {
	k.t.Helper()
	for _, path := range []string{
		"/search?facets=owner,secret,source,rule&q=", "/search?q=secret:" + url.QueryEscape(theirs.secret), "/search?q=owner:shop", "/search/suggestions?q=secret:", "/search/suggestions?q=source:", "/search/suggestions?q=owner:",
		"/findings?secret=" + url.QueryEscape(theirs.secret), "/findings?owner=shop", "/findings?source=" + url.QueryEscape(theirs.source), "/findings/export?format=csv", "/findings/counts?owner=shop",
	} {
		w := k.ask(bound, "GET", "/api/v1"+path, nil)
		if w.Code != 200 || strings.Contains(strings.ReplaceAll(w.Body.String(), "owner:shop", ""), "canary") || strings.Contains(w.Body.String(), `"shop"`) {
			k.t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// teamsChangeTheirOwn tries every change with another team's names: it is 404, or
// refused whoever owns it.
func (k *kit) teamsChangeTheirOwn(bound string, ops []operation, ours, theirs, nobodys estate) {
	k.t.Helper()
	d, _ := read(k.t)
	for _, o := range ops {
		if o.method == http.MethodGet || !strings.Contains(o.path, "{") || strings.Contains(o.ID, "my-session") {
			continue
		}
		_, body := d.request(o, "text")
		switch o.ID {
		case "triage-finding":
			body = map[string]any{"action": "assign", "owner": "x"}
		case "adopt-finding":
			body = map[string]any{"name": "x", "fields": []any{map[string]any{
				"name": "value", "row": strings.Repeat("0a", 16), "version": strings.Repeat("0b", 16), "format": 1, "epoch": 1, "filter_generation": 1, "strength": "edge",
			}}}
		case "move-source":
			body = map[string]any{"to": "dir:/elsewhere"}
		}
		for _, of := range []estate{theirs, nobodys} {
			w := k.ask(bound, o.method, of.at(o), body)
			teams := strings.Contains(w.Body.String(), "what all teams own")
			if w.Code != http.StatusNotFound && (w.Code != http.StatusForbidden || !teams) || strings.Contains(w.Body.String(), "canary") {
				k.t.Errorf("%s of %s: %d %s", o.ID, of.word, w.Code, w.Body)
			}
		}
	}
	if w := k.ask(bound, "POST", "/api/v1/findings/"+string(ours.finding)+"/triage", map[string]any{"action": "reopen"}); w.Code != 200 {
		k.t.Errorf("of their own: %d %s", w.Code, w.Body)
	}
	if w := k.ask(bound, "POST", "/api/v1/findings/triage", map[string]any{"ids": []string{string(theirs.finding)}, "action": "reopen"}); strings.Contains(w.Body.String(), "canary") || !strings.Contains(w.Body.String(), "not-found") {
		k.t.Errorf("of many: %s", w.Body)
	}
	// Whoever gives a finding away sees it no more.
	if w := k.ask(bound, "POST", "/api/v1/findings/"+string(ours.finding)+"/triage", map[string]any{"action": "assign", "owner": "shop"}); w.Code != 200 {
		k.t.Errorf("giving it away: %d %s", w.Code, w.Body)
	}
	if w := k.ask(bound, "GET", "/api/v1/findings/"+string(ours.finding), nil); w.Code != http.StatusNotFound {
		k.t.Errorf("afterwards: %d", w.Code)
	}
}
