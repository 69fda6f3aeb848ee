package receivers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/ingest/credential"
	"revenant/ingest/notify"
)

const (
	gitHubAPI    = "https://api.github.com"
	defaultLabel = "revenant"
	perPage      = 100
	// maxPages bounds a list: 100,000 issues.
	maxPages = 1000
)

// rest is what GitHub's and GitLab's APIs have in common.
type rest struct {
	client client
	base   string
	token  credential.Ref
	header func(h http.Header, token string)
}

// call sends a request, with a body where there is one, and reads the answer into
// what is not nil.
func (r rest) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	token, err := r.client.secret(ctx, r.token)
	if err != nil {
		return err
	}
	var content []byte
	if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
	}
	address := r.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := request(ctx, method, address, content)
	if err != nil {
		return err
	}
	r.header(req.Header, string(token))
	return r.client.ask(req, into)
}

// pages asks for page after page until one is not full.
func pages[T any](ctx context.Context, r rest, path string, query url.Values, fn func(T)) error {
	query.Set("per_page", strconv.Itoa(perPage))
	for page := 1; page <= maxPages; page++ {
		query.Set("page", strconv.Itoa(page))
		var list []T
		if err := r.call(ctx, http.MethodGet, path, query, nil, &list); err != nil {
			return err
		}
		for _, x := range list {
			fn(x)
		}
		if len(list) < perPage {
			return nil
		}
	}
	return &notify.SendError{Words: "it has more issues with our label than can be looked through"}
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

type gitHub struct {
	rest
	path, label string
}

func newGitHub(c notify.GitHub, web client) *gitHub {
	return &gitHub{
		path: "/repos/" + c.Repository + "/issues", label: orDefault(c.Label, defaultLabel),
		rest: rest{client: web, base: strings.TrimSuffix(orDefault(c.API, gitHubAPI), "/"), token: c.Token, header: func(h http.Header, token string) {
			h.Set("Authorization", "Bearer "+token)
			h.Set("Accept", "application/vnd.github+json")
			h.Set("X-GitHub-Api-Version", "2022-11-28")
		}},
	}
}

type gitHubIssue struct {
	Number int             `json:"number"`
	State  string          `json:"state"`
	Title  string          `json:"title"`
	Body   string          `json:"body"`
	Pull   json.RawMessage `json:"pull_request"`
}

func (i gitHubIssue) issue() issue {
	return issue{number: i.Number, closed: i.State == "closed", title: i.Title, body: i.Body}
}

func (g *gitHub) list(ctx context.Context, since time.Time, fn func(issue)) error {
	// In order of making: what changes meanwhile does not move between pages.
	q := url.Values{"state": {"all"}, "labels": {g.label}, "sort": {"created"}, "direction": {"asc"}}
	if !since.IsZero() {
		q.Set("since", since.UTC().Format(time.RFC3339))
	}
	return pages(ctx, g.rest, g.path, q, func(i gitHubIssue) {
		if len(i.Pull) == 0 {
			fn(i.issue())
		}
	})
}

func (g *gitHub) create(ctx context.Context, title, body string) (issue, error) {
	var made gitHubIssue
	err := g.call(ctx, http.MethodPost, g.path, nil, map[string]any{"title": title, "body": body, "labels": []string{g.label}}, &made)
	return made.issue(), err
}

func (g *gitHub) edit(ctx context.Context, number int, e edit) error {
	change := map[string]any{"title": e.title, "body": e.body}
	switch e.state {
	case openState:
		change["state"], change["state_reason"] = "open", "reopened"
	case closedState:
		change["state"], change["state_reason"] = "closed", "completed"
	case keepState:
	}
	return g.call(ctx, http.MethodPatch, g.numbered(number), nil, change, nil)
}

func (g *gitHub) numbered(number int) string { return g.path + "/" + strconv.Itoa(number) }

func (g *gitHub) comment(ctx context.Context, number int, body string) error {
	return g.call(ctx, http.MethodPost, g.numbered(number)+"/comments", nil, map[string]any{"body": body}, nil)
}

func (g *gitHub) comments(ctx context.Context, number int, fn func(string)) error {
	return pages(ctx, g.rest, g.numbered(number)+"/comments", url.Values{}, func(c struct {
		Body string `json:"body"`
	},
	) {
		fn(c.Body)
	})
}
