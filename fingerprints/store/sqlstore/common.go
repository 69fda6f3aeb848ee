package sqlstore

import (
	"context"
	"strconv"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// commonValues lists the weak registered values that too many sources hold;
// where narrows the tallies f that are counted.
func commonValues(where string) string {
	return `SELECT f.value_pk FROM tallies f
		WHERE f.present > 0 ` + where + ` AND EXISTS (
			SELECT 1 FROM value_fields vf JOIN fields fd ON fd.id = vf.field
			WHERE vf.value_pk = f.value_pk AND fd.strength = '` + string(fingerprints.StrengthWeak) + `')
		GROUP BY f.value_pk HAVING COUNT(*) > ` + strconv.Itoa(fingerprints.TooCommonSources)
}

// weakRegistered are the values that are registered as weak.
const weakRegistered = `SELECT vf.value_pk FROM value_fields vf JOIN fields fd ON fd.id = vf.field WHERE fd.strength = '` + string(fingerprints.StrengthWeak) + `'`

// addCommon marks the views whose values are too common. Each value is counted
// once, however many findings it has.
func (t *tx) addCommon(ctx context.Context, list []keyed) error {
	views := map[int64][]*store.FindingView{}
	var values []int64
	for _, k := range list {
		if len(k.view.Matches) == 0 {
			continue
		}
		if views[k.value] == nil {
			values = append(values, k.value)
		}
		views[k.value] = append(views[k.value], k.view)
	}
	return t.whole(func() error { return t.markCommon(ctx, values, views) })
}

func (t *tx) markCommon(ctx context.Context, values []int64, views map[int64][]*store.FindingView) error {
	weak, err := t.weakValues(ctx, values)
	if err != nil {
		return err
	}
	return inLists(weak, func(marks string, args []any) error {
		query := commonValues("AND f.value_pk IN (" + marks + ")")
		return t.each(ctx, "counting the sources of values", query, args, func(scan scanner) error {
			var value int64
			if err := scan(&value); err != nil {
				return err
			}
			for _, v := range views[value] {
				v.TooCommon = true
			}
			return nil
		})
	})
}

// weakValues leaves those that are registered as weak: a strong value may have
// more findings than should be counted for each page of them.
func (t *tx) weakValues(ctx context.Context, values []int64) ([]int64, error) {
	var out []int64
	err := inLists(values, func(marks string, args []any) error {
		return t.each(ctx, "looking for weak values", `SELECT DISTINCT vf.value_pk FROM value_fields vf JOIN fields fd ON fd.id = vf.field
			WHERE vf.value_pk IN (`+marks+`) AND fd.strength = ?`, append(args, string(fingerprints.StrengthWeak)), func(scan scanner) error {
			var pk int64
			err := scan(&pk)
			out = append(out, pk)
			return err
		})
	})
	return out, err
}

func (t *tx) TooCommon(ctx context.Context) ([]fingerprints.RowID, error) {
	var out []fingerprints.RowID
	err := t.each(ctx, "listing fields that are too common", `SELECT fd.id FROM fields fd
		WHERE fd.strength = ? AND EXISTS (SELECT 1 FROM value_fields vf WHERE vf.field = fd.id AND vf.value_pk IN (`+commonValues("AND "+t.oneOf("f.value_pk", weakRegistered))+`))
		ORDER BY fd.id`, []any{string(fingerprints.StrengthWeak)}, func(scan scanner) error {
		var row fingerprints.RowID
		err := scan(fixed{(*[16]byte)(&row)})
		out = append(out, row)
		return err
	})
	return out, err
}
