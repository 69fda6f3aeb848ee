package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func (t *tx) MergeFinding(ctx context.Context, at time.Time, old, into fingerprints.FindingID) error {
	from, err := t.findingPK(ctx, old)
	if err != nil {
		return err
	}
	to, err := t.findingPK(ctx, into)
	if err != nil {
		return err
	}
	if from == to {
		return nil // merged before
	}
	var id fingerprints.FindingID
	if err := t.one(ctx, "merging findings", `SELECT id FROM findings WHERE pk = ?`, []any{from}, &id); err != nil {
		return err
	}
	if err := t.join(ctx, from, to); err != nil {
		return err
	}
	return t.addHistory(ctx, to, store.HistoryEntry{At: at, What: "merged", Detail: string(id)})
}

// joining is what of two findings' rows must be put together in Go.
type joining struct {
	id, owner, rules string
	value            int64
	first, last      int64
	due              time.Time
}

func (t *tx) joining(ctx context.Context, pk int64) (joining, error) {
	var j joining
	err := t.one(ctx, "merging findings", `SELECT id, value_pk, owner, rules, first_seen, last_seen, due FROM findings WHERE pk = ?`, []any{pk},
		&j.id, &j.value, &j.owner, &j.rules, &j.first, &j.last, moment{&j.due})
	return j, err
}

// join moves everything that hangs on one finding to another and makes its id
// an alias. The other's status stands: an acceptance of a generic finding must
// not silence a registered one.
func (t *tx) join(ctx context.Context, from, to int64) error {
	return t.recounted(ctx, []int64{from, to}, func() error { return t.joinRows(ctx, from, to) })
}

func (t *tx) joinRows(ctx context.Context, from, to int64) error {
	const doing = "merging findings"
	a, err := t.joining(ctx, from)
	if err != nil {
		return err
	}
	b, err := t.joining(ctx, to)
	if err != nil {
		return err
	}
	for _, step := range []string{
		joinKnownSightings,
		`DELETE FROM sightings AS si WHERE si.finding_pk = ?1 AND EXISTS (SELECT 1 FROM sightings o WHERE o.finding_pk = ?2
			AND o.locator = si.locator AND o.span_start = si.span_start AND o.span_end = si.span_end)`,
		`UPDATE sightings SET finding_pk = ?2 WHERE finding_pk = ?1`,
		`UPDATE history SET finding_pk = ?2 WHERE finding_pk = ?1`,
		`UPDATE aliases SET finding_pk = ?2 WHERE finding_pk = ?1`,
		`INSERT INTO told (receiver, finding_pk, word, grp, at) SELECT receiver, ?2, word, grp, at FROM told WHERE finding_pk = ?1 ON CONFLICT DO NOTHING`,
		`UPDATE notices SET finding_pk = ?2 WHERE finding_pk = ?1`,
	} {
		if _, err := t.exec(ctx, doing, step, from, to); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, doing, `DELETE FROM findings WHERE pk = ?`, from); err != nil {
		return err
	}
	if err := t.changed(ctx, []int64{to}); err != nil {
		return err
	}
	if err := t.dropValue(ctx, a.value); err != nil {
		return err
	}
	_, err = t.exec(ctx, doing, `INSERT INTO aliases (alias, finding_pk) VALUES (?, ?)
		ON CONFLICT (alias) DO UPDATE SET finding_pk = excluded.finding_pk`, a.id, to)
	if err != nil {
		return err
	}
	rules := slices.Compact(slices.Sorted(slices.Values(append(splitLines(a.rules), splitLines(b.rules)...))))
	due := b.due
	if due.IsZero() {
		due = a.due
	}
	if b.owner == "" {
		b.owner = a.owner
	}
	_, err = t.exec(ctx, doing, `UPDATE findings AS f SET owner = ?, rules = ?, first_seen = ?, last_seen = ?, due = ?,
		presence = `+strongestPresence()+` WHERE f.pk = ?`,
		b.owner, joinLines(rules), min(a.first, b.first), max(a.last, b.last), stamp(due), to)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, doing, `UPDATE findings SET gone_at = NULL WHERE pk = ? AND presence <> 'gone'`, to)
	return err
}

