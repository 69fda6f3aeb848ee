package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"revenant/api/guard"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// Provider is an identity provider that speaks OpenID Connect. What it says of
// itself is asked for at the first sign-in, and again while it does not answer: one
// that is down stops no server. It is safe for concurrent use.
type Provider struct {
	o    ProviderOptions
	mu   sync.Mutex
	conf *discovered
	down time.Time // when it did not answer
}

// ProviderOptions say which provider, and who of its people may do what.
type ProviderOptions struct {
	Label    string // what people call it; empty: its host
	Issuer   string // its address, as its tokens say
	ClientID string
	// Secret fetches the client's secret, each time; nil: the client has none.
	Secret  func(context.Context) (fingerprints.Value, error)
	BaseURL string   // of the server
	Scopes  []string // beside openid, profile and email
	// GroupsClaim holds the groups of a person; empty: groups.
	GroupsClaim string
	// Domains are those of which a confirmed address has to be, Groups those of which
	// one has to be had; empty: anybody's.
	Domains, Groups []string
	// Roles and Teams are what groups give; * is every group, and none.
	Roles map[string][]registry.Role
	Teams map[string][]string
	// Client sends requests to the provider; nil: http.DefaultClient.
	Client *http.Client
	Now    func() time.Time
}

// discovered is what a provider says of itself.
type discovered struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	at       time.Time
}

// NewProvider asks nobody yet.
func NewProvider(o ProviderOptions) *Provider {
	if o.GroupsClaim == "" {
		o.GroupsClaim = "groups"
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	return &Provider{o: o}
}

func (p *Provider) label() string {
	if p.o.Label != "" {
		return p.o.Label
	}
	_, rest, _ := strings.Cut(p.o.Issuer, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// patience bounds one exchange with the provider.
const patience = 10 * time.Second

// pause is how long a provider is left alone that did not answer: those who wait for
// it do not wait one after another.
const pause = 5 * time.Second

// fresh is how long what a provider says of itself is believed.
const fresh = 24 * time.Hour

// discover asks the provider for what it says of itself, unless that is known.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conf != nil && p.o.Now().Sub(p.conf.at) < fresh {
		return p.conf, nil
	}
	if p.conf == nil && p.o.Now().Sub(p.down) < pause {
		return nil, fmt.Errorf("asking the identity provider: %w", errProvider)
	}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	said, err := oidc.NewProvider(oidc.ClientContext(asked, p.o.Client), p.o.Issuer)
	if err != nil {
		p.down = p.o.Now()
		if p.conf != nil { // better than none
			p.conf.at = p.down.Add(pause - fresh)
			return p.conf, nil
		}
		return nil, fmt.Errorf("asking the identity provider: %w", errProvider)
	}
	// Keys are fetched when they are needed, long after this request.
	keys := oidc.ClientContext(context.WithoutCancel(ctx), &http.Client{Transport: p.o.Client.Transport, CheckRedirect: p.o.Client.CheckRedirect, Timeout: patience})
	p.conf = &discovered{
		oauth: oauth2.Config{
			ClientID: p.o.ClientID, Endpoint: said.Endpoint(), RedirectURL: p.o.BaseURL + "/auth/callback",
			Scopes: append([]string{oidc.ScopeOpenID, "profile", "email"}, p.o.Scopes...),
		},
		verifier: said.VerifierContext(keys, &oidc.Config{ClientID: p.o.ClientID, Now: p.o.Now}),
		at:       p.o.Now(),
	}
	return p.conf, nil
}

// errProvider stands for whatever the provider said: its words may hold codes.
var errProvider = errors.New("it does not answer, or what it says cannot be trusted")

// flight is one way to the provider and back. Everything that ties both ends
// together follows from what the browser's cookie holds.
type flight struct{ secret fingerprints.Value }

// part is one of the words of a flight; none tells another, nor the cookie.
func (f flight) part(what string) string {
	h := hmac.New(sha256.New, f.secret.Reveal())
	h.Write([]byte(what))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (f flight) state() string    { return f.part("state") }
func (f flight) nonce() string    { return f.part("nonce") }
func (f flight) verifier() string { return f.part("verifier") } // of PKCE

// depart sends a browser to the provider.
func (s *Server) depart(w http.ResponseWriter, r *http.Request) {
	const way = "oidc"
	ctx := r.Context()
	if s.o.Provider == nil {
		s.refuse(w, r, way, malformed, nil)
		return
	}
	if s.o.Locks.Wait(guard.Address(r)) > 0 {
		s.refuse(w, r, way, locked, nil)
		return
	}
	conf, err := s.o.Provider.discover(ctx)
	if err != nil {
		s.refuse(w, r, way, provider, err)
		return
	}
	shown, err := s.o.Registry.BeginFlight(ctx, local(r.URL.Query().Get("next")), flightLasts)
	if err != nil {
		s.refuse(w, r, way, wordOf(err), err)
		return
	}
	f := flight{shown}
	s.setCookie(w, flightCookie, shown, flightLasts)
	http.Redirect(w, r, conf.oauth.AuthCodeURL(f.state(), oidc.Nonce(f.nonce()), oauth2.S256ChallengeOption(f.verifier())), http.StatusSeeOther)
}

// arrive is where the provider sends the browser.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request) {
	const way = "oidc"
	w.Header().Set("Referrer-Policy", "no-referrer") // the code is in the address
	if s.o.Provider == nil {
		s.refuse(w, r, way, malformed, nil)
		return
	}
	f := flight{s.cookie(r.Header.Get("Cookie"), flightCookie)}
	s.dropCookie(w, flightCookie)
	next, word, err := s.landed(r, f)
	if word != "" {
		s.failed(r, way, word, "")
		s.refuse(w, r, way, word, err)
		return
	}
	who, err := s.o.Provider.claims(r.Context(), f, r.URL.Query().Get("code"))
	if err != nil {
		s.refuse(w, r, way, provider, err)
		return
	}
	s.vouched(w, r, way, next, who)
}

// landed checks that a browser comes back from where it was sent, once; else a word
// says why not.
func (s *Server) landed(r *http.Request, f flight) (next, word string, err error) {
	q := r.URL.Query()
	if s.o.Locks.Wait(guard.Address(r)) > 0 {
		return "", locked, nil
	}
	if f.secret.IsEmpty() || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.state())) != 1 {
		return "", tooLate, nil
	}
	if next, err = s.o.Registry.EndFlight(r.Context(), f.secret); errors.Is(err, registry.ErrBadCode) {
		return "", tooLate, err
	} else if err != nil {
		return "", wordOf(err), err
	}
	switch iss := q.Get("iss"); {
	case iss != "" && iss != s.o.Provider.o.Issuer: // another provider's answer (RFC 9207)
		return "", provider, errProvider
	case q.Get("error") != "":
		return "", notYours, nil
	case q.Get("code") == "" || len(q.Get("code")) > maxForm:
		return "", malformed, nil
	}
	return next, "", nil
}

