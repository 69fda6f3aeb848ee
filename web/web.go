package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/fingerprints/registry"
	"revenant/ingest/jobs"
	"revenant/ingest/search"
)

// Options are what the dashboard stands on. All but SignIn are required.
type Options struct {
	Registry *registry.Registry
	Queue    jobs.Queue
	// Search is the index of findings, as it is now.
	Search func() *search.Index
	// Who is signed in, by what a request shows.
	Who func(*http.Request) (registry.Actor, bool)
	// Terms say when sessions end.
	Terms registry.SessionTerms
	// BaseURL is how people reach the server.
	BaseURL string
	// SignIn are the ways to sign in.
	SignIn SignIn
	// Refuse refuses texts that hold a registered value: they would be stored, or
	// repeated.
	Refuse func(ctx context.Context, texts ...string) error
	// Spec reads what a form wants watched, as the API's add-watch does: its error is
	// for the sender, and repeats nothing.
	Spec func(name string, scan []string, schedule, credential string) (registry.WatchSpec, error)
	// Wake has what is due looked up at once.
	Wake func()
	// Jobs are River's pages, below /jobs; nil: there are none.
	Jobs http.Handler
	Now  func() time.Time
	Log  *slog.Logger
}

// SignIn are the ways to sign in beside a token.
type SignIn struct {
	// OIDC is what people call the identity provider; "": there is none.
	OIDC string
}

// Web is the dashboard.
type Web struct{ s *server }

type server struct {
	o         Options
	assets    assets
	crosses   *http.CrossOriginProtection
	templates map[string]*template.Template // by page
}

// New reads templates and assets, which are part of the program.
func New(o Options) (*Web, error) {
	s := &server{o: o, crosses: http.NewCrossOriginProtection()}
	base, err := url.Parse(o.BaseURL)
	if err == nil {
		err = s.crosses.AddTrustedOrigin(base.Scheme + "://" + base.Host)
	}
	if err != nil {
		return nil, errors.New("the server's base URL is not an origin")
	}
	if s.assets, err = readAssets(); err != nil {
		return nil, fmt.Errorf("reading the dashboard's assets: %w", err)
	}
	if s.templates, err = s.parse(); err != nil {
		return nil, fmt.Errorf("reading the dashboard's templates: %w", err)
	}
	return &Web{s}, nil
}

// route is where a handler is, and what it needs.
type route struct {
	method string // "": GET
	path   string
	scope  registry.Scope // "": whoever is signed in
	do     handler
}

// handler makes a page of a request.
type handler func(*http.Request, registry.Actor) (page, error)

func (s *server) routes() []route {
	var out []route
	for _, list := range [][]route{s.overviewRoutes(), s.findingRoutes(), s.secretRoutes(), s.versionRoutes(), s.rotationRoutes(), s.traceRoutes(), s.placeRoutes(), s.sourceRoutes(), s.watchRoutes(), s.auditRoutes(), s.tokenRoutes(), s.peopleRoutes(), s.accountRoutes(), s.notificationRoutes(), s.decisionRoutes(), s.sourceMoveRoutes(), s.jobRoutes()} {
		out = append(out, list...)
	}
	return out
}

// Lost answers browsers whose address leads nowhere.
func (w *Web) Lost() http.Handler {
	s := w.s
	lost := s.answer(route{path: "/", do: func(*http.Request, registry.Actor) (page, error) { return page{}, errNoPage }})
	return s.guarded(lost)
}

// Mount adds the pages to a router.
func (w *Web) Mount(r chi.Router) {
	s := w.s
	r.Get("/static/*", s.assets.serve)
	r.Group(func(r chi.Router) {
		r.Use(s.guarded, s.crosses.Handler)
		r.Get("/sign-in", s.signIn)
		r.Post("/theme", s.setTheme)
		for _, x := range s.routes() {
			if x.method == "" {
				x.method = http.MethodGet
			}
			r.Method(x.method, x.path, s.answer(x))
		}
		r.Method(http.MethodGet, "/moved", http.HandlerFunc(s.moved))
	})
}
