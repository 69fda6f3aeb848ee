package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
)

// ErrNoRegistrar says that values cannot be fingerprinted here.
var ErrNoRegistrar = errors.New("values are fingerprinted on this machine before anything is sent, and it has no registering keys: run `revenant key registrar --out FILE` where the key ring is, bring the file here, and name it with REVENANT_REGISTRAR or `revenant login --registrar FILE`")

// errOtherRing says that the keys are not the server's.
var errOtherRing = errors.New("the registering keys are of another installation than the server's, or older than its newest: take them anew with `revenant key registrar`")

// Registrar makes fingerprints of values on this machine.
type Registrar struct {
	// Keys opens the ring's registering keys, when they are needed first.
	Keys func() (Keys, error)
	Rand io.Reader
}

// Keys are a ring's registering keys, or the ring itself.
type Keys interface {
	registration.Keys
	ID() fingerprints.RingID
}

// sealer is a sealer for one command: it knows what the server had when it began.
func (r *Registry) sealer(ctx context.Context) (*registry.Sealer, error) {
	if r.Registrar == nil {
		return nil, ErrNoRegistrar
	}
	ks, err := r.Registrar.Keys()
	if err != nil {
		return nil, err
	}
	st, err := r.c.RegistrarState(ctx)
	if err != nil {
		return nil, known(err)
	}
	if st.Ring != ks.ID().String() || st.Installation != ks.Installation().String() || st.Epoch != ks.Epoch() || st.FilterGen != ks.FilterGen() || st.Format != registration.Format {
		return nil, errOtherRing
	}
	crowded := map[uint64]int{}
	for _, t := range st.Crowded {
		crowded[t.Tag] = t.Values
	}
	return &registry.Sealer{
		Keys: ks, Rand: r.Registrar.Rand, Crowded: crowded,
		Known: func(ids []fingerprints.ValueID) (map[fingerprints.ValueID]fingerprints.FieldRow, error) {
			return r.rows(ctx, ids)
		},
	}, nil
}

