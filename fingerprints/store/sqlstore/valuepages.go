package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// row is a finding by its id and its number.
type row struct {
	id fingerprints.FindingID
	pk int64
}

// firstOfValues are the first findings of some values in order of id, after one.
// No database would take the first of each value and stop: it would sort all of
// them, for every page.
func (t *tx) firstOfValues(ctx context.Context, values []int64, after fingerprints.FindingID, limit int) ([]row, error) {
	const (
		atOnce = 64
		one    = `SELECT id, pk FROM (SELECT id, pk FROM findings WHERE value_pk = ? AND id > ? ORDER BY id LIMIT ?) first`
	)
	var out []row
	for part := range slices.Chunk(values, atOnce) {
		var args []any
		for _, v := range part {
			args = append(args, v, string(after), limit)
		}
		query := one + strings.Repeat(" UNION ALL "+one, len(part)-1)
		err := t.each(ctx, "listing findings of values", query, args, func(scan scanner) error {
			var r row
			err := scan(&r.id, &r.pk)
			out = append(out, r)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = firstRows(out, limit)
	}
	return out, nil
}

// firstRows puts rows in order, each once, and keeps the first.
func firstRows(list []row, limit int) []row {
	slices.SortFunc(list, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	list = slices.Compact(list)
	return list[:min(limit, len(list))]
}

func withoutPage(f store.FindingFilter) store.FindingFilter {
	f.After, f.Limit = "", 0
	return f
}

// pageOfValues is Findings for a page of a value's, or a secret's.
func (t *tx) pageOfValues(ctx context.Context, now time.Time, f store.FindingFilter) ([]store.FindingView, error) {
	query, args := `SELECT pk FROM seen_values WHERE value = ?`, []any{f.Value[:]}
	if f.Secret != "" {
		query, args = `SELECT DISTINCT vf.value_pk FROM versions v JOIN fields fd ON fd.version = v.id
			JOIN value_fields vf ON vf.field = fd.id WHERE v.secret = ? AND (? = 0 OR v.number = ?) ORDER BY 1`, []any{f.Secret, f.Version, f.Version}
	}
	values, err := t.numbers(ctx, "looking up values", query, args...)
	if err != nil {
		return nil, err
	}
	rows, err := t.firstOfValues(ctx, values, f.After, f.Limit)
	if err != nil {
		return nil, err
	}
	var pks []any
	for _, r := range rows {
		pks = append(pks, r.pk)
	}
	var out []store.FindingView
	for part := range slices.Chunk(pks, page) {
		c := &condition{}
		c.add("f.pk IN (?"+strings.Repeat(", ?", len(part)-1)+")", part...)
		list, err := t.views(ctx, now, c, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// numbers reads a query's only column.
func (t *tx) numbers(ctx context.Context, doing, query string, args ...any) ([]int64, error) {
	var out []int64
	err := t.each(ctx, doing, query, args, func(scan scanner) error {
		var n int64
		err := scan(&n)
		out = append(out, n)
		return err
	})
	return out, err
}
