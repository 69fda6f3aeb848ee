// Package session signs people in and out: with an identity provider (OpenID
// Connect), with a token, or with a link that counts once. From then on the
// browser shows a cookie.
//
// It promises: a cookie is 256 random bits that no script can read and of which
// the store holds a hash; it is new after every sign-in; who is disabled, loses a
// role, or whose token is revoked, loses it with the next request. No code, token
// or cookie is in a log, an error or an answer. What a page of another origin
// sends is refused.
//
// It refuses to send anybody to another server but the identity provider.
package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/api/guard"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// Options are what a Server stands on.
type Options struct {
	Registry *registry.Registry
	// BaseURL is how people reach the server; where it begins with https, cookies go
	// over TLS alone.
	BaseURL string
	Terms   registry.SessionTerms
	// Provider is the identity provider; nil: there is none.
	Provider *Provider
	// Refuse refuses texts that hold a registered value: they would be stored.
	Refuse func(ctx context.Context, texts ...string) error
	// Locks keep those away who fail again and again.
	Locks *guard.Locks
	// Observe is told how sign-ins end: the way, and a word for the outcome; nil:
	// nobody is.
	Observe func(way, outcome string)
	Now     func() time.Time
	Log     *slog.Logger
}

// Server signs in and out. It is safe for concurrent use.
type Server struct {
	o       Options
	secure  bool
	crosses *http.CrossOriginProtection
}

// New checks the options.
func New(o Options) (*Server, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" {
		return nil, errors.New("signing in: the server's base URL is not one")
	}
	s := &Server{o: o, secure: base.Scheme == "https", crosses: http.NewCrossOriginProtection()}
	if err := s.crosses.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, errors.New("signing in: the server's base URL is not an origin")
	}
	s.crosses.SetDenyHandler(http.HandlerFunc(denied))
	return s, nil
}

// Mount adds the routes.
func (s *Server) Mount(r chi.Router) {
	r.Get("/auth/oidc", s.depart)
	r.Get("/auth/callback", s.arrive)
	r.Post("/auth/token", s.byToken)
	r.Post("/auth/sign-out", s.signOut)
	r.Get("/auth/setup", s.byLink)
}

// Way is a way to sign in.
type Way struct {
	ID    string // oidc or token
	Label string // what people call the provider; empty for a token
	Path  string // where it begins
}

// Ways are the ways to sign in, the first one first.
func (s *Server) Ways() []Way {
	var out []Way
	if s.o.Provider != nil {
		out = append(out, Way{ID: "oidc", Label: s.o.Provider.label(), Path: "/auth/oidc"})
	}
	return append(out, Way{ID: "token", Path: "/auth/token"})
}

// Who is who sends a request with a cookie; false for nobody. A request that shows a
// token in its Authorization header is nobody's session.
func (s *Server) Who(r *http.Request) (registry.Actor, bool) {
	if r.Header.Get("Authorization") != "" {
		return registry.Actor{}, false
	}
	a, err := s.Actor(r.Context(), r.Header.Get("Cookie"))
	if err != nil && !errors.Is(err, registry.ErrNoSession) {
		s.o.Log.WarnContext(r.Context(), "a session could not be looked up", slog.Any("error", err))
	}
	return a, err == nil
}

// Me is Who with what they may know of themselves.
func (s *Server) Me(r *http.Request) (registry.Me, bool) {
	a, ok := s.Who(r)
	if !ok {
		return registry.Me{}, false
	}
	me, err := s.o.Registry.Me(r.Context(), a)
	return me, err == nil
}

// Actor is who shows the cookies of a header; registry.ErrNoSession for nobody.
func (s *Server) Actor(ctx context.Context, cookies string) (registry.Actor, error) {
	shown := s.shown(cookies)
	if shown.IsEmpty() {
		return registry.Actor{}, registry.ErrNoSession
	}
	return s.o.Registry.Session(ctx, shown, s.o.Terms)
}

// signedIn gives the browser its session, and sends it on.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request, in registry.SignedIn, way, next string) {
	s.observe(way, "signed-in")
	s.setCookie(w, sessionCookie, in.Shown, in.Ends.Sub(s.o.Now()))
	http.Redirect(w, r, local(next), http.StatusSeeOther)
}

func (s *Server) observe(way, outcome string) {
	if s.o.Observe != nil {
		s.o.Observe(way, outcome)
	}
}

// The words that /sign-in?error= is given.
const (
	badToken  = "token"    // it is none, was revoked, or has expired
	badLink   = "link"     // it was used, or its time is over
	locked    = "locked"   // too many tries failed: wait
	disabled  = "disabled" // the person is
	noRole    = "no-role"  // nobody gave the person one
	notYours  = "denied"   // the provider's people are not all let in
	tooLate   = "expired"  // the way to the provider and back took too long, or was gone twice
	provider  = "provider" // it is away, or says what cannot be trusted
	busy      = "busy"     // too many are signing in
	away      = "away"     // the store cannot be used now
	malformed = "malformed"
	internal  = "internal"
)

// wordOf is the word for an error of the registry.
func wordOf(err error) string {
	for word, target := range map[string]error{
		badToken: registry.ErrBadToken, badLink: registry.ErrBadCode, disabled: registry.ErrDisabled, noRole: registry.ErrNoRole, busy: registry.ErrBusy,
	} {
		if errors.Is(err, target) {
			return word
		}
	}
	if store.Away(err) {
		return away
	}
	return internal
}

// refuse sends a browser back to the page for signing in, and has the refusal
// recorded: in which way it came, and why it failed; cause is logged where it is the
// server's own.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, way, word string, cause error) {
	ctx := r.Context()
	s.observe(way, word)
	switch word {
	case internal, away, provider:
		s.o.Log.WarnContext(ctx, "somebody could not be signed in", slog.String("way", way), slog.String("why", word), slog.Any("error", cause))
	}
	if word != away && word != locked && s.o.Locks.Record() {
		s.record(r, way, word, "")
	}
	to := "/sign-in?error=" + word
	if next := local(r.PostForm.Get("next")); next != "/" {
		to += "&next=" + url.QueryEscape(next)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Server) record(r *http.Request, way, word, who string) {
	if err := s.o.Registry.RefuseSignIn(r.Context(), who, way, word, guard.Address(r)); err != nil {
		s.o.Log.WarnContext(r.Context(), "a refused sign-in could not be recorded", slog.String("way", way))
	}
}

// local is a path of this server; "/" for anything else.
func local(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil, len(next) > 2048, u.Scheme != "", u.Host != "", u.User != nil, u.Opaque != "",
		!strings.HasPrefix(u.Path, "/"), strings.HasPrefix(u.Path, "//"), strings.ContainsAny(next, "\\\r\n\t"),
		strings.HasPrefix(u.Path, "/auth/"):
		return "/"
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, Fragment: u.Fragment}).String()
}

// maxForm bounds what is sent for signing in, in bytes.
const maxForm = 16 << 10

// flightLasts is how long signing in with a provider may take.
const flightLasts = 10 * time.Minute

// value keeps what is shown from being printed.
func value(text string) fingerprints.Value { return fingerprints.NewValue([]byte(text)) }
