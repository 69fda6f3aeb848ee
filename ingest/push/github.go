package push

import (
	"encoding/json"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

// githubPost is what is read of GitHub's payloads, and of Gitea's, which are
// made after them.
type githubPost struct {
	Action     string
	Ref        string
	RefType    string `json:"ref_type"`
	Before     string
	After      string
	Number     json.Number
	Repository forgeRepository
	PullPost   struct {
		Head struct{ SHA string }
	} `json:"pull_request"`
	WorkflowRun struct {
		ID      json.Number
		Attempt int `json:"run_attempt"`
	} `json:"workflow_run"`
	WorkflowJob struct {
		ID      json.Number
		RunID   json.Number `json:"run_id"`
		Attempt int         `json:"run_attempt"`
	} `json:"workflow_job"`
	Package         githubPackage
	RegistryPackage githubPackage `json:"registry_package"`
}

// forgeRepository is a repository of GitHub or Gitea.
type forgeRepository struct {
	Clone string `json:"clone_url"`
	SSH   string `json:"ssh_url"`
	Page  string `json:"html_url"`
}

type githubPackage struct {
	Type    string `json:"package_type"`
	Version struct {
		URL       string `json:"package_url"`
		Container struct {
			Tag struct{ Name, Digest string }
		} `json:"container_metadata"`
	} `json:"package_version"`
}

// parseGitHub reads a payload by the event that the header names.
func parseGitHub(p post) ([]Event, error) {
	kind, ok := only(p.header, "X-GitHub-Event")
	if !ok {
		return nil, errShape
	}
	var g githubPost
	if err := read(p.body, &g); err != nil {
		return nil, err
	}
	e := Event{Provider: GitHub, Delivery: token(p.header.Get("X-GitHub-Delivery"))}
	switch kind {
	case "push", "create", "delete", "pull_request", "gollum":
		return g.git(e, kind)
	case "workflow_run", "workflow_job":
		return g.run(e, kind)
	case "package", "registry_package":
		return g.image(e)
	}
	return nil, errIgnored
}

// git makes the event of a change of refs.
func (g *githubPost) git(e Event, kind string) ([]Event, error) {
	var (
		err error
		at  places
	)
	switch kind {
	case "push":
		e.Changes, err = oneChange(g.Ref, g.Before, g.After)
	case "create", "delete":
		e.Changes, err = named(g.RefType, g.Ref, kind == "delete")
	case "pull_request":
		e.Changes, err = g.pull()
	case "gollum":
		at.add(g.Repository.wiki()...)
	}
	if err != nil {
		return nil, err
	}
	if kind != "gollum" {
		at.add(g.Repository.Clone, g.Repository.SSH)
	}
	if len(at.ids) == 0 {
		return nil, errShape
	}
	e.Kind, e.Sources, e.Locations = fingerprints.KindGit, at.ids, at.urls
	return []Event{e}, nil
}

// named is the change of a ref that is only named; a repository that was created
// has none.
func named(kind, short string, deleted bool) ([]Change, error) {
	c := Change{Deleted: deleted}
	switch kind {
	case "branch":
		c.Ref = "refs/heads/" + strings.TrimPrefix(short, "refs/heads/")
	case "tag":
		c.Ref = "refs/tags/" + strings.TrimPrefix(short, "refs/tags/")
	default:
		return nil, errIgnored
	}
	if short == "" || !isRef(c.Ref) {
		return nil, errShape
	}
	return []Change{c}, nil
}

// pull is the change of a pull request's head: of one that comes from a fork no
// push tells the repository itself.
func (g *githubPost) pull() ([]Change, error) {
	switch g.Action {
	case "opened", "reopened", "synchronize", "synchronized":
	default:
		return nil, errIgnored
	}
	n := number(g.Number)
	if n == "" {
		return nil, errShape
	}
	after := g.After
	if after == "" {
		after = g.PullPost.Head.SHA
	}
	return []Change{{Ref: "refs/pull/" + n + "/head", Old: oid(g.Before), New: oid(after)}}, nil
}

// wiki is where a repository's wiki is.
func (r forgeRepository) wiki() (out []string) {
	for _, u := range []string{r.Clone, r.SSH} {
		if base, is := strings.CutSuffix(u, ".git"); is {
			out = append(out, base+".wiki.git")
		}
	}
	return out
}

// run makes the event of a run or a job that is over: before, its log cannot be
// had.
func (g *githubPost) run(e Event, kind string) ([]Event, error) {
	if g.Action != "completed" {
		return nil, errIgnored
	}
	e.Run = Run{ID: number(g.WorkflowRun.ID), Attempt: g.WorkflowRun.Attempt}
	if kind == "workflow_job" {
		e.Run = Run{ID: number(g.WorkflowJob.RunID), Attempt: g.WorkflowJob.Attempt, Job: number(g.WorkflowJob.ID)}
	}
	at, ok := webPlace(g.Repository.Page)
	if !ok || e.Run.ID == "" || e.Run.Attempt < 0 || kind == "workflow_job" && e.Run.Job == "" {
		return nil, errShape
	}
	e.Kind, e.Sources, e.Locations = fingerprints.KindCI, []string{"ci:github:" + at}, []string{g.Repository.Page}
	return []Event{e}, nil
}

// image makes the event of a container that was published.
func (g *githubPost) image(e Event) ([]Event, error) {
	p := g.Package
	if p.Type == "" {
		p = g.RegistryPackage
	}
	if !strings.EqualFold(p.Type, "container") && !strings.EqualFold(p.Type, "docker") || g.Action != "published" && g.Action != "updated" {
		return nil, errIgnored
	}
	id, repository, err := imagePlace(p.Version.URL)
	if err != nil {
		return nil, err
	}
	e.Kind, e.Sources, e.Locations = fingerprints.KindImage, []string{id}, []string{repository}
	e.Image = Image{Tag: imageTag(p.Version.Container.Tag.Name), Digest: digest(p.Version.Container.Tag.Digest)}
	return []Event{e}, nil
}

// imagePlace is the id of the repository that an image's name is in, and its
// name.
func imagePlace(text string) (id, repository string, err error) {
	text = strings.TrimSuffix(text, ":")
	if !printable(text, maxAddress) {
		return "", "", errShape
	}
	ref, err := name.ParseReference(text)
	if err != nil {
		return "", "", errShape
	}
	id = image.SourceID(ref.Context())
	return id, strings.TrimPrefix(id, "image:"), nil
}

// imageTag is a tag, or empty.
func imageTag(text string) string {
	if _, err := name.NewTag("registry.invalid/x:"+text, name.StrictValidation); err != nil || strings.ContainsAny(text, "/:") {
		return ""
	}
	return text
}

// digest is one of SHA-256 or SHA-512, or empty.
func digest(text string) string {
	method, hexed, _ := strings.Cut(text, ":")
	if (method == "sha256" && len(hexed) == 64 || method == "sha512" && len(hexed) == 128) && strings.Trim(hexed, "0123456789abcdef") == "" {
		return text
	}
	return ""
}
