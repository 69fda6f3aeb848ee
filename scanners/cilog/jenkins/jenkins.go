// Package jenkins reads the consoles of Jenkins' builds by its remote API.
//
// Each job is a project, wherever it is: in folders, as a branch of a multibranch
// project, in an organisation's folder. A project's id has the job's full name as
// Jenkins spells it, folders joined by slashes: there a branch feature/x is
// feature%2Fx, which its address encodes once more, and the id does not: decoded,
// it could be the name of another job.
//
// A build is a run. It has one log, with the path console: Jenkins writes the
// stages and parallel branches of a pipeline into one stream, and their parts
// cannot be told apart by its lines alone. A matrix build has one log more for
// each of its configurations, with the path CONFIGURATION/console.
//
// Numbers of builds grow, so that a rescan asks for those behind the mark; the
// mark knows the time of its build too, by which a job that was made anew under
// the same name is known. Whether a build that is not there any more was
// discarded by age or deleted by somebody Jenkins does not say: it counts as
// expired where all builds that are left are younger, else as deleted.
//
// It promises what package cilog asks of a project. It refuses to change
// anything on the server, and never waits for the end of a build.
package jenkins

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// Variables into which users are told to put their name and API token.
const (
	UserVariable  = "REVENANT_JENKINS_USER"
	TokenVariable = "REVENANT_JENKINS_TOKEN"
)

// Options say which server is read, and as whom.
type Options struct {
	// Server is its address, which may have a path. Required.
	Server string
	// User and Token, an API token of the user, go together; both empty: what
	// everybody may see is read.
	User, Token string
	// Rest holds the client's clock, patience and transport. Base, Authorize and
	// Kind are set here.
	Rest rest.Options
}

// Server is one Jenkins. Its methods may be called at once.
type Server struct {
	web       *rest.Client
	name      string // host, and path where it has one
	anonymous bool
	now       func() time.Time
}

// New returns a server; it sends nothing yet.
func New(o Options) (*Server, error) {
	if (o.User == "") != (o.Token == "") {
		return nil, fmt.Errorf("jenkins takes a user and an API token, both: %s and %s", UserVariable, TokenVariable)
	}
	r := o.Rest
	r.Base, r.Kind, r.Authorize = o.Server, kind, nil
	if o.User != "" {
		user, token := o.User, o.Token
		r.Authorize = func(q *http.Request) { q.SetBasicAuth(user, token) }
	}
	web, err := rest.New(r)
	if err != nil {
		return nil, err
	}
	s := &Server{web: web, name: rest.Name(web.Base()), anonymous: o.User == "", now: r.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// clock is the server's, or ours where it does not tell.
func (s *Server) clock(a rest.Answer) time.Time {
	if a.Date.IsZero() {
		return s.now()
	}
	return a.Date
}

// kind names what is asked for, for errors.
func kind(path string) string {
	switch {
	case strings.HasSuffix(path, "/consoleText"), strings.HasSuffix(path, "/progressiveText"):
		return "a build's console"
	case strings.Contains(path, "/job/"):
		return "a job"
	}
	return "the list of jobs"
}

// Counts returns what was asked until now.
func (s *Server) Counts() rest.Counts { return s.web.Counts() }

// Close lets go of connections.
func (s *Server) Close() { s.web.Close() }

// teach adds to an error what the user can do.
func (s *Server) teach(err error) error {
	var e *rest.Error
	switch {
	case !errors.As(err, &e) || !errors.Is(err, cilog.ErrDenied):
		return err
	case s.anonymous:
		return fmt.Errorf("%w; Jenkins shows this to nobody without a login: put a user and an API token of it into %s and %s", err, UserVariable, TokenVariable)
	case e.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w; %s must hold an API token (no password) of the user in %s", err, TokenVariable, UserVariable)
	}
	return fmt.Errorf("%w; the user needs the permissions Overall/Read and Job/Read", err)
}

// unknown says that there is no such job, or that it is hidden.
func (s *Server) unknown() error {
	hint := "names are those of its address, as in folder/job, where a branch feature/x is feature%2Fx; Jenkins hides jobs from users without Job/Read"
	if s.anonymous {
		hint += ": " + UserVariable + " and " + TokenVariable + " name one who has it"
	}
	return fmt.Errorf("%s: %w: %s", s.name, cilog.ErrNoProject, hint)
}

// odd says that an answer is none of Jenkins.
func (s *Server) odd(what string) error {
	return fmt.Errorf("%s: %w: %s", s.name, cilog.ErrUnreachable, what)
}
