package enumerate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/ingest/enumerate"
	"revenant/scanners/cilog"
)

// TestPages: all pages are read, in an order of their own, with the token.
func TestPages(t *testing.T) {
	for path, f := range forges(t, "acme") {
		t.Run(string(f.kind), func(t *testing.T) {
			all := []string{"acme/web", "acme/API", "acme/db", "acme/cli", "acme/a.b_c-d"}
			f.lists[strings.TrimSpace(path)] = f.repos(append(all, "acme/web")...) // one of them moved meanwhile
			l, _, err := f.list(t, "acme", nil)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(all)
			var want []enumerate.Repository
			for _, name := range all {
				want = append(want, f.listed(name))
			}
			if diff := cmp.Diff(enumerate.Listing{Repositories: want, Complete: true}, l); diff != "" {
				t.Errorf("listing (-want +got):\n%s", diff)
			}
			header := map[enumerate.Kind]string{enumerate.GitHub: "Bearer ", enumerate.GitLab: "", enumerate.Gitea: "token "}[f.kind]
			if len(f.asked) != 3 || slices.ContainsFunc(f.auth, func(a string) bool { return a != header+token() }) {
				t.Errorf("asked %q", f.asked)
			}
		})
	}
}

// TestUsers: what is no organisation may be a user; of oneself GitHub shows more.
func TestUsers(t *testing.T) {
	for _, kind := range []enumerate.Kind{enumerate.GitHub, enumerate.GitLab, enumerate.Gitea} {
		t.Run(string(kind), func(t *testing.T) {
			f := newForge(t, kind)
			f.lists["users/Jo/repos"], f.lists["users/Jo/projects"] = f.repos("Jo/a"), f.repos("Jo/a")
			want := []string{"Jo/a"}
			if kind == enumerate.GitHub {
				f.lists["user/repos"] = f.repos("Jo/a", "jo/private", "other/x")
				want = []string{"Jo/a", "jo/private"}
			}
			l, _, err := f.list(t, "Jo", nil)
			if diff := cmp.Diff(want, names(l)); diff != "" || err != nil {
				t.Errorf("%v, listing (-want +got):\n%s", err, diff)
			}
			delete(f.lists, "user/repos")
			if l, _, err = f.list(t, "Jo", nil); err != nil || len(l.Repositories) != 1 {
				t.Errorf("a token of no user: %v, %v", names(l), err)
			}
			f.asked = nil
			if l, _, err = f.list(t, "Jo", func(o *enumerate.Options) { o.Token = nil }); err != nil || len(l.Repositories) != 1 || len(f.asked) != 2 || f.auth[len(f.auth)-1] != "" {
				t.Errorf("without a token: %v, %v, asked %q", names(l), err, f.asked)
			}
		})
	}
}

// TestSubgroups: a group is asked for by its path, with what is below it.
func TestSubgroups(t *testing.T) {
	f := newForge(t, enumerate.GitLab)
	f.lists["groups/team%2Fweb/projects"] = f.repos("team/web/a", "team/web/deep/er/b")
	l, _, err := f.list(t, "/team/web/", nil)
	if err != nil || !slices.Equal(names(l), []string{"team/web/a", "team/web/deep/er/b"}) || !strings.Contains(f.asked[0], "include_subgroups=true") {
		t.Errorf("%v, %v, asked %q", names(l), err, f.asked)
	}
	if _, _, err := f.list(t, "team/other", nil); !errors.Is(err, enumerate.ErrNoOwner) || strings.Contains(err.Error(), "other") {
		t.Errorf("error %v", err)
	}
}

