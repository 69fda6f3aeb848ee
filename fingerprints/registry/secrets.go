package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
	"revenant/fingerprints/strength"
)

// Field is one sensitive value of a new version.
type Field struct {
	Name  string // "" is "value"
	Value fingerprints.Value
	// Sealed is the value's fingerprint, made by a registrar elsewhere; Value is not
	// there then. nil: it is made here.
	Sealed *fingerprints.FieldRow
	// KeepNewline registers a trailing newline as part of the value (--exact).
	KeepNewline bool

	hint strength.Hint // of a value that was generated here
}

// generated reports whether the value was made by this registry just now.
func (f Field) generated() bool { return f.hint != (strength.Hint{}) }

// AddRequest registers a new secret with its first version.
type AddRequest struct {
	Name        string
	Class       fingerprints.Class // "" is application
	Owner       string
	Consumers   []string
	MultiActive bool
	Fields      []Field
	Pending     bool // register as pending, not active
	IssuedTo    string
}

// FieldResult says what became of one field.
type FieldResult = wire.FieldResult

// Registered is what registering one version did.
type Registered struct {
	wire.RegisteredView
	// Value is the generated value; empty unless it was generated here. It is
	// shown once.
	Value fingerprints.Value `json:"-"`
}

// AdoptRequest makes a registered secret of a generic finding. Value is what
// the caller re-read at the finding's place.
type AdoptRequest struct {
	Finding string // id or unique beginning of one
	Value   fingerprints.Value
	AddRequest
}

// Add registers version 1 of a new secret. ErrExists when the name is taken,
// except by this very value: then nothing changes.
func (r *Registry) Add(ctx context.Context, a Actor, q AddRequest) (Registered, error) {
	const what = "adding a secret"
	q, err := checkAdd(q)
	if err != nil {
		return Registered{}, fmt.Errorf("%s: %w", what, err)
	}
	var out Registered
	redacted, err := r.register(ctx, a, ScopeRegister, what, nil, func(g *registering) error {
		var err error
		out, err = g.addOne(q, "secret.add", nil)
		return err
	})
	if err != nil {
		return Registered{}, err
	}
	out.Redacted = redacted
	return out, nil
}

func (g *registering) addOne(q AddRequest, action string, details map[string]string) (Registered, error) {
	_, err := g.tx.Secret(g.ctx, q.Name)
	switch {
	case err == nil:
		if _, err := g.secret(g.ctx, q.Name); err != nil {
			return Registered{}, ErrExists
		}
		return g.addAgain(q)
	case !errors.Is(err, store.ErrNotFound):
		return Registered{}, err
	}
	s := fingerprints.Secret{
		Name: q.Name, Class: q.Class, Owner: q.Owner, Consumers: mergeNames(q.Consumers, nonEmpty(q.IssuedTo)),
		MultiActive: q.MultiActive, CreatedAt: g.at,
	}
	if err := g.putSecret(g.ctx, s); err != nil {
		return Registered{}, err
	}
	state := fingerprints.StateActive
	if q.Pending {
		state = fingerprints.StatePending
	}
	return g.newVersion(newVersion{secret: s, fields: q.Fields, state: state, issuedTo: q.IssuedTo, action: action, details: details, verdicts: true})
}

// addAgain answers an Add of a name that is taken: nothing to do when it is the
// same value.
func (g *registering) addAgain(q AddRequest) (Registered, error) {
	p, err := g.prepare(fingerprints.VersionID{}, q.Fields, nil)
	if err != nil {
		return Registered{}, err
	}
	versions, err := g.tx.Versions(g.ctx, q.Name)
	if err != nil {
		return Registered{}, err
	}
	v, err := g.find(versions, p)
	if err != nil {
		return Registered{}, err
	}
	if v == nil || !p.comparable() {
		return Registered{}, fmt.Errorf("%s: %w", q.Name, ErrExists)
	}
	return g.unchanged(*v, q.Fields)
}

// comparable reports whether a field has a fingerprint: what cannot be searched
// for cannot be told from another value either.
func (p prepared) comparable() bool {
	return slices.ContainsFunc(p.rows, func(r registration.Registered) bool { return r.Row.Unsearchable == "" })
}

// find returns the newest version that has these values, or nil.
func (g *registering) find(versions []fingerprints.Version, p prepared) (*fingerprints.Version, error) {
	for i := len(versions) - 1; i >= 0; i-- {
		same, err := g.same(versions[i], p)
		if err != nil {
			return nil, err
		}
		if same {
			return &versions[i], nil
		}
	}
	return nil, nil //nolint:nilnil // none is an answer
}

// unchanged is the answer for values that a version has already. Rows under old
// keys are registered again on the way.
func (g *registering) unchanged(v fingerprints.Version, fields []Field) (Registered, error) {
	if err := errors.Join(g.refresh(v, fields), g.makeUp(v, fields)); err != nil {
		return Registered{}, err
	}
	out := Registered{RegisteredView: wire.RegisteredView{Secret: v.Secret, Version: v.Number, State: v.State, IssuedTo: v.IssuedTo, Unchanged: true}}
	rows, err := g.tx.Fields(g.ctx, v.ID)
	for _, row := range rows {
		out.Fields = append(out.Fields, fieldResult(row))
	}
	return out, err
}

