package receivers

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/ingest/notify"
)

const gitLabAPI = "https://gitlab.com/api/v4"

type gitLab struct {
	rest
	path, label string
}

func newGitLab(c notify.GitLab, web client) *gitLab {
	return &gitLab{
		path: "/projects/" + url.PathEscape(c.Project) + "/issues", label: orDefault(c.Label, defaultLabel),
		rest: rest{client: web, base: strings.TrimSuffix(orDefault(c.API, gitLabAPI), "/"), token: c.Token, header: func(h http.Header, token string) {
			h.Set("PRIVATE-TOKEN", token)
		}},
	}
}

type gitLabIssue struct {
	Number      int    `json:"iid"`
	State       string `json:"state"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

func (i gitLabIssue) issue() issue {
	return issue{number: i.Number, closed: i.State == "closed", title: i.Title, body: i.Description}
}

func (g *gitLab) list(ctx context.Context, since time.Time, fn func(issue)) error {
	q := url.Values{"state": {"all"}, "labels": {g.label}, "order_by": {"created_at"}, "sort": {"asc"}}
	if !since.IsZero() {
		q.Set("updated_after", since.UTC().Format(time.RFC3339))
	}
	return pages(ctx, g.rest, g.path, q, func(i gitLabIssue) { fn(i.issue()) })
}

func (g *gitLab) create(ctx context.Context, title, body string) (issue, error) {
	var made gitLabIssue
	err := g.call(ctx, http.MethodPost, g.path, nil, map[string]any{"title": title, "description": body, "labels": g.label, "confidential": true}, &made)
	return made.issue(), err
}

func (g *gitLab) edit(ctx context.Context, number int, e edit) error {
	change := map[string]any{"title": e.title, "description": e.body}
	switch e.state {
	case openState:
		change["state_event"] = "reopen"
	case closedState:
		change["state_event"] = "close"
	case keepState:
	}
	return g.call(ctx, http.MethodPut, g.numbered(number), nil, change, nil)
}

func (g *gitLab) numbered(number int) string { return g.path + "/" + strconv.Itoa(number) }

func (g *gitLab) comment(ctx context.Context, number int, body string) error {
	return g.call(ctx, http.MethodPost, g.numbered(number)+"/notes", nil, map[string]any{"body": body}, nil)
}

func (g *gitLab) comments(ctx context.Context, number int, fn func(string)) error {
	return pages(ctx, g.rest, g.numbered(number)+"/notes", url.Values{}, func(c struct {
		Body string `json:"body"`
	},
	) {
		fn(c.Body)
	})
}
