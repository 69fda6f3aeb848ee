package query_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/search/query"
)

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// finding is one that most conditions are about.
func finding() query.Facts {
	due := now().Add(50 * time.Hour)
	return query.FactsOf(registry.FindingDetail{
		FindingView: registry.Finding{
			ID: "rv1:3f2a9c00000000000000000000000000", Aliases: []fingerprints.FindingID{"rv1:aaaa9c00000000000000000000000000"},
			Verdict: fingerprints.VerdictStale, Severity: fingerprints.SeverityMedium, Status: fingerprints.StatusOpen,
			Source: "git:github.com/acme/shop", Path: "deploy/dbPassword_prod.yaml", Presence: fingerprints.PresenceTip,
			Due: &due, FirstSeen: now().Add(-40 * 24 * time.Hour), LastSeen: now().Add(-time.Hour),
			Rules: []string{"generic-api-key"}, Forms: []fingerprints.Form{"base64+hex"},
			Matches: []registry.FindingMatch{{Secret: "billing/db-password", Version: 3, Field: "password", Class: fingerprints.ClassApplication, Owner: "payments"}},
		},
		Sightings: []registry.SightingView{{Context: "password = [secret billing/db-password@3] # from the old vault"}},
	})
}

func TestMatch(t *testing.T) {
	yes := []string{
		"", "verdict:stale", "VERDICT:Stale", "verdict:leaked,stale", "severity:medium", "status:open", "presence:tip", "class:application", "kind:git",
		"source:git:github.com/acme/shop", "source:*shop", "source:git:*", "owner:payments", "owner:pay*", "rule:generic-*", "secret:billing/db-password",
		"secret:billing/db-password@3", "secret:billing/*", "secret:*@3", "form:*hex", "id:3f2a", "id:rv1:3F2A9C", "id:aaaa*",
		"is:open", "is:registered", "is:live", "is:present", "-is:late", "has:owner", "has:due", "has:rule,secret", "-no:owner",
		"age>30d", "age:>30d", "age<6w", "seen<2h", "seen<1d", "due<3d", "due>2d", "due>2026-03-01", "due<2026-03-04", "due:2026-03-03",
		"first>2026-01-01", "first:2026-01-20", "first<2026-01-21", "last:2026-03-01", "last>2026-03-01",
		"deploy", "Deploy", "db", "dbpassword", "dbPassword", "prod", `"db password"`, "db-password", "dbPassword_prod", `"old vault"`, "vau*", "dep*y", "payments", "acme",
		"acme/shop", "path:deploy", "path:dbPassword", `path:"deploy db"`, "path:deploy/db*", "generic-api-key", "-path:test", "-(owner:x rule:y)",
		"owner:x OR owner:payments", "(owner:x OR owner:payments) verdict:stale", "AND deploy AND db", `--deploy`, `owner:"payments"`, "is:late,open",
	}
	no := []string{
		"verdict:leaked", "-verdict:stale", "owner:pay", "owner:Payments", "source:shop", "secret:billing", "secret:billing/db-password@2", "id:3f2b", "is:accepted", "is:unregistered",
		"no:owner", "is:late", "age>6w", "age<30d", "seen>1d", "due<2d", "due>3d", "due>2026-03-04", "first>2026-01-21", "first:2026-01-21", "last<2026-03-01",
		`"password db"`, "assword", "path:payments", "path:vault", "deploy-prod", "verdict:stale owner:x", "verdict:leaked OR owner:x", "-deploy", "-(owner:payments OR rule:y)",
	}
	for _, want := range []struct {
		list  []string
		match bool
	}{{yes, true}, {no, false}} {
		for _, text := range want.list {
			q, err := query.Parse(text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if got := q.Match(finding(), now()); got != want.match {
				t.Errorf("%s: matches %v, want %v", text, got, want.match)
			}
			again, err := query.Parse(q.String())
			if err != nil || again.String() != q.String() || !cmp.Equal(again.Root(), q.Root()) {
				t.Errorf("%s: it is written as %s, which is read as %s (%v)", text, q, again, err)
			}
		}
	}
}

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		"  Verdict:STALE   owner:payments ":  "verdict:stale owner:payments",
		"age:>4w":                            "age>28d",
		"age>36h":                            "age>36h",
		"id:RV1:3F2A":                        `id:rv1:3f2a*`,
		"a OR (b OR c) AND d":                "a OR (b OR c) d",
		"(a b) c":                            "a b c",
		"-(a)":                               "-a",
		"((a OR b))":                         "a OR b",
		`owner:"a b",c`:                      `owner:"a b",c`,
		`"OR"`:                               `"OR"`,
		`"NOT" not`:                          `"NOT" not`,
		`"x:y"`:                              `"x:y"`,
		`say"ing "hi`:                        `"saying hi"`,
		`x**y`:                               "x*y",
		`source:">1"`:                        `source:">1"`,
		`owner:"a\"b\\"`:                     `owner:"a\"b\\"`,
		"first:2026-01-31":                   "first>2026-01-31 first<2026-02-01",
		"due<1w":                             "due<7d",
		"x,y":                                `"x,y"`,
		"is:late":                            "is:late",
		"-first:2026-01-31 has:owner no:due": "-(first>2026-01-31 first<2026-02-01) has:owner no:due",
	} {
		q, err := query.Parse(text)
		if err != nil || q.String() != want {
			t.Errorf("%s: %s, %v; want %s", text, q, err, want)
		}
	}
}