// rows are those of values that are registered.
func (r *Registry) rows(ctx context.Context, ids []fingerprints.ValueID) (map[fingerprints.ValueID]fingerprints.FieldRow, error) {
	out := map[fingerprints.ValueID]fingerprints.FieldRow{}
	for part := range slices.Chunk(ids, pageSize) {
		var texts []string
		for _, id := range part {
			texts = append(texts, id.String())
		}
		k, err := r.c.KnownRows(ctx, texts, "")
		if err != nil {
			return nil, known(err)
		}
		for _, id := range part {
			f, is := k.Values[id.String()]
			if !is {
				continue
			}
			if out[id], err = registry.Opened(f); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// older are the rows of a secret's versions.
func (r *Registry) older(ctx context.Context, name string) ([]registry.OlderRow, error) {
	k, err := r.c.KnownRows(ctx, nil, name)
	if err != nil {
		return nil, known(err)
	}
	var out []registry.OlderRow
	for _, f := range k.Secret {
		row, err := registry.Opened(f)
		if err != nil {
			return nil, err
		}
		out = append(out, registry.OlderRow{Version: fingerprints.VersionRef{Name: name, Number: f.Number}, Row: row})
	}
	return out, nil
}

// sealed are fields as they are sent.
func sealed(s *registry.Sealer, fields []registry.Field) ([]wire.SealedField, error) {
	made, err := s.Seal(fields)
	if err != nil {
		return nil, err
	}
	var out []wire.SealedField
	for _, f := range made {
		out = append(out, registry.SealedField(f))
	}
	return out, nil
}

func registrationOf(q registry.AddRequest, fields []wire.SealedField) wire.Registration {
	return wire.Registration{
		Name: q.Name, Class: q.Class, Owner: q.Owner, Consumers: q.Consumers, MultiActive: q.MultiActive, Pending: q.Pending, IssuedTo: q.IssuedTo, Fields: fields,
	}
}

// Add registers version 1 of a new secret.
func (r *Registry) Add(ctx context.Context, _ registry.Actor, q registry.AddRequest) (registry.Registered, error) {
	q, err := registry.CheckAdd(q)
	if err != nil {
		return registry.Registered{}, err
	}
	s, err := r.sealer(ctx)
	if err != nil {
		return registry.Registered{}, err
	}
	fields, err := sealed(s, q.Fields)
	if err != nil {
		return registry.Registered{}, err
	}
	v, err := r.c.AddSecret(ctx, registrationOf(q, fields))
	return registry.Registered{RegisteredView: v}, known(err)
}

// Adopt registers the value of a generic finding.
func (r *Registry) Adopt(ctx context.Context, _ registry.Actor, q registry.AdoptRequest) (registry.Registered, error) {
	q.Fields = []registry.Field{{Name: fingerprints.DefaultField, Value: q.Value}}
	add, err := registry.CheckAdd(q.AddRequest)
	if err != nil {
		return registry.Registered{}, err
	}
	s, err := r.sealer(ctx)
	if err != nil {
		return registry.Registered{}, err
	}
	fields, err := sealed(s, add.Fields)
	if err != nil {
		return registry.Registered{}, err
	}
	v, err := r.c.AdoptFinding(ctx, q.Finding, registrationOf(add, fields))
	return registry.Registered{RegisteredView: v}, known(err)
}

// Rotate registers a new value as active. Whether it contains an older one is found
// out here, where the value is.
func (r *Registry) Rotate(ctx context.Context, _ registry.Actor, q registry.RotateRequest) (registry.Registered, error) {
	q, err := registry.CheckRotate(q)
	if err != nil {
		return registry.Registered{}, err
	}
	s, err := r.sealer(ctx)
	if err != nil {
		return registry.Registered{}, err
	}
	var out registry.Registered
	if q.Generate {
		f, err := registry.Generate(r.Registrar.Rand, q.Prefix)
		if err != nil {
			return out, err
		}
		q.Fields, out.Value = []registry.Field{f}, f.Value
	} else if !q.Force {
		if err := r.checkContains(ctx, s, q.Name, q.Fields); err != nil {
			return out, err
		}
	}
	fields, err := sealed(s, q.Fields)
	if err != nil {
		return out, err
	}
	out.RegisteredView, err = r.c.RotateSecret(ctx, wire.Registration{Name: q.Name, IssuedTo: q.IssuedTo, Window: q.Window, Force: q.Force, Fields: fields})
	return out, known(err)
}

func (r *Registry) checkContains(ctx context.Context, s *registry.Sealer, name string, fields []registry.Field) error {
	older, err := r.older(ctx, name)
	if err != nil {
		return err
	}
	return s.CheckContains(fields, older)
}

// Issue generates values here and registers them.
func (r *Registry) Issue(ctx context.Context, _ registry.Actor, q registry.IssueRequest) ([]registry.Registered, error) {
	s, err := r.sealer(ctx)
	if err != nil {
		return nil, err
	}
	slots := slices.Clone(q.Consumers)
	slices.Sort(slots)
	slots = slices.Compact(slots)
	var made []registry.Field
	var fields []wire.SealedField
	for range max(len(slots), 1) {
		f, err := registry.Generate(r.Registrar.Rand, q.Prefix)
		if err != nil {
			return nil, err
		}
		one, err := sealed(s, []registry.Field{f})
		if err != nil {
			return nil, err
		}
		made, fields = append(made, f), append(fields, one...)
	}
	list, err := r.c.IssueSecret(ctx, wire.Registration{
		Name: q.Name, Class: q.Class, Owner: q.Owner, Consumers: q.Consumers, MultiActive: q.MultiActive, Pending: q.Pending, Fields: fields,
	})
	if err != nil {
		return nil, known(err)
	}
	var out []registry.Registered
	for i, v := range list {
		if i >= len(made) {
			return nil, fmt.Errorf("issuing a secret: %w", errOtherRing)
		}
		out = append(out, registry.Registered{RegisteredView: v, Value: made[i].Value})
	}
	return out, nil
}
