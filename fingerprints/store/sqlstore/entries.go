package sqlstore

import (
	"context"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func (r *recording) addFindings(ctx context.Context) error {
	var fresh []*entry
	for _, e := range r.list {
		if e.isNew {
			fresh = append(fresh, e)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := r.findValues(ctx, fresh); err != nil {
		return err
	}
	pk, err := r.t.next(ctx, "findings", len(fresh))
	if err != nil {
		return err
	}
	number, err := r.t.next(ctx, changeCounter, len(fresh))
	if err != nil {
		return err
	}
	const width = 14
	args := make([]any, 0, width*len(fresh))
	more := tallies{}
	seen := r.at.UnixMicro()
	for i, e := range fresh {
		e.pk = pk
		pk++
		o := &e.first
		e.firstSeen = seen
		var goneAt any
		if e.presence == fingerprints.PresenceGone {
			goneAt = seen
		}
		more.add(tallied{e.value, e.source}, e.presence, 1)
		args = append(args, e.pk, string(e.id), e.value, e.source, text(o.Path), o.PathID[:], string(e.presence),
			string(fingerprints.StatusOpen), o.Owner, seen, seen, goneAt, joinLines(e.rules), number+int64(i))
	}
	err = r.t.insert(ctx, "storing findings", `INSERT INTO findings (pk, id, value_pk, source_pk, path, path_id, presence,
		status, owner, first_seen, last_seen, gone_at, rules, changed)`, "", width, args)
	if err != nil {
		return err
	}
	return r.t.addTallies(ctx, more)
}

// findValues gives new findings the row of their value, a new one where the
// value was never seen or is too weak to be known by.
func (r *recording) findValues(ctx context.Context, fresh []*entry) error {
	known := map[fingerprints.ValueID]int64{}
	var ids [][]byte
	for _, e := range fresh {
		v := e.first.Value
		if _, ok := known[v]; !ok && !v.IsZero() {
			known[v] = 0
			ids = append(ids, v[:])
		}
	}
	err := inLists(ids, func(marks string, args []any) error {
		return r.t.each(ctx, "looking up values", `SELECT pk, value FROM seen_values WHERE value IN (`+marks+`)`, args,
			func(scan scanner) error {
				var pk int64
				var v fingerprints.ValueID
				err := scan(&pk, fixed{(*[16]byte)(&v)})
				known[v] = pk
				return err
			})
	})
	if err != nil {
		return err
	}
	var args []any
	var without []*entry
	for _, e := range fresh {
		if e.value = known[e.first.Value]; e.value == 0 {
			without = append(without, e)
		}
	}
	pk, err := r.t.next(ctx, "values", len(without))
	if err != nil {
		return err
	}
	for _, e := range without {
		v := e.first.Value
		switch {
		case v.IsZero():
			e.value = pk
			args = append(args, pk, nil)
		case known[v] != 0: // given by an entry before
			e.value = known[v]
			continue
		default:
			e.value = pk
			known[v] = pk
			args = append(args, pk, v[:])
		}
		pk++
	}
	return r.t.insert(ctx, "storing values", `INSERT INTO seen_values (pk, value)`, "", 2, args)
}

// updateFindings brings the rows of findings that were known before up to date.
func (r *recording) updateFindings(ctx context.Context) error {
	var same, recount []int64
	more := tallies{}
	seen := r.at.UnixMicro()
	for _, e := range r.list {
		if e.isNew {
			continue
		}
		back := e.was == fingerprints.PresenceGone && e.presence != fingerprints.PresenceGone
		stronger := presenceRank(e.presence) < presenceRank(e.was)
		if e.recount {
			recount = append(recount, e.pk)
		}
		e.changed = e.changed || stronger || e.newRules
		if !stronger && !e.newRules && e.firstSeen <= seen {
			same = append(same, e.pk)
			continue
		}
		presence := e.was
		if stronger {
			presence = e.presence
			more.add(tallied{e.value, e.source}, e.was, -1)
			more.add(tallied{e.value, e.source}, presence, 1)
		}
		_, err := r.t.exec(ctx, "updating a finding", `UPDATE findings SET presence = ?, rules = ?,
			gone_at = CASE WHEN ? = 1 THEN NULL ELSE gone_at END,
			first_seen = CASE WHEN first_seen > ? THEN ? ELSE first_seen END,
			last_seen = CASE WHEN last_seen < ? THEN ? ELSE last_seen END WHERE pk = ?`,
			string(presence), joinLines(e.rules), bit(back), seen, seen, seen, seen, e.pk)
		if err != nil {
			return err
		}
		if back {
			if err := r.t.addHistory(ctx, e.pk, store.HistoryEntry{At: r.at, What: "returned"}); err != nil {
				return err
			}
		}
	}
	err := inLists(same, func(marks string, args []any) error {
		_, err := r.t.exec(ctx, "updating findings", `UPDATE findings SET last_seen = ? WHERE last_seen < ? AND pk IN (`+marks+`)`,
			append([]any{seen, seen}, args...)...)
		return err
	})
	if err != nil {
		return err
	}
	if err := r.t.addTallies(ctx, more); err != nil {
		return err
	}
	return r.t.recountPresence(ctx, recount)
}

// numberChanges gives the findings that were known and are not as before their
// numbers.
func (r *recording) numberChanges(ctx context.Context) error {
	var pks []int64
	for _, e := range r.list {
		if e.changed && !e.isNew {
			pks = append(pks, e.pk)
		}
	}
	return r.t.changed(ctx, pks)
}

// recountPresence gives findings the presence of their strongest sighting.
func (t *tx) recountPresence(ctx context.Context, findings []int64) error {
	if err := t.changed(ctx, findings); err != nil {
		return err
	}
	return t.recounted(ctx, findings, func() error {
		return inLists(findings, func(marks string, args []any) error {
			_, err := t.exec(ctx, "updating presences", `UPDATE findings AS f SET presence = `+strongestPresence()+` WHERE f.pk IN (`+marks+`)`, args...)
			return err
		})
	})
}