// Errors say where and what would do, and never what was typed.
func TestErrorsTeach(t *testing.T) {
	const pasted = "Zq81LmPasted"
	for text, want := range map[string]string{
		"verdict:" + pasted:              "verdict is one of compromised, leaked",
		"ok verdict:stale," + pasted:     "several go with commas",
		pasted + ":x":                    "the fields are verdict, severity",
		"owner:":                         "owner:payments",
		"owner:x,":                       "owner:payments",
		"age:30d":                        "age>30d",
		"age>" + pasted:                  "hours, days, weeks or years",
		"age>2026-01-01":                 "how long ago",
		"first>3d":                       "first>2026-01-31",
		"due:3d":                         "due<3d or due>2026-01-31",
		"owner>" + pasted:                "a colon goes here",
		"id:" + pasted:                   "four of a finding's hex digits",
		"(" + pasted:                     "not closed",
		pasted + ")":                     "no parenthesis is open",
		`"` + pasted:                     "quotes are not closed",
		"- " + pasted:                    "right before what is left out",
		pasted + " OR":                   "missing here",
		"()":                             "missing here",
		"NOT " + pasted:                  "a minus sign leaves out",
		"a (NOT)":                        "a minus sign leaves out",
		"*" + pasted:                     "cannot begin with it",
		"path:*" + pasted:                "cannot begin with it",
		"---":                            "minus sign",
		"!!!":                            "a letter or a digit",
		pasted + "\x00":                  "no text",
		strings.Repeat("(", 20) + "a":    "too deep",
		strings.Repeat("a ", 65):         "at most 64",
		strings.Repeat("a", 5000):        "at most 4,096",
		"is:" + pasted:                   "is is one of open, accepted",
		"age>99999999999d":               "how long ago",
		"source:>" + pasted:              "a colon goes here",
		`verdict:"sta*"`:                 "verdict is one of",
		"has:" + pasted + " " + "\u00e9": "has is one of owner, rule, secret, due",
	} {
		_, err := query.Parse(text)
		var e *query.Error
		if !errors.Is(err, query.ErrQuery) || !errors.As(err, &e) || e.Position < 1 || e.Position > len([]rune(text))+1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want an error with %q", text, err, want)
			continue
		}
		if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(pasted)) {
			t.Errorf("%s: the error repeats what was typed: %v", text, err)
		}
	}
	var e *query.Error
	if _, err := query.Parse("ok  verdict:nope"); !errors.As(err, &e) || e.Position != 13 {
		t.Errorf("the position is %v, want 13", e)
	}
}

func TestFilter(t *testing.T) {
	for text, want := range map[string]struct {
		f     store.FindingFilter
		whole bool
	}{
		"":                     {whole: true},
		"verdict:stale,leaked": {store.FindingFilter{Verdicts: []fingerprints.Verdict{"stale", "leaked"}}, true},
		"is:open secret:a@3":   {store.FindingFilter{Statuses: []fingerprints.Status{"open"}, Secret: "a", Version: 3}, true},
		"secret:a@03":          {},
		"source:x rule:y word": {store.FindingFilter{SourceID: "x", Rule: "y"}, false},
		"source:x* rule:y,z":   {},
		"source:x source:y":    {store.FindingFilter{SourceID: "x"}, false},
		"-verdict:stale":       {},
		"is:live":              {store.FindingFilter{Presences: []fingerprints.Presence{"tip", "visible", "metadata", "retained"}}, true},
		"is:live,open":         {},
		"verdict:stale OR a":   {},
		"is:late":              {},
	} {
		q, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		f, whole := q.Filter()
		if diff := cmp.Diff(want.f, f); diff != "" || whole != want.whole {
			t.Errorf("%s: whole %v, want %v; %s", text, whole, want.whole, diff)
		}
	}
}

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"src/dbPassword_v2.yaml": "1src 2db 2dbpassword 3password 4v2 5yaml",
		"HTTPServer":             "1http 1httpserver 2server",
		"ALLCAPS x":              "1allcaps 2x",
		"Grüße, Élan":            "1grüße 2élan",
		"--":                     "",
	} {
		var got []string
		for _, k := range query.Tokens(text) {
			got = append(got, string(rune('0'+k.Place))+k.Text)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", text, s, want)
		}
	}
	if long := query.Tokens(strings.Repeat("é", 100)); len(long) != 1 || len(long[0].Text) != 64 {
		t.Errorf("a long word is not cut: %v", long)
	}
}

// What parses is written in a form that parses to the same; no error repeats a
// word of the query.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`verdict:stale owner:"a b",c -x age>3d`, `(a OR b*) -(c d) "q\"uo"`, `first:2026-01-31 due<2w id:3f2a9c`, `--a`, `source:">x" path:a/b`, `is:open OR no:owner`, "a\u00a0b", `x:y`, `"`, `-`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := query.Parse(text)
		if err != nil {
			var e *query.Error
			if !errors.As(err, &e) || e.Position < 1 || e.Position > len([]rune(text))+1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := query.Parse(q.String())
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", text, q, err)
		}
		if diff := cmp.Diff(q.Root(), again.Root()); diff != "" {
			t.Fatalf("%q is written as %q, which is read as another: %s", text, q, diff)
		}
		q.Match(finding(), now())
		q.Filter()
	})
}
