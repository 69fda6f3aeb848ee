package enumerate

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"revenant/scanners/cilog/rest"
)

// giteaRepo is a repository as Gitea and Forgejo describe it.
type giteaRepo struct {
	Full     string `json:"full_name"`
	Clone    string `json:"clone_url"`
	SSH      string `json:"ssh_url"`
	Archived bool   `json:"archived"`
	Fork     bool   `json:"fork"`
	Empty    bool   `json:"empty"`
	HasWiki  bool   `json:"has_wiki"`
	HasCode  *bool  `json:"has_code"` // newer servers
}

const giteaNeeds = "it takes an access token with the permissions read:organization, read:user and read:repository"

// listGitea lists an organisation's repositories, or a user's.
func listGitea(ctx context.Context, p Place, o Options, to *found) error {
	token, err := o.token(ctx)
	if err != nil {
		return err
	}
	if p.Server == "" {
		return errors.New("which Gitea or Forgejo is meant must be said: its address is written https://HOST")
	}
	if !nameable(p.Owner) {
		return errors.New("an owner on Gitea is written in letters, digits, dots, dashes and underscores")
	}
	r := o.Rest
	r.Base = strings.TrimRight(p.Server, "/") + "/api/v1"
	r.Header = http.Header{"Accept": {"application/json"}}
	r.Kind = func(string) string { return "the list of repositories" }
	r.Limit, r.Limited, r.Authorize = nil, nil, nil
	if token != "" {
		r.Authorize = func(q *http.Request) { q.Header.Set("Authorization", "token "+token) }
	}
	api, err := rest.New(r)
	if err != nil {
		return err
	}
	defer api.Close()
	take := func(l giteaRepo) {
		to.add(entry{noCode: l.HasCode != nil && !*l.HasCode, hasWiki: l.HasWiki, Repository: Repository{
			Name: l.Full, HTTPS: l.Clone, SSH: l.SSH, Archived: l.Archived, Fork: l.Fork, Empty: l.Empty,
		}})
	}
	err = whole(ctx, api, "orgs/"+p.Owner+"/repos?limit=50", "X-Total-Count", take)
	if errors.Is(err, rest.ErrNotFound) && len(to.list) == 0 {
		err = whole(ctx, api, "users/"+p.Owner+"/repos?limit=50", "X-Total-Count", take)
	}
	return teach(err, giteaNeeds)
}
