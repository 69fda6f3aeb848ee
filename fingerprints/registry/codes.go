package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// LinkPerson makes a code that signs a person in, once, within the time that it
// lasts. Nobody makes one for who may do more than they.
func (r *Registry) LinkPerson(ctx context.Context, a Actor, idOrName string, lasts time.Duration) (PersonView, fingerprints.Value, error) {
	var out PersonView
	shown, hash, err := r.shownRandom(LinkPrefix)
	if err != nil {
		return out, shown, err
	}
	err = r.updateAny(ctx, a, ScopeAdmin, "making a link for a person", func(c *change) error {
		p, err := personNamed(ctx, c.tx, a, idOrName)
		switch {
		case err != nil:
			return err
		case !p.DisabledAt.IsZero():
			return ErrDisabled
		case !a.covers(scopesOfRoles(p.Roles, p.ClaimedRoles), teamsOf(p)):
			return fmt.Errorf("%w that the person's roles hold", ErrForbidden)
		}
		c.note("person.link", p.ID, nil)
		out = personView(p)
		return c.tx.PutCode(ctx, store.Code{Hash: hash, Purpose: codeLink, Person: p.ID, EndsAt: c.at.Add(lasts)})
	})
	if err != nil {
		return PersonView{}, fingerprints.Value{}, err
	}
	return out, shown, nil
}

// untouched reports whether nobody can sign in yet: there is no person, and no token.
func untouched(ctx context.Context, tx store.Tx) (bool, error) {
	people, err := tx.People(ctx)
	if err != nil || len(people) > 0 {
		return false, err
	}
	tokens, err := tx.Tokens(ctx)
	return len(tokens) == 0, err
}

// SetupCode makes a code that signs the first administrator in, once, within the
// time that it lasts. It is empty where there are people or tokens.
func (r *Registry) SetupCode(ctx context.Context, a Actor, lasts time.Duration) (fingerprints.Value, error) {
	shown, hash, err := r.shownRandom(LinkPrefix)
	if err != nil {
		return shown, err
	}
	made := false
	err = r.update(ctx, a, ScopeAdmin, "making the link that sets the server up", func(c *change) error {
		var err error
		if made, err = untouched(ctx, c.tx); err != nil || !made {
			return err
		}
		c.note("setup.link", "", nil)
		return c.tx.PutCode(ctx, store.Code{Hash: hash, Purpose: codeSetup, EndsAt: c.at.Add(lasts)})
	})
	if err != nil || !made {
		return fingerprints.Value{}, err
	}
	return shown, nil
}

// FirstPerson is what the person that the set-up makes is called.
const FirstPerson = "administrator"

// SignInByCode makes a session for the person of a code. ErrBadCode when it is none,
// was used, or its time is over; and for the link of the set-up when somebody can
// sign in by now.
func (r *Registry) SignInByCode(ctx context.Context, shown, before fingerprints.Value, address string, terms SessionTerms) (SignedIn, error) {
	id, err := r.newID(personPrefix)
	if err != nil {
		return SignedIn{}, err
	}
	return r.signIn(ctx, arrival{"link", address, before, terms}, func(c *change) (store.Session, Actor, error) {
		k, err := takeCode(ctx, c.tx, shown, c.at)
		if err == nil && k.Purpose == codeSetup {
			k.Person, err = id, c.firstPerson(ctx, id)
		}
		if err == nil && k.Person == "" {
			err = ErrBadCode
		}
		if err != nil {
			return store.Session{}, Actor{}, err
		}
		return c.sessionOf(ctx, k.Person)
	})
}

// takeCode uses a code up, where what follows succeeds.
func takeCode(ctx context.Context, tx store.Tx, shown fingerprints.Value, now time.Time) (store.Code, error) {
	k, err := tx.TakeCode(ctx, sha256.Sum256(shown.Reveal()))
	if errors.Is(err, store.ErrNotFound) || err == nil && !now.Before(k.EndsAt) {
		return store.Code{}, ErrBadCode
	}
	return k, err
}

func (c *change) firstPerson(ctx context.Context, id string) error {
	first, err := untouched(ctx, c.tx)
	if err != nil {
		return err
	}
	if !first {
		return ErrBadCode
	}
	p := store.Person{ID: id, Name: FirstPerson, Roles: []string{string(RoleAdmin)}, CreatedAt: c.at, CreatedBy: "set-up"}
	c.note("person.add", id, personDetails(p))
	return c.tx.PutPerson(ctx, p)
}

// mostFlights bounds how many ways to an identity provider are open at once.
const mostFlights = 10_000

// BeginFlight makes what a browser keeps that is on its way to an identity provider,
// and stores a hash of it with the page that it wants. It is no change of the
// registry. ErrBusy when too many are on their way.
func (r *Registry) BeginFlight(ctx context.Context, next string, lasts time.Duration) (fingerprints.Value, error) {
	shown, hash, err := r.shownRandom("")
	if err != nil {
		return shown, err
	}
	now := r.time()
	err = r.store.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.DropCodes(ctx, codeFlight, now); err != nil {
			return err
		}
		n, err := tx.CountCodes(ctx, codeFlight)
		if err != nil {
			return err
		}
		if n >= mostFlights {
			return ErrBusy
		}
		return tx.PutCode(ctx, store.Code{Hash: hash, Purpose: codeFlight, Next: next, EndsAt: now.Add(lasts)})
	})
	if err != nil {
		return fingerprints.Value{}, fmt.Errorf("beginning a sign-in: %w", err)
	}
	return shown, nil
}

// EndFlight is called when it comes back, and returns the page that it wants;
// ErrBadCode the second time, and when it took too long.
func (r *Registry) EndFlight(ctx context.Context, shown fingerprints.Value) (next string, err error) {
	now := r.time()
	err = r.store.Update(ctx, func(tx store.Tx) error {
		k, err := takeCode(ctx, tx, shown, now)
		if err == nil && k.Purpose != codeFlight {
			err = ErrBadCode
		}
		next = k.Next
		return err
	})
	if err != nil {
		return "", fmt.Errorf("ending a sign-in: %w", err)
	}
	return next, nil
}