// newVersion is a version to register.
type newVersion struct {
	secret   fingerprints.Secret
	known    []fingerprints.Version // of the secret
	fields   []Field
	prepared *prepared // fields, fingerprinted for id; nil: not yet
	id       fingerprints.VersionID
	state    fingerprints.State
	issuedTo string
	window   time.Duration
	action   string
	details  map[string]string
	verdicts bool // compute what changed
}

// newVersion registers the next version of a secret and supersedes what an
// active one replaces.
func (g *registering) newVersion(n newVersion) (Registered, error) {
	if n.prepared == nil {
		id, err := g.newVersionID()
		if err != nil {
			return Registered{}, err
		}
		p, err := g.prepare(id, n.fields, nil)
		if err != nil {
			return Registered{}, err
		}
		n.id, n.prepared = id, &p
	}
	v := moved(fingerprints.Version{
		ID: n.id, Secret: n.secret.Name, Number: nextNumber(n.known), IssuedTo: n.issuedTo, CreatedAt: g.at,
	}, n.state, g.at, n.window)
	out := Registered{RegisteredView: wire.RegisteredView{Secret: v.Secret, Version: v.Number, State: v.State, IssuedTo: v.IssuedTo}}
	if n.verdicts {
		g.countVerdicts()
	}
	err := g.willChange(g.ctx, nil, n.prepared.valueIDs())
	if err != nil {
		return out, err
	}
	if v.State == fingerprints.StateActive {
		if out.Superseded, err = g.displace(g.ctx, n.secret, n.known, v, n.window); err != nil {
			return out, err
		}
		v.WindowEnds = time.Time{}
	}
	if err := g.tx.PutVersion(g.ctx, v); err != nil {
		return out, fmt.Errorf("storing %s: %w", v.Ref(), err)
	}
	if out.Fields, out.Recognised, err = g.store(v, *n.prepared); err != nil {
		return out, err
	}
	g.note(n.action, versionSubject(v), registeredDetails(n, v, out))
	if n.verdicts {
		out.Verdicts, err = g.verdictChanges(g.ctx)
	}
	return out, err
}

func (p prepared) valueIDs() []fingerprints.ValueID {
	var out []fingerprints.ValueID
	for _, r := range p.rows {
		out = append(out, r.Entry.ValueID)
	}
	return out
}

func registeredDetails(n newVersion, v fingerprints.Version, out Registered) map[string]string {
	d := map[string]string{"state": string(v.State)}
	for k, x := range n.details {
		d[k] = x
	}
	if v.IssuedTo != "" {
		d["issued_to"] = v.IssuedTo
	}
	var names []string
	for _, f := range out.Fields {
		names = append(names, f.Name)
	}
	d["fields"] = strings.Join(names, " ")
	return d
}

func nextNumber(versions []fingerprints.Version) int {
	n := 1
	for _, v := range versions {
		n = max(n, v.Number+1)
	}
	return n
}

// Adopt registers the value of a generic finding. The finding keeps its id.
func (r *Registry) Adopt(ctx context.Context, a Actor, q AdoptRequest) (Registered, error) {
	const what = "adopting a finding"
	if len(q.Fields) == 0 || q.Fields[0].Sealed == nil {
		q.Fields = []Field{{Name: "value", Value: q.Value}}
	}
	add, err := checkAdd(q.AddRequest)
	if err != nil {
		return Registered{}, fmt.Errorf("%s: %w", what, err)
	}
	var out Registered
	redacted, err := r.register(ctx, a, ScopeRegister, what, nil, func(g *registering) error {
		f, err := g.finding(ctx, q.Finding)
		if err != nil {
			return err
		}
		id, ok, err := g.valueIDOf(q.Fields[0])
		if err != nil {
			return err
		}
		switch {
		case f.Value.IsZero():
			return ErrAdoptWeak
		case !ok || id != f.Value:
			return ErrOtherValue
		}
		if len(f.Matches) > 0 && f.Matches[0].Version.Secret != add.Name {
			return fmt.Errorf("%w: it is the value of %s", ErrRegistered, f.Matches[0].Version.Ref())
		}
		out, err = g.addOne(add, "secret.adopt", map[string]string{"finding": string(f.ID)})
		return err
	})
	if err != nil {
		return Registered{}, err
	}
	out.Redacted = redacted
	return out, nil
}

// valueIDOf is the id of a value; false: it is too weak to have one.
func (g *registering) valueIDOf(f Field) (fingerprints.ValueID, bool, error) {
	if f.Sealed == nil {
		id, ok := registration.ValueIDOf(g.identities, f.Value.Reveal())
		return id, ok, nil
	}
	if f.Sealed.Unsearchable != "" {
		return fingerprints.ValueID{}, false, nil
	}
	done, err := g.reg.TakeOver(*f.Sealed, fingerprints.FieldRow{})
	if err != nil {
		return fingerprints.ValueID{}, false, registerError(f.Name, err)
	}
	return done.Entry.ValueID, true, nil
}

// identities is registration.Identities of the ring.
func (c *change) identities(aud fingerprints.Audience) (keys.IdentityKey, bool) {
	return c.ring.Identity(aud), true
}