// TestTraits: what the servers say of repositories, each in its own words.
func TestTraits(t *testing.T) {
	with := func(r []repo, pairs ...any) repo {
		for i := 0; i < len(pairs); i += 2 {
			r[0][pairs[i].(string)] = pairs[i+1]
		}
		return r[0]
	}
	all := map[enumerate.Kind]func(f *forge) []repo{
		enumerate.GitHub: func(f *forge) []repo {
			return []repo{
				with(f.repos("acme/old"), "archived", true), with(f.repos("acme/fork"), "fork", true), with(f.repos("acme/wiki"), "has_wiki", true),
				with(f.repos("acme/empty"), "size", 0, "pushed_at", "2026-01-01T00:00:00Z"), with(f.repos("acme/never"), "size", 0, "pushed_at", nil), with(f.repos("acme/fresh"), "size", 0),
			}
		},
		enumerate.GitLab: func(f *forge) []repo {
			return []repo{
				with(f.repos("acme/old"), "archived", true), with(f.repos("acme/fork"), "forked_from_project", repo{"id": 1}), with(f.repos("acme/wiki"), "wiki_access_level", "private"),
				with(f.repos("acme/empty"), "empty_repo", true), with(f.repos("acme/never"), "empty_repo", true), with(f.repos("acme/fresh"), "builds_access_level", "disabled"),
				with(f.repos("acme/issues"), "repository_access_level", "disabled", "wiki_access_level", "enabled"), with(f.repos("acme/nothing"), "repository_access_level", "disabled", "http_url_to_repo", nil, "ssh_url_to_repo", nil),
			}
		},
		enumerate.Gitea: func(f *forge) []repo {
			return []repo{
				with(f.repos("acme/old"), "archived", true), with(f.repos("acme/fork"), "fork", true), with(f.repos("acme/wiki"), "has_wiki", true),
				with(f.repos("acme/empty"), "empty", true), with(f.repos("acme/never"), "empty", true), f.repos("acme/fresh")[0], with(f.repos("acme/issues"), "has_code", false),
			}
		},
	}
	for path, f := range forges(t, "acme") {
		t.Run(string(f.kind), func(t *testing.T) {
			f.lists[strings.TrimSpace(path)] = all[f.kind](f)
			l, _, err := f.list(t, "acme", func(o *enumerate.Options) { o.Wikis = true })
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range l.Repositories {
				got = append(got, fmt.Sprintf("%s %t %t %t %t %t", strings.TrimPrefix(r.Name, "acme/"), r.Archived, r.Fork, r.Empty, r.Wiki, r.CI != ""))
			}
			ci := f.kind != enumerate.Gitea
			want := []string{
				fmt.Sprintf("empty false false true false %t", ci), fmt.Sprintf("fork false true false false %t", ci), fmt.Sprintf("fresh false false false false %t", f.kind == enumerate.GitHub),
				fmt.Sprintf("never false false true false %t", ci), fmt.Sprintf("old true false false false %t", ci), fmt.Sprintf("wiki false false false false %t", ci), "wiki.wiki false false false true false",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("traits (-want +got):\n%s", diff)
			}
			wiki := l.Repositories[len(l.Repositories)-1]
			if wiki.HTTPS != f.URL+"/acme/wiki.wiki.git" || wiki.SSH != "git@ssh.example:acme/wiki.wiki.git" || wiki.SourceID != "git:"+f.host()+"/acme/wiki.wiki" {
				t.Errorf("the wiki is %+v", wiki)
			}
			var left []enumerate.LeftOut
			if f.kind != enumerate.GitHub {
				left = []enumerate.LeftOut{{SourceID: "git:" + f.host() + "/acme/issues", Reason: enumerate.NoCode}}
			}
			if diff := cmp.Diff(left, l.Left); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
			l, _, err = f.list(t, "acme", func(o *enumerate.Options) { o.LeaveArchived, o.LeaveForks, o.LeaveEmpty = true, true, true })
			if err != nil || !slices.Equal(names(l), []string{"acme/fresh", "acme/wiki"}) || len(l.Left) != 4+len(left) {
				t.Errorf("with less: %v, %v, %v", names(l), l.Left, err)
			}
		})
	}
}

func TestGlobs(t *testing.T) {
	f := newForge(t, enumerate.GitLab)
	f.lists["groups/acme/projects"] = f.repos("acme/web", "acme/web-old", "acme/team/API", "acme/team/deep/api-old", "acme/db")
	tests := map[string]struct {
		include, exclude, want []string
	}{
		"none":          {nil, nil, []string{"acme/db", "acme/team/API", "acme/team/deep/api-old", "acme/web", "acme/web-old"}},
		"last part":     {[]string{"api*"}, nil, []string{"acme/team/API", "acme/team/deep/api-old"}},
		"one depth":     {[]string{"acme/*"}, nil, []string{"acme/db", "acme/web", "acme/web-old"}},
		"any depth":     {[]string{"ACME/team/**"}, nil, []string{"acme/team/API", "acme/team/deep/api-old"}},
		"several":       {[]string{"db", "web"}, nil, []string{"acme/db", "acme/web"}},
		"exclude":       {nil, []string{"*-old"}, []string{"acme/db", "acme/team/API", "acme/web"}},
		"exclude wins":  {[]string{"acme/team/**"}, []string{"*-old"}, []string{"acme/team/API"}},
		"brackets":      {[]string{"{db,w?b}"}, nil, []string{"acme/db", "acme/web"}},
		"none of those": {[]string{"other/**"}, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, _, err := f.list(t, "acme", func(o *enumerate.Options) { o.Include, o.Exclude = tt.include, tt.exclude })
			if diff := cmp.Diff(tt.want, names(l)); diff != "" || err != nil {
				t.Errorf("%v, listing (-want +got):\n%s", err, diff)
			}
			if len(l.Left)+len(l.Repositories) != 5 {
				t.Errorf("left out: %v", l.Left)
			}
		})
	}
	for _, bad := range []string{"[", "", strings.Repeat("x", 1001)} {
		f.asked = nil
		if _, _, err := f.list(t, "acme", func(o *enumerate.Options) { o.Exclude = []string{"x", bad} }); err == nil || !strings.Contains(err.Error(), "pattern 2 of what to exclude") || len(f.asked) > 0 {
			t.Errorf("%.9q: %v", bad, err)
		}
	}
}

