package push

import (
	"encoding/json"
	"slices"

	"revenant/fingerprints"
)

// gitlabPost is what is read of GitLab's payloads: of project, group and system
// hooks. Jobs are described at the top, pipelines and merge requests below
// object_attributes.
type gitlabPost struct {
	Kind      string `json:"object_kind"`
	EventName string `json:"event_name"` // of system hooks
	Ref       string
	Before    string
	After     string
	Project   gitlabProject
	Changes   json.RawMessage // of repository_update a list, of others an object
	Wiki      struct {
		HTTP string `json:"git_http_url"`
		SSH  string `json:"git_ssh_url"`
	}
	Attributes struct {
		ID     json.Number
		IID    json.Number
		Status string
		Action string
		OldRev string              `json:"oldrev"`
		Last   struct{ ID string } `json:"last_commit"`
	} `json:"object_attributes"`
	JobID      json.Number `json:"build_id"`
	JobStatus  string      `json:"build_status"`
	PipelineID json.Number `json:"pipeline_id"`
}

type gitlabProject struct {
	Page string `json:"web_url"`
	HTTP string `json:"git_http_url"`
	SSH  string `json:"git_ssh_url"`
}

// parseGitLab reads a payload by what it says that it is: of system hooks the
// header does not tell.
func parseGitLab(p post) ([]Event, error) {
	var g gitlabPost
	if err := read(p.body, &g); err != nil {
		return nil, err
	}
	id := p.header.Get("Webhook-Id")
	if id == "" {
		id = p.header.Get("Idempotency-Key")
	}
	if id == "" {
		id = p.header.Get("X-Gitlab-Event-Uuid")
	}
	e := Event{Provider: GitLab, Delivery: token(id)}
	kind := g.Kind
	if kind == "" {
		kind = g.EventName
	}
	switch kind {
	case "":
		return nil, errShape
	case "push", "tag_push", "repository_update", "merge_request", "wiki_page":
		return g.git(e, kind)
	case "build", "pipeline":
		return g.run(e, kind)
	}
	return nil, errIgnored
}

func (g *gitlabPost) git(e Event, kind string) ([]Event, error) {
	var err error
	at := places{}
	switch kind {
	case "push", "tag_push":
		e.Changes, err = oneChange(g.Ref, g.Before, g.After)
	case "repository_update":
		e.Changes, err = g.updates()
	case "merge_request":
		e.Changes, err = g.merge()
	case "wiki_page":
		at.add(g.Wiki.HTTP, g.Wiki.SSH)
	}
	if err != nil {
		return nil, err
	}
	if kind != "wiki_page" {
		at.add(g.Project.HTTP, g.Project.SSH)
	}
	if len(at.ids) == 0 {
		return nil, errShape
	}
	e.Kind, e.Sources, e.Locations = fingerprints.KindGit, at.ids, at.urls
	return []Event{e}, nil
}

// updates are the refs that one push changed; a push of many refs has no other
// hook.
func (g *gitlabPost) updates() ([]Change, error) {
	var list []struct{ Before, After, Ref string }
	if err := read(g.Changes, &list); err != nil {
		return nil, err
	}
	var out []Change
	for _, l := range list[:min(len(list), maxChanges)] {
		if c, ok := change(l.Ref, l.Before, l.After); ok {
			out = append(out, c)
		}
	}
	return out, nil
}

// merge is the change of a merge request's head.
func (g *gitlabPost) merge() ([]Change, error) {
	a := g.Attributes
	if a.Action != "open" && a.Action != "reopen" && (a.Action != "update" || a.OldRev == "") {
		return nil, errIgnored
	}
	n := number(a.IID)
	if n == "" {
		return nil, errShape
	}
	return []Change{{Ref: "refs/merge-requests/" + n + "/head", Old: oid(a.OldRev), New: oid(a.Last.ID)}}, nil
}

// run makes the event of a pipeline or a job that is over.
func (g *gitlabPost) run(e Event, kind string) ([]Event, error) {
	status := g.Attributes.Status
	e.Run.ID = number(g.Attributes.ID)
	if kind == "build" {
		status = g.JobStatus
		e.Run = Run{ID: number(g.PipelineID), Job: number(g.JobID)}
	}
	if !slices.Contains([]string{"success", "failed", "canceled"}, status) {
		return nil, errIgnored
	}
	at, ok := webPlace(g.Project.Page)
	if !ok || e.Run.ID == "" || kind == "build" && e.Run.Job == "" {
		return nil, errShape
	}
	e.Kind, e.Sources, e.Locations = fingerprints.KindCI, []string{"ci:gitlab:" + at}, []string{g.Project.Page}
	return []Event{e}, nil
}
