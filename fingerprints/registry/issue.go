package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// IssueRequest generates and registers traceable values.
type IssueRequest struct {
	Name        string
	Class       fingerprints.Class
	Owner       string
	Consumers   []string // one version for each; none: one version for all
	MultiActive bool
	Prefix      string // of the value: 2 to 12 of a-z, 0-9, a letter first; "" is "rvn"
	Pending     bool
	// Fields are the values, made elsewhere, one for each consumer in order of name; nil:
	// they are made here.
	Fields []Field
}

// Issue generates one value, or one for each consumer, and registers it in the
// same step. The values are in the results, once. A new secret is made when
// there is none of the name; ErrActiveExists when a consumer has an active
// value already.
func (r *Registry) Issue(ctx context.Context, a Actor, q IssueRequest) ([]Registered, error) {
	const what = "issuing a secret"
	class, err := checkSecret(q.Name, q.Class, q.Owner, q.Consumers, "")
	if err == nil {
		q.Prefix, err = checkPrefix(q.Prefix)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	var out []Registered
	err = r.updateIndexed(ctx, a, ScopeRegister, what, func(c *change) error {
		out = nil
		g, err := c.registering(ctx, newSearch()) // for nothing: what was made now stands nowhere
		if err != nil {
			return err
		}
		s, versions, err := c.issuable(ctx, q, class)
		if err != nil {
			return err
		}
		slots := mergeNames(q.Consumers, nil)
		if len(slots) == 0 {
			slots = []string{""}
		}
		if q.Fields != nil && len(q.Fields) != len(slots) {
			return badInput("fields", "give a value for each consumer")
		}
		for i, slot := range slots {
			f, err := g.issued(q, i)
			if err != nil {
				return err
			}
			one, err := g.issueOne(s, versions, slot, q, f)
			if err != nil {
				return err
			}
			out = append(out, one)
			if versions, err = c.tx.Versions(ctx, s.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// issuable finds the secret or makes it, and adds the new consumers.
func (c *change) issuable(ctx context.Context, q IssueRequest, class fingerprints.Class) (fingerprints.Secret, []fingerprints.Version, error) {
	s, err := c.tx.Secret(ctx, q.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s = fingerprints.Secret{
			Name: q.Name, Class: class, Owner: q.Owner, Consumers: mergeNames(q.Consumers, nil),
			MultiActive: q.MultiActive, CreatedAt: c.at,
		}
		return s, nil, c.putSecret(ctx, s)
	case err != nil:
		return s, nil, err
	}
	if _, err := c.secret(ctx, q.Name); err != nil {
		return s, nil, ErrExists
	}
	versions, err := c.tx.Versions(ctx, s.Name)
	if err != nil {
		return s, nil, err
	}
	for _, v := range versions {
		taken := v.IssuedTo == "" && len(q.Consumers) == 0 || v.IssuedTo != "" && slices.Contains(q.Consumers, v.IssuedTo)
		if v.State == fingerprints.StateActive && taken && !q.Pending {
			return s, nil, fmt.Errorf("%s: %w", v.Ref(), ErrActiveExists)
		}
	}
	if all := mergeNames(s.Consumers, q.Consumers); !slices.Equal(all, s.Consumers) {
		s.Consumers = all
		if err := c.putSecret(ctx, s); err != nil {
			return s, nil, err
		}
	}
	return s, versions, nil
}

// issued is the value of a consumer.
func (g *registering) issued(q IssueRequest, i int) (Field, error) {
	if q.Fields != nil {
		return q.Fields[i], nil
	}
	return generate(g.change.reg.rand, q.Prefix)
}

func (g *registering) issueOne(s fingerprints.Secret, versions []fingerprints.Version, slot string, q IssueRequest, f Field) (Registered, error) {
	state := fingerprints.StateActive
	if q.Pending {
		state = fingerprints.StatePending
	}
	out, err := g.newVersion(newVersion{
		secret: s, known: versions, fields: []Field{f}, state: state, issuedTo: slot, action: "secret.issue", verdicts: true,
	})
	out.Value = f.Value
	return out, err
}

// RotateRequest replaces the active value.
type RotateRequest struct {
	Name     string
	Fields   []Field
	Generate bool   // generate the value; Fields is empty
	Prefix   string // of a generated value
	IssuedTo string // rotate this consumer's value only
	Window   time.Duration
	Force    bool // although the value contains or repeats an older one
}

// Rotate registers a new value as active and supersedes the old one with a
// deadline, in one transaction. With the value of a pending version it
// activates that one; with the active version's own value nothing changes.
func (r *Registry) Rotate(ctx context.Context, a Actor, q RotateRequest) (Registered, error) {
	const what = "rotating a secret"
	q, err := checkRotate(q)
	if err != nil {
		return Registered{}, fmt.Errorf("%s: %w", what, err)
	}
	var out Registered
	redacted, err := r.register(ctx, a, ScopeRotate, what, nil, func(g *registering) error {
		s, err := g.secret(ctx, q.Name)
		if err != nil {
			return err
		}
		out, err = g.rotate(s, q)
		return err
	})
	if err != nil {
		return Registered{}, err
	}
	out.Redacted = redacted
	return out, nil
}

// CheckRotate fills defaults in, and refuses what cannot be registered.
func CheckRotate(q RotateRequest) (RotateRequest, error) { return checkRotate(q) }

func checkRotate(q RotateRequest) (RotateRequest, error) {
	var err error
	switch {
	case q.Window < 0:
		return q, badInput("window", "it is 0 or more")
	case q.IssuedTo != "":
		if err := checkName("consumer", q.IssuedTo); err != nil {
			return q, err
		}
	}
	if q.Generate {
		if len(q.Fields) > 0 {
			return q, fmt.Errorf("%w: give a value or have one generated, not both", ErrInput)
		}
		q.Prefix, err = checkPrefix(q.Prefix)
		return q, err
	}
	if q.Fields, err = checkFields(q.Fields); err != nil {
		return q, err
	}
	return q, checkLabels(q.Fields, append(fieldNames(q.Fields), q.Name, q.IssuedTo)...)
}

func (g *registering) rotate(s fingerprints.Secret, q RotateRequest) (Registered, error) {
	versions, err := g.tx.Versions(g.ctx, s.Name)
	if err != nil {
		return Registered{}, err
	}
	fields := q.Fields
	if q.Generate {
		f, err := generate(g.change.reg.rand, q.Prefix)
		if err != nil {
			return Registered{}, err
		}
		fields = []Field{f}
	}
	n, err := g.candidate(s, versions, fields)
	if err != nil {
		return Registered{}, err
	}
	n.state, n.issuedTo, n.window, n.action, n.verdicts = fingerprints.StateActive, q.IssuedTo, q.Window, "secret.rotate", true
	if !q.Generate {
		known, err := g.find(versions, *n.prepared)
		if err != nil {
			return Registered{}, err
		}
		if known != nil && n.prepared.comparable() && (known.State != fingerprints.StateRetired && known.State != fingerprints.StateAbandoned || !q.Force) {
			return g.rotateTo(s, versions, *known, q, fields)
		}
		if err := g.checkContains(versions, n, q.Force); err != nil {
			return Registered{}, err
		}
	}
	if q.IssuedTo != "" && !slices.Contains(s.Consumers, q.IssuedTo) {
		s.Consumers = mergeNames(s.Consumers, []string{q.IssuedTo})
		if err := g.putSecret(g.ctx, s); err != nil {
			return Registered{}, err
		}
	}
	out, err := g.newVersion(n)
	if q.Generate {
		out.Value = fields[0].Value
	}
	return out, err
}

// candidate fingerprints values for a version that may come to be.
func (g *registering) candidate(s fingerprints.Secret, versions []fingerprints.Version, fields []Field) (newVersion, error) {
	id, err := g.newVersionID()
	if err != nil {
		return newVersion{}, err
	}
	p, err := g.prepare(id, fields, nil)
	return newVersion{secret: s, known: versions, fields: fields, id: id, prepared: &p}, err
}

// rotateTo answers a rotation to a value that a version of the secret has.
func (g *registering) rotateTo(s fingerprints.Secret, versions []fingerprints.Version, v fingerprints.Version, q RotateRequest, fields []Field) (Registered, error) {
	switch v.State {
	case fingerprints.StateActive:
		return g.unchanged(v, fields)
	case fingerprints.StateSuperseded:
		return Registered{}, fmt.Errorf("%s: %w", v.Ref(), ErrRollback)
	case fingerprints.StateRetired, fingerprints.StateAbandoned:
		return Registered{}, fmt.Errorf("%s is %s: %w", v.Ref(), v.State, ErrReused)
	case fingerprints.StatePending:
	}
	if v.Compromised() && !q.Force {
		return Registered{}, fmt.Errorf("%s is compromised: %w", v.Ref(), ErrReused)
	}
	out, err := g.unchanged(v, fields)
	if err != nil {
		return out, err
	}
	g.countVerdicts()
	if out.Superseded, err = g.displace(g.ctx, s, versions, v, q.Window); err != nil {
		return out, err
	}
	t, err := g.move(g.ctx, v, activate(), 0, map[string]string{"rotation": "yes"})
	if err != nil {
		return out, err
	}
	out.Unchanged, out.State = false, t.To
	out.Verdicts, err = g.verdictChanges(g.ctx)
	return out, err
}
