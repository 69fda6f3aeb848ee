package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Claims are what an identity provider says of somebody, checked by whoever talks
// to it.
type Claims struct {
	Issuer, Subject string
	Name            string // a proposal; another is taken where somebody has it
	Display         string
	Address         string
	Roles           []Role
	Teams           []string
}

// SignedIn is what a sign-in gives: what the browser shows from then on, and who it
// is.
type SignedIn struct {
	Shown fingerprints.Value // once
	Actor Actor
	Ends  time.Time
}

// purposes of codes.
const (
	codeSetup  = "setup"
	codeLink   = "link"
	codeFlight = "sign-in" // to an identity provider and back
)

// LinkPrefix is what one-time codes begin with.
const LinkPrefix = "rvl_"

// SignInWithToken makes a session that has at most the token's scopes, and ends
// with it. before is the session that the browser showed, which ends; it may be
// empty.
func (r *Registry) SignInWithToken(ctx context.Context, shown, before fingerprints.Value, address string, terms SessionTerms) (SignedIn, error) {
	a, err := r.Authenticate(ctx, shown)
	if err != nil {
		return SignedIn{}, err
	}
	return r.signIn(ctx, arrival{"token", address, before, terms}, func(c *change) (store.Session, Actor, error) {
		k, err := c.tx.Token(ctx, a.Token)
		if err != nil || !k.RevokedAt.IsZero() || expired(k, c.at) {
			return store.Session{}, a, errors.Join(ErrBadToken, err)
		}
		return store.Session{Token: k.ID, EndsAt: k.ExpiresAt}, a, nil
	})
}

// SignInAs makes a session for whom an identity provider vouches, and the person
// where they were not known. ErrDisabled, and ErrNoRole where nobody gave them one:
// the person is there then, and somebody may.
func (r *Registry) SignInAs(ctx context.Context, q Claims, before fingerprints.Value, address string, terms SessionTerms) (SignedIn, error) {
	id, err := r.newID(personPrefix)
	if err != nil {
		return SignedIn{}, err
	}
	p, err := r.known(ctx, id, q)
	if err != nil {
		return SignedIn{}, err
	}
	return r.signIn(ctx, arrival{"identity provider", address, before, terms}, func(c *change) (store.Session, Actor, error) {
		return c.sessionOf(ctx, p.ID)
	})
}

// known brings what is stored of somebody up to date with what is claimed.
func (r *Registry) known(ctx context.Context, id string, q Claims) (store.Person, error) {
	var p store.Person
	if q.Issuer == "" || q.Subject == "" {
		return p, badInput("subject", "an identity provider says who somebody is")
	}
	roles, err := checkRoles(q.Roles)
	if err != nil {
		return p, err
	}
	teams, err := checkTeams(q.Teams)
	if err != nil {
		return p, err
	}
	err = r.change(ctx, Actor{Name: "sign-in"}, "signing somebody in", func(c *change) error {
		p, err = c.tx.PersonBySubject(ctx, q.Issuer, q.Subject)
		isNew := errors.Is(err, store.ErrNotFound)
		if err != nil && !isNew {
			return err
		}
		before := p
		if isNew {
			p = store.Person{ID: id, Issuer: q.Issuer, Subject: q.Subject, CreatedAt: c.at, CreatedBy: "sign-in"}
			if p.Name, err = c.freeName(ctx, q, id); err != nil {
				return err
			}
		}
		p.Display, p.Address, p.ClaimedRoles, p.ClaimedTeams = lineOf(q.Display), lineOf(q.Address), roles, teams
		if err := c.tx.PutPerson(ctx, p); err != nil {
			return err
		}
		details := personDetails(p)
		switch {
		case isNew:
			c.note("person.add", p.ID, details)
		case strings.Join(before.ClaimedRoles, " ") != strings.Join(roles, " ") || strings.Join(before.ClaimedTeams, "\n") != strings.Join(teams, "\n"):
			c.note("person.change", p.ID, details)
		}
		return nil
	})
	return p, err
}