// joinKnownSightings brings what one finding (?1) knows of places that the
// other (?2) knows too into the other's sightings.
const joinKnownSightings = `UPDATE sightings AS si SET
	first_seen = CASE WHEN o.first_seen < si.first_seen THEN o.first_seen ELSE si.first_seen END,
	last_seen = CASE WHEN o.last_seen > si.last_seen THEN o.last_seen ELSE si.last_seen END,
	presence = CASE WHEN o.last_seen > si.last_seen THEN o.presence ELSE si.presence END,
	rule = CASE WHEN si.rule = '' THEN o.rule ELSE si.rule END,
	field = COALESCE(si.field, o.field),
	author = CASE WHEN si.commit_id = '' THEN o.author ELSE si.author END,
	commit_id = CASE WHEN si.commit_id = '' THEN o.commit_id ELSE si.commit_id END
	FROM sightings AS o WHERE o.finding_pk = ?1 AND si.finding_pk = ?2
		AND o.locator = si.locator AND o.span_start = si.span_start AND o.span_end = si.span_end`

// dropValue forgets a value that no finding has any more.
func (t *tx) dropValue(ctx context.Context, value int64) error {
	_, err := t.exec(ctx, "forgetting a value", `DELETE FROM seen_values WHERE pk = ?
		AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.value_pk = seen_values.pk)`, value)
	return err
}

// MoveSource moves in parts, so that a source of millions of findings does not
// have to fit in memory. Old ids stay as aliases.
func (t *tx) MoveSource(ctx context.Context, from, to string, rekey func(fingerprints.Finding) fingerprints.FindingID) error {
	const doing = "moving a source"
	old, err := t.sourcePK(ctx, from)
	if err != nil || from == to {
		return err
	}
	target, err := t.sourcePK(ctx, to)
	switch {
	case errors.Is(err, store.ErrNotFound):
		// The row itself gets the new name, so that everything follows.
		target = old
		if _, err := t.exec(ctx, doing, `UPDATE sources SET id = ? WHERE pk = ?`, to, old); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if _, err := t.exec(ctx, doing, `UPDATE scans SET source_pk = ? WHERE source_pk = ?`, target, old); err != nil {
			return err
		}
		if _, err := t.exec(ctx, doing, `INSERT INTO positions (source_pk, name, position)
			SELECT ?1, name, position FROM positions WHERE source_pk = ?2 ON CONFLICT DO NOTHING`, target, old); err != nil {
			return err
		}
	}
	for after := int64(0); ; {
		list, err := t.movable(ctx, old, after)
		if err != nil {
			return err
		}
		for _, m := range list {
			after = m.pk
			m.finding.SourceID = to
			if err := t.moveFinding(ctx, m, target, rekey(m.finding)); err != nil {
				return err
			}
		}
		if len(list) < page {
			break
		}
	}
	if target != old {
		if _, err = t.exec(ctx, doing, `DELETE FROM sources WHERE pk = ?`, old); err != nil {
			return err
		}
	}
	return t.retally(ctx, target)
}

type movable struct {
	pk      int64
	finding fingerprints.Finding
}

func (t *tx) movable(ctx context.Context, source, after int64) ([]movable, error) {
	var list []movable
	err := t.each(ctx, "moving a source", `SELECT f.pk, f.id, sv.value, f.path, f.path_id, f.rules FROM findings f
		JOIN seen_values sv ON sv.pk = f.value_pk WHERE f.source_pk = ? AND f.pk > ? ORDER BY f.pk LIMIT ?`, []any{source, after, page},
		func(scan scanner) error {
			var m movable
			var rules string
			f := &m.finding
			err := scan(&m.pk, &f.ID, fixed{(*[16]byte)(&f.Value)}, &f.Path, fixed{(*[16]byte)(&f.PathID)}, &rules)
			f.Rules = splitLines(rules)
			list = append(list, m)
			return err
		})
	return list, err
}

// moveFinding gives a finding its new source and id, or joins it to the
// finding that has the id already. An empty id, or one that would be the same,
// leaves the id as it is.
func (t *tx) moveFinding(ctx context.Context, m movable, source int64, id fingerprints.FindingID) error {
	const doing = "moving a finding"
	if id == "" {
		id = m.finding.ID
	}
	if id != m.finding.ID {
		switch pk, err := t.findingPK(ctx, id); {
		case err == nil && pk == m.pk: // moved back: the id was an alias
			if _, err := t.exec(ctx, doing, `DELETE FROM aliases WHERE alias = ?`, string(id)); err != nil {
				return err
			}
		case err == nil:
			return t.join(ctx, m.pk, pk)
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		_, err := t.exec(ctx, doing, `INSERT INTO aliases (alias, finding_pk) VALUES (?, ?)
			ON CONFLICT (alias) DO UPDATE SET finding_pk = excluded.finding_pk`, string(m.finding.ID), m.pk)
		if err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, doing, `UPDATE findings SET id = ?, source_pk = ? WHERE pk = ?`, string(id), source, m.pk)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return t.changed(ctx, []int64{m.pk})
}
