package sqlstore

import (
	"context"
	"maps"
	"slices"
)

// links is a table that ties findings to what is said of their place: allowed
// homes, or decisions.
type links struct{ table, column, to, what string }

func homeLinks() links {
	return links{table: "finding_homes", column: "home", to: "homes", what: "allowed homes"}
}

func decisionLinks() links {
	return links{table: "finding_decisions", column: "decision", to: "decisions", what: "decisions"}
}

// replaceLinks makes the homes of, and decisions about, every touched finding
// those that were given, as far as they exist.
func (r *recording) replaceLinks(ctx context.Context) error {
	if err := r.replace(ctx, homeLinks(), func(e *entry) map[int64]bool { return e.homes }); err != nil {
		return err
	}
	return r.replace(ctx, decisionLinks(), func(e *entry) map[int64]bool { return e.decided })
}

func (r *recording) replace(ctx context.Context, l links, given func(*entry) map[int64]bool) error {
	exist := map[int64]bool{}
	err := r.t.each(ctx, "listing "+l.what, `SELECT id FROM `+l.to, nil, func(scan scanner) error {
		var id int64
		err := scan(&id)
		exist[id] = true
		return err
	})
	if err != nil || len(exist) == 0 {
		return err
	}
	byPK := map[int64]*entry{}
	var pks []int64
	for _, e := range r.list {
		maps.DeleteFunc(given(e), func(id int64, _ bool) bool { return !exist[id] })
		byPK[e.pk] = e
		pks = append(pks, e.pk)
	}
	had := map[int64]map[int64]bool{}
	err = inLists(pks, func(marks string, args []any) error {
		return r.t.each(ctx, "reading "+l.what, `SELECT finding_pk, `+l.column+` FROM `+l.table+` WHERE finding_pk IN (`+marks+`)`, args,
			func(scan scanner) error {
				var pk, id int64
				err := scan(&pk, &id)
				if had[pk] == nil {
					had[pk] = map[int64]bool{}
				}
				had[pk][id] = true
				return err
			})
	})
	for _, pk := range pks {
		if now := given(byPK[pk]); err == nil && !maps.Equal(had[pk], now) {
			byPK[pk].changed = true
			err = r.t.putLinks(ctx, l, pk, slices.Sorted(maps.Keys(now)))
		}
	}
	return err
}

func (t *tx) putLinks(ctx context.Context, l links, finding int64, ids []int64) error {
	if _, err := t.exec(ctx, "replacing "+l.what, `DELETE FROM `+l.table+` WHERE finding_pk = ?`, finding); err != nil {
		return err
	}
	for _, id := range ids {
		_, err := t.exec(ctx, "replacing "+l.what,
			`INSERT INTO `+l.table+` (finding_pk, `+l.column+`) SELECT ?, id FROM `+l.to+` WHERE id = ? ON CONFLICT DO NOTHING`, finding, id)
		if err != nil {
			return err
		}
	}
	return nil
}
