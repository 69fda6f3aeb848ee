package registry

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// TokenPrefix is what tokens of the server begin with, so that people and
// scanners know one when they see it.
const TokenPrefix = "rvt_"

// usedEvery is how exactly the last use of a token is kept.
const usedEvery = 5 * time.Minute

// TokenRequest says what a token is to be.
type TokenRequest struct {
	Name      string
	Scopes    []Scope
	Teams     []string  // whose rows it sees alone; none: it sees all
	ExpiresAt time.Time // zero: never
}

// TokenView is what is known of a token; what is shown to the server is not.
type TokenView = wire.TokenView

func tokenView(k store.Token, now time.Time) TokenView {
	out := TokenView{
		ID: k.ID, Name: k.Name, Scopes: []Scope{}, Teams: k.Teams, CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy, ExpiresAt: optionalTime(k.ExpiresAt),
		Expired: expired(k, now), UsedAt: optionalTime(k.UsedAt), RevokedAt: optionalTime(k.RevokedAt), RevokedBy: k.RevokedBy,
	}
	for _, s := range k.Scopes {
		out.Scopes = append(out.Scopes, Scope(s))
	}
	return out
}

func expired(k store.Token, now time.Time) bool {
	return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)
}

// AddToken makes a token and returns what is to be shown to the server: it is
// not stored, so this is the only time. Nobody gives more than they have.
func (r *Registry) AddToken(ctx context.Context, a Actor, q TokenRequest) (TokenView, fingerprints.Value, error) {
	var out TokenView
	var shown fingerprints.Value
	random := make([]byte, 32+6)
	if _, err := io.ReadFull(r.rand, random); err != nil {
		return out, shown, fmt.Errorf("making a token: %w", err)
	}
	text := TokenPrefix + base64.RawURLEncoding.EncodeToString(random[:32])
	k := store.Token{ID: "tk_" + hex.EncodeToString(random[32:]), Name: q.Name, Hash: sha256.Sum256([]byte(text)), ExpiresAt: q.ExpiresAt.UTC().Truncate(time.Microsecond)}
	if q.ExpiresAt.IsZero() {
		k.ExpiresAt = time.Time{}
	}
	for _, s := range Scopes() { // in one order, each once
		if slices.Contains(q.Scopes, s) {
			k.Scopes = append(k.Scopes, string(s))
		}
	}
	err := r.updateAny(ctx, a, ScopeAdmin, "making a token", func(c *change) error {
		if err := checkToken(a, q, c.at); err != nil {
			return err
		}
		var err error
		if k.Teams, err = checkTeams(q.Teams); err != nil {
			return err
		}
		k.CreatedAt, k.CreatedBy = c.at, a.Name
		err = c.tx.PutToken(ctx, k)
		if errors.Is(err, store.ErrExists) {
			return &InputError{Input: "name", Kind: ErrTokenExists}
		}
		c.note("token.add", k.Name, said(map[string]string{"id": k.ID, "scopes": strings.Join(k.Scopes, " "), "teams": strings.Join(k.Teams, ", ")}))
		out = tokenView(k, c.at)
		return err
	})
	if err == nil {
		shown = fingerprints.NewValue([]byte(text))
	}
	return out, shown, err
}

func checkToken(a Actor, q TokenRequest, now time.Time) error {
	if err := checkName("name", q.Name); err != nil {
		return err
	}
	if len(q.Scopes) == 0 {
		return badInput("scope", "use at least one of %s", scopeWords())
	}
	for _, s := range q.Scopes {
		switch {
		case !slices.Contains(Scopes(), s):
			return badInput("scope", "use %s", scopeWords())
		case !a.May(s):
			return fmt.Errorf("%w %q, so it cannot be given on", ErrForbidden, s)
		}
	}
	if !a.sees(q.Teams) {
		return badInput("teams", "give at least one, and those that you have yourself")
	}
	if !q.ExpiresAt.IsZero() && !q.ExpiresAt.After(now) {
		return badInput("expires", "use a time to come")
	}
	return nil
}

func scopeWords() string {
	words := make([]string, 0, len(Scopes()))
	for _, s := range Scopes() {
		words = append(words, string(s))
	}
	return strings.Join(words, ", ")
}

// Tokens lists tokens in order of name, revoked and expired ones too.
func (r *Registry) Tokens(ctx context.Context, a Actor) ([]TokenView, error) {
	out := []TokenView{}
	err := r.view(ctx, a, ScopeAdmin, func(v *view) error {
		list, err := v.tx.Tokens(ctx)
		for _, k := range list {
			if a.sees(k.Teams) {
				out = append(out, tokenView(k, v.now))
			}
		}
		return err
	})
	return out, err
}

// RevokeToken ends a token, named by its id or its name; what is shown with it
// from then on is refused. Of one that is revoked already it changes nothing.
func (r *Registry) RevokeToken(ctx context.Context, a Actor, idOrName string) (TokenView, error) {
	var out TokenView
	err := r.updateAny(ctx, a, ScopeAdmin, "revoking a token", func(c *change) error {
		k, err := tokenNamed(ctx, c.tx, a, idOrName)
		if err != nil {
			return err
		}
		if k.RevokedAt.IsZero() {
			k.RevokedAt, k.RevokedBy = c.at, a.Name
			if err := c.tx.PutToken(ctx, k); err != nil {
				return err
			}
			if _, err := c.tx.DropSessions(ctx, store.SessionFilter{Token: k.ID}); err != nil {
				return err
			}
			c.note("token.revoke", k.Name, map[string]string{"id": k.ID})
		}
		out = tokenView(k, c.at)
		return nil
	})
	return out, err
}

func tokenNamed(ctx context.Context, tx store.Tx, a Actor, idOrName string) (store.Token, error) {
	list, err := tx.Tokens(ctx)
	if err != nil {
		return store.Token{}, err
	}
	var last store.Token
	for _, k := range list {
		if !a.sees(k.Teams) {
			continue
		}
		if k.ID == idOrName || k.Name == idOrName && k.RevokedAt.IsZero() {
			return k, nil
		}
		if k.Name == idOrName && last.ID == "" {
			last = k
		}
	}
	if last.ID == "" {
		return last, ErrUnknownToken
	}
	return last, nil
}

// Authenticate returns who shows a token: ErrBadToken when it is none of this
// registry's, is revoked, or has expired. The audit log calls them by the token's
// name.
func (r *Registry) Authenticate(ctx context.Context, shown fingerprints.Value) (Actor, error) {
	now := r.time()
	var k store.Token
	err := r.store.View(ctx, func(tx store.Tx) (err error) {
		k, err = tx.TokenByHash(ctx, sha256.Sum256(shown.Reveal()))
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Actor{}, ErrBadToken
	case err != nil:
		return Actor{}, fmt.Errorf("looking a token up: %w", err)
	case !k.RevokedAt.IsZero():
		return Actor{}, fmt.Errorf("%w: it was revoked", ErrBadToken)
	case expired(k, now):
		return Actor{}, fmt.Errorf("%w: it has expired", ErrBadToken)
	}
	if now.Sub(k.UsedAt) >= usedEvery || k.UsedAt.After(now) {
		err := r.store.Update(ctx, func(tx store.Tx) error { return tx.UseToken(ctx, k.ID, now) })
		if err != nil { // who only reads may go on
			r.log.WarnContext(ctx, "the last use of a token could not be noted", slog.Any("error", err))
		}
	}
	return actorOfToken(k), nil
}
