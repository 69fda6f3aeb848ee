package sqlstore

import (
	"context"
	"maps"
	"slices"
)

// replaceHomes makes the allowed homes of every touched finding those that
// were given, as far as they exist.
func (r *recording) replaceHomes(ctx context.Context) error {
	exist := map[int64]bool{}
	err := r.t.each(ctx, "listing allowed homes", `SELECT id FROM homes`, nil, func(scan scanner) error {
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
		maps.DeleteFunc(e.homes, func(id int64, _ bool) bool { return !exist[id] })
		byPK[e.pk] = e
		pks = append(pks, e.pk)
	}
	had := map[int64]map[int64]bool{}
	err = inLists(pks, func(marks string, args []any) error {
		return r.t.each(ctx, "reading allowed homes", `SELECT finding_pk, home FROM finding_homes WHERE finding_pk IN (`+marks+`)`, args,
			func(scan scanner) error {
				var pk, home int64
				err := scan(&pk, &home)
				if had[pk] == nil {
					had[pk] = map[int64]bool{}
				}
				had[pk][home] = true
				return err
			})
	})
	for _, pk := range pks {
		if err == nil && !maps.Equal(had[pk], byPK[pk].homes) {
			err = r.t.putHomes(ctx, pk, slices.Sorted(maps.Keys(byPK[pk].homes)))
		}
	}
	return err
}

func (t *tx) putHomes(ctx context.Context, finding int64, homes []int64) error {
	if _, err := t.exec(ctx, "replacing allowed homes", `DELETE FROM finding_homes WHERE finding_pk = ?`, finding); err != nil {
		return err
	}
	for _, h := range homes {
		_, err := t.exec(ctx, "replacing allowed homes",
			`INSERT INTO finding_homes (finding_pk, home) SELECT ?, id FROM homes WHERE id = ? ON CONFLICT DO NOTHING`, finding, h)
		if err != nil {
			return err
		}
	}
	return nil
}
