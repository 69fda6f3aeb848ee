package registry

import (
	"context"
	"fmt"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// VerdictChange counts findings whose verdict changed.
type VerdictChange = wire.VerdictChange

// Transition is one version's step from one state to another.
type Transition = wire.Transition

// Changed is what a command on a version did.
type Changed = wire.Changed

// SupersedeOptions sets the dual-credential window; zero: no deadline.
type SupersedeOptions struct{ Window time.Duration }

// Supersede moves a version from active to superseded.
func (r *Registry) Supersede(ctx context.Context, a Actor, ref fingerprints.VersionRef, o SupersedeOptions) (Changed, error) {
	if o.Window < 0 {
		return Changed{}, badInput("window", "it is 0 or more")
	}
	return r.command(ctx, a, ref, "superseding a version", supersede(), func(k step) ([]Transition, error) {
		return k.move(o.Window, nil)
	})
}

// RetireOptions qualifies Retire.
type RetireOptions struct {
	// NoSuccessor permits retiring the last active version.
	NoSuccessor bool
}

// Retire moves a version from active or superseded to retired.
func (r *Registry) Retire(ctx context.Context, a Actor, ref fingerprints.VersionRef, o RetireOptions) (Changed, error) {
	return r.command(ctx, a, ref, "retiring a version", retire(), func(k step) ([]Transition, error) {
		var details map[string]string
		if k.version.State == fingerprints.StateActive && !hasSuccessor(k.versions, k.version) {
			if !o.NoSuccessor {
				return nil, fmt.Errorf("%s: %w", k.version.Ref(), ErrNoSuccessor)
			}
			details = map[string]string{"successor": "none, by the actor's word"}
		}
		return k.move(0, details)
	})
}

// ActivateOptions sets the window of the version that is displaced.
type ActivateOptions struct{ Window time.Duration }

// Activate moves a version from pending to active, or from superseded to active
// (rollback). The version that was active for the same consumer is superseded in
// the same transaction.
func (r *Registry) Activate(ctx context.Context, a Actor, ref fingerprints.VersionRef, o ActivateOptions) (Changed, error) {
	if o.Window < 0 {
		return Changed{}, badInput("window", "it is 0 or more")
	}
	return r.command(ctx, a, ref, "activating a version", activate(), func(k step) ([]Transition, error) {
		also, err := k.displace(k.ctx, k.secret, k.versions, k.version, o.Window)
		if err != nil {
			return nil, err
		}
		var details map[string]string
		if k.version.State == fingerprints.StateSuperseded {
			details = map[string]string{"rollback": "yes"}
		}
		own, err := k.move(0, details)
		return append(own, also...), err
	})
}

// Abandon moves a version from pending to abandoned.
func (r *Registry) Abandon(ctx context.Context, a Actor, ref fingerprints.VersionRef) (Changed, error) {
	return r.command(ctx, a, ref, "abandoning a version", abandon(), func(k step) ([]Transition, error) {
		return k.move(0, nil)
	})
}

// step is one command on one version in progress.
type step struct {
	*change
	ctx      context.Context
	secret   fingerprints.Secret
	versions []fingerprints.Version
	version  fingerprints.Version
	command  command
}

func (k step) move(window time.Duration, details map[string]string) ([]Transition, error) {
	t, err := k.change.move(k.ctx, k.version, k.command, window, details)
	return []Transition{t}, err
}

// command runs one command of the state machine; do returns the version's own
// transition first.
func (r *Registry) command(ctx context.Context, a Actor, ref fingerprints.VersionRef, what string, m command, do func(step) ([]Transition, error)) (Changed, error) {
	var out Changed
	err := r.update(ctx, a, ScopeRotate, what, func(c *change) error {
		s, versions, v, err := c.versionByRef(ctx, ref)
		if err != nil {
			return err
		}
		out = Changed{Transition: transition(v, v), Verdicts: []VerdictChange{}}
		moves, err := m.check(v)
		if err != nil || !moves {
			out.Unchanged = err == nil
			return err
		}
		c.countVerdicts()
		all, err := do(step{change: c, ctx: ctx, secret: s, versions: versions, version: v, command: m})
		if err != nil {
			return err
		}
		out.Transition, out.Also = all[0], all[1:]
		out.Verdicts, err = c.verdictChanges(ctx)
		return err
	})
	if err != nil {
		return Changed{}, err
	}
	return out, nil
}

// Compromise sets the flag, in any state.
func (r *Registry) Compromise(ctx context.Context, a Actor, ref fingerprints.VersionRef) (Changed, error) {
	var out Changed
	err := r.update(ctx, a, ScopeRotate, "marking a version as compromised", func(c *change) error {
		_, _, v, err := c.versionByRef(ctx, ref)
		if err != nil {
			return err
		}
		out = Changed{Transition: transition(v, v), Unchanged: true, Verdicts: []VerdictChange{}}
		if v.Compromised() {
			return nil
		}
		c.countVerdicts()
		if err := c.willChange(ctx, []fingerprints.VersionID{v.ID}, nil); err != nil {
			return err
		}
		next := v
		next.CompromisedAt = c.at
		if err := c.tx.PutVersion(ctx, next); err != nil {
			return err
		}
		c.note("version.compromise", versionSubject(v), map[string]string{"state": string(v.State)})
		c.touch(touchPack)
		out.Transition, out.Unchanged = transition(v, next), false
		out.Verdicts, err = c.verdictChanges(ctx)
		return err
	})
	if err != nil {
		return Changed{}, err
	}
	return out, nil
}
