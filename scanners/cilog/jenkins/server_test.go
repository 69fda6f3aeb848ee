package jenkins_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/scanners/cilog/jenkins"
	"revenant/scanners/cilog/rest"
)

// day is when the tests play.
var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// token is generated, not written: a secret in a test would be one in the tree.
func token() string { return "11" + strconv.FormatUint(0x5eed5eed5eed5eed, 16) }

// controller answers as a Jenkins does: www.jenkins.io/doc/book/using/remote-access-api
// and what /api/ of any of its pages says of trees and progressive text.
type controller struct {
	t   *testing.T
	url string

	mu     sync.Mutex
	top    *item
	asked  []string
	bare   bool                                              // has no plain text
	old    bool                                              // does not tell what is in progress
	before func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
}

type item struct {
	Name, Class string
	Items       []*item // of a folder
	Folder      bool
	Builds      []*build // the newest first
	Branch      bool     // made by a multibranch project
}

type build struct {
	Number               int64
	Building, InProgress bool
	At                   time.Time
	Took                 time.Duration
	Log                  string // "": the file is gone
	Branch               string
	Matrix               []*build // of configurations
	Config               string
}

func newController(t *testing.T) *controller {
	c := &controller{t: t, top: &item{Class: "hudson.model.Hudson", Folder: true}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL + "/ci"
	return c
}

func (c *controller) server(change func(*jenkins.Options)) *jenkins.Server {
	c.t.Helper()
	now := day
	o := jenkins.Options{Server: c.url + "/", User: "ann", Token: token(), Rest: rest.Options{
		Now: func() time.Time { return now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			return ctx.Err()
		},
	}}
	if change != nil {
		change(&o)
	}
	s, err := jenkins.New(o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(s.Close)
	return s
}

// job adds a job to the server and is a project of it.
func (c *controller) job(name string, builds ...*build) (*item, *jenkins.Project) {
	c.t.Helper()
	it := &item{Name: name, Class: "hudson.model.FreeStyleProject", Builds: builds}
	c.top.Items = append(c.top.Items, it)
	p, err := c.server(nil).Projects(context.Background(), name)
	if err != nil || len(p) != 1 {
		c.t.Fatal(p, err)
	}
	return it, p[0]
}

func (c *controller) since(n int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked[n:])
}

func (c *controller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.asked = append(c.asked, strings.TrimPrefix(r.URL.RequestURI(), "/ci/"))
	before := c.before
	w.Header().Set("Date", day.Format(http.TimeFormat))
	c.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	user, pass, _ := r.BasicAuth()
	if r.Method != http.MethodGet || r.Header.Get("Jenkins-Crumb") != "" {
		c.t.Errorf("%s was sent", r.Method)
	}
	if user != "ann" || pass != token() {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	part := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/ci/"), "/")
	it, at := c.top, c.url+"/"
	for len(part) > 2 && part[0] == "job" {
		name, err := url.PathUnescape(part[1])
		i := slices.IndexFunc(it.Items, func(it *item) bool { return strings.EqualFold(it.Name, name) })
		if err != nil || i < 0 {
			http.NotFound(w, r)
			return
		}
		it, at = it.Items[i], at+"job/"+url.PathEscape(it.Items[i].Name)+"/"
		part = part[2:]
	}
	c.in(w, r, it, at, part)
}

// in answers for what is in a job or folder.
func (c *controller) in(w http.ResponseWriter, r *http.Request, it *item, at string, part []string) {
	full := strings.ReplaceAll(strings.TrimPrefix(at, c.url+"/"), "job/", "")
	full, _ = url.PathUnescape(strings.TrimSuffix(full, "/"))
	if strings.Join(part, "/") == "api/json" {
		c.reply(w, r, c.describe(it, full, at, 3))
		return
	}
	config := ""
	if len(part) > 1 && strings.Contains(part[0], "=") {
		config, _ = url.PathUnescape(part[0])
		part = part[1:]
	}
	i := slices.IndexFunc(it.Builds, func(b *build) bool { return strconv.FormatInt(b.Number, 10) == part[0] })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	b := it.Builds[i]
	if config != "" {
		i := slices.IndexFunc(b.Matrix, func(m *build) bool { return m.Config == config && m.Number == b.Number })
		if i < 0 {
			http.NotFound(w, r)
			return
		}
		b = b.Matrix[i]
	}
	switch strings.Join(part[1:], "/") {
	case "api/json":
		c.reply(w, r, c.build(b, at))
	case "consoleText":
		plain(w, r, b, c.bare)
	case "logText/progressiveText":
		progress(w, r, b)
	default:
		http.NotFound(w, r)
	}
}

func (c *controller) describe(it *item, full, at string, depth int) map[string]any {
	out := map[string]any{"_class": it.Class, "name": it.Name, "fullName": full, "url": at}
	if it.Folder {
		jobs := []any{}
		for _, child := range it.Items {
			if depth > 0 {
				jobs = append(jobs, c.describe(child, strings.TrimPrefix(full+"/"+child.Name, "/"), at+"job/"+url.PathEscape(child.Name)+"/", depth-1))
			}
		}
		out["jobs"] = jobs
		return out
	}
	out["allBuilds"] = lazy{len(it.Builds), func(i int) any { return c.build(it.Builds[i], at) }}
	if n := len(it.Builds); n > 0 {
		out["firstBuild"] = c.build(it.Builds[n-1], at)
	}
	property := []any{map[string]any{"_class": "jenkins.model.BuildDiscarderProperty"}}
	if it.Branch {
		property = append(property, map[string]any{"_class": "org.jenkinsci.plugins.workflow.multibranch.BranchJobProperty", "branch": map[string]any{}})
	}
	out["property"] = property
	return out
}

func (c *controller) build(b *build, at string) map[string]any {
	out := map[string]any{
		"_class": "hudson.model.FreeStyleBuild", "number": b.Number, "building": b.Building, "inProgress": b.InProgress,
		"timestamp": b.At.UnixMilli(), "url": fmt.Sprintf("%s%d/", at, b.Number), "result": nil,
		"duration": b.Took.Milliseconds(),
	}
	if c.old {
		delete(out, "inProgress")
	}
	actions := []any{map[string]any{}, nil}
	if b.Branch != "" {
		actions = append(actions, map[string]any{"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": map[string]any{"SHA1": "abc", "branch": []any{map[string]any{"SHA1": "abc", "name": b.Branch}}}})
	}
	out["actions"] = actions
	if b.Matrix != nil {
		runs := []any{}
		for _, m := range b.Matrix {
			runs = append(runs, c.build(m, at+url.PathEscape(m.Config)+"/"))
		}
		out["runs"] = runs
	}
	return out
}

// reply answers with the part of a value that the tree asks for.
func (c *controller) reply(w http.ResponseWriter, r *http.Request, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	text := r.URL.Query().Get("tree")
	got, rest := prune(v, text)
	if rest != "" || text == "" {
		c.t.Errorf("the tree %q does not end where it should: %q", text, rest)
	}
	if err := json.NewEncoder(w).Encode(got); err != nil {
		panic(err)
	}
}

// lazy is a list of which only what is asked for is described.
type lazy struct {
	n  int
	at func(int) any
}

// list is a value as one.
func list(v any) (lazy, bool) {
	switch v := v.(type) {
	case lazy:
		return v, true
	case []any:
		return lazy{len(v), func(i int) any { return v[i] }}, true
	}
	return lazy{}, false
}

var word = regexp.MustCompile(`^[A-Za-z_]+`)

// prune reads a tree up to its bracket, and takes what it names of a value.
func prune(v any, tree string) (any, string) {
	out := map[string]any{}
	in, _ := v.(map[string]any)
	if class, has := in["_class"]; has {
		out["_class"] = class // comes unasked
	}
	for {
		name := word.FindString(tree)
		tree = tree[len(name):]
		value, has := in[name]
		from, to := 0, 1<<30
		if strings.HasPrefix(tree, "[") {
			inner := tree[1:]
			all, isList := list(value)
			_, tree = prune(nil, inner)
			tree = strings.TrimPrefix(tree, "]")
			if n, _ := fmt.Sscanf(tree, "{%d,%d}", &from, &to); n == 2 {
				tree = tree[strings.IndexByte(tree, '}')+1:]
			}
			if isList {
				cut := []any{}
				for i := from; i < min(to, all.n); i++ {
					got, _ := prune(all.at(i), inner)
					cut = append(cut, got)
				}
				value = cut
			} else if has && value != nil {
				value, _ = prune(value, inner)
			}
		}
		if has {
			out[name] = value
		}
		if !strings.HasPrefix(tree, ",") {
			return out, tree
		}
		tree = tree[1:]
	}
}

// note is an annotation as Jenkins keeps it in the log's file.
const note = "\x1b[8mha:////4AAAA\x1b[0m"

// plain is the whole log until now, without annotations.
func plain(w http.ResponseWriter, r *http.Request, b *build, bare bool) {
	switch {
	case bare:
		http.NotFound(w, r)
	case b.Log == "":
		fmt.Fprintf(w, "No such file: /var/jenkins_home/jobs/app/builds/%d/log", b.Number)
	default:
		fmt.Fprint(w, strings.ReplaceAll(b.Log, note, ""))
	}
}

// linesAtOnce is how many lines of a log that grows come in one answer; Jenkins
// takes some thousand.
const linesAtOnce = 3

// progress answers as stapler's LargeText does: offsets are those of the file,
// annotations are left out, line ends are CR LF; what grows comes up to its last
// line end.
func progress(w http.ResponseWriter, r *http.Request, b *build) {
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	growing := b.Building || b.InProgress
	if b.Log == "" {
		w.Header().Set("X-Text-Size", "0")
		w.Header().Set("X-More-Data", "true")
		return
	}
	start, err := strconv.Atoi(r.URL.Query().Get("start"))
	if err != nil || start > len(b.Log) {
		start = 0
	}
	text := b.Log[start:]
	if growing {
		lines := strings.SplitAfterN(text, "\n", linesAtOnce+1)
		lines = lines[:len(lines)-1] // the rest, or a line without an end
		text = strings.Join(lines, "")
		w.Header().Set("X-More-Data", "true")
	}
	w.Header().Set("X-Text-Size", strconv.Itoa(start+len(text)))
	text = strings.ReplaceAll(text, note, "")
	fmt.Fprint(w, strings.ReplaceAll(text, "\n", "\r\n"))
}