// claimed is what the provider says of somebody.
type claimed struct {
	Issuer   string
	Subject  string
	Name     string   `json:"name"`
	Login    string   `json:"preferred_username"`
	Email    string   `json:"email"`
	Verified bool     `json:"-"` // the address
	Groups   []string `json:"-"`
}

// claims exchanges a code and checks what comes of it: issuer, audience, end,
// signature and nonce.
func (p *Provider) claims(ctx context.Context, f flight, code string) (claimed, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conf, err := p.discover(ctx)
	if err != nil {
		return claimed{}, err
	}
	oauth := conf.oauth
	if p.o.Secret != nil {
		secret, err := p.o.Secret(ctx)
		if err != nil {
			return claimed{}, fmt.Errorf("fetching the client's secret: %w", err)
		}
		oauth.ClientSecret = string(secret.Reveal())
	}
	token, err := oauth.Exchange(oidc.ClientContext(ctx, p.o.Client), code, oauth2.VerifierOption(f.verifier()))
	if err != nil {
		return claimed{}, fmt.Errorf("exchanging the code: %w", errProvider)
	}
	raw, is := token.Extra("id_token").(string)
	if !is {
		return claimed{}, fmt.Errorf("there is no id token: %w", errProvider)
	}
	id, err := conf.verifier.Verify(ctx, raw)
	if err != nil {
		return claimed{}, fmt.Errorf("checking the id token: %w", errProvider)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.nonce())) != 1 {
		return claimed{}, fmt.Errorf("the id token is of another sign-in: %w", errProvider)
	}
	return p.read(id)
}

func (p *Provider) read(id *oidc.IDToken) (claimed, error) {
	out := claimed{}
	all := map[string]any{}
	if id.Claims(&out) != nil || id.Claims(&all) != nil || id.Subject == "" {
		return claimed{}, fmt.Errorf("reading the id token: %w", errProvider)
	}
	out.Issuer, out.Subject = id.Issuer, id.Subject
	out.Verified = all["email_verified"] == true || all["email_verified"] == "true" // some write it so
	switch groups := all[p.o.GroupsClaim].(type) {
	case string:
		out.Groups = []string{groups}
	case []any:
		for _, g := range groups {
			if text, is := g.(string); is {
				out.Groups = append(out.Groups, text)
			}
		}
	}
	return out, nil
}

// admits reports whether somebody is one of those who are let in.
func (p *Provider) admits(who claimed) bool {
	if len(p.o.Domains) > 0 {
		_, domain, has := strings.Cut(who.Email, "@")
		if !has || !who.Verified || !slices.ContainsFunc(p.o.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
			return false
		}
	}
	return len(p.o.Groups) == 0 || slices.ContainsFunc(p.o.Groups, func(g string) bool { return slices.Contains(who.Groups, g) })
}

// given is what groups give.
func (p *Provider) given(groups []string) (roles []registry.Role, teams []string) {
	for _, g := range append([]string{"*"}, groups...) {
		roles, teams = append(roles, p.o.Roles[g]...), append(teams, p.o.Teams[g]...)
	}
	return roles, teams
}

// vouched signs in whom the provider vouches for.
func (s *Server) vouched(w http.ResponseWriter, r *http.Request, way, next string, who claimed) {
	ctx, known := r.Context(), "subject:"+who.Issuer+" "+who.Subject
	if s.o.Locks.Wait(known) > 0 {
		s.refuse(w, r, way, locked, nil)
		return
	}
	if !s.o.Provider.admits(who) {
		s.failed(r, way, notYours, known)
		s.refuse(w, r, way, notYours, nil)
		return
	}
	q := registry.Claims{Issuer: who.Issuer, Subject: who.Subject, Name: who.Login, Display: who.Name}
	if who.Verified {
		q.Name, q.Address = who.Email, who.Email
	}
	q.Roles, q.Teams = s.o.Provider.given(who.Groups)
	if s.o.Refuse != nil && s.o.Refuse(ctx, q.Name, q.Display, q.Address, q.Subject) != nil {
		q.Name, q.Display, q.Address = "", "", "" // a registered value is kept in none of them
	}
	in, err := s.o.Registry.SignInAs(ctx, q, s.shown(r.Header.Get("Cookie")), guard.Address(r), s.o.Terms)
	if err != nil {
		s.failed(r, way, wordOf(err), known)
		s.refuse(w, r, way, wordOf(err), err)
		return
	}
	s.o.Locks.Succeeded(guard.Address(r))
	s.signedIn(w, r, in, way, next)
}
