package enumerate_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/registry"
	"revenant/ingest/enumerate"
	"revenant/scanners/cilog/rest"
)

const list = "\xef\xbb\xbf# what we have\r\n\r\nhttps://git.example/team/web.git\r\n  ssh://git@git.example/team/web \n" +
	"git@git.example:team/api.git\n/srv/git/x.git/\nfile:///srv/git/y.git\n# https://git.example/not/this\nhttps://git.example:8443/team/db"

func readable(at string) (string, enumerate.Place) {
	return at, enumerate.Place{Kind: enumerate.List, File: at}
}

func written(t testing.TB, text string) enumerate.Place {
	t.Helper()
	at := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, p := readable(at)
	return p
}

func TestList(t *testing.T) {
	want := []enumerate.Repository{
		{Name: "file:/srv/git/x.git", SourceID: "git:file:/srv/git/x.git", HTTPS: "/srv/git/x.git"},
		{Name: "file:/srv/git/y.git", SourceID: "git:file:/srv/git/y.git", HTTPS: "/srv/git/y.git"},
		{Name: "git.example/team/api", SourceID: "git:git.example/team/api", HTTPS: "git@git.example:team/api.git"},
		{Name: "git.example/team/web", SourceID: "git:git.example/team/web", HTTPS: "https://git.example/team/web.git"},
		{Name: "git.example:8443/team/db", SourceID: "git:git.example:8443/team/db", HTTPS: "https://git.example:8443/team/db"},
	}
	var auth []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth = append(auth, r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(list))
	}))
	defer server.Close()
	for name, p := range map[string]enumerate.Place{"file": written(t, list), "URL": {Kind: enumerate.List, URL: server.URL + "/lists/all.txt?raw=1"}} {
		l, err := enumerate.Repos(t.Context(), p, enumerate.Options{Token: withToken})
		if diff := cmp.Diff(enumerate.Listing{Repositories: want, Complete: true}, l); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		l, err = enumerate.Repos(t.Context(), p, enumerate.Options{Include: []string{"**/team/*"}, Exclude: []string{"api"}})
		if err != nil || !slices.Equal(names(l), []string{"git.example/team/web", "git.example:8443/team/db"}) {
			t.Errorf("%s: %v, %v", name, names(l), err)
		}
	}
	if len(auth) != 2 || auth[0] != "/lists/all.txt?raw=1 Bearer "+token() || auth[1] != "/lists/all.txt?raw=1 " {
		t.Errorf("asked %q", auth)
	}
}

// TestListWrong: lines of no use are told by number, and the others stay.
func TestListWrong(t *testing.T) {
	password := "w0rd" + token()
	l, err := enumerate.Repos(t.Context(), written(t, "relative/path\nhttps://git.example/a\nhttps://user:"+password+"@git.example/b\nhttps://"+password+"@git.example/c\nnothing\x01\nftp://git.example/d\nssh://git@git.example/e\n"), enumerate.Options{})
	if !errors.Is(err, enumerate.ErrPartial) || l.Complete || !slices.Equal(names(l), []string{"git.example/a", "git.example/e"}) || strings.Contains(err.Error(), password) {
		t.Errorf("%v, %v", names(l), err)
	}
	const says = "not all is listed: line 1 is neither a URL nor an absolute path, line 3 holds a password: give credentials apart from it, line 4 holds a password: give credentials apart from it, line 5 is no text of one line, line 6 is neither a URL nor an absolute path"
	if err != nil && err.Error() != says {
		t.Errorf("it says: %v", err)
	}
	_, err = enumerate.Repos(t.Context(), written(t, strings.Repeat("x\n", 25)), enumerate.Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "line 10 is neither a URL nor an absolute path, and 15 more") {
		t.Errorf("it says: %v", err)
	}
}

