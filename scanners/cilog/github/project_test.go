package github_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/github"
	"revenant/scanners/cilog/rest"
)

// wire answers without a network, whatever the host.
type wire func(*http.Request) (status int, body string)

func (f wire) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := f(r)
	return &http.Response{
		StatusCode: status, Header: http.Header{}, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// TestAddresses: where the API is, and what the project is called.
func TestAddresses(t *testing.T) {
	tests := []struct{ server, api, asked, id string }{
		{"", "", "https://api.github.com/repos/o/r", "ci:github:github.com/O/R"},
		{"https://github.com", "", "https://api.github.com/repos/o/r", "ci:github:github.com/O/R"},
		{"https://WWW.GitHub.com/", "", "https://api.github.com/repos/o/r", "ci:github:github.com/O/R"},
		{"https://api.github.com", "", "https://api.github.com/repos/o/r", "ci:github:github.com/O/R"},
		{"https://octocorp.ghe.com", "", "https://api.octocorp.ghe.com/repos/o/r", "ci:github:octocorp.ghe.com/O/R"},
		{"", "https://api.octocorp.ghe.com", "https://api.octocorp.ghe.com/repos/o/r", "ci:github:octocorp.ghe.com/O/R"},
		{"https://GHE.example:8443", "", "https://ghe.example:8443/api/v3/repos/o/r", "ci:github:ghe.example:8443/O/R"},
		{"", "http://ghe.example/api/v3/", "http://ghe.example/api/v3/repos/o/r", "ci:github:ghe.example/O/R"},
		{"https://ghe.example", "https://proxy.example/gh", "https://proxy.example/gh/repos/o/r", "ci:github:ghe.example/O/R"},
	}
	for _, tt := range tests {
		var asked string
		o := github.Options{Server: tt.server, API: tt.api, Owner: "o", Repo: "r", Token: token()}
		o.Rest.Transport = wire(func(r *http.Request) (int, string) {
			asked = r.URL.String()
			if r.Header.Get("Authorization") != "Bearer "+token() {
				t.Error("no token")
			}
			return 200, `{"full_name":"O/R"}`
		})
		p, err := github.Open(t.Context(), o)
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		if asked != tt.asked || p.ID() != tt.id {
			t.Errorf("%s %s: asked %s of %s", tt.server, tt.api, asked, p.ID())
		}
		_ = p.Close()
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*github.Options)
		status int
		body   string
		want   error
	}{
		"user-info":                   {func(o *github.Options) { o.Server = "https://u:" + token() + "@ghe.example" }, 200, "", nil},
		"user-info of API":            {func(o *github.Options) { o.API = "https://u:" + token() + "@ghe.example" }, 200, "", nil},
		"no scheme":                   {func(o *github.Options) { o.Server = "github.com" }, 200, "", nil},
		"ssh":                         {func(o *github.Options) { o.Server = "ssh://git@github.com" }, 200, "", nil},
		"no owner":                    {func(o *github.Options) { o.Owner = "" }, 200, "", nil},
		"a path":                      {func(o *github.Options) { o.Repo = "a/b" }, 200, "", nil},
		"dots":                        {func(o *github.Options) { o.Owner = ".." }, 200, "", nil},
		"404":                         {nil, 404, "", cilog.ErrNoProject},
		"401":                         {nil, 401, "", cilog.ErrDenied},
		"403":                         {nil, 403, "{}", cilog.ErrDenied},
		"no name":                     {nil, 200, "{}", cilog.ErrUnreachable},
		"a name that leads elsewhere": {nil, 200, `{"full_name":"../x"}`, cilog.ErrUnreachable},
		"a page":                      {nil, 200, "<html>" + token(), cilog.ErrUnreachable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			asked := 0
			o := github.Options{Server: "https://ghe.example", Owner: "o", Repo: "r", Token: token()}
			o.Rest.Transport = wire(func(*http.Request) (int, string) {
				asked++
				return tt.status, tt.body
			})
			if tt.change != nil {
				tt.change(&o)
			}
			_, err := github.Open(t.Context(), o)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && asked > 0 {
				t.Errorf("error %v after %d requests", err, asked)
			}
			if err != nil && strings.Contains(err.Error(), token()) {
				t.Errorf("error %q tells the token", err)
			}
		})
	}
}

// TestRepositories: an organisation's, a user's, one's own.
func TestRepositories(t *testing.T) {
	org := map[string]string{
		"/orgs/octo/repos?per_page=100&type=all":        `[{"full_name":"Octo/b"},{"full_name":"Octo/a","archived":true}]`,
		"/orgs/octo/repos?page=2":                       `[{"full_name":"Octo/a"},{"full_name":"Octo/c"},{"full_name":"other/x"}]`,
		"/users/mona/repos?per_page=100&type=owner":     `[{"full_name":"mona/public"}]`,
		"/user/repos?per_page=100&affiliation=owner":    `[{"full_name":"Mona/private"},{"full_name":"mona/public"}]`,
		"/users/somebody/repos?per_page=100&type=owner": `[]`,
	}
	tests := map[string]struct {
		token string
		want  []string
		err   error
	}{
		"OCTO":     {token(), []string{"Octo/b", "Octo/a", "Octo/c"}, nil},
		"mona":     {token(), []string{"mona/public", "Mona/private"}, nil},
		"somebody": {"", nil, nil},
		"nobody":   {token(), nil, cilog.ErrNoProject},
		"a/b":      {token(), nil, nil},
	}
	for owner, tt := range tests {
		o := github.Options{Owner: owner, Token: tt.token, Rest: rest.Options{Transport: wire2(func(r *http.Request) (int, string, http.Header) {
			h := http.Header{}
			if strings.Contains(r.URL.Path, "/orgs/") && r.URL.Query().Get("page") == "" {
				h.Set("Link", `<https://api.github.com/orgs/octo/repos?page=2>; rel="next"`)
			}
			body, has := org[strings.ToLower(r.URL.RequestURI())]
			if !has {
				return 404, "{}", nil
			}
			return 200, body, h
		})}}
		got, err := github.Repositories(t.Context(), o)
		if owner == "a/b" {
			if err == nil {
				t.Error("an owner with a slash is taken")
			}
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v (-want +got):\n%s", owner, err, diff)
		}
	}
}

// A list of which each page has a next is given up.
func TestRepositoriesEnd(t *testing.T) {
	o := github.Options{Owner: "o", Rest: rest.Options{Transport: wire2(func(r *http.Request) (int, string, http.Header) {
		return 200, `[]`, http.Header{"Link": {"<" + r.URL.String() + `>; rel="next"`}}
	})}}
	if _, err := github.Repositories(t.Context(), o); !errors.Is(err, cilog.ErrUnreachable) {
		t.Errorf("error %v", err)
	}
}

type wire2 func(*http.Request) (int, string, http.Header)

func (f wire2) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body, header := f(r)
	resp, err := wire(func(*http.Request) (int, string) { return status, body }).RoundTrip(r)
	if header != nil {
		resp.Header = header
	}
	return resp, err
}
