package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// notFound names what is missing, when the name is one that was checked.
func notFound(what, name string) error {
	if name != "" && fingerprints.CheckName(name) == nil {
		return fmt.Errorf("%s %s: %w", what, name, store.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, store.ErrNotFound)
}

const versionColumns = `v.id, v.secret, v.number, v.state, v.issued_to, v.window_ends, v.compromised_at,
	v.created_at, v.activated_at, v.superseded_at, v.retired_at, v.abandoned_at`

func versionDst(v *fingerprints.Version) []any {
	return []any{
		fixed{(*[16]byte)(&v.ID)},
		&v.Secret, &v.Number, &v.State, &v.IssuedTo,
		moment{&v.WindowEnds},
		moment{&v.CompromisedAt},
		moment{&v.CreatedAt},
		moment{&v.ActivatedAt},
		moment{&v.SupersededAt},
		moment{&v.RetiredAt},
		moment{&v.AbandonedAt},
	}
}

func (t *tx) PutVersion(ctx context.Context, v fingerprints.Version) error {
	err := t.try(ctx, "storing a version",
		`INSERT INTO versions (id, secret, number, state, issued_to, window_ends, compromised_at,
			created_at, activated_at, superseded_at, retired_at, abandoned_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, number = excluded.number, state = excluded.state,
			issued_to = excluded.issued_to, window_ends = excluded.window_ends, compromised_at = excluded.compromised_at,
			created_at = excluded.created_at, activated_at = excluded.activated_at, superseded_at = excluded.superseded_at,
			retired_at = excluded.retired_at, abandoned_at = excluded.abandoned_at`,
		v.ID[:], v.Secret, v.Number, string(v.State), v.IssuedTo, stamp(v.WindowEnds), stamp(v.CompromisedAt),
		stamp(v.CreatedAt), stamp(v.ActivatedAt), stamp(v.SupersededAt), stamp(v.RetiredAt), stamp(v.AbandonedAt))
	return err
}

func (t *tx) Version(ctx context.Context, ref fingerprints.VersionRef) (fingerprints.Version, error) {
	list, err := t.versions(ctx, `WHERE v.secret = ? AND v.number = ?`, ref.Name, ref.Number)
	if err == nil && len(list) == 0 {
		return fingerprints.Version{}, notFound("version", ref.Name)
	}
	if err != nil {
		return fingerprints.Version{}, err
	}
	return list[0], nil
}

func (t *tx) VersionByID(ctx context.Context, id fingerprints.VersionID) (fingerprints.Version, error) {
	list, err := t.versions(ctx, `WHERE v.id = ?`, id[:])
	if err == nil && len(list) == 0 {
		return fingerprints.Version{}, notFound("version", "")
	}
	if err != nil {
		return fingerprints.Version{}, err
	}
	return list[0], nil
}

func (t *tx) Versions(ctx context.Context, secret string) ([]fingerprints.Version, error) {
	return t.versions(ctx, `WHERE v.secret = ? ORDER BY v.number`, secret)
}

func (t *tx) VersionsOf(ctx context.Context, secrets []string) (map[string][]fingerprints.Version, error) {
	out := map[string][]fingerprints.Version{}
	err := inLists(secrets, func(marks string, args []any) error {
		list, err := t.versions(ctx, `WHERE v.secret IN (`+marks+`) ORDER BY v.secret, v.number`, args...)
		for _, v := range list {
			out[v.Secret] = append(out[v.Secret], v)
		}
		return err
	})
	return out, err
}

// versions reads those that a condition selects, which begins with WHERE.
func (t *tx) versions(ctx context.Context, rest string, args ...any) ([]fingerprints.Version, error) {
	if seen := t.ofSeen("v.secret"); seen != "" {
		rest = "WHERE " + seen + " AND " + strings.TrimPrefix(rest, "WHERE ")
	}
	var out []fingerprints.Version
	err := t.each(ctx, "reading versions", `SELECT `+versionColumns+` FROM versions v `+rest, args, func(scan scanner) error {
		var v fingerprints.Version
		err := scan(versionDst(&v)...)
		out = append(out, v)
		return err
	})
	return out, err
}

func (t *tx) CountVersions(ctx context.Context) (map[fingerprints.State]int, error) {
	out := map[fingerprints.State]int{}
	err := t.each(ctx, "counting versions", `SELECT state, COUNT(*) FROM versions`+t.whereSeen("secret")+` GROUP BY state`, nil, func(scan scanner) error {
		var s fingerprints.State
		var n int
		err := scan(&s, &n)
		out[s] = n
		return err
	})
	return out, err
}

const fieldColumns = `f.id, f.version, f.field, f.format, f.epoch, f.filter_gen, f.revision, f.strength, f.unsearchable, f.sealed`

func fieldDst(f *fingerprints.FieldRow) []any {
	return []any{
		fixed{(*[16]byte)(&f.ID)},
		fixed{(*[16]byte)(&f.Version)},
		&f.Field, &f.Format, &f.Epoch, &f.FilterGen,
		&f.Revision, &f.Strength, &f.Unsearchable, &f.Sealed,
	}
}

func (t *tx) PutField(ctx context.Context, f fingerprints.FieldRow) error {
	err := t.try(ctx, "storing a field",
		`INSERT INTO fields (id, version, field, format, epoch, filter_gen, revision, strength, unsearchable, sealed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, field = excluded.field, format = excluded.format,
			epoch = excluded.epoch, filter_gen = excluded.filter_gen, revision = excluded.revision,
			strength = excluded.strength, unsearchable = excluded.unsearchable, sealed = excluded.sealed`,
		f.ID[:], f.Version[:], f.Field, int64(f.Format), int64(f.Epoch), int64(f.FilterGen), int64(f.Revision),
		string(f.Strength), f.Unsearchable, nullable(f.Sealed))
	return err
}

// nullable keeps the difference between no bytes and none at all out of the
// database: both are NULL.
func nullable(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

func (t *tx) Fields(ctx context.Context, v fingerprints.VersionID) ([]fingerprints.FieldRow, error) {
	return t.fields(ctx, `WHERE f.version = ? ORDER BY f.field, f.id`, v[:])
}

func (t *tx) FieldByID(ctx context.Context, id fingerprints.RowID) (fingerprints.FieldRow, error) {
	list, err := t.fields(ctx, `WHERE f.id = ?`, id[:])
	if err == nil && len(list) == 0 {
		return fingerprints.FieldRow{}, notFound("field", "")
	}
	if err != nil {
		return fingerprints.FieldRow{}, err
	}
	return list[0], nil
}

func (t *tx) fields(ctx context.Context, rest string, args ...any) ([]fingerprints.FieldRow, error) {
	if seen := t.ofSeen("(SELECT v.secret FROM versions v WHERE v.id = f.version)"); seen != "" {
		rest = "WHERE " + seen + " AND " + strings.TrimPrefix(rest, "WHERE ")
	}
	var out []fingerprints.FieldRow
	err := t.each(ctx, "reading fields", `SELECT `+fieldColumns+` FROM fields f `+rest, args, func(scan scanner) error {
		var f fingerprints.FieldRow
		err := scan(fieldDst(&f)...)
		out = append(out, f)
		return err
	})
	return out, err
}

// page is how many rows a stream reads before it hands them out: fn may use
// the transaction, which not every database allows while rows are open.
const page = 1000

func (t *tx) EachField(ctx context.Context, fn func(fingerprints.FieldRow, fingerprints.Version) error) error {
	type pair struct {
		f fingerprints.FieldRow
		v fingerprints.Version
	}
	after := []byte{}
	for {
		list := make([]pair, 0, page)
		err := t.each(ctx, "reading fields", `SELECT `+fieldColumns+`, `+versionColumns+`
			FROM fields f JOIN versions v ON v.id = f.version WHERE f.id > ? `+t.andSeen("v.secret")+` ORDER BY f.id LIMIT ?`, []any{after, page},
			func(scan scanner) error {
				var p pair
				err := scan(append(fieldDst(&p.f), versionDst(&p.v)...)...)
				list = append(list, p)
				return err
			})
		if err != nil {
			return err
		}
		for _, p := range list {
			if err := fn(p.f, p.v); err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
		after = bytes.Clone(list[page-1].f.ID[:])
	}
}

func (t *tx) CountFields(ctx context.Context) ([]store.FieldCount, error) {
	var out []store.FieldCount
	err := t.each(ctx, "counting fields", `SELECT format, epoch, filter_gen, strength, unsearchable, COUNT(*) FROM fields`+t.whereSeen("(SELECT secret FROM versions v WHERE v.id = fields.version)")+`
		GROUP BY format, epoch, filter_gen, strength, unsearchable
		ORDER BY format, epoch, filter_gen, strength, unsearchable`, nil, func(scan scanner) error {
		var c store.FieldCount
		err := scan(&c.Format, &c.Epoch, &c.FilterGen, &c.Strength, &c.Unsearchable, &c.Count)
		out = append(out, c)
		return err
	})
	return out, err
}

func (t *tx) PutAck(ctx context.Context, a store.Ack) error {
	err := t.try(ctx, "storing an acknowledgement", `INSERT INTO acks (version, consumer, at, actor) VALUES (?, ?, ?, ?)
		ON CONFLICT (version, consumer) DO UPDATE SET at = excluded.at, actor = excluded.actor`,
		a.Version[:], a.Consumer, stamp(a.At), a.Actor)
	return err
}

func (t *tx) Acks(ctx context.Context, v fingerprints.VersionID) ([]store.Ack, error) {
	var out []store.Ack
	err := t.each(ctx, "listing acknowledgements", `SELECT version, consumer, at, actor FROM acks WHERE version = ? ORDER BY consumer`, []any{v[:]},
		func(scan scanner) error {
			var a store.Ack
			err := scan(fixed{(*[16]byte)(&a.Version)}, &a.Consumer, moment{&a.At}, &a.Actor)
			out = append(out, a)
			return err
		})
	return out, err
}
