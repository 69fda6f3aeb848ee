package jenkins

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// maxDepth is how deep folders may lie in folders; Jenkins cannot go that deep
// on most file systems.
const maxDepth = 20

// Project is one job of a server; it implements cilog.Project.
type Project struct {
	s    *Server
	full string // its full name
	root string // what references begin with; ends in a slash
}

var _ cilog.Project = (*Project)(nil)

// item is a job or a folder as the API describes it: a folder has jobs, be it
// none. Of a folder's folders one job is asked for, to tell them from jobs.
type item struct {
	Name string
	Full string `json:"fullName"`
	Jobs *[]item
}

const itemTree = "fullName,jobs[name,jobs[name]{0,1}]"

// Projects finds a job by its full name or, where the name is a folder's, a
// multibranch project's or an organisation's, all jobs in it, however deep; the
// empty name is the server's. Jobs come in the order in which Jenkins lists them.
func (s *Server) Projects(ctx context.Context, name string) ([]*Project, error) {
	name = strings.Trim(name, "/")
	it, err := s.item(ctx, name)
	switch {
	case errors.Is(err, rest.ErrNotFound):
		return nil, s.unknown()
	case err != nil:
		return nil, s.teach(err)
	case name == "" && it.Jobs == nil:
		return nil, s.odd("what it says of itself is not what Jenkins says")
	}
	if strings.EqualFold(it.Full, name) {
		name = it.Full // it takes every spelling
	}
	if it.Jobs == nil {
		return []*Project{s.project(name)}, nil
	}
	var out []*Project
	if err := s.folder(ctx, name, it, 1, &out); err != nil {
		return nil, s.teach(err)
	}
	return out, nil
}

// folder appends the jobs of a folder that was asked for.
func (s *Server) folder(ctx context.Context, name string, it item, depth int, out *[]*Project) error {
	if depth > maxDepth {
		return s.odd("its folders lie in each other without an end")
	}
	seen := map[string]bool{}
	for _, child := range *it.Jobs {
		if child.Name == "" || seen[child.Name] || strings.Contains(child.Name, "/") {
			continue
		}
		seen[child.Name] = true
		full := strings.TrimPrefix(name+"/"+child.Name, "/")
		if child.Jobs == nil {
			*out = append(*out, s.project(full))
			continue
		}
		if len(*child.Jobs) == 0 {
			continue
		}
		inner, err := s.item(ctx, full)
		if errors.Is(err, rest.ErrNotFound) || err == nil && inner.Jobs == nil {
			continue // removed meanwhile
		}
		if err != nil {
			return err
		}
		if err := s.folder(ctx, full, inner, depth+1, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) item(ctx context.Context, name string) (it item, err error) {
	_, err = s.web.JSON(ctx, path(name)+query(itemTree), "", &it)
	return it, err
}

func (s *Server) project(full string) *Project {
	return &Project{s: s, full: full, root: path(full)}
}

// path is a full name as references have it: job/FOLDER/job/NAME/.
func path(full string) string {
	if full == "" {
		return ""
	}
	var b strings.Builder
	for name := range strings.SplitSeq(full, "/") {
		b.WriteString("job/" + url.PathEscape(name) + "/")
	}
	return b.String()
}

// query asks for a part of what the API knows of something.
func query(tree string) string { return "api/json?tree=" + url.QueryEscape(tree) }

// ID implements cilog.Project.
func (p *Project) ID() string { return "ci:jenkins:" + p.s.name + "/" + p.full }

// Close implements cilog.Project. The server stays open: others may use it.
func (p *Project) Close() error { return nil }
