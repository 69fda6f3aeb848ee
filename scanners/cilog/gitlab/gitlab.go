// Package gitlab reads the logs of GitLab's pipelines by its REST API, version 4.
//
// A pipeline is a run, child pipelines are runs of their own, and each job that
// ran is a log, those that were tried again too. Where it is asked for, what jobs
// kept as artifacts is another log beside it, at JOB/@artifacts.
//
// The list of pipelines is asked for by the time of their last change, which
// GitLab moves whenever a job of theirs is tried again or played: what did not
// change since the last scan is not asked for. It is walked by that time and not
// by page numbers, which a server with many pipelines refuses and which shift
// when a pipeline is deleted. Child pipelines are left out of that list and
// asked for by a second; servers before 17.0 have no such list, and there the
// jobs that start them are asked for, pipeline by pipeline.
//
// It promises what package cilog asks of a project. It refuses to change
// anything on the server: what it asks for needs the scope read_api.
package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// DefaultServer is GitLab's own.
const DefaultServer = "https://gitlab.com"

// TokenVariable is where users are told to put the token.
const TokenVariable = "REVENANT_GITLAB_TOKEN"

// TokenKind says how a token is presented.
type TokenKind int

// Kinds of tokens.
const (
	// AccessToken is a personal, project or group access token.
	AccessToken TokenKind = iota
	// OAuthToken is one that GitLab gave to an application for a user.
	OAuthToken
	// JobToken is CI_JOB_TOKEN of a job that is running. GitLab lets it list the
	// jobs of pipelines that are known and read artifacts, but at present (18)
	// neither list pipelines nor read logs.
	JobToken
)

// Options say which server is read, and as whom.
type Options struct {
	// Server is its address, which may have a path; empty: DefaultServer.
	Server string
	// Token may be empty: then only what everybody may see can be listed, and logs
	// cannot be read.
	Token string
	Kind  TokenKind
	// Artifacts: what jobs kept is read too.
	Artifacts bool
	// Rest holds the client's clock, patience and transport. Base, Authorize,
	// Header, Limit and Kind are set here.
	Rest rest.Options
}

// Server is one GitLab. Its methods may be called at once.
type Server struct {
	web       *rest.Client
	name      string // host, and path where it has one
	anonymous bool
	artifacts bool
	now       func() time.Time

	mu  sync.Mutex
	old *bool // before 17.0; nil: not yet asked
}

// Client returns a client of the server's API as a Server uses it, and the name by
// which ids name the server: its host, and its path where it has one. The caller
// closes it.
func (o Options) Client() (api *rest.Client, name string, err error) {
	if o.Server == "" {
		o.Server = DefaultServer
	}
	r := o.Rest
	r.Base = strings.TrimRight(o.Server, "/") + "/api/v4"
	r.Header = http.Header{"Accept": {"application/json"}}
	r.Limit, r.Kind = limits, kind
	r.Authorize = authorize(o.Token, o.Kind)
	api, err = rest.New(r)
	if err != nil {
		return nil, "", err
	}
	return api, rest.Name(strings.TrimSuffix(api.Base(), "/api/v4/")), nil
}

// New returns a server; it sends nothing yet.
func New(o Options) (*Server, error) {
	web, name, err := o.Client()
	if err != nil {
		return nil, err
	}
	s := &Server{web: web, name: name, anonymous: o.Token == "", artifacts: o.Artifacts, now: o.Rest.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

func authorize(token string, k TokenKind) func(*http.Request) {
	if token == "" {
		return nil
	}
	return func(r *http.Request) {
		switch k {
		case OAuthToken:
			r.Header.Set("Authorization", "Bearer "+token)
		case JobToken:
			r.Header.Set("JOB-TOKEN", token)
		case AccessToken:
			r.Header.Set("PRIVATE-TOKEN", token)
		}
	}
}

// limits reads GitLab's headers: the reset is in seconds since 1970.
func limits(h http.Header) (int, time.Time, bool) {
	left, err := strconv.Atoi(h.Get("RateLimit-Remaining"))
	reset, err2 := strconv.ParseInt(h.Get("RateLimit-Reset"), 10, 64)
	return left, time.Unix(reset, 0), err == nil && err2 == nil
}

// kind names what is asked for, for errors.
func kind(path string) string {
	for _, k := range []struct{ end, name string }{
		{"/version", "its version"},
		{"/pipelines", "the list of pipelines"},
		{"/bridges", "a pipeline's child pipelines"},
		{"/jobs", "the jobs of a pipeline"},
		{"/trace", "a job's log"},
		{"/artifacts", "a job's artifacts"},
		{"/projects", "a group's projects"},
	} {
		if strings.HasSuffix(path, k.end) {
			return k.name
		}
	}
	if strings.Contains(path, "/pipelines/") {
		return "a pipeline"
	}
	return "the project"
}

// Counts returns what was asked until now.
func (s *Server) Counts() rest.Counts { return s.web.Counts() }

// Close lets go of connections.
func (s *Server) Close() { s.web.Close() }

// lacksChildren reports whether the server is older than 17.0, whose list of
// pipelines has no child pipelines. A token that may not learn the version is
// one of a newer server: older ones told every user.
func (s *Server) lacksChildren(ctx context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.old != nil {
		return *s.old, nil
	}
	var v struct{ Version string }
	_, err := s.web.JSON(ctx, "version", "", &v)
	if err != nil && !errors.Is(err, cilog.ErrDenied) && !errors.Is(err, rest.ErrNotFound) {
		return false, err
	}
	major, _, _ := strings.Cut(v.Version, ".")
	n, err := strconv.Atoi(major)
	old := err == nil && n < 17
	s.old = &old
	return old, nil
}

// teach adds to an error what the user can do.
func (s *Server) teach(err error) error {
	var e *rest.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Status == http.StatusUnauthorized && s.anonymous:
		return fmt.Errorf("%w; GitLab shows logs to nobody without a token: put one with the scope read_api into %s", err, TokenVariable)
	case e.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w; the token must be valid and have the scope read_api, which CI_JOB_TOKEN has not: put one that has it into %s", err, TokenVariable)
	case e.Status == http.StatusForbidden && errors.Is(err, cilog.ErrDenied):
		return fmt.Errorf("%w; it needs the scope read_api and the role Reporter (Developer, where a job ran with CI_DEBUG_TRACE), and the project needs CI/CD switched on", err)
	}
	return err
}
