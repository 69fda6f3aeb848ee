package sqlstore

import (
	"context"

	"revenant/fingerprints/store"
)

func (t *tx) Meta(ctx context.Context) (store.Meta, error) {
	var m store.Meta
	err := t.one(ctx, "reading what the store knows of itself",
		`SELECT installation, ring, created_at, revision, pack_revision, field_revision FROM meta`, nil,
		fixed{(*[16]byte)(&m.Installation)}, fixed{(*[16]byte)(&m.Ring)}, moment{&m.CreatedAt},
		&m.Revision, &m.PackRevision, &m.FieldRevision)
	return m, err
}

func (t *tx) SetMeta(ctx context.Context, m store.Meta) error {
	_, err := t.exec(ctx, "writing what the store knows of itself",
		`INSERT INTO meta (one, installation, ring, created_at, revision, pack_revision, field_revision)
		VALUES (1, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (one) DO UPDATE SET installation = excluded.installation, ring = excluded.ring,
			created_at = excluded.created_at, revision = excluded.revision,
			pack_revision = excluded.pack_revision, field_revision = excluded.field_revision`,
		m.Installation[:], m.Ring[:], stamp(m.CreatedAt),
		int64(m.Revision), int64(m.PackRevision), int64(m.FieldRevision))
	return err
}
