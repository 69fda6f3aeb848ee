package sqlstore

import (
	"context"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func (t *tx) LinkValue(ctx context.Context, v fingerprints.ValueID, row fingerprints.RowID) (int, error) {
	const doing = "linking a value to a field"
	if v.IsZero() {
		return 0, nil
	}
	var value int64
	err := t.each(ctx, doing, `SELECT pk FROM seen_values WHERE value = ?`, []any{v[:]}, func(scan scanner) error {
		return scan(&value)
	})
	if err != nil || value == 0 {
		return 0, err
	}
	if err := t.tie(ctx, []any{value, row[:]}); err != nil {
		return 0, err
	}
	var n int
	err = t.one(ctx, doing, `SELECT COUNT(*) FROM findings WHERE value_pk = ?`, []any{value}, &n)
	return n, err
}

func (t *tx) SetTriage(ctx context.Context, f fingerprints.Finding, h store.HistoryEntry) error {
	pk, err := t.findingPK(ctx, f.ID)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "triaging a finding", `UPDATE findings SET status = ?, owner = ?, reason = ?, until = ?, due = ? WHERE pk = ?`,
		string(f.Status), f.Owner, text(f.Reason), stamp(f.Until), stamp(f.Due), pk)
	if err != nil {
		return err
	}
	if err := t.changed(ctx, []int64{pk}); err != nil {
		return err
	}
	return t.addHistory(ctx, pk, h)
}

func (t *tx) addHistory(ctx context.Context, finding int64, h store.HistoryEntry) error {
	pk, err := t.next(ctx, "history", 1)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "writing history", `INSERT INTO history (pk, finding_pk, at, actor, what, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		pk, finding, stamp(h.At), h.Actor, h.What, text(h.Detail))
	return err
}

// History begins with the first sighting, which is not stored twice.
func (t *tx) History(ctx context.Context, id fingerprints.FindingID) ([]store.HistoryEntry, error) {
	const doing = "reading history"
	pk, err := t.findingPK(ctx, id)
	if err != nil {
		return nil, err
	}
	seen := store.HistoryEntry{What: "seen"}
	if err := t.one(ctx, doing, `SELECT first_seen FROM findings WHERE pk = ?`, []any{pk}, moment{&seen.At}); err != nil {
		return nil, err
	}
	out := []store.HistoryEntry{seen}
	err = t.each(ctx, doing, `SELECT at, actor, what, detail FROM history WHERE finding_pk = ? ORDER BY at, pk`, []any{pk},
		func(scan scanner) error {
			var h store.HistoryEntry
			err := scan(moment{&h.At}, &h.Actor, &h.What, &h.Detail)
			out = append(out, h)
			return err
		})
	return out, err
}

// vanished is a finding that a complete scan did not see whole.
type vanished struct {
	pk   int64
	id   fingerprints.FindingID
	path string
}

// unseen is a sighting that it was not seen at.
type unseen struct {
	vanished
	sighting int64
	locator  string
}

// eachOfSource calls fn with the findings of a source, a page at a time, in order
// of id.
func (t *tx) eachOfSource(ctx context.Context, source int64, fn func([]vanished) error) error {
	for after := ""; ; {
		var list []vanished
		err := t.each(ctx, "reading the findings of a source", `SELECT pk, id, path FROM findings WHERE source_pk = ? AND id > ? ORDER BY id LIMIT ?`,
			[]any{source, after, page}, func(scan scanner) error {
				var v vanished
				err := scan(&v.pk, &v.id, &v.path)
				list = append(list, v)
				return err
			})
		if err == nil && len(list) > 0 {
			err = fn(list)
		}
		if err != nil || len(list) < page {
			return err
		}
		after = string(list[len(list)-1].id)
	}
}

// unseen lists the sightings of some findings that were last seen before a time.
// It begins with the findings: a planner without statistics would begin with all
// sightings of the store.
func (t *tx) unseen(ctx context.Context, list []vanished, extent string, before time.Time) ([]unseen, error) {
	of := map[int64]vanished{}
	var pks []int64
	for _, v := range list {
		of[v.pk] = v
		pks = append(pks, v.pk)
	}
	byFinding := map[int64][]unseen{}
	err := inLists(pks, func(marks string, args []any) error {
		return t.each(ctx, "looking for what was not seen", `SELECT finding_pk, pk, locator FROM sightings
			WHERE finding_pk IN (`+marks+`) AND last_seen < ? AND presence <> 'gone' AND (? = '' OR extent = ?) ORDER BY pk`,
			append(slices.Clone(args), before.UnixMicro(), extent, extent), func(scan scanner) error {
				var pk int64
				var u unseen
				err := scan(&pk, &u.sighting, &u.locator)
				u.vanished = of[pk]
				byFinding[pk] = append(byFinding[pk], u)
				return err
			})
	})
	var out []unseen
	for _, pk := range pks {
		out = append(out, byFinding[pk]...)
	}
	return out, err
}

func (t *tx) MarkUnseen(ctx context.Context, sourceID, extent string, before, at time.Time, keep func(path, locator string) bool) ([]fingerprints.FindingID, error) {
	const doing = "marking what was not seen"
	source, err := t.sourcePK(ctx, sourceID)
	if err != nil {
		return nil, err
	}
	byPK := map[int64]vanished{}
	var pks, sightings []int64
	err = t.eachOfSource(ctx, source, func(list []vanished) error {
		found, err := t.unseen(ctx, list, extent, before)
		for _, u := range found {
			if keep != nil && keep(u.path, u.locator) {
				continue
			}
			sightings = append(sightings, u.sighting)
			if _, has := byPK[u.pk]; !has {
				byPK[u.pk] = u.vanished
				pks = append(pks, u.pk)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = inLists(sightings, func(marks string, list []any) error {
		_, err := t.exec(ctx, doing, `UPDATE sightings SET presence = 'gone' WHERE pk IN (`+marks+`)`, list...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := t.recountPresence(ctx, pks); err != nil {
		return nil, err
	}
	return t.closeGone(ctx, at, pks, byPK)
}

// closeGone dates the findings among pks that have no sighting left.
func (t *tx) closeGone(ctx context.Context, at time.Time, pks []int64, byPK map[int64]vanished) ([]fingerprints.FindingID, error) {
	const doing = "marking findings gone"
	gone := map[int64]bool{}
	err := inLists(pks, func(marks string, args []any) error {
		return t.each(ctx, doing, `UPDATE findings SET gone_at = ? WHERE presence = 'gone' AND gone_at IS NULL AND pk IN (`+marks+`) RETURNING pk`,
			append([]any{stamp(at)}, args...), func(scan scanner) error {
				var pk int64
				err := scan(&pk)
				gone[pk] = true
				return err
			})
	})
	if err != nil || len(gone) == 0 {
		return nil, err
	}
	first, err := t.next(ctx, "history", len(gone))
	if err != nil {
		return nil, err
	}
	var out []fingerprints.FindingID
	var args []any
	for _, pk := range pks {
		if gone[pk] {
			args = append(args, first+int64(len(out)), pk, stamp(at), "", "gone", "")
			out = append(out, byPK[pk].id)
		}
	}
	return out, t.insert(ctx, doing, `INSERT INTO history (pk, finding_pk, at, actor, what, detail)`, "", 6, args)
}
