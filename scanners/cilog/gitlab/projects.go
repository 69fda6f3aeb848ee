package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// perPage is the most that GitLab gives at once.
const perPage = 100

// maxStale is how many pages in a row may bring nothing new.
const maxStale = 10

// Project is one project of a server; it implements cilog.Project.
type Project struct {
	s    *Server
	id   int64
	path string // as GitLab spells it
	keep time.Duration
	root string // projects/NUMBER, what references begin with
}

var _ cilog.Project = (*Project)(nil)

// project is one as the API describes it.
type project struct {
	ID     int64
	Path   string `json:"path_with_namespace"`
	Builds string `json:"builds_access_level"`
	// Keep is after how many seconds pipelines are removed; 0: never.
	Keep int64 `json:"ci_delete_pipelines_in_seconds"`
}

func (s *Server) project(p project) *Project {
	return &Project{s: s, id: p.ID, path: p.Path, keep: time.Duration(p.Keep) * time.Second, root: "projects/" + strconv.FormatInt(p.ID, 10)}
}

// Project finds one project by its path, as in group/subgroup/project, or its
// number.
func (s *Server) Project(ctx context.Context, name string) (*Project, error) {
	var p project
	_, err := s.web.JSON(ctx, "projects/"+escape(name), "", &p)
	switch {
	case errors.Is(err, rest.ErrNotFound):
		return nil, s.unknown()
	case err != nil:
		return nil, s.teach(err)
	case p.ID <= 0 || p.Path == "":
		return nil, fmt.Errorf("%s: %w: what it says of the project is not what GitLab says of one", s.name, cilog.ErrUnreachable)
	}
	return s.project(p), nil
}

// Projects finds a project or, where the name is a group's, all projects in it
// and in its subgroups, archived ones too. Projects of the group that have CI/CD
// switched off are left out: GitLab shows nothing of their pipelines.
func (s *Server) Projects(ctx context.Context, name string) ([]*Project, error) {
	p, err := s.Project(ctx, name)
	if err == nil {
		return []*Project{p}, nil
	}
	if !errors.Is(err, cilog.ErrNoProject) {
		return nil, err
	}
	return s.group(ctx, name)
}

func (s *Server) group(ctx context.Context, name string) ([]*Project, error) {
	ref := "groups/" + escape(name) + "/projects?include_subgroups=true&with_shared=false&order_by=id&sort=asc&per_page=" + strconv.Itoa(perPage)
	var out []*Project
	seen := map[int64]bool{}
	err := pages(ctx, s, ref, func(page []project, _ rest.Answer) int {
		before := len(seen)
		for _, p := range page {
			if p.ID <= 0 || p.Path == "" || seen[p.ID] {
				continue
			}
			if seen[p.ID] = true; p.Builds != "disabled" {
				out = append(out, s.project(p))
			}
		}
		return len(seen) - before
	})
	if errors.Is(err, rest.ErrNotFound) {
		return nil, s.unknown()
	}
	return out, s.teach(err)
}

// unknown says that there is neither project nor group, or that it is hidden.
func (s *Server) unknown() error {
	hint := "check the path, as in group/subgroup/project, and that the token's user is a member"
	if s.anonymous {
		hint = "check the path, as in group/subgroup/project; what is not public needs a token with the scope read_api in " + TokenVariable
	}
	return fmt.Errorf("%s: %w: %s", s.name, cilog.ErrNoProject, hint)
}

// pages asks for all pages of a list. take tells how much of a page is new: a
// list that only repeats itself is given up.
func pages[T any](ctx context.Context, s *Server, ref string, take func([]T, rest.Answer) int) error {
	for stale := 0; stale < maxStale; stale++ {
		var page []T
		a, err := s.web.JSON(ctx, ref, "", &page)
		if err != nil {
			return err
		}
		if take(page, a) > 0 {
			stale = -1
		}
		if a.Next == "" || len(page) == 0 {
			return nil
		}
		ref = a.Next
	}
	return s.endless()
}

func (s *Server) endless() error {
	return fmt.Errorf("%s: %w: a list that repeats itself without an end", s.name, cilog.ErrUnreachable)
}

// escape makes a path one segment of a reference.
func escape(name string) string { return url.PathEscape(strings.Trim(name, "/")) }

// ID implements cilog.Project.
func (p *Project) ID() string { return "ci:gitlab:" + p.s.name + "/" + p.path }

// Close implements cilog.Project. The server stays open: others may use it.
func (p *Project) Close() error { return nil }
