package registry

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// SessionView is a browser that is signed in.
type SessionView = wire.SessionView

// SessionTerms say when sessions end.
type SessionTerms struct {
	Idle    time.Duration // after that long without a request
	Longest time.Duration // after that long in any case
}

// seenEvery is how exactly the last use of a session is kept.
func (t SessionTerms) seenEvery() time.Duration { return min(usedEvery, t.Idle/4) }

// shownRandom makes what is shown: 256 bits, and the hash that is stored.
func (r *Registry) shownRandom(prefix string) (fingerprints.Value, [sha256.Size]byte, error) {
	var b [32]byte
	if _, err := io.ReadFull(r.rand, b[:]); err != nil {
		return fingerprints.Value{}, [sha256.Size]byte{}, fmt.Errorf("drawing random bytes: %w", err)
	}
	text := []byte(prefix + base64.RawURLEncoding.EncodeToString(b[:]))
	return fingerprints.NewValue(text), sha256.Sum256(text), nil
}

// SessionPrefix is what the cookies of sessions begin with.
const SessionPrefix = "rvs_"

// Session returns who shows a session: ErrNoSession when it is none, has ended, or
// ended with its token or because its person was disabled.
func (r *Registry) Session(ctx context.Context, shown fingerprints.Value, terms SessionTerms) (Actor, error) {
	now := r.time()
	var a Actor
	var s store.Session
	err := r.store.View(ctx, func(tx store.Tx) (err error) {
		if s, err = tx.SessionByHash(ctx, sha256.Sum256(shown.Reveal())); err != nil {
			return err
		}
		a, err = actorOfSession(ctx, tx, s, now, terms)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Actor{}, ErrNoSession
	case err != nil:
		return Actor{}, fmt.Errorf("looking a session up: %w", err)
	}
	if now.Sub(s.SeenAt) >= terms.seenEvery() || s.SeenAt.After(now) {
		err := r.store.Update(ctx, func(tx store.Tx) error { return tx.SeeSession(ctx, s.ID, now) })
		if err != nil { // who only reads may go on
			r.log.WarnContext(ctx, "the last use of a session could not be noted", slog.Any("error", err))
		}
	}
	return a, nil
}

func actorOfSession(ctx context.Context, tx store.Tx, s store.Session, now time.Time, terms SessionTerms) (Actor, error) {
	if !now.Before(s.EndsAt) || now.Sub(s.SeenAt) >= terms.Idle {
		return Actor{}, ErrNoSession
	}
	if s.Token != "" {
		k, err := tx.Token(ctx, s.Token)
		if err != nil {
			return Actor{}, err
		}
		if !k.RevokedAt.IsZero() || expired(k, now) {
			return Actor{}, ErrNoSession
		}
		a := actorOfToken(k)
		a.Session = s.ID
		return a, nil
	}
	p, err := tx.Person(ctx, s.Person)
	if err != nil {
		return Actor{}, err
	}
	if !p.DisabledAt.IsZero() {
		return Actor{}, ErrNoSession
	}
	a := actorOfPerson(p)
	a.Session = s.ID
	return a, nil
}

func actorOfPerson(p store.Person) Actor {
	return Actor{Name: "person:" + p.Name, Scopes: scopesOfRoles(p.Roles, p.ClaimedRoles), Teams: teamsOf(p), Person: p.ID}
}

func actorOfToken(k store.Token) Actor {
	a := Actor{Name: "token:" + k.Name, Teams: k.Teams, Token: k.ID}
	for _, s := range k.Scopes {
		a.Scopes = append(a.Scopes, Scope(s))
	}
	return a
}

// own selects the sessions of who asks.
func (a Actor) own() (store.SessionFilter, bool) {
	f := store.SessionFilter{Person: a.Person, Token: a.Token}
	return f, f.Person != "" || f.Token != ""
}

// MySessions lists the sessions of who asks, the newest first: those of a person, or
// those that a token signed in.
func (r *Registry) MySessions(ctx context.Context, a Actor, terms SessionTerms) ([]SessionView, error) {
	out := []SessionView{}
	f, has := a.own()
	if !has {
		return out, nil
	}
	now := r.time()
	err := r.store.View(ctx, func(tx store.Tx) error {
		list, err := tx.Sessions(ctx, f)
		for _, s := range list {
			if now.Before(s.EndsAt) && now.Sub(s.SeenAt) < terms.Idle {
				out = append(out, SessionView{
					ID: s.ID, Current: s.ID == a.Session, Address: s.Address, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, EndsAt: s.EndsAt,
				})
			}
		}
		return err
	})
	return out, err
}

// EndSessions ends one session of who asks, by its id, or all of them for "";
// ErrNoSession where there is none of that id. It returns how many ended.
func (r *Registry) EndSessions(ctx context.Context, a Actor, id string) (int, error) {
	return r.endOwn(ctx, a, store.SessionFilter{ID: id})
}

// EndOtherSessions ends all sessions of who asks but the one that asks. It returns
// how many ended, which may be none.
func (r *Registry) EndOtherSessions(ctx context.Context, a Actor) (int, error) {
	return r.endOwn(ctx, a, store.SessionFilter{But: a.Session})
}

// endOwn ends those of the sessions of who asks that a filter selects.
func (r *Registry) endOwn(ctx context.Context, a Actor, f store.SessionFilter) (int, error) {
	own, has := a.own()
	if !has {
		return 0, ErrNoSession
	}
	f.Person, f.Token = own.Person, own.Token
	n := 0
	err := r.change(ctx, a, "ending sessions", func(c *change) (err error) {
		n, err = c.dropSessions(ctx, "sign-out", a.Person, f)
		if err == nil && n == 0 && f.ID != "" {
			err = ErrNoSession
		}
		return err
	})
	return n, err
}

func (c *change) dropSessions(ctx context.Context, action, subject string, f store.SessionFilter) (int, error) {
	n, err := c.tx.DropSessions(ctx, f)
	if n > 0 {
		c.note(action, subject, map[string]string{"sessions": strconv.Itoa(n)})
	}
	return n, err
}