// TestListAway: a list that cannot be read is none that is empty.
func TestListAway(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("https://git.example/a\n"))
		case "/long":
			for range 20 {
				_, _ = w.Write([]byte(strings.Repeat("#", 1<<20)))
			}
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	places := map[string]enumerate.Place{"absent": {Kind: enumerate.List, File: "/no/such/file"}, "a folder": {Kind: enumerate.List, File: t.TempDir()}, "a device": {Kind: enumerate.List, File: os.DevNull}, "long file": written(t, strings.Repeat("#", 17<<20))}
	for _, path := range []string{"/cut", "/long", "/absent"} {
		places[path] = enumerate.Place{Kind: enumerate.List, URL: server.URL + path}
	}
	for _, at := range []string{"file:///etc/hosts", "nothing", "https://user:word@x/y"} {
		places[at] = enumerate.Place{Kind: enumerate.List, URL: at}
	}
	for name, p := range places {
		l, err := enumerate.Repos(t.Context(), p, enumerate.Options{})
		if err == nil || l.Complete || strings.Contains(err.Error(), "word") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := l.Gone([]string{"git:h/a"}); !errors.Is(err, enumerate.ErrDoubt) {
			t.Errorf("%s: gone: %v", name, err)
		}
	}
	if l, err := enumerate.Repos(t.Context(), written(t, "# none yet\n"), enumerate.Options{}); err != nil || !l.Complete {
		t.Errorf("an empty list: %v", err)
	}
}

// said is a server without a network, whose every answer is the same.
type said struct {
	header http.Header
	text   string
}

func (s said) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: s.header, Body: io.NopCloser(strings.NewReader(s.text)), ContentLength: int64(len(s.text)), Request: r}, nil
}

// FuzzList: lists of whatever text give locations that are sound, in order, each
// once.
func FuzzList(f *testing.F) {
	for _, seed := range []string{list, "https://u:p@h/x\nh:x\n//h/x\nC:\\x", "ssh://-oProxyCommand=x/y\n-h:x", "/\n/..\nfile://h/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := enumerate.Place{Kind: enumerate.List, URL: "https://lists.example/all"}
		l, err := enumerate.Repos(t.Context(), p, enumerate.Options{Rest: rest.Options{Transport: said{text: text}, Patience: -1}})
		if l.Complete != (err == nil) {
			t.Error("complete with an error")
		}
		last := ""
		for _, r := range l.Repositories {
			if registry.CheckSourceID(r.SourceID) != nil || r.SourceID <= last || strings.HasPrefix(r.HTTPS, "-") || strings.HasPrefix(r.SourceID, "git:-") || strings.ContainsAny(r.HTTPS, "\n\x00") {
				t.Errorf("%+v after %q", r, last)
			}
			last = r.SourceID
		}
	})
}

// FuzzAnswers: answers of whatever JSON give repositories that are sound.
func FuzzAnswers(f *testing.F) {
	for kind := range enumerate.Kinds() {
		f.Add(kind, `[{"full_name":"acme/x","path_with_namespace":"acme/x","clone_url":"https://h/acme/x.git","http_url_to_repo":"https://h/acme/x.git","has_wiki":true,"wiki_access_level":"enabled","size":0}]`, "1")
		f.Add(kind, `[{"full_name":"acme/..","path_with_namespace":"\u0000","clone_url":"--upload-pack=x:y","forked_from_project":{}}, null]`, "-1")
	}
	f.Fuzz(func(t *testing.T, kind int, body, total string) {
		p := enumerate.Place{Kind: enumerate.Kinds()[uint(kind)%3], Server: "https://git.example", Owner: "acme"}
		answer := said{header: http.Header{"X-Total": {total}, "X-Total-Count": {total}}, text: body}
		l, err := enumerate.Repos(t.Context(), p, enumerate.Options{Wikis: true, Rest: rest.Options{Transport: answer, Patience: -1}})
		last := ""
		for _, r := range l.Repositories {
			if registry.CheckSourceID(r.SourceID) != nil || r.SourceID <= last || strings.HasPrefix(r.SourceID, "git:file:") || r.HTTPS+r.SSH == "" || strings.HasPrefix(r.SourceID, "git:-") || strings.HasPrefix(r.HTTPS, "-") || strings.HasPrefix(r.SSH, "-") {
				t.Errorf("%+v after %q, %v", r, last, err)
			}
			last = r.SourceID
		}
	})
}
