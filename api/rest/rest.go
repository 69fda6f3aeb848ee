// Package rest is the API of the server under /api/v1: what the registry knows
// and does, for people who signed in and machines that show a token. chi routes, huma reads
// and describes: the document that clients are made from is served at
// /openapi.json and kept beside this package.
//
// It promises: every operation says which scope it needs, and is refused
// without it before anything of the request is looked at. Errors are RFC 9457
// problems that never repeat what was sent. No answer holds a value, but for
// the token or link that was just made.
package rest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/jobs"
	"revenant/ingest/search"
)

// Options are what the API stands on.
type Options struct {
	Registry *registry.Registry
	Queue    jobs.Queue
	// Owner is who shows Token, which lies on the server's machine.
	Owner registry.Actor
	Token fingerprints.Value
	// Session is who shows the cookies of a header, registry.ErrNoSession for nobody;
	// nil: no cookie counts.
	Session func(ctx context.Context, cookies string) (registry.Actor, error)
	// BaseURL is how people reach the server, for links.
	BaseURL string
	// Terms say when sessions end.
	Terms registry.SessionTerms
	// Spec reads what a request wants watched: its error is for the sender, and
	// repeats nothing.
	Spec func(name string, scan []string, schedule, credential string) (registry.WatchSpec, error)
	// Refuse refuses texts that hold a registered value: they would be stored.
	Refuse func(ctx context.Context, texts ...string) error
	// Redact searches what is stored of where things were found for values that were
	// registered over the network, and returns how many texts were redacted.
	Redact func(ctx context.Context, a registry.Actor, need registry.Scope) (int, error)
	// Search is the index of findings, as it is now.
	Search func() *search.Index
	// LookUps is how many look-ups of values that no edge pack has an actor has in a day;
	// 0: none are answered.
	LookUps int
	// Wake has what is due looked up at once.
	Wake func()
	Now  func() time.Time
	Log  *slog.Logger
}

// Prefix is where the API's operations are.
const Prefix = "/api/v1"

// maxBody bounds a request, in bytes.
const maxBody = 1 << 20

type server struct {
	o         Options
	token     [sha256.Size]byte
	api       huma.API
	words     map[string]bool     // names of properties and parameters
	inputs    map[string][]string // names of what each operation takes, by its id
	listening atomic.Int64
	packs     packCache
}

// Mount adds the API to a router.
func Mount(r chi.Router, o Options) {
	s := newServer(r, o)
	s.token = sha256.Sum256(o.Token.Reveal())
	r.Get("/openapi.json", made("application/openapi+json", s.api.OpenAPI().MarshalJSON))
	r.Get("/api/docs", made("text/html; charset=utf-8", s.docs))
}

func newServer(r chi.Router, o Options) *server {
	s := &server{o: o}
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Revenant", Version: "v1",
			Description: "Registered secrets, their versions, and where copies of them were found. Names that hold a slash are sent with %2F. Times are RFC 3339 in UTC.",
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				tokenScheme:   {Type: "http", Scheme: "bearer", Description: "A token made by `revenant token add`; each operation says the scope that it has to have."},
				sessionScheme: {Type: "apiKey", In: "cookie", Name: "__Host-revenant-session", Description: "The cookie of somebody who signed in; without TLS it is called revenant-session. It counts on pages of the server's own origin alone."},
			},
		},
	}
	s.api = humachi.New(r, huma.Config{
		OpenAPI: doc, Formats: map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}, DefaultFormat: "application/json",
		RejectUnknownQueryParameters: true, Transformers: []huma.Transformer{s.quiet},
	})
	s.routes()
	s.describe()
	return s
}

// schemaName names schemas as their types are called; what an operation alone has
// is called by its type here, without the word Body.
func schemaName(t reflect.Type, hint string) string {
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Body")
}

const (
	tokenScheme   = "token"
	sessionScheme = "session"
)

func (s *server) routes() {
	s.secretRoutes()
	s.versionRoutes()
	s.findingRoutes()
	s.triageRoutes()
	s.searchRoutes()
	s.sourceRoutes()
	s.watchRoutes()
	s.adminRoutes()
	s.peopleRoutes()
	s.packRoutes()
	s.lookUpRoutes()
	s.scanRoutes()
	s.registrarRoutes()
	s.eventRoutes()
}

// route is an operation: where it is, what it needs, what it is for.
type route struct {
	id, method, path string
	scope            registry.Scope
	summary, long    string
	status           int                       // of success; 0: 200
	answers          map[string]*huma.Response // where one is no JSON
}

