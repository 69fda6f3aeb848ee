package settings

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"revenant/fingerprints/registry"
)

// Limits bound how much is asked for, in requests of a minute; 0: without bounds.
type Limits struct {
	Sender  int `koanf:"sender"`  // with one token or session
	Address int `koanf:"address"` // from one address
}

// LookUps say how often hooks and pipelines may ask about values that no edge pack
// has.
type LookUps struct {
	Daily int `koanf:"daily"` // of one token, of 64 values each; 0: none is answered
}

// SignIn says how people sign in, and for how long.
type SignIn struct {
	Idle    time.Duration `koanf:"idle"`    // a session ends that was not used for so long
	Longest time.Duration `koanf:"longest"` // and after that long in any case
	OIDC    OIDC          `koanf:"oidc"`
}

// OIDC is an identity provider that speaks OpenID Connect; without an issuer there
// is none.
type OIDC struct {
	Label        string   `koanf:"label"`  // what people call it
	Issuer       string   `koanf:"issuer"` // its address, as its tokens say
	ClientID     string   `koanf:"client_id"`
	ClientSecret string   `koanf:"client_secret"` // a reference
	Scopes       []string `koanf:"scopes"`        // beside openid, profile and email
	GroupsClaim  string   `koanf:"groups_claim"`  // empty: groups
	Domains      []string `koanf:"domains"`       // of confirmed addresses; empty: any
	Groups       []string `koanf:"groups"`        // one of which has to be had; empty: none has
	Grants       []Grant  `koanf:"grants"`
}

// Grant is what the people of a group are given while they are in it; of * everybody
// is.
type Grant struct {
	Group string   `koanf:"group"`
	Roles []string `koanf:"roles"`
	Teams []string `koanf:"teams"`
}

// checkPeople looks at who signs in, and from where.
func (s *Settings) checkPeople() error {
	for _, p := range s.TrustedProxies {
		_, nerr := netip.ParsePrefix(p)
		_, aerr := netip.ParseAddr(p)
		if nerr != nil && aerr != nil {
			return errors.New("trusted_proxies: addresses and networks, as in 10.0.0.0/8")
		}
	}
	switch {
	case s.Limits.Sender < 0 || s.Limits.Address < 0:
		return errors.New("limits: requests of a minute; 0 is without bounds")
	case s.LookUps.Daily < 0 || s.LookUps.Daily > 10_000:
		return errors.New("lookups.daily: how many look-ups a token has in a day, up to 10000; 0 is none")
	case s.SignIn.Idle < time.Minute || s.SignIn.Longest < s.SignIn.Idle:
		return errors.New("sign_in: idle is a minute at least, as in 12h, and longest is no less")
	}
	return s.SignIn.OIDC.check()
}

func (o OIDC) check() error {
	if o.Issuer == "" {
		if o.ClientID+o.ClientSecret+o.Label != "" || len(o.Grants)+len(o.Domains)+len(o.Groups) > 0 {
			return errors.New("sign_in.oidc.issuer: it is missing")
		}
		return nil
	}
	u, err := url.Parse(o.Issuer)
	local := err == nil && (u.Hostname() == "localhost" || isLoopback(u.Hostname()))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return errors.New("sign_in.oidc.issuer: it is the provider's address, with https, as in https://id.example.org/realms/acme")
	}
	if o.ClientID == "" {
		return errors.New("sign_in.oidc.client_id: it is missing; the provider gives one to each program")
	}
	if err := checkRef("sign_in.oidc.client_secret", o.ClientSecret); err != nil {
		return err
	}
	return o.checkGrants()
}

func (o OIDC) checkGrants() error {
	for i, g := range o.Grants {
		at := fmt.Sprintf("sign_in.oidc.grants, number %d", i+1)
		if g.Group == "" {
			return fmt.Errorf("%s: group is missing; * is everybody", at)
		}
		for _, r := range g.Roles {
			if !slices.Contains(registry.Roles(), registry.Role(r)) {
				return fmt.Errorf("%s: roles are %v", at, registry.Roles())
			}
		}
		if slices.Contains(g.Teams, "") {
			return fmt.Errorf("%s: a team has no name", at)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
