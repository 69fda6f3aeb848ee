package push

import (
	"strings"

	"revenant/fingerprints"
)

// giteaPackage is what Gitea and Forgejo say of a package.
type giteaPackage struct {
	Action  string
	Package struct {
		Type    string
		Name    string
		Version string
		Page    string `json:"html_url"`
		Owner   struct{ Login, Username string }
	}
}

// parseGitea reads a payload by the event that the header names: Gitea's own,
// Forgejo's, Gogs'.
func parseGitea(p post) ([]Event, error) {
	kind, delivery := "", ""
	for _, of := range []string{"X-Gitea-", "X-Forgejo-", "X-Gogs-"} {
		if len(p.header.Values(of+"Event")) == 0 {
			continue
		}
		text, ok := only(p.header, of+"Event")
		if !ok {
			return nil, errShape
		}
		kind, delivery = text, token(p.header.Get(of+"Delivery"))
		break
	}
	e := Event{Provider: Gitea, Delivery: delivery}
	switch kind {
	case "":
		return nil, errShape
	case "push", "create", "delete", "pull_request", "pull_request_sync":
		var g githubPost
		if err := read(p.body, &g); err != nil {
			return nil, err
		}
		return g.git(e, strings.TrimSuffix(kind, "_sync"))
	case "wiki":
		var g githubPost
		if err := read(p.body, &g); err != nil {
			return nil, err
		}
		return g.git(e, "gollum")
	case "package":
		return giteaImage(p, e)
	}
	return nil, errIgnored
}

// giteaImage makes the event of a container that was pushed or deleted.
func giteaImage(p post, e Event) ([]Event, error) {
	var g giteaPackage
	if err := read(p.body, &g); err != nil {
		return nil, err
	}
	k := g.Package
	if k.Type != "container" || g.Action != "created" && g.Action != "deleted" {
		return nil, errIgnored
	}
	owner := k.Owner.Login
	if owner == "" {
		owner = k.Owner.Username
	}
	page, ok := webPlace(k.Page)
	host, _, _ := strings.Cut(page, "/")
	if !ok || owner == "" || k.Name == "" {
		return nil, errShape
	}
	id, repository, err := imagePlace(host + "/" + strings.ToLower(owner) + "/" + k.Name)
	if err != nil {
		return nil, err
	}
	e.Kind, e.Sources, e.Locations = fingerprints.KindImage, []string{id}, []string{repository}
	e.Image = Image{Tag: imageTag(k.Version), Digest: digest(k.Version), Deleted: g.Action == "deleted"}
	return []Event{e}, nil
}
