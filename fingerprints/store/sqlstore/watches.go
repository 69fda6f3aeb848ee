package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"revenant/fingerprints/store"
)

const watchColumns = `name, kind, location, options, credential, schedule, parent, paused, added_at, source_id, next_run, wanted_at, wanted,
	queued_at, started_at, finished_at, outcome, problem, failures, field_revision`

func (t *tx) PutWatch(ctx context.Context, w store.Watch) error {
	_, err := t.exec(ctx, "storing a watch", `INSERT INTO watches (`+watchColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, location = excluded.location, options = excluded.options,
		credential = excluded.credential, schedule = excluded.schedule, parent = excluded.parent, paused = excluded.paused,
		added_at = excluded.added_at, source_id = excluded.source_id, next_run = excluded.next_run, wanted_at = excluded.wanted_at,
		wanted = excluded.wanted, queued_at = excluded.queued_at, started_at = excluded.started_at, finished_at = excluded.finished_at,
		outcome = excluded.outcome, problem = excluded.problem, failures = excluded.failures, field_revision = excluded.field_revision`,
		w.Name, w.Kind, text(w.Location), nullable(w.Options), w.Credential, w.Schedule, w.Parent, bit(w.Paused), stamp(w.AddedAt),
		text(w.SourceID), stamp(w.NextRun), stamp(w.WantedAt), w.Wanted, stamp(w.QueuedAt), stamp(w.StartedAt), stamp(w.FinishedAt),
		w.Outcome, text(w.Problem), w.Failures, int64(w.FieldRevision))
	return err
}

func (t *tx) Watch(ctx context.Context, name string) (store.Watch, error) {
	list, err := t.watches(ctx, `WHERE name = ?`, name)
	if err == nil && len(list) == 0 {
		err = notFound("watch", "")
	}
	if err != nil {
		return store.Watch{}, err
	}
	return list[0], nil
}

func (t *tx) Watches(ctx context.Context, f store.WatchFilter) ([]store.Watch, error) {
	where, args := `WHERE name > ?`, []any{f.After}
	if f.Parent != "" {
		where += ` AND parent = ?`
		args = append(args, f.Parent)
	}
	if f.Source != "" {
		where += ` AND source_id = ?`
		args = append(args, f.Source)
	}
	if f.Schedule != "" {
		where += ` AND schedule = ?`
		args = append(args, f.Schedule)
	}
	if f.Outcome != "" {
		where += ` AND outcome = ?`
		args = append(args, f.Outcome)
	}
	where += ` ORDER BY name`
	if f.Limit > 0 {
		where += ` LIMIT ?`
		args = append(args, f.Limit)
	}
	return t.watches(ctx, where, args...)
}

func (t *tx) RemoveWatch(ctx context.Context, name string) error {
	n, err := t.exec(ctx, "removing a watch", `DELETE FROM watches WHERE name = ?`, name)
	if err == nil && n == 0 {
		return notFound("watch", "")
	}
	return err
}

func (t *tx) DueWatches(ctx context.Context, d store.Due) ([]store.Watch, error) {
	where := `WHERE paused = 0 AND (queued_at IS NULL OR queued_at < ? OR queued_at > ?)
		AND (wanted_at IS NOT NULL OR next_run <= ? OR field_revision < ? AND outcome IN ('complete', 'incomplete'))
		ORDER BY CASE WHEN wanted_at IS NOT NULL THEN 0 WHEN field_revision < ? AND outcome IN ('complete', 'incomplete') THEN 1 ELSE 2 END, next_run, name`
	args := []any{stamp(d.Requeue), stamp(d.Ahead), stamp(d.At), int64(d.FieldRevision), int64(d.FieldRevision)}
	if d.Limit > 0 {
		where += ` LIMIT ?`
		args = append(args, d.Limit)
	}
	return t.watches(ctx, where, args...)
}

func (t *tx) CountWatches(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	err := t.each(ctx, "counting watches", `SELECT outcome, COUNT(*) FROM watches GROUP BY outcome`, nil, func(scan scanner) error {
		var outcome string
		var n int
		err := scan(&outcome, &n)
		out[outcome] = n
		return err
	})
	return out, err
}

func (t *tx) CountBehind(ctx context.Context, fieldRevision uint64) (int, error) {
	var n int
	err := t.one(ctx, "counting watches", `SELECT COUNT(*) FROM watches WHERE paused = 0 AND field_revision < ? AND outcome IN ('complete', 'incomplete', 'following')`,
		[]any{int64(fieldRevision)}, &n)
	return n, err
}

func (t *tx) watches(ctx context.Context, rest string, args ...any) ([]store.Watch, error) {
	var out []store.Watch
	err := t.each(ctx, "reading watches", `SELECT `+watchColumns+` FROM watches `+rest, args, func(scan scanner) error {
		var w store.Watch
		err := scan(&w.Name, &w.Kind, &w.Location, &w.Options, &w.Credential, &w.Schedule, &w.Parent, &w.Paused, moment{&w.AddedAt},
			&w.SourceID, moment{&w.NextRun}, moment{&w.WantedAt}, &w.Wanted, moment{&w.QueuedAt}, moment{&w.StartedAt}, moment{&w.FinishedAt},
			&w.Outcome, &w.Problem, &w.Failures, &w.FieldRevision)
		out = append(out, w)
		return err
	})
	return out, err
}

func (t *tx) PutWorker(ctx context.Context, w store.Worker) error {
	scans := ""
	if len(w.Scans) > 0 {
		b, err := json.Marshal(w.Scans)
		if err != nil {
			return fmt.Errorf("storing a worker: %w", err)
		}
		scans = string(b)
	}
	_, err := t.exec(ctx, "storing a worker", `INSERT INTO workers (id, host, version, started_at, seen_at, slots, scans) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET host = excluded.host, version = excluded.version, started_at = excluded.started_at,
		seen_at = excluded.seen_at, slots = excluded.slots, scans = excluded.scans`,
		w.ID, text(w.Host), w.Version, stamp(w.StartedAt), stamp(w.SeenAt), w.Slots, text(scans))
	return err
}

func (t *tx) Workers(ctx context.Context) ([]store.Worker, error) {
	var out []store.Worker
	err := t.each(ctx, "reading workers", `SELECT id, host, version, started_at, seen_at, slots, scans FROM workers ORDER BY id`, nil, func(scan scanner) error {
		var w store.Worker
		var scans string
		err := scan(&w.ID, &w.Host, &w.Version, moment{&w.StartedAt}, moment{&w.SeenAt}, &w.Slots, &scans)
		if err == nil && scans != "" && json.Unmarshal([]byte(scans), &w.Scans) != nil {
			w.Scans = nil // a newer version's; it is told for information alone
		}
		if t.seen != "" {
			w.Scans = nil // of watches that others own, too
		}
		out = append(out, w)
		return err
	})
	return out, err
}

func (t *tx) RemoveWorker(ctx context.Context, id string) error {
	n, err := t.exec(ctx, "removing a worker", `DELETE FROM workers WHERE id = ?`, id)
	if err == nil && n == 0 {
		return notFound("worker", "")
	}
	return err
}
