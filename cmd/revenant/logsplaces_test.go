package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPlacesOfCI(t *testing.T) {
	type place = ciPlace
	for _, c := range []struct {
		text string
		fl   apiFlags
		want place
		path bool   // it is a path
		bad  string // or wrong, with this in the message
	}{
		{text: "https://github.com/acme/shop", want: place{ciGitHub, "https://github.com", "acme/shop"}},
		{text: "https://github.com/acme/shop.git", want: place{ciGitHub, "https://github.com", "acme/shop"}},
		{text: "https://github.com/acme/shop/actions/runs/42/job/7", want: place{ciGitHub, "https://github.com", "acme/shop"}},
		{text: "https://github.com/acme/", want: place{ciGitHub, "https://github.com", "acme"}},
		{text: "https://github.com/actions/checkout", want: place{ciGitHub, "https://github.com", "actions/checkout"}},
		{text: "github.com/acme/shop", want: place{ciGitHub, "https://github.com", "acme/shop"}},
		{text: "git@github.com:acme/shop.git", want: place{ciGitHub, "https://github.com", "acme/shop"}},
		{text: "ssh://git@gitlab.example.org:2222/a/b/c.git", want: place{ciGitLab, "https://gitlab.example.org", "a/b/c"}},
		{text: "github:acme/shop", want: place{ciGitHub, "https://github.com", "acme/shop"}},
		{text: "github:acme", fl: apiFlags{server: "https://ghe.example.org/"}, want: place{ciGitHub, "https://ghe.example.org", "acme"}},
		{text: "https://code.example.org/acme/shop", fl: apiFlags{provider: "github"}, want: place{ciGitHub, "https://code.example.org", "acme/shop"}},
		{text: "https://gitlab.com/a/b/c/-/pipelines/7", want: place{ciGitLab, "https://gitlab.com", "a/b/c"}},
		{text: "https://example.org/gitlab/a/b", fl: apiFlags{provider: "gitlab", server: "https://example.org/gitlab"}, want: place{ciGitLab, "https://example.org/gitlab", "a/b"}},
		{text: "gitlab:a/b", want: place{ciGitLab, "https://gitlab.com", "a/b"}},
		{text: "https://jenkins.example.org/job/a/job/feature%252Fx/12/console", want: place{ciJenkins, "https://jenkins.example.org", "a/feature%2Fx"}},
		{text: "https://ci.example.org/prefix/job/a/", fl: apiFlags{provider: "jenkins"}, want: place{ciJenkins, "https://ci.example.org/prefix", "a"}},
		{text: "https://jenkins.example.org/", want: place{ciJenkins, "https://jenkins.example.org", ""}},
		{text: "jenkins:https://ci.example.org/job/a", want: place{ciJenkins, "https://ci.example.org", "a"}},
		{text: "jenkins:a/b", fl: apiFlags{server: "https://ci.example.org"}, want: place{ciJenkins, "https://ci.example.org", "a/b"}},
		{text: "build.log", path: true},
		{text: "/var/log", path: true},
		{text: "c:/logs/build.log", path: true},
		{text: "logs.d/github.com/x", path: true},
		{text: "https://ci.example.org/a/b", bad: "--provider"},
		{text: "https://u:p@github.com/a/b", bad: "user name or a password"},
		{text: "https://github.com/", bad: "server alone"},
		{text: "github:", bad: "names nothing"},
		{text: "jenkins:a", bad: "its server"},
		{text: "github:a/b", fl: apiFlags{provider: "gitlab"}, bad: "leave one of them out"},
		{text: "https://github.com/a/b", fl: apiFlags{server: "https://ghe.example.org"}, bad: "not at the server"},
		{text: "https://%zz/", bad: "no URL"},
	} {
		got, is, err := ciPlaceOf(c.text, &c.fl)
		switch {
		case c.bad != "":
			if err == nil || !strings.Contains(err.Error(), c.bad) || strings.Contains(err.Error(), "u:p@") {
				t.Errorf("%s: %v, want %q", c.text, err, c.bad)
			}
		case err != nil || is == c.path:
			t.Errorf("%s: a place: %v, %v", c.text, is, err)
		case !c.path && cmp.Diff(c.want, got, cmp.AllowUnexported(ciPlace{})) != "":
			t.Errorf("%s: %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "2026-05-01": time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), "2026-05-01T02:03:04Z": time.Date(2026, 5, 1, 2, 3, 4, 0, time.UTC),
		"36h": now.Add(-36 * time.Hour), "30d": now.AddDate(0, 0, -30), "0d": now,
	} {
		if got, err := sinceOf(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "-3d", "-1h", "d", "30", "2026-13-01", "9999999d", "200000d"} {
		if got, err := sinceOf(text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestTokensOfCI: a token goes to the server that it is for.
func TestTokensOfCI(t *testing.T) {
	env := map[string]string{"GITHUB_TOKEN": "build", "GH_TOKEN": "person", "GITLAB_TOKEN": "lab", "GITHUB_SERVER_URL": "https://ghe.example.org/"}
	a := newApp()
	a.env = func(name string) string { return env[name] }
	for _, c := range []struct {
		p    ciPlace
		want string
	}{
		{ciPlace{ciGitHub, "https://github.com", ""}, "build"},
		{ciPlace{ciGitHub, "https://ghe.example.org", ""}, "build"},
		{ciPlace{ciGitHub, "https://evil.example.org", ""}, ""},
		{ciPlace{ciGitHub, "http://github.com", ""}, ""},
		{ciPlace{ciGitLab, "https://gitlab.com", ""}, "lab"},
		{ciPlace{ciGitLab, "https://gitlab.example.org", ""}, ""},
		{ciPlace{ciJenkins, "https://jenkins.example.org", ""}, ""},
	} {
		if got := a.ciToken(c.p); got != c.want {
			t.Errorf("%+v: %q, want %q", c.p, got, c.want)
		}
	}
	env["REVENANT_GITHUB_TOKEN"] = "own"
	if got := a.ciToken(ciPlace{ciGitHub, "https://any.example.org", ""}); got != "own" {
		t.Errorf("our own variable: %q", got)
	}
}
