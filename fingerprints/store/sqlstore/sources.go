package sqlstore

import (
	"context"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func (t *tx) PutSource(ctx context.Context, s store.Source) error {
	const doing = "storing a source"
	n, err := t.exec(ctx, doing, `UPDATE sources SET kind = ?, added_at = ?, forgotten = ? WHERE id = ?`,
		string(s.Kind), stamp(s.AddedAt), bit(s.Forgotten), s.ID)
	if err != nil || n > 0 {
		return err
	}
	pk, err := t.next(ctx, "sources", 1)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, doing, `INSERT INTO sources (pk, id, kind, added_at, forgotten) VALUES (?, ?, ?, ?, ?)`,
		pk, s.ID, string(s.Kind), stamp(s.AddedAt), bit(s.Forgotten))
	return err
}

func (t *tx) Source(ctx context.Context, id string) (store.Source, error) {
	list, err := t.sources(ctx, `WHERE id = ?`, id)
	if err == nil && len(list) == 0 {
		err = notFound("source", "")
	}
	if err != nil {
		return store.Source{}, err
	}
	return list[0], nil
}

func (t *tx) Sources(ctx context.Context) ([]store.Source, error) {
	return t.sources(ctx, `WHERE forgotten = 0 ORDER BY id`)
}

func (t *tx) sources(ctx context.Context, rest string, args ...any) ([]store.Source, error) {
	var out []store.Source
	err := t.each(ctx, "reading sources", `SELECT id, kind, added_at, forgotten FROM sources `+rest, args, func(scan scanner) error {
		var s store.Source
		err := scan(&s.ID, &s.Kind, moment{&s.AddedAt}, &s.Forgotten)
		out = append(out, s)
		return err
	})
	return out, err
}

func (t *tx) sourcePK(ctx context.Context, id string) (int64, error) {
	var pk int64
	err := t.one(ctx, "looking up a source", `SELECT pk FROM sources WHERE id = ?`, []any{id}, &pk)
	return pk, err
}

