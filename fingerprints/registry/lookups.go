package registry

import (
	"context"
	"errors"
	"strconv"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
)

// Look-ups of values that no edge pack has. Whoever asks can test guesses, so that it
// has a scope of its own and is counted:
// docs/adr/0048-look-ups.md says what that leaves to a thief.

// Errors of look-ups.
var (
	// ErrLookUpsOff says that the server answers none.
	ErrLookUpsOff = errors.New("this server answers no look-ups: lookups.daily in its configuration says how many a token has in a day")
	// ErrLookUpsSpent says that the day's look-ups are used up.
	ErrLookUpsSpent = errors.New("this day's look-ups are used up: the next day begins at midnight, UTC")
)

// keptLookUps is for how long it is known how often somebody asked.
const keptLookUps = 90 * 24 * time.Hour

// LookUp says which tags are those of registered values that no edge pack has; daily
// is how many look-ups an actor has in a day of UTC. It returns one entry for each tag,
// empty where it is of no such value. A look-up with a known value is in the audit log,
// and of the others of a day the first, second, fourth, eighth ...
func (r *Registry) LookUp(ctx context.Context, a Actor, tags []registration.LookupTag, daily int) (known [][]wire.KnownVersion, left int, err error) {
	if daily <= 0 {
		return nil, 0, ErrLookUpsOff
	}
	var spent bool
	err = r.updateIndexed(ctx, a, ScopeLookup, "looking values up", func(c *change) error {
		n, err := c.lookUps(ctx)
		if err != nil {
			return err
		}
		if spent = n.Asked >= daily; spent {
			n.Refused++
			c.noteLookUps(n, n.Refused, false)
			return c.tx.PutLookUps(ctx, n)
		}
		if err := r.index.follow(ctx, c); err != nil {
			return err
		}
		before := n.Known
		known = make([][]wire.KnownVersion, len(tags))
		for i, tag := range tags {
			if known[i], err = c.knownVersions(ctx, r.index.asked(tag)); err != nil {
				return err
			}
			if len(known[i]) > 0 {
				n.Known++
			}
		}
		n.Asked++
		left = daily - n.Asked
		c.noteLookUps(n, n.Asked, n.Known > before)
		return c.tx.PutLookUps(ctx, n)
	})
	if err == nil && spent {
		err = ErrLookUpsSpent
	}
	if err != nil {
		return nil, 0, err
	}
	return known, left, nil
}

// lookUps are the actor's of today; what is older than anybody asks for is forgotten.
func (c *change) lookUps(ctx context.Context) (store.LookUps, error) {
	day := c.at.UTC().Truncate(24 * time.Hour)
	if _, err := c.tx.ForgetLookUps(ctx, day.Add(-keptLookUps)); err != nil {
		return store.LookUps{}, err
	}
	return c.tx.LookUps(ctx, c.actor.Name, day)
}

// noteLookUps records how often the actor asked today: at the powers of two of what
// is counted, and whenever something was known.
func (c *change) noteLookUps(n store.LookUps, counted int, found bool) {
	if !found && counted&(counted-1) != 0 {
		return
	}
	c.note("value.look-up", "", said(map[string]string{
		"day": n.Day.Format(time.DateOnly), "asked": strconv.Itoa(n.Asked), "known": strconv.Itoa(n.Known), "refused": strconv.Itoa(n.Refused),
	}))
}

// asked are the rows of values without an edge form that a tag is of.
func (x *index) asked(tag registration.LookupTag) []fingerprints.RowID {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.quiet[tag]
}

// mostKnownVersions bounds what is told of one value.
const mostKnownVersions = 4

// knownVersions are the versions of rows, the newest of a secret last.
func (c *change) knownVersions(ctx context.Context, rows []fingerprints.RowID) ([]wire.KnownVersion, error) {
	var out []wire.KnownVersion
	for _, row := range rows {
		l, err := labelOf(ctx, c.tx, row)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(out) == mostKnownVersions {
			break
		}
		out = append(out, wire.KnownVersion{
			Row: row.String(), Secret: l.Version.Secret, Version: l.Version.Number, Field: l.Field, State: l.Version.State, Class: l.Class,
			Compromised: l.Version.Compromised(), WindowEnds: optionalTime(l.Version.WindowEnds),
		})
	}
	return out, nil
}
