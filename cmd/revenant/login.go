package main

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/credential"
)

// login is what opens the place of a watch: USER:PASSWORD, or a token alone. It
// goes to that place's host and nowhere else.
type login struct {
	value fingerprints.Value
	host  string // of the place
}

var _ authn.Keychain = (*login)(nil)

// tokenUser is who a token belongs to where a user is asked for: forges take any
// name, or this one.
const tokenUser = "x-access-token"

// credentials fetches what references name; those to variables from the app's
// environment.
func (a *app) credentials() credential.Resolver {
	env := a.env
	return credential.Resolver{Lookup: func(name string) (string, bool) {
		v := env(name)
		return v, v != ""
	}}
}

// logIn fetches the credential of a watch.
func (a *app) logIn(ctx context.Context, w store.Watch, args []string) error {
	if w.Credential == "" {
		return nil
	}
	ref, err := credential.Parse(w.Credential)
	if err != nil {
		return err
	}
	env := a.env
	v, err := a.credentials().Resolve(ctx, ref)
	if err != nil {
		return err
	}
	c, places, err := a.watchCommand(append([]string{w.Kind}, args...))
	if err != nil {
		return err
	}
	switch c.Name() {
	case "logs":
		a.env = func(name string) string {
			switch name {
			case "REVENANT_GITHUB_TOKEN", "REVENANT_GITLAB_TOKEN":
				return string(v.Reveal())
			case "REVENANT_JENKINS_TOKEN", "REVENANT_JENKINS_USER":
				user, token, has := strings.Cut(string(v.Reveal()), ":")
				if name == "REVENANT_JENKINS_USER" {
					return map[bool]string{true: user}[has]
				}
				return token
			}
			return env(name)
		}
	case "kafka":
		a.env = func(name string) string {
			user, password, _ := strings.Cut(string(v.Reveal()), ":")
			switch name {
			case kafkaUser:
				return user
			case kafkaPassword:
				return password
			}
			return env(name)
		}
	case "git", "image":
		groups := repeated(c, "group")
		switch {
		case len(places) == 1 && len(groups) == 0:
			a.login = &login{value: v, host: hostOf(c.Name(), places[0])}
		case len(places) == 0 && len(groups) == 1:
			p, err := groupPlace(groups[0])
			if err != nil {
				return err
			}
			a.login = &login{value: v, host: strings.TrimPrefix(p.Server, "https://")}
		default:
			return errors.New("a credential is for one place: give each its own watch")
		}
	}
	return nil
}

// hostOf is the host of a place; empty: none is known, and nothing is sent.
func hostOf(kind, place string) string {
	if kind == "git" {
		if u, err := url.Parse(place); err == nil && u.Scheme == "https" {
			return u.Host
		}
		return ""
	}
	if ref, err := name.ParseReference(place); err == nil && strings.ContainsAny(place, "/") {
		return ref.Context().RegistryStr()
	}
	if r, err := name.NewRegistry(place); err == nil {
		return r.RegistryStr()
	}
	return ""
}

// pair is user and password.
func (l *login) pair() (user, password string) {
	user, password, has := strings.Cut(string(l.value.Reveal()), ":")
	if !has {
		return tokenUser, user
	}
	return user, password
}

// into is the URL of a repository with the credential in it. git learns it from
// its environment alone.
func (l *login) into(remote string) string {
	u, err := url.Parse(remote)
	if l == nil || err != nil || u.Scheme != "https" || u.Host != l.host || u.User != nil {
		return remote
	}
	u.User = url.UserPassword(l.pair())
	return u.String()
}

// Resolve implements authn.Keychain.
func (l *login) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() != l.host {
		return authn.Anonymous, nil
	}
	user, password := l.pair()
	return authn.FromConfig(authn.AuthConfig{Username: user, Password: password}), nil
}
