package remote

import (
	"context"
	"errors"
	"io"
	"slices"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

// importAtOnce is how many records are sent at once: a sealed field is 900 bytes.
const importAtOnce = 300

// importing is an import under way.
type importing struct {
	r     *Registry
	s     *registry.Sealer
	force bool
	names map[string]bool // of secrets that the server has
	out   registry.Imported
	batch []registry.ImportRecord
	lines int
}

// Import registers a stream of records, a batch at a time; next is as the registry's.
func (r *Registry) Import(ctx context.Context, a registry.Actor, next func() (registry.ImportRecord, error), o registry.ImportOptions) (registry.Imported, error) {
	s, err := r.sealer(ctx)
	if err != nil {
		return registry.Imported{}, err
	}
	m := &importing{r: r, s: s, force: o.Force, names: map[string]bool{}}
	secrets, err := r.List(ctx, a, registry.ListFilter{})
	if err != nil {
		return registry.Imported{}, err
	}
	for _, one := range secrets {
		m.names[one.Name] = true
	}
	for {
		rec, err := next()
		var bad *registry.LineError
		switch {
		case errors.Is(err, io.EOF):
			return m.out, m.send(ctx)
		case errors.As(err, &bad):
			m.lines++
			m.problem(orCount(bad.Line, m.lines), bad.Reason)
			continue
		case err != nil:
			return m.out, errors.Join(err, m.send(ctx))
		}
		if err := m.take(ctx, rec); err != nil {
			return m.out, err
		}
	}
}

func orCount(line, count int) int {
	if line == 0 {
		return count
	}
	return line
}

// problem notes that a line is not used.
func (m *importing) problem(line int, reason string) {
	m.out.Lines++
	m.out.Problems = append(m.out.Problems, registry.ImportProblem{Line: line, Reason: reason})
}

// take checks a record. What is wrong with it is a problem of its line.
func (m *importing) take(ctx context.Context, rec registry.ImportRecord) error {
	m.lines++
	rec.Line = orCount(rec.Line, m.lines)
	// A further version of a name is held against the ones before.
	if slices.ContainsFunc(m.batch, func(b registry.ImportRecord) bool { return b.Name == rec.Name }) {
		if err := m.send(ctx); err != nil {
			return err
		}
	}
	checked, err := registry.CheckRecord(rec)
	if err == nil && !m.force && m.names[rec.Name] {
		err = m.r.checkContains(ctx, m.s, rec.Name, checked.Fields)
	}
	if reason, is := registry.LineProblem(err); is {
		m.problem(rec.Line, reason)
		return nil
	}
	if err != nil {
		return err
	}
	if m.batch = append(m.batch, checked); len(m.batch) < importAtOnce {
		return nil
	}
	return m.send(ctx)
}

// send fingerprints what was taken, all at once, and sends it.
func (m *importing) send(ctx context.Context) error {
	if len(m.batch) == 0 {
		return nil
	}
	var all []registry.Field
	for _, rec := range m.batch {
		all = append(all, rec.Fields...)
	}
	fields, err := sealed(m.s, all)
	if err != nil {
		return err
	}
	var records []wire.Registration
	for _, rec := range m.batch {
		m.names[rec.Name] = true
		records = append(records, wire.Registration{
			Name: rec.Name, Class: rec.Class, Owner: rec.Owner, Consumers: rec.Consumers, IssuedTo: rec.IssuedTo, State: rec.State, Line: rec.Line,
			Fields: fields[:len(rec.Fields)],
		})
		fields = fields[len(rec.Fields):]
	}
	v, err := m.r.c.ImportSecrets(ctx, records, m.force)
	if err != nil {
		return known(err)
	}
	m.batch = nil
	m.out.Add(v)
	return nil
}
