package main

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/api/guard"
	"revenant/api/rest"
	signin "revenant/api/session"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/credential"
	"revenant/ingest/settings"
)

// openSessions makes who signs people in.
func (v *server) openSessions() error {
	o := v.set.SignIn
	var provider *signin.Provider
	if o.OIDC.Issuer != "" {
		var err error
		if provider, err = v.provider(o.OIDC); err != nil {
			return err
		}
	}
	signIns := v.metrics.Counter("revenant_sign_ins_total", "Sign-ins to this process, by how they were tried and what became of them.", "way", "outcome")
	for _, way := range []string{"oidc", "token", "link"} {
		signIns.WithLabelValues(way, "signed-in")
	}
	var err error
	v.sessions, err = signin.New(signin.Options{
		Registry: v.shared.session.reg, BaseURL: v.set.BaseURL, Terms: terms(o), Provider: provider, Refuse: v.refuse,
		Locks: guard.NewLocks(v.a.now), Observe: func(way, outcome string) { signIns.WithLabelValues(way, outcome).Inc() }, Now: v.a.now, Log: v.log,
	})
	return err
}

func terms(o settings.SignIn) registry.SessionTerms {
	return registry.SessionTerms{Idle: o.Idle, Longest: o.Longest}
}

// provider is the identity provider of the configuration.
func (v *server) provider(o settings.OIDC) (*signin.Provider, error) {
	p := signin.ProviderOptions{
		Label: o.Label, Issuer: o.Issuer, ClientID: o.ClientID, BaseURL: v.set.BaseURL, Scopes: o.Scopes, GroupsClaim: o.GroupsClaim,
		Domains: o.Domains, Groups: o.Groups, Roles: map[string][]registry.Role{}, Teams: map[string][]string{},
		Client: &http.Client{Timeout: 10 * time.Second}, Now: v.a.now,
	}
	for _, g := range o.Grants {
		for _, r := range g.Roles {
			p.Roles[g.Group] = append(p.Roles[g.Group], registry.Role(r))
		}
		p.Teams[g.Group] = append(p.Teams[g.Group], g.Teams...)
	}
	if o.ClientSecret != "" {
		ref, err := credential.Parse(o.ClientSecret)
		if err != nil {
			return nil, err
		}
		p.Secret = func(ctx context.Context) (fingerprints.Value, error) { return credential.Resolver{}.Resolve(ctx, ref) }
	}
	return signin.NewProvider(p), nil
}

// guarded adds routes behind the guards: what a page of another origin sends is
// refused, and so is what is too much.
func (v *server) guarded(r chi.Router, routes ...func(chi.Router)) {
	refused := v.metrics.Counter("revenant_limited_requests_total", "Requests to this process that were not answered, because there were too many.").WithLabelValues()
	limits := guard.NewLimits(guard.LimitOptions{
		PerSender: v.set.Limits.Sender, PerAddress: v.set.Limits.Address, Credential: v.sessions.Credential, Refused: refused.Inc, Now: v.a.now,
	})
	r.Group(func(r chi.Router) {
		r.Use(limits.Handler, v.sessions.Guarded)
		for _, add := range routes {
			add(r)
		}
	})
}

// setupLasts is how long the link counts that the first administrator comes by.
const setupLasts = time.Hour

// offerSetup prints a link that signs the first administrator in, where nobody can
// sign in yet. It is in no log: whoever reads it first is the administrator.
func (v *server) offerSetup(ctx context.Context) {
	s := v.shared.session
	code, err := s.reg.SetupCode(ctx, s.actor, setupLasts)
	if err != nil {
		v.log.WarnContext(ctx, "no link for setting the server up could be made", slog.Any("error", err))
		return
	}
	if code.IsEmpty() {
		return
	}
	text := "Nobody can sign in yet. This link makes you the administrator, once, within the hour:\n  " + rest.LinkTo(v.set.BaseURL, string(code.Reveal())) + "\n"
	if err := writeAll(v.a.stdout, text); err != nil {
		v.log.WarnContext(ctx, "the link for setting the server up could not be printed")
	}
}

// proxies are those that are trusted.
func (v *server) proxies() (guard.Proxies, error) {
	return guard.ParseProxies(slices.Clone(v.set.TrustedProxies))
}
