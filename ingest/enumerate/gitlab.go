package enumerate

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"revenant/scanners/cilog/gitlab"
	"revenant/scanners/cilog/rest"
)

// gitlabProject is a project as GitLab describes it.
type gitlabProject struct {
	Path     string          `json:"path_with_namespace"`
	HTTP     string          `json:"http_url_to_repo"`
	SSH      string          `json:"ssh_url_to_repo"`
	Archived bool            `json:"archived"`
	Fork     json.RawMessage `json:"forked_from_project"`
	Empty    bool            `json:"empty_repo"`
	Wiki     string          `json:"wiki_access_level"`
	Builds   string          `json:"builds_access_level"`
	Code     string          `json:"repository_access_level"`
}

const gitlabNeeds = "it takes a token with the scope read_api, of a member of the group"

// listGitLab lists a group's projects with those of its subgroups, or a user's.
// Projects that other groups share with it are listed where they are at home.
func listGitLab(ctx context.Context, p Place, o Options, to *found) error {
	token, err := o.token(ctx)
	if err != nil {
		return err
	}
	api, name, err := gitlab.Options{Rest: o.Rest, Server: p.Server, Token: token}.Client()
	if err != nil {
		return err
	}
	defer api.Close()
	owner := strings.Trim(p.Owner, "/")
	if owner == "" || !printable(owner) {
		return errors.New("a group on GitLab is named by its path, as in team/web")
	}
	take := func(l gitlabProject) { to.add(l.entry(name)) }
	const query = "order_by=id&sort=asc&per_page=100"
	err = whole(ctx, api, "groups/"+url.PathEscape(owner)+"/projects?include_subgroups=true&with_shared=false&"+query, "X-Total", take)
	if errors.Is(err, rest.ErrNotFound) && len(to.list) == 0 && !strings.Contains(owner, "/") {
		err = whole(ctx, api, "users/"+url.PathEscape(owner)+"/projects?"+query, "X-Total", take)
	}
	return teach(err, gitlabNeeds)
}

func (l gitlabProject) entry(server string) entry {
	fork := len(l.Fork) > 0 && string(l.Fork) != "null"
	e := entry{noCode: l.Code == "disabled", hasWiki: l.Wiki == "enabled" || l.Wiki == "private", Repository: Repository{
		Name: l.Path, HTTPS: l.HTTP, SSH: l.SSH, Archived: l.Archived, Fork: fork, Empty: l.Empty,
	}}
	if l.Builds != "disabled" && !e.noCode {
		e.CI = "ci:gitlab:" + server + "/" + l.Path
	}
	return e
}
