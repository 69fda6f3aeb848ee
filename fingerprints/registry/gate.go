package registry

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/store"
)

// touched says what a change means for revisions.
type touched uint8

const (
	touchRegistry touched = 1 << iota // the registry's revision
	touchPacks                        // packs must follow
	touchFields                       // coverage starts anew for what was added

	touchPack  = touchRegistry | touchPacks
	touchField = touchPack | touchFields
)

// view is one consistent state that an actor may look at.
type view struct {
	tx   store.Tx
	reg  *Registry
	now  time.Time
	meta store.Meta
}

// change is one mutation in progress: everything that it does, its audit
// entries and its revision are one transaction.
type change struct {
	tx      store.Tx
	reg     *Registry
	ring    *keys.Ring
	actor   Actor
	at      time.Time
	meta    store.Meta // before the change
	touched touched
	notes   []AuditEntry
	added   []indexed
	// verdicts is what countVerdicts began; nil: nobody asks.
	verdicts *verdictCount
}

// revision is what the registry's revision will be after the change.
func (c *change) revision() uint64 { return c.meta.Revision + 1 }

func (c *change) touch(t touched) { c.touched |= t }

// note adds an audit entry. Details hold names, counts and states; never a
// value, never a raw path.
func (c *change) note(action, subject string, details map[string]string) {
	c.notes = append(c.notes, AuditEntry{At: c.at, Actor: c.actor.Name, Action: action, Subject: subject, Details: details})
}

// commit writes revision and audit entries. A change that touched nothing and
// noted nothing leaves no trace.
func (c *change) commit(ctx context.Context) error {
	m := c.meta
	if c.touched&touchRegistry != 0 {
		m.Revision = c.revision()
		if c.touched&touchPacks != 0 {
			m.PackRevision = m.Revision
		}
		if c.touched&touchFields != 0 {
			m.FieldRevision = m.Revision
		}
		if len(c.notes) == 0 {
			return fmt.Errorf("internal error: a change without an audit entry")
		}
		if err := c.tx.SetMeta(ctx, m); err != nil {
			return err
		}
	}
	return c.appendAudit(ctx, m.Revision)
}

// update is the gate that every mutation goes through: authorisation, the
// match of store and ring, the change itself, its audit entries and its
// revision, wholly or not at all. fn may run more than once.
func (r *Registry) update(ctx context.Context, a Actor, need Scope, what string, fn func(*change) error) error {
	if a.May(need) && a.bound() && !ownRows(need) {
		return fmt.Errorf("%s: %w", what, ErrTeams)
	}
	return r.updateAny(ctx, a, need, what, fn)
}

// updateAny is update for what looks itself at what the actor's teams may do.
func (r *Registry) updateAny(ctx context.Context, a Actor, need Scope, what string, fn func(*change) error) error {
	if r.ring.Load() == nil {
		return fmt.Errorf("%s: %w", what, ErrNoRing)
	}
	if !a.May(need) {
		return r.Refuse(ctx, a, need, what)
	}
	return r.change(ctx, a, what, fn)
}

// updateAll is update for what concerns rows of all teams in any case.
func (r *Registry) updateAll(ctx context.Context, a Actor, need Scope, what string, fn func(*change) error) error {
	if a.May(need) && a.bound() {
		return fmt.Errorf("%s: %w", what, ErrTeams)
	}
	return r.update(ctx, a, need, what, fn)
}

// bound reports whether the actor sees what some teams own alone.
func (a Actor) bound() bool { return len(a.Teams) > 0 }

// ownRows reports whether what a scope is for is done row by row, so that who is
// bound to teams may do it with theirs. Scans, packs, watches and sources are
// everybody's.
func ownRows(s Scope) bool {
	return s == ScopeRead || s == ScopeTriage || s == ScopeRegister || s == ScopeRotate
}

// within runs a look-up of what a change is about, as the actor sees it: what is not
// theirs is not there.
func (c *change) within(fn func() error) error {
	before := c.tx.Narrow(c.actor.Teams)
	defer c.tx.Narrow(before)
	return fn()
}

// change is update for what needs no scope: signing in, and what is the actor's own.
func (r *Registry) change(ctx context.Context, a Actor, what string, fn func(*change) error) error {
	ring := r.ring.Load()
	if ring == nil {
		return fmt.Errorf("%s: %w", what, ErrNoRing)
	}
	var done *change
	err := r.store.Update(ctx, func(tx store.Tx) error {
		meta, err := r.readMeta(ctx, tx)
		if err != nil {
			return err
		}
		if err := provided(ctx); err != nil {
			return err
		}
		c := &change{tx: tx, reg: r, ring: ring, actor: a, at: r.time(), meta: meta}
		if err := fn(c); err != nil {
			return err
		}
		done = c
		return c.commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	r.index.merge(done)
	return nil
}

// Refuse records an attempt at something that the actor has not the scope for, and
// returns ErrForbidden: the gate does, and whoever refuses before anything is read.
func (r *Registry) Refuse(ctx context.Context, a Actor, need Scope, what string) error {
	denied := fmt.Errorf("%s: %w %q", what, ErrForbidden, need)
	err := r.store.Update(ctx, func(tx store.Tx) error {
		meta, err := r.readMeta(ctx, tx)
		if err != nil {
			return err
		}
		c := &change{tx: tx, reg: r, ring: r.ring.Load(), actor: a, at: r.time(), meta: meta}
		c.note("denied", "", map[string]string{"what": what, "scope": string(need)})
		return c.commit(ctx)
	})
	if err != nil {
		r.log.WarnContext(ctx, "a refused attempt could not be recorded", slog.String("what", what))
	}
	return denied
}

func mayRead(a Actor, need Scope) error {
	if !a.May(need) {
		return fmt.Errorf("reading: %w %q", ErrForbidden, need)
	}
	if a.bound() && (need == ScopePack || need == ScopeScan) {
		return fmt.Errorf("reading: %w", ErrTeams)
	}
	return nil
}

// view is the gate for reading: who is bound to teams sees what these own.
func (r *Registry) view(ctx context.Context, a Actor, need Scope, fn func(*view) error) error {
	if err := mayRead(a, need); err != nil {
		return err
	}
	return r.store.View(ctx, func(tx store.Tx) error {
		meta, err := r.readMeta(ctx, tx)
		if err != nil {
			return err
		}
		tx.Narrow(a.Teams)
		return fn(&view{tx: tx, reg: r, now: r.time(), meta: meta})
	})
}