// freeName is the name that is proposed where nobody has it, else one with the id.
func (c *change) freeName(ctx context.Context, q Claims, id string) (string, error) {
	name := lineOf(q.Name)
	if checkPersonName(name) != nil {
		name = "somebody " + id
	}
	list, err := c.tx.People(ctx)
	for _, p := range list {
		if strings.EqualFold(p.Name, name) {
			return name + " " + id, err
		}
	}
	return name, err
}

// lineOf makes a line of what a provider says that can be kept and shown.
func lineOf(s string) string {
	s = strings.TrimSpace(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, s))
	const most = fingerprints.MaxName - 20 // an id may follow
	for len(s) > most {
		s = s[:strings.LastIndexFunc(s, func(rune) bool { return true })]
	}
	return s
}

// sessionOf begins the session of a person who is known.
func (c *change) sessionOf(ctx context.Context, id string) (store.Session, Actor, error) {
	p, err := c.tx.Person(ctx, id)
	switch {
	case err != nil:
		return store.Session{}, Actor{}, err
	case !p.DisabledAt.IsZero():
		return store.Session{}, Actor{}, ErrDisabled
	case len(scopesOfRoles(p.Roles, p.ClaimedRoles)) == 0:
		return store.Session{}, Actor{}, ErrNoRole
	}
	p.SeenAt = c.at
	return store.Session{Person: p.ID}, actorOfPerson(p), c.tx.PutPerson(ctx, p)
}

// arrival is how somebody comes.
type arrival struct {
	way, address string
	before       fingerprints.Value // the session that the browser showed; may be empty
	terms        SessionTerms
}

// signIn makes a session, ends the one that the browser showed before, and clears
// away those that are over.
func (r *Registry) signIn(ctx context.Context, by arrival, begin func(*change) (store.Session, Actor, error)) (SignedIn, error) {
	id, err := r.newID("ss_")
	if err != nil {
		return SignedIn{}, err
	}
	shown, hash, err := r.shownRandom(SessionPrefix)
	if err != nil {
		return SignedIn{}, err
	}
	out := SignedIn{Shown: shown}
	err = r.change(ctx, Actor{Name: "sign-in"}, "signing in", func(c *change) error {
		s, a, err := begin(c)
		if err != nil {
			return err
		}
		c.actor, a.Session = a, id
		if err := c.clearAway(ctx, by); err != nil {
			return err
		}
		s.ID, s.Hash, s.Address, s.CreatedAt, s.SeenAt = id, hash, lineOf(by.address), c.at, c.at
		if end := c.at.Add(by.terms.Longest); s.EndsAt.IsZero() || s.EndsAt.After(end) {
			s.EndsAt = end
		}
		out.Actor, out.Ends = a, s.EndsAt
		c.note("sign-in", s.Person, said(map[string]string{"way": by.way, "session": id, "address": s.Address}))
		return c.tx.PutSession(ctx, s)
	})
	if err != nil {
		return SignedIn{}, err
	}
	return out, nil
}

func (c *change) clearAway(ctx context.Context, by arrival) error {
	if _, err := c.tx.DropSessions(ctx, store.SessionFilter{Over: c.at, Idle: c.at.Add(-by.terms.Idle)}); err != nil {
		return err
	}
	if _, err := c.tx.DropCodes(ctx, "", c.at); err != nil {
		return err
	}
	if by.before.Len() == 0 {
		return nil
	}
	old, err := c.tx.SessionByHash(ctx, sha256.Sum256(by.before.Reveal()))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		_, err = c.tx.DropSessions(ctx, store.SessionFilter{ID: old.ID})
	}
	return err
}

// RefuseSignIn records a sign-in that was refused: in which way, why, and from which
// address; who it would have been, where that is known.
func (r *Registry) RefuseSignIn(ctx context.Context, who, way, why, address string) error {
	return r.change(ctx, Actor{Name: "nobody"}, "refusing a sign-in", func(c *change) error {
		c.note("sign-in.refused", who, said(map[string]string{"way": way, "why": why, "address": lineOf(address)}))
		return nil
	})
}
