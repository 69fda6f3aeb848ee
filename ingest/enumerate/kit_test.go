package enumerate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/ingest/enumerate"
	"revenant/scanners/cilog/rest"
)

// token is generated, not written: a secret in a test would be one in the tree.
func token() string { return "canary" + strconv.FormatUint(0x5eed5eed5eed5eed, 36) }

func withToken(context.Context) (fingerprints.Value, error) {
	return fingerprints.NewValue([]byte(token())), nil
}

// clock is one that only sleeping moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), c.slept+d
	return ctx.Err()
}

// repo is what a forge says of a repository.
type repo = map[string]any

// forge is a server that answers lists by their paths, page by page.
type forge struct {
	*httptest.Server
	kind enumerate.Kind

	mu     sync.Mutex
	lists  map[string][]repo // by path below the API
	total  bool              // it says how many there are
	per    int
	asked  []string // paths with queries
	auth   []string // what came with them
	before func(n int, w http.ResponseWriter, r *http.Request) (done bool)
}

func newForge(t *testing.T, kind enumerate.Kind) *forge {
	f := &forge{kind: kind, lists: map[string][]repo{}, per: 2, total: kind != enumerate.GitHub}
	f.Server = httptest.NewServer(http.HandlerFunc(f.answer))
	t.Cleanup(f.Close)
	return f
}

// root is the path of a kind's API.
func (f *forge) root() string {
	return map[enumerate.Kind]string{enumerate.GitHub: "/api/v3/", enumerate.GitLab: "/api/v4/", enumerate.Gitea: "/api/v1/"}[f.kind]
}

func (f *forge) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.RequestURI())
	f.auth = append(f.auth, r.Header.Get("Authorization")+r.Header.Get("Private-Token"))
	if f.before != nil && f.before(len(f.asked), w, r) {
		return
	}
	all, has := f.lists[strings.TrimPrefix(r.URL.EscapedPath(), f.root())]
	if !has {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	at := max(1, page(r))
	lo := min((at-1)*f.per, len(all))
	hi := min(lo+f.per, len(all))
	if hi < len(all) {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(at+1))
		// A name of its own inside: what is asked is the server that was named.
		w.Header().Set("Link", fmt.Sprintf(`<http://inside.example%s?%s>; rel="next"`, r.URL.EscapedPath(), q.Encode()))
	}
	if f.total {
		w.Header().Set(map[enumerate.Kind]string{enumerate.GitLab: "X-Total", enumerate.Gitea: "X-Total-Count"}[f.kind], strconv.Itoa(len(all)))
	}
	if err := json.NewEncoder(w).Encode(slices.Concat([]repo{}, all[lo:hi])); err != nil {
		panic(err)
	}
}

func page(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return n
}

// host is the forge's, as ids have it.
func (f *forge) host() string { return strings.TrimPrefix(f.URL, "http://") }

// repos are what the forge says of names, as OWNER/REPO.
func (f *forge) repos(names ...string) (out []repo) {
	for _, name := range names {
		https, ssh := f.URL+"/"+name+".git", "git@ssh.example:"+name+".git"
		switch f.kind {
		case enumerate.GitLab:
			out = append(out, repo{"id": 7, "path_with_namespace": name, "http_url_to_repo": https, "ssh_url_to_repo": ssh, "forked_from_project": nil, "wiki_access_level": "disabled", "builds_access_level": "enabled", "repository_access_level": "enabled"})
		case enumerate.GitHub, enumerate.Gitea, enumerate.List:
			out = append(out, repo{"id": 7, "full_name": name, "clone_url": https, "ssh_url": ssh, "size": 3, "has_wiki": false, "created_at": "2026-01-01T00:00:00Z", "pushed_at": "2026-01-01T00:00:09Z"})
		}
	}
	return out
}

// listed is a repository as it must come out.
func (f *forge) listed(name string) enumerate.Repository {
	r := enumerate.Repository{Name: name, SourceID: "git:" + f.host() + "/" + name, HTTPS: f.URL + "/" + name + ".git", SSH: "git@ssh.example:" + name + ".git"}
	switch f.kind {
	case enumerate.GitHub:
		r.CI = "ci:github:" + f.host() + "/" + name
	case enumerate.GitLab:
		r.CI = "ci:gitlab:" + f.host() + "/" + name
	case enumerate.Gitea, enumerate.List:
	}
	return r
}

// list asks the forge.
func (f *forge) list(t *testing.T, owner string, change func(*enumerate.Options)) (enumerate.Listing, *clock, error) {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	o := enumerate.Options{Token: withToken, Rest: rest.Options{Now: c.Now, Sleep: c.Sleep, Agent: "revenant-test"}}
	if change != nil {
		change(&o)
	}
	l, err := enumerate.Repos(t.Context(), enumerate.Place{Kind: f.kind, Server: f.URL, Owner: owner}, o)
	if l.Complete != (err == nil) {
		t.Errorf("complete: %t, error %v", l.Complete, err)
	}
	if err != nil && strings.Contains(err.Error(), token()) {
		t.Errorf("the error holds the token: %v", err)
	}
	return l, c, err
}

func names(l enumerate.Listing) (out []string) {
	for _, r := range l.Repositories {
		out = append(out, r.Name)
	}
	return out
}

// forges are one of each kind, with the path of an owner's list.
func forges(t *testing.T, owner string) map[string]*forge {
	out := map[string]*forge{}
	for path, kind := range map[string]enumerate.Kind{"orgs/" + owner + "/repos": enumerate.GitHub, "groups/" + owner + "/projects": enumerate.GitLab, "orgs/" + owner + "/repos ": enumerate.Gitea} {
		out[path] = newForge(t, kind)
	}
	return out
}
