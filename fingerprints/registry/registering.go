package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/registration"
)

// registering is what one change needs to register values: a registrar, the
// index, and what stored provenance is searched for at the end.
type registering struct {
	*change
	ctx   context.Context
	reg   *registration.Registrar
	known *lookup
	// search is what stored provenance is searched for after the commit.
	search *search
}

func (c *change) registering(ctx context.Context, s *search) (*registering, error) {
	if err := c.reg.index.follow(ctx, c); err != nil {
		return nil, fmt.Errorf("reading what is registered: %w", err)
	}
	g := &registering{change: c, ctx: ctx, search: s}
	g.known = &lookup{
		ctx: ctx, base: &c.reg.index, tx: c.tx, open: registration.New(c.ring, c.reg.rand, nil),
		tags: map[uint64]int{}, values: map[fingerprints.ValueID]registration.Entry{},
	}
	g.reg = registration.New(c.ring, c.reg.rand, g.known)
	return g, nil
}

// prepared is a set of values that are fingerprinted and not stored yet.
type prepared struct {
	fields []Field
	rows   []registration.Registered
}

// prepare fingerprints the values of one version. rows keeps the ids of rows
// that are registered again.
func (g *registering) prepare(id fingerprints.VersionID, fields []Field, rows map[string]fingerprints.RowID) (prepared, error) {
	p := prepared{fields: fields}
	for _, f := range fields {
		if f.Sealed != nil {
			done, err := g.reg.TakeOver(*f.Sealed, fingerprints.FieldRow{ID: rows[f.Name], Version: id, Revision: g.revision()})
			if err != nil {
				return prepared{}, registerError(f.Name, err)
			}
			if done.Row.Field != f.Name {
				return prepared{}, registerError(f.Name, registration.ErrForeignRow)
			}
			p.rows = append(p.rows, done)
			continue
		}
		done, err := g.reg.Register(registration.Input{
			Value: f.Value, Version: id, Field: f.Name, Revision: g.revision(),
			Row: rows[f.Name], Trailing: f.trailing(), Hint: f.hint,
		})
		if err != nil {
			return prepared{}, registerError(f.Name, err)
		}
		p.rows = append(p.rows, done)
	}
	return p, nil
}

// store writes the prepared fields of a version and returns how many findings
// were recognised.
func (g *registering) store(v fingerprints.Version, p prepared) ([]FieldResult, int, error) {
	var out []FieldResult
	recognised := 0
	for i, done := range p.rows {
		if err := g.tx.PutField(g.ctx, done.Row); err != nil {
			return nil, 0, fmt.Errorf("storing field %s: %w", done.Row.Field, err)
		}
		n, err := g.link(done)
		if err != nil {
			return nil, 0, err
		}
		recognised += n
		out = append(out, fieldResult(done.Row))
		if done.Row.Unsearchable == "" {
			g.search.add(p.fields[i], v.Ref())
		}
	}
	g.touch(touchField)
	return out, recognised, nil
}

// link ties what was found before to the new row; the findings keep their ids.
func (g *registering) link(done registration.Registered) (int, error) {
	if done.Row.Unsearchable != "" || done.Entry.ValueID.IsZero() {
		return 0, nil
	}
	g.known.add(done.Entry)
	g.added = append(g.added, indexedOf(done.Entry))
	n, err := g.tx.LinkValue(g.ctx, done.Entry.ValueID, done.Row.ID)
	if err != nil {
		return 0, fmt.Errorf("recognising earlier findings: %w", err)
	}
	return n, nil
}

func (f Field) trailing() registration.Trailing {
	if f.KeepNewline {
		return registration.KeepTrailing
	}
	return registration.TrimTrailing
}

func registerError(field string, err error) error {
	switch {
	case errors.Is(err, registration.ErrForeignRow), errors.Is(err, registration.ErrOtherKeys):
		return fmt.Errorf("field %s: %w", field, ErrSealed)
	case errors.Is(err, registration.ErrEmpty):
		return fmt.Errorf("field %s: %w", field, ErrEmptyValue)
	case errors.Is(err, registration.ErrTooLong):
		return fmt.Errorf("field %s: %w: the limit is 256 KiB; register the secret fields inside it one by one", field, ErrValueTooLong)
	}
	return fmt.Errorf("field %s: %w", field, err)
}

func fieldResult(row fingerprints.FieldRow) FieldResult {
	return FieldResult{
		Name: row.Field, Strength: row.Strength, Unsearchable: row.Unsearchable,
		Weak: row.Strength == fingerprints.StrengthWeak,
	}
}

// entries opens the searchable rows of a version, by field.
func (g *registering) entries(v fingerprints.Version) (map[string]registration.Entry, []fingerprints.FieldRow, error) {
	rows, err := g.tx.Fields(g.ctx, v.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the fields of %s: %w", v.Ref(), err)
	}
	out := map[string]registration.Entry{}
	for _, row := range rows {
		if row.Unsearchable != "" {
			continue
		}
		e, err := g.reg.Open(row)
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", v.Ref(), err)
		}
		out[row.Field] = e
	}
	return out, rows, nil
}

// same reports whether a version has exactly these values. Fields that cannot
// be searched for have no fingerprint to compare: they count as the same when
// the new value cannot be searched for either, for the same reason.
func (g *registering) same(v fingerprints.Version, p prepared) (bool, error) {
	entries, rows, err := g.entries(v)
	if err != nil || len(rows) != len(p.rows) {
		return false, err
	}
	reasons := map[string]string{}
	for _, row := range rows {
		reasons[row.Field] = row.Unsearchable
	}
	for _, done := range p.rows {
		reason, ok := reasons[done.Row.Field]
		if !ok || reason != done.Row.Unsearchable || entries[done.Row.Field].ValueID != done.Entry.ValueID {
			return false, nil
		}
	}
	return true, nil
}

// stale reports whether a row was registered under keys or a format that new
// rows no longer get.
func (c *change) stale(row fingerprints.FieldRow) bool {
	return row.Format < registration.Format || row.Epoch < c.ring.Epoch() || row.FilterGen < c.ring.FilterGen()
}

// refresh registers the fields of a known version again when keys or format
// changed since.
func (g *registering) refresh(v fingerprints.Version, fields []Field) error {
	rows, err := g.tx.Fields(g.ctx, v.ID)
	if err != nil {
		return err
	}
	ids := map[string]fingerprints.RowID{}
	for _, row := range rows {
		if g.stale(row) {
			ids[row.Field] = row.ID
		}
	}
	again := slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return ids[f.Name] == fingerprints.RowID{} })
	if len(again) == 0 {
		return nil
	}
	p, err := g.prepare(v.ID, again, ids)
	if err != nil {
		return err
	}
	if _, _, err := g.store(v, p); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(ids))
	g.note("secret.refresh", v.Ref().String(), map[string]string{"fields": strings.Join(names, " ")})
	return nil
}

// newVersionID draws an id.
func (c *change) newVersionID() (fingerprints.VersionID, error) {
	var id fingerprints.VersionID
	if _, err := io.ReadFull(c.reg.rand, id[:]); err != nil {
		return id, fmt.Errorf("drawing a version id: %w", err)
	}
	return id, nil
}
