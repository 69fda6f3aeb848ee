package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// command is one of the commands that move a version.
type command struct {
	action string // as the audit log says it
	done   string // as in "cannot be retired"
	to     fingerprints.State
	from   []fingerprints.State
}

func supersede() command {
	return command{"version.supersede", "superseded", fingerprints.StateSuperseded, []fingerprints.State{fingerprints.StateActive}}
}

func retire() command {
	return command{
		"version.retire", "retired", fingerprints.StateRetired,
		[]fingerprints.State{fingerprints.StateActive, fingerprints.StateSuperseded},
	}
}

func activate() command {
	return command{
		"version.activate", "activated", fingerprints.StateActive,
		[]fingerprints.State{fingerprints.StatePending, fingerprints.StateSuperseded},
	}
}

func abandon() command {
	return command{"version.abandon", "abandoned", fingerprints.StateAbandoned, []fingerprints.State{fingerprints.StatePending}}
}

// check says whether the command moves a version of this state: true to move,
// false when it is there already, else the error with the way out.
func (m command) check(v fingerprints.Version) (bool, error) {
	switch {
	case v.State == m.to:
		return false, nil
	case slices.Contains(m.from, v.State):
		return true, nil
	}
	return false, &TransitionError{Ref: v.Ref(), State: v.State, Command: m.done, Way: wayOut(v.State)}
}

func wayOut(s fingerprints.State) string {
	switch s {
	case fingerprints.StatePending:
		return "activate or abandon it"
	case fingerprints.StateActive:
		return "supersede or retire it; rotate registers a new value"
	case fingerprints.StateSuperseded:
		return "retire it, or activate it to roll back"
	case fingerprints.StateRetired:
		return "nothing leaves retired; register a new value with rotate"
	case fingerprints.StateAbandoned:
		return "nothing leaves abandoned; register a new value with rotate"
	}
	return "its state is unknown to this version of revenant"
}

// moved returns the version in its new state.
func moved(v fingerprints.Version, to fingerprints.State, at time.Time, window time.Duration) fingerprints.Version {
	v.State, v.WindowEnds = to, time.Time{}
	switch to {
	case fingerprints.StateActive:
		v.ActivatedAt, v.SupersededAt = at, time.Time{}
	case fingerprints.StateSuperseded:
		v.SupersededAt = at
		if window > 0 {
			v.WindowEnds = at.Add(window)
		}
	case fingerprints.StateRetired:
		v.RetiredAt = at
	case fingerprints.StateAbandoned:
		v.AbandonedAt = at
	case fingerprints.StatePending:
	}
	return v
}

// move writes a version's new state and its audit entry.
func (c *change) move(ctx context.Context, v fingerprints.Version, m command, window time.Duration, details map[string]string) (Transition, error) {
	if err := c.willChange(ctx, []fingerprints.VersionID{v.ID}, nil); err != nil {
		return Transition{}, err
	}
	next := moved(v, m.to, c.at, window)
	if err := c.tx.PutVersion(ctx, next); err != nil {
		return Transition{}, fmt.Errorf("storing %s: %w", v.Ref(), err)
	}
	if details == nil {
		details = map[string]string{}
	}
	details["from"], details["to"] = string(v.State), string(next.State)
	if !next.WindowEnds.IsZero() {
		details["window_ends"] = next.WindowEnds.Format(time.RFC3339)
	}
	c.note(m.action, versionSubject(v), details)
	c.touch(touchPack)
	return transition(v, next), nil
}

func transition(before, after fingerprints.Version) Transition {
	return Transition{
		Secret: after.Secret, Version: after.Number, From: before.State, To: after.State,
		Compromised: after.Compromised(), WindowEnds: optionalTime(after.WindowEnds),
	}
}

