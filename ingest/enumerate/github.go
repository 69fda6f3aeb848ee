package enumerate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/github"
	"revenant/scanners/cilog/rest"
)

// githubRepo is a repository as GitHub describes it.
type githubRepo struct {
	Full     string    `json:"full_name"`
	Clone    string    `json:"clone_url"`
	SSH      string    `json:"ssh_url"`
	Archived bool      `json:"archived"`
	Fork     bool      `json:"fork"`
	HasWiki  bool      `json:"has_wiki"`
	Size     int64     `json:"size"` // kB; counted some time after a push
	Created  time.Time `json:"created_at"`
	Pushed   time.Time `json:"pushed_at"`
}

const githubNeeds = "it takes a fine-grained token with the repository permission Metadata: read for all repositories of the owner, or a classic one with the scope repo"

// listGitHub lists an organisation's repositories, or a user's, of which GitHub
// shows private ones to that user's own token only.
func listGitHub(ctx context.Context, p Place, o Options, to *found) error {
	token, err := o.token(ctx)
	if err != nil {
		return err
	}
	api, host, err := github.Options{Rest: o.Rest, Server: p.Server, API: p.API, Token: token}.Client()
	if err != nil {
		return err
	}
	defer api.Close()
	if !nameable(p.Owner) {
		return errors.New("an owner on GitHub is written in letters, digits and dashes")
	}
	l := &githubList{api: api, owner: p.Owner, host: host, to: to}
	err = l.add(ctx, "orgs/"+p.Owner+"/repos?per_page=100&type=all&sort=created&direction=asc")
	if errors.Is(err, rest.ErrNotFound) && len(to.list) == 0 {
		err = l.user(ctx, token != "")
	}
	if err == nil && l.partial {
		err = fmt.Errorf("%w: GitHub leaves out what the token is not authorised for by single sign-on: authorise it for the organisation", ErrPartial)
	}
	return teach(err, githubNeeds)
}

type githubList struct {
	api         *rest.Client
	owner, host string
	to          *found
	partial     bool
}

func (l *githubList) user(ctx context.Context, known bool) error {
	if err := l.add(ctx, "users/"+l.owner+"/repos?per_page=100&type=owner&sort=created&direction=asc"); err != nil || !known {
		return err
	}
	err := l.add(ctx, "user/repos?per_page=100&affiliation=owner&sort=created&direction=asc")
	if errors.Is(err, cilog.ErrDenied) || errors.Is(err, rest.ErrNotFound) {
		return nil // a token of no user, which is shown none of them
	}
	return err
}

func (l *githubList) add(ctx context.Context, ref string) error {
	return pages(ctx, l.api, ref, func(page []githubRepo, a rest.Answer) {
		if strings.HasPrefix(a.Header.Get("X-Github-Sso"), "partial-results") {
			l.partial = true
		}
		for _, r := range page {
			owner, name, _ := strings.Cut(r.Full, "/")
			if !nameable(owner) || !nameable(name) {
				l.to.odd++
				continue
			}
			if !strings.EqualFold(owner, l.owner) {
				continue // of user/repos
			}
			l.to.add(entry{hasWiki: r.HasWiki, Repository: Repository{
				Name: r.Full, HTTPS: r.Clone, SSH: r.SSH, CI: "ci:github:" + l.host + "/" + r.Full,
				Archived: r.Archived, Fork: r.Fork, Empty: r.Size == 0 && !r.Pushed.After(r.Created),
			}})
		}
	})
}

// nameable reports whether a name is one that GitHub and Gitea give: it needs no
// escape.
func nameable(name string) bool {
	return name != "" && name != "." && name != ".." && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) < 0
}
