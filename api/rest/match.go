package rest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

// resource is something that has a path of its own: what names it reads it.
type resource interface {
	// current is what a GET answers now.
	current(ctx context.Context, s *server, a registry.Actor) (any, error)
}

// tagged answers with something and its tag.
type tagged[T any] struct {
	ETag string `header:"ETag" doc:"Of If-Match, for a change of what was read."`
	Body T
}

// withTag is an answer with its tag.
func withTag[T any](v T, err error) (*tagged[T], error) { return &tagged[T]{tagOf(v), v}, err }

// tagOf is the tag of what is answered. How many findings a secret has is no part of
// it: scans change that, and nobody who changes the secret means it.
func tagOf(v any) string {
	switch x := v.(type) {
	case wire.SecretView:
		x.Versions = slices.Clone(x.Versions)
		for i := range x.Versions {
			x.Versions[i].Findings = nil
		}
		v = x
	case wire.VersionView:
		x.Findings = nil
		v = x
	case wire.TokenView:
		x.UsedAt = nil
		v = x
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// onlyIf is a context in which nothing is changed but what is as If-Match says.
func (s *server) onlyIf(ctx context.Context, r route, in any) context.Context {
	k, _ := ctx.Value(askedKey{}).(asked)
	of, is := in.(resource)
	if r.method == "GET" || k.match == "" || !is {
		return ctx
	}
	return registry.Provided(ctx, func(ctx context.Context) error {
		now, err := of.current(ctx, s, k.actor)
		if errors.Is(err, registry.ErrForbidden) {
			return needs(registry.ScopeRead) // whoever may not read has no tag to compare
		}
		if err != nil {
			return err
		}
		for tag := range strings.SplitSeq(k.match, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || tag == tagOf(now) {
				return nil
			}
		}
		return registry.ErrChanged
	})
}

// ifMatch describes the header.
func ifMatch() *huma.Param {
	return &huma.Param{
		Name: "If-Match", In: "header", Description: "An ETag: nothing is changed where what the path names is not as it was read then. It needs the scope `read`, too.",
		Schema: &huma.Schema{Type: "string"},
	}
}

func (n Named) current(ctx context.Context, s *server, a registry.Actor) (any, error) {
	return s.o.Registry.Show(ctx, a, n.Name)
}

func (v Versioned) current(ctx context.Context, s *server, a registry.Actor) (any, error) {
	return s.version(ctx, a, v)
}

// version is one version of a secret.
func (s *server) version(ctx context.Context, a registry.Actor, v Versioned) (wire.VersionView, error) {
	all, err := s.o.Registry.Show(ctx, a, v.Name)
	if err != nil {
		return wire.VersionView{}, err
	}
	i := slices.IndexFunc(all.Versions, func(w wire.VersionView) bool { return w.Version == v.Version })
	if i < 0 {
		return wire.VersionView{}, registry.ErrUnknownVersion
	}
	return all.Versions[i], nil
}

func (f FindingID) current(ctx context.Context, s *server, a registry.Actor) (any, error) {
	return s.o.Registry.Finding(ctx, a, f.ID)
}

func (i SourceID) current(ctx context.Context, s *server, a registry.Actor) (any, error) {
	return s.o.Registry.Source(ctx, a, i.ID)
}

func (n WatchName) current(ctx context.Context, s *server, a registry.Actor) (any, error) {
	w, err := s.o.Registry.Watch(ctx, a, n.Name)
	return registry.WatchView(w), err
}

// TokenID names a token.
type TokenID struct {
	ID string `path:"id" minLength:"1" maxLength:"512" doc:"Its id or its name."`
}

func (t TokenID) current(ctx context.Context, s *server, a registry.Actor) (any, error) {
	return s.tokenView(ctx, a, t.ID)
}

// tokenView is one token, by its id or its name.
func (s *server) tokenView(ctx context.Context, a registry.Actor, id string) (wire.TokenView, error) {
	all, err := s.o.Registry.Tokens(ctx, a)
	if err != nil {
		return wire.TokenView{}, err
	}
	i := slices.IndexFunc(all, func(k wire.TokenView) bool { return k.ID == id || k.Name == id && k.RevokedAt == nil })
	if i < 0 {
		return wire.TokenView{}, registry.ErrUnknownToken
	}
	return all[i], nil
}
