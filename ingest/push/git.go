package push

import "revenant/fingerprints"

// gitPost is what a hook of git sends: where the repository is, and what
// changed. One ref may stand at the top.
type gitPost struct {
	URL     string
	URLs    []string // more addresses of the same repository
	Ref     string
	Old     string
	New     string
	Changes []struct{ Ref, Old, New string }
}

// maxURLs is how many addresses a repository may have.
const maxURLs = 10

func parseGit(p post) ([]Event, error) {
	var g gitPost
	if err := read(p.body, &g); err != nil {
		return nil, err
	}
	at := places{}
	for _, u := range append([]string{g.URL}, g.URLs[:min(len(g.URLs), maxURLs)]...) {
		at.add(u)
		at.addPath(u)
	}
	if len(at.ids) == 0 {
		return nil, errShape
	}
	e := Event{Kind: fingerprints.KindGit, Provider: Git, Delivery: token(p.header.Get("Webhook-Id")), Sources: at.ids, Locations: at.urls}
	if g.Ref != "" {
		c, ok := change(g.Ref, g.Old, g.New)
		if !ok {
			return nil, errShape
		}
		e.Changes = append(e.Changes, c)
	}
	for _, l := range g.Changes[:min(len(g.Changes), maxChanges)] {
		c, ok := change(l.Ref, l.Old, l.New)
		if !ok {
			return nil, errShape
		}
		e.Changes = append(e.Changes, c)
	}
	return []Event{e}, nil
}