// operation describes a route.
func (s *server) operation(r route) huma.Operation {
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: Prefix + r.path, Summary: r.summary, Description: r.long, DefaultStatus: r.status, MaxBodyBytes: maxBody, Responses: r.answers,
		Tags:     []string{strings.Split(strings.TrimPrefix(r.path, "/"), "/")[0]},
		Security: []map[string][]string{{tokenScheme: scopesOf(r)}, {sessionScheme: scopesOf(r)}},
		Errors:   []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInternalServerError},
	}
	if r.method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if strings.Contains(r.path, "{") || r.method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusNotFound)
	}
	if r.method != http.MethodGet && strings.Contains(r.path, "{") {
		op.Errors = append(op.Errors, http.StatusPreconditionFailed)
		op.Parameters = append(op.Parameters, ifMatch())
	}
	if r.method == http.MethodPost {
		op.Parameters = append(op.Parameters, idempotencyKey())
	}
	slices.Sort(op.Errors)
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) { s.entitled(r, ctx, next) }}
	return op
}

func scopesOf(r route) []string {
	if r.scope == "" { // any token will do
		return []string{}
	}
	return []string{string(r.scope)}
}

// add registers an operation.
func add[I, O any](s *server, r route, fn func(context.Context, registry.Actor, *I) (*O, error)) {
	huma.Register(s.api, s.operation(r), func(ctx context.Context, in *I) (*O, error) {
		out, err := once(ctx, s, r, in, func() (*O, error) { return fn(s.onlyIf(ctx, r, in), actorOf(ctx), in) })
		if err != nil {
			return nil, s.problemOf(ctx, r.id, err)
		}
		return out, nil
	})
}

// asked is who asks, and what they show.
type asked struct {
	actor registry.Actor
	shown shown
	match string // If-Match
	key   string // Idempotency-Key
}

// shown is what says who somebody is: a header with a token, or cookies.
type shown struct{ authorization, cookies string }

type askedKey struct{}

func actorOf(ctx context.Context) registry.Actor {
	k, _ := ctx.Value(askedKey{}).(asked)
	return k.actor
}

func shownIn(ctx context.Context) shown {
	k, _ := ctx.Value(askedKey{}).(asked)
	return k.shown
}

// entitled lets those pass who show a token or a session with the route's scope.
func (s *server) entitled(r route, ctx huma.Context, next func(huma.Context)) {
	by := shown{ctx.Header("Authorization"), ctx.Header("Cookie")}
	a, err := s.authenticate(ctx.Context(), by)
	if err != nil {
		p := s.problemOf(ctx.Context(), r.id, err)
		if p.Status == http.StatusUnauthorized {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="revenant"`)
		}
		write(ctx, p)
		return
	}
	if r.scope != "" && !a.May(r.scope) {
		if r.method != http.MethodGet {
			err = s.o.Registry.Refuse(ctx.Context(), a, r.scope, r.id)
		} else {
			err = registry.ErrForbidden
		}
		p := needs(r.scope)
		if !errors.Is(err, registry.ErrForbidden) {
			p = s.problemOf(ctx.Context(), r.id, err)
		}
		write(ctx, p)
		return
	}
	if p := s.unfit(ctx); p != nil {
		write(ctx, p)
		return
	}
	next(huma.WithValue(ctx, askedKey{}, asked{a, by, ctx.Header("If-Match"), ctx.Header("Idempotency-Key")}))
}

// unfit is what keeps a request from being read as it is meant; nil: nothing.
func (s *server) unfit(ctx huma.Context) *problem {
	if len(ctx.Header("Idempotency-Key")) > 255 {
		return newProblem(http.StatusUnprocessableEntity, "invalid", "An Idempotency-Key has at most 255 characters.")
	}
	if e := ctx.Header("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return newProblem(http.StatusUnsupportedMediaType, "media-type", "The body is sent as it is: leave Content-Encoding out.")
	}
	return s.queryProblem(ctx.URL())
}

// errNoToken says that a request shows nothing.
var errNoToken = errors.New("show a token: Authorization: Bearer TOKEN, or sign in")

// authenticate finds out who asks. Cookies count where no header says anything.
func (s *server) authenticate(ctx context.Context, by shown) (registry.Actor, error) {
	if by.authorization == "" && by.cookies != "" && s.o.Session != nil {
		a, err := s.o.Session(ctx, by.cookies)
		if errors.Is(err, registry.ErrNoSession) {
			err = errNoToken
		}
		return a, err
	}
	scheme, token, _ := strings.Cut(by.authorization, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return registry.Actor{}, errNoToken
	}
	given := fingerprints.NewValue([]byte(token))
	if sum := sha256.Sum256(given.Reveal()); subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1 {
		return s.o.Owner, nil
	}
	return s.o.Registry.Authenticate(ctx, given)
}