// displace supersedes the active versions that a new active one replaces: for
// one consumer that consumer's, for all consumers every one. A key-ring secret
// keeps its newest beside the new one.
func (c *change) displace(ctx context.Context, s fingerprints.Secret, versions []fingerprints.Version, by fingerprints.Version, window time.Duration) ([]Transition, error) {
	var old []fingerprints.Version
	for _, v := range versions {
		if v.ID != by.ID && v.State == fingerprints.StateActive && (by.IssuedTo == "" || by.IssuedTo == v.IssuedTo) {
			old = append(old, v)
		}
	}
	if s.MultiActive && len(old) > 0 {
		slices.SortStableFunc(old, func(a, b fingerprints.Version) int { return a.ActivatedAt.Compare(b.ActivatedAt) })
		old = old[:len(old)-1]
	}
	var out []Transition
	for _, v := range old {
		t, err := c.move(ctx, v, supersede(), window, map[string]string{"by": versionSubject(by)})
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// hasSuccessor reports whether another active version serves those that v
// serves.
func hasSuccessor(versions []fingerprints.Version, v fingerprints.Version) bool {
	return slices.ContainsFunc(versions, func(o fingerprints.Version) bool {
		return o.ID != v.ID && o.State == fingerprints.StateActive && (o.IssuedTo == "" || o.IssuedTo == v.IssuedTo || v.IssuedTo == "")
	})
}

// secretByName finds a secret. The errors never repeat the name: it may be a
// value.
func secretByName(ctx context.Context, tx store.Tx, name string) (fingerprints.Secret, error) {
	if err := checkName("secret", name); err != nil {
		return fingerprints.Secret{}, err
	}
	s, err := tx.Secret(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return fingerprints.Secret{}, ErrUnknownSecret
	}
	return s, err
}

// secret is secretByName as the actor sees it, versionByRef and finding likewise.
func (c *change) secret(ctx context.Context, name string) (s fingerprints.Secret, err error) {
	err = c.within(func() (err error) {
		s, err = secretByName(ctx, c.tx, name)
		return err
	})
	return s, err
}

func (c *change) versionByRef(ctx context.Context, ref fingerprints.VersionRef) (fingerprints.Secret, []fingerprints.Version, fingerprints.Version, error) {
	if _, err := c.secret(ctx, ref.Name); err != nil {
		return fingerprints.Secret{}, nil, fingerprints.Version{}, err
	}
	return versionByRef(ctx, c.tx, ref)
}

// finding has all that it matches: what may be done depends on it.
func (c *change) finding(ctx context.Context, id string) (f store.FindingView, err error) {
	err = c.within(func() (err error) {
		f, err = findingByID(ctx, c.tx, c.at, id)
		return err
	})
	if err != nil {
		return f, err
	}
	return c.tx.Finding(ctx, c.at, f.ID)
}

// putSecret stores a secret that the actor sees, also afterwards.
func (c *change) putSecret(ctx context.Context, s fingerprints.Secret) error {
	if c.actor.bound() && !c.actor.sees([]string{s.Owner}) {
		return badInput("owner", "it is one of your teams")
	}
	return c.tx.PutSecret(ctx, s)
}

// versionByRef finds a version with its secret and siblings.
func versionByRef(ctx context.Context, tx store.Tx, ref fingerprints.VersionRef) (fingerprints.Secret, []fingerprints.Version, fingerprints.Version, error) {
	s, err := secretByName(ctx, tx, ref.Name)
	if err != nil {
		return s, nil, fingerprints.Version{}, err
	}
	versions, err := tx.Versions(ctx, s.Name)
	if err != nil {
		return s, nil, fingerprints.Version{}, err
	}
	if ref.Number == 0 {
		var known []string
		for _, v := range versions {
			known = append(known, v.Ref().String())
		}
		return s, nil, fingerprints.Version{}, fmt.Errorf("%w: say which version: %s", ErrInput, strings.Join(last(known, 10), ", "))
	}
	for _, v := range versions {
		if v.Number == ref.Number {
			return s, versions, v, nil
		}
	}
	return s, nil, fingerprints.Version{}, fmt.Errorf("%s has %s: %w", s.Name, counted(len(versions), "version", "versions"), ErrUnknownVersion)
}

// last is the end of a list.
func last[T any](s []T, n int) []T { return s[max(0, len(s)-n):] }