// TestFaults: what passes is waited for; what does not leaves a listing that is
// not complete, with what came before.
func TestFaults(t *testing.T) {
	status := func(code int, pairs ...string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Set(pairs[i], pairs[i+1])
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte(`{"message":"You have exceeded a secondary rate limit."}`))
		}
	}
	cut := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`[{"full_name":"acme/cut"`))
	}
	tests := map[string]struct {
		from, to int // requests that fail
		fail     func(http.ResponseWriter)
		only     enumerate.Kind
		want     error
		waited   time.Duration
	}{
		"429":               {2, 2, status(429, "Retry-After", "7"), "", nil, 7 * time.Second},
		"429 for long":      {2, 99, status(429, "Retry-After", "3600"), "", cilog.ErrLimited, 0},
		"secondary limit":   {2, 2, status(403), enumerate.GitHub, nil, time.Minute},
		"primary limit":     {2, 2, status(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(time.Date(2026, 11, 20, 12, 0, 40, 0, time.UTC).Unix()), "Date", "Fri, 20 Nov 2026 12:00:00 GMT"), enumerate.GitHub, nil, 41 * time.Second},
		"GitLab's limit":    {2, 2, status(429, "RateLimit-Remaining", "0", "RateLimit-Reset", fmt.Sprint(time.Date(2026, 11, 20, 12, 0, 40, 0, time.UTC).Unix()), "Date", "Fri, 20 Nov 2026 12:00:00 GMT"), enumerate.GitLab, nil, 41 * time.Second},
		"502 in passing":    {2, 3, status(502), "", nil, 0},
		"500 for ever":      {2, 99, status(500), "", cilog.ErrUnreachable, 0},
		"cut in passing":    {2, 2, cut, "", nil, 0},
		"cut for ever":      {2, 99, cut, "", cilog.ErrUnreachable, 0},
		"denied":            {2, 99, status(401), "", cilog.ErrDenied, 0},
		"denied at once":    {1, 99, status(401), "", cilog.ErrDenied, 0},
		"gone on page 2":    {2, 99, status(404), "", enumerate.ErrNoOwner, 0},
		"a page for people": {2, 99, func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) }, "", cilog.ErrUnreachable, 0},
		"no list":           {2, 99, func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"a":1}`)) }, "", cilog.ErrUnreachable, 0},
		"a long page":       {2, 99, func(w http.ResponseWriter) { _, _ = w.Write([]byte("[" + strings.Repeat(" ", 17<<20) + "]")) }, "", cilog.ErrUnreachable, 0},
		"odd entries": {2, 2, func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`[{"full_name":"acme/\u0000"},{"path_with_namespace":"a","http_url_to_repo":"file:///etc"}]`))
		}, "", enumerate.ErrPartial, 0},
		"odd before the end": {2, 2, func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`[{"full_name":"acme/x","path_with_namespace":"acme/x","clone_url":"https://u:p@h/x","http_url_to_repo":"https://u:p@h/x"}]`))
		}, "", enumerate.ErrPartial, 0},
	}
	for name, tt := range tests {
		for path, f := range forges(t, "acme") {
			if tt.only != "" && tt.only != f.kind {
				continue
			}
			t.Run(name+" "+string(f.kind), func(t *testing.T) {
				f.lists[strings.TrimSpace(path)] = f.repos("acme/a", "acme/b", "acme/c", "acme/d", "acme/e")
				f.before = func(n int, w http.ResponseWriter, _ *http.Request) bool {
					if n >= tt.from && n <= tt.to {
						tt.fail(w)
						return true
					}
					return false
				}
				l, c, err := f.list(t, "acme", nil)
				switch {
				case tt.want == nil && (err != nil || len(l.Repositories) != 5 || c.slept < tt.waited):
					t.Errorf("%v, %v after %v", names(l), err, c.slept)
				case tt.want != nil && !errors.Is(err, tt.want):
					t.Errorf("error %v", err)
				case tt.want != nil && tt.from == 2 && !slices.Equal(names(l)[:2], []string{"acme/a", "acme/b"}):
					t.Errorf("what came before: %v", names(l))
				}
				if tt.want != nil {
					if gone, err := l.Gone([]string{"git:x/y"}); !errors.Is(err, enumerate.ErrDoubt) || gone != nil {
						t.Errorf("gone: %v, %v", gone, err)
					}
				}
			})
		}
	}
}

// TestMoving: what is removed while a list is read hides another, and is looked
// for again where the server counts.
func TestMoving(t *testing.T) {
	for path, f := range forges(t, "acme") {
		if !f.total {
			continue
		}
		t.Run(string(f.kind), func(t *testing.T) {
			path := strings.TrimSpace(path)
			f.lists[path] = f.repos("acme/a", "acme/b", "acme/c", "acme/d", "acme/e")
			f.before = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
				if n == 2 {
					f.lists[path] = f.lists[path][1:]
				}
				return false
			}
			l, _, err := f.list(t, "acme", nil)
			if err != nil || !slices.Contains(names(l), "acme/c") {
				t.Errorf("%v, %v", names(l), err)
			}
			f.before = func(n int, _ http.ResponseWriter, _ *http.Request) bool {
				f.lists[path] = f.repos(fmt.Sprintf("acme/x%d", n), "acme/b", "acme/c", "acme/d", "acme/e")[:3+n%3]
				return false
			}
			if _, _, err := f.list(t, "acme", nil); !errors.Is(err, enumerate.ErrPartial) {
				t.Errorf("a list that never stands still: %v", err)
			}
			f.before = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("X-Total", "9")
				w.Header().Set("X-Total-Count", "9")
				_, _ = w.Write([]byte("[]"))
				return true
			}
			if l, _, err := f.list(t, "acme", nil); !errors.Is(err, enumerate.ErrPartial) || len(l.Repositories) > 0 || !strings.Contains(err.Error(), "0 of the 9") {
				t.Errorf("a list that is said to hold more: %v", err)
			}
		})
	}
}

// TestCircle: links that lead back end.
func TestCircle(t *testing.T) {
	for path, f := range forges(t, "acme") {
		t.Run(string(f.kind), func(t *testing.T) {
			f.lists[strings.TrimSpace(path)] = f.repos("acme/a", "acme/b", "acme/c")
			f.total = false
			f.before = func(_ int, w http.ResponseWriter, r *http.Request) bool {
				w.Header().Add("Link", fmt.Sprintf(`<%s?page=%d>; rel="next"`, r.URL.EscapedPath(), page(r)%3+1))
				return false
			}
			if _, _, err := f.list(t, "acme", nil); !errors.Is(err, enumerate.ErrPartial) || len(f.asked) > 10 {
				t.Errorf("%v after %d", err, len(f.asked))
			}
		})
	}
}

// TestToken: no redirect and no link carries the token to another host.
func TestToken(t *testing.T) {
	var seen []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization")+r.Header.Get("Private-Token"))
		_, _ = w.Write([]byte("[]"))
	}))
	defer thief.Close()
	for path, f := range forges(t, "acme") {
		f.lists[strings.TrimSpace(path)] = f.repos("acme/a", "acme/b", "acme/c")
		f.before = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				http.Redirect(w, r, thief.URL, http.StatusFound)
			}
			if n == 1 {
				w.Header().Add("Link", `<`+thief.URL+`/steal>; rel="prev"`)
			}
			return n == 2
		}
		if l, _, err := f.list(t, "acme", nil); !errors.Is(err, cilog.ErrUnreachable) || len(l.Repositories) != 2 {
			t.Errorf("%s: %v", f.kind, err)
		}
	}
	if len(seen) > 0 {
		t.Errorf("another host was asked with %q", seen)
	}
	f := newForge(t, enumerate.GitHub)
	away := errors.New("no such variable")
	if _, _, err := f.list(t, "acme", func(o *enumerate.Options) {
		o.Token = func(context.Context) (fingerprints.Value, error) { return fingerprints.Value{}, away }
	}); !errors.Is(err, away) || len(f.asked) > 0 {
		t.Errorf("a token that cannot be had: %v, asked %q", err, f.asked)
	}
	if _, _, err := f.list(t, "acme", func(o *enumerate.Options) {
		o.Token = func(context.Context) (fingerprints.Value, error) { return fingerprints.Value{}, nil }
	}); err == nil || len(f.asked) > 0 {
		t.Errorf("an empty token: %v, asked %q", err, f.asked)
	}
}

// TestSingleSignOn: GitHub says when it leaves out what it may not show.
func TestSingleSignOn(t *testing.T) {
	f := newForge(t, enumerate.GitHub)
	f.lists["orgs/acme/repos"] = f.repos("acme/a")
	f.before = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("X-GitHub-SSO", "partial-results; organizations=21955855")
		return false
	}
	if l, _, err := f.list(t, "acme", nil); !errors.Is(err, enumerate.ErrPartial) || len(l.Repositories) != 1 {
		t.Errorf("%v, %v", names(l), err)
	}
}

// TestPlaces: what cannot be listed is refused before anything is asked.
func TestPlaces(t *testing.T) {
	f := newForge(t, enumerate.GitHub)
	for name, p := range map[string]enumerate.Place{
		"no kind":        {Owner: "acme"},
		"GitHub's owner": {Kind: enumerate.GitHub, Server: f.URL, Owner: "../admin"},
		"no owner":       {Kind: enumerate.GitHub, Server: f.URL},
		"GitHub's place": {Kind: enumerate.GitHub, Server: "ftp://x", Owner: "acme"},
		"no group":       {Kind: enumerate.GitLab, Server: f.URL, Owner: "/"},
		"GitLab's place": {Kind: enumerate.GitLab, Server: "nothing", Owner: "acme"},
		"no server":      {Kind: enumerate.Gitea, Owner: "acme"},
		"Gitea's owner":  {Kind: enumerate.Gitea, Server: f.URL, Owner: "a/b"},
		"Gitea's place":  {Kind: enumerate.Gitea, Server: "https://user:word@x", Owner: "acme"},
		"no list":        {Kind: enumerate.List},
		"two lists":      {Kind: enumerate.List, File: "/x", URL: f.URL},
	} {
		l, err := enumerate.Repos(t.Context(), p, enumerate.Options{})
		if err == nil || l.Complete || len(f.asked) > 0 || strings.Contains(err.Error(), "word") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, kind := range []enumerate.Kind{enumerate.GitHub, enumerate.GitLab, enumerate.Gitea} {
		if _, _, err := newForge(t, kind).list(t, "nobody", nil); !errors.Is(err, enumerate.ErrNoOwner) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestGone(t *testing.T) {
	l := enumerate.Listing{Complete: true, Repositories: []enumerate.Repository{{SourceID: "git:h/a"}}, Left: []enumerate.LeftOut{{SourceID: "git:h/b", Reason: enumerate.IsArchived}}}
	tests := map[string]struct {
		l      enumerate.Listing
		before []string
		want   []string
		doubt  bool
	}{
		"all are here":     {l, []string{"git:h/a", "git:h/b"}, nil, false},
		"one is gone":      {l, []string{"git:h/c", "git:h/a", "git:h/c"}, []string{"git:h/c"}, false},
		"nothing before":   {enumerate.Listing{Complete: true}, nil, nil, false},
		"nothing any more": {enumerate.Listing{Complete: true}, []string{"git:h/a"}, nil, true},
		"all left out":     {enumerate.Listing{Complete: true, Left: l.Left}, []string{"git:h/b", "git:h/c"}, []string{"git:h/c"}, false},
		"not complete":     {enumerate.Listing{Repositories: l.Repositories}, []string{"git:h/c"}, nil, true},
	}
	for name, tt := range tests {
		got, err := tt.l.Gone(tt.before)
		if !slices.Equal(got, tt.want) || errors.Is(err, enumerate.ErrDoubt) != tt.doubt {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestStopped: who asks may end it.
func TestStopped(t *testing.T) {
	f := newForge(t, enumerate.GitLab)
	ctx, cancel := context.WithCancel(t.Context())
	f.lists["groups/acme/projects"] = f.repos("acme/a", "acme/b", "acme/c")
	f.before = func(int, http.ResponseWriter, *http.Request) bool { cancel(); return false }
	l, err := enumerate.Repos(ctx, enumerate.Place{Kind: enumerate.GitLab, Server: f.URL, Owner: "acme"}, enumerate.Options{})
	if !errors.Is(err, context.Canceled) || l.Complete {
		t.Errorf("%v, %v", l, err)
	}
}