func (t *tx) ForgetSource(ctx context.Context, id string) error {
	const doing = "forgetting a source"
	pk, err := t.sourcePK(ctx, id)
	if err != nil {
		return err
	}
	t.purge = true
	// Values first: afterwards nobody knows which they were.
	var values []int64
	err = t.each(ctx, doing, `SELECT DISTINCT value_pk FROM findings WHERE source_pk = ?`, []any{pk}, func(scan scanner) error {
		var v int64
		err := scan(&v)
		values = append(values, v)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, doing, `DELETE FROM sources WHERE pk = ?`, pk); err != nil {
		return err
	}
	return inLists(values, func(marks string, args []any) error {
		_, err := t.exec(ctx, doing, `DELETE FROM seen_values WHERE pk IN (`+marks+`)
			AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.value_pk = seen_values.pk)`, args...)
		return err
	})
}

const scanColumns = `SELECT sc.id, s.id, sc.extent, sc.started_at, sc.finished_at, sc.complete, sc.field_revision, sc.pack_revision,
	sc.generic, sc.through, sc.resume_at, sc.items, sc.bytes, sc.skips FROM scans sc JOIN sources s ON s.pk = sc.source_pk `

func (t *tx) StartScan(ctx context.Context, s store.Scan) (int64, error) {
	source, err := t.sourcePK(ctx, s.SourceID)
	if err != nil {
		return 0, err
	}
	id, err := t.next(ctx, "scans", 1)
	if err != nil {
		return 0, err
	}
	_, err = t.exec(ctx, "starting a scan", `INSERT INTO scans (id, source_pk, extent, started_at, finished_at, complete,
		field_revision, pack_revision, generic, through, resume_at, items, bytes, skips) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append([]any{id, source}, scanArgs(s)...)...)
	return id, err
}

func scanArgs(s store.Scan) []any {
	return []any{
		text(s.Extent), stamp(s.StartedAt), stamp(s.FinishedAt), bit(s.Complete), int64(s.FieldRevision), int64(s.PackRevision),
		bit(s.Generic), text(s.Through), nullable(s.Cursor), s.Items, s.Bytes, s.Skips,
	}
}

func (t *tx) SaveScan(ctx context.Context, s store.Scan) error {
	n, err := t.exec(ctx, "saving a scan", `UPDATE scans SET extent = ?, started_at = ?, finished_at = ?, complete = ?,
		field_revision = ?, pack_revision = ?, generic = ?, through = ?, resume_at = ?, items = ?, bytes = ?, skips = ? WHERE id = ?`,
		append(scanArgs(s), s.ID)...)
	if err == nil && n == 0 {
		err = notFound("scan", "")
	}
	return err
}

func (t *tx) Scans(ctx context.Context, sourceID string, limit int) ([]store.Scan, error) {
	query, args := `WHERE s.id = ? ORDER BY sc.id DESC`, []any{sourceID}
	if limit > 0 {
		query += ` LIMIT ?`
		args = append(args, limit)
	}
	return t.scans(ctx, query, args...)
}

func (t *tx) ForgetScans(ctx context.Context, sourceID string, keep int) (int, error) {
	const doing = "forgetting old scans"
	source, err := t.sourcePK(ctx, sourceID)
	if err != nil {
		return 0, err
	}
	older, err := t.numbers(ctx, doing, `SELECT id FROM scans WHERE source_pk = ? ORDER BY id DESC LIMIT 1 OFFSET ?`, source, keep)
	if err != nil || len(older) == 0 {
		return 0, err
	}
	n, err := t.exec(ctx, doing, `DELETE FROM scans WHERE source_pk = ?1 AND id <= ?2 AND finished_at IS NOT NULL AND extent <> ?3
		AND id NOT IN (SELECT MAX(id) FROM scans WHERE source_pk = ?1 AND complete = 1 GROUP BY extent, generic)
		AND id NOT IN (SELECT MAX(sc.id) FROM scans sc JOIN (SELECT extent, generic, MAX(field_revision) AS most FROM scans
				WHERE source_pk = ?1 AND complete = 1 GROUP BY extent, generic) best
			ON sc.extent = best.extent AND sc.generic = best.generic AND sc.field_revision = best.most
			WHERE sc.source_pk = ?1 AND sc.complete = 1 GROUP BY sc.extent, sc.generic)`, source, older[0], store.ExtentStream)
	return int(n), err
}

func (t *tx) NewestScans(ctx context.Context) (map[string]store.Scan, error) {
	list, err := t.scans(ctx, `WHERE sc.id IN (SELECT MAX(id) FROM scans GROUP BY source_pk)`)
	out := make(map[string]store.Scan, len(list))
	for _, s := range list {
		out[s.SourceID] = s
	}
	return out, err
}

func (t *tx) ScanByID(ctx context.Context, id int64) (store.Scan, error) {
	list, err := t.scans(ctx, `WHERE sc.id = ?`, id)
	if err == nil && len(list) == 0 {
		err = notFound("scan", "")
	}
	if err != nil {
		return store.Scan{}, err
	}
	return list[0], nil
}

func (t *tx) CompleteScans(ctx context.Context) ([]store.Scan, error) {
	return t.scans(ctx, `WHERE s.forgotten = 0 AND sc.id IN (
		SELECT MAX(id) FROM scans WHERE complete = 1 GROUP BY source_pk, extent, generic) ORDER BY s.id, sc.extent, sc.generic, sc.id`)
}

func (t *tx) scans(ctx context.Context, rest string, args ...any) ([]store.Scan, error) {
	var out []store.Scan
	err := t.each(ctx, "reading scans", scanColumns+rest, args, func(scan scanner) error {
		var s store.Scan
		err := scan(&s.ID, &s.SourceID, &s.Extent, moment{&s.StartedAt}, moment{&s.FinishedAt}, &s.Complete, &s.FieldRevision,
			&s.PackRevision, &s.Generic, &s.Through, &s.Cursor, &s.Items, &s.Bytes, &s.Skips)
		out = append(out, s)
		return err
	})
	return out, err
}

func (t *tx) AddSkips(ctx context.Context, scan int64, skips []fingerprints.Skip) error {
	const doing = "storing skips"
	pk, err := t.next(ctx, "skips", len(skips))
	if err != nil {
		return err
	}
	type known struct {
		path, locator string
		reason        fingerprints.SkipReason
	}
	seen := map[known]bool{}
	var args []any
	for _, s := range skips {
		k := known{text(s.Path), text(s.Locator), s.Reason}
		if seen[k] {
			continue
		}
		seen[k] = true
		args = append(args, pk, scan, k.path, k.locator, string(k.reason), text(s.Detail), s.Size)
		pk++
	}
	key := t.s.engine.words().key
	return t.tried(ctx, func() error {
		return t.insert(ctx, doing, `INSERT INTO skips (pk, scan, path, locator, reason, detail, size)`,
			`ON CONFLICT (scan, `+key("path")+`, `+key("locator")+`, reason) DO UPDATE SET detail = excluded.detail, size = excluded.size`, 7, args)
	})
}

func (t *tx) Skips(ctx context.Context, scan int64, limit int) ([]fingerprints.Skip, error) {
	query, args := `SELECT path, locator, reason, detail, size FROM skips WHERE scan = ? ORDER BY path, locator, reason`, []any{scan}
	if limit > 0 {
		query += ` LIMIT ?`
		args = append(args, limit)
	}
	var out []fingerprints.Skip
	err := t.each(ctx, "listing skips", query, args, func(scan scanner) error {
		var s fingerprints.Skip
		err := scan(&s.Path, &s.Locator, &s.Reason, &s.Detail, &s.Size)
		out = append(out, s)
		return err
	})
	return out, err
}
