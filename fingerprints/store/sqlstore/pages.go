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

// firstOf are the first findings that have one of some keys in a column, in order of
// id, after one. No database would take the first of each key and stop: it would sort
// all of them, for every page.
func firstOf[K any](ctx context.Context, t *tx, column string, keys []K, after fingerprints.FindingID, limit int) ([]row, error) {
	const atOnce = 64
	one := `SELECT id, pk FROM (SELECT id, pk FROM findings WHERE ` + column + ` = ? AND id > ? ORDER BY id LIMIT ?) first`
	var out []row
	for part := range slices.Chunk(keys, atOnce) {
		var args []any
		for _, k := range part {
			args = append(args, k, string(after), limit)
		}
		query := one + strings.Repeat(" UNION ALL "+one, len(part)-1)
		err := t.each(ctx, "listing findings of a "+column, query, args, func(scan scanner) error {
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
	rows, err := firstOf(ctx, t, "value_pk", values, f.After, f.Limit)
	if err != nil {
		return nil, err
	}
	return t.viewsOf(ctx, now, rows, &condition{})
}

// viewsOf are the views of rows that a condition holds for, in the order of ids.
func (t *tx) viewsOf(ctx context.Context, now time.Time, rows []row, more *condition) ([]store.FindingView, error) {
	var out []store.FindingView
	for part := range slices.Chunk(rows, page) {
		c := &condition{where: slices.Clone(more.where), args: slices.Clone(more.args), few: true}
		var pks []any
		for _, r := range part {
			pks = append(pks, r.pk)
		}
		c.add("f.pk IN (?"+strings.Repeat(", ?", len(pks)-1)+")", pks...)
		list, err := t.views(ctx, now, c, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// ruleLeads reports whether a filter has a rule and nothing that fewer findings have.
func (t *tx) ruleLeads(f store.FindingFilter) bool {
	return f.Rule != "" && t.seen == "" && f.Owner == "" && !narrow(f)
}

// withRule holds where the list of rules in a column has one; exact, whatever
// characters its name has. ruleArgs are its arguments.
func withRule(column string) string { return `replace(? || ` + column + `, ?, '') <> ? || ` + column }

func ruleArgs(rule string) []any { return []any{"\n", "\n" + rule + "\n", "\n"} }

// listsWith selects the lists of rules that have one, of all that findings have: an
// index leads from each to the next.
func listsWith() string {
	return `WITH RECURSIVE lists (rules) AS (SELECT MIN(rules) FROM findings UNION ALL
		SELECT (SELECT MIN(f.rules) FROM findings f WHERE f.rules > lists.rules) FROM lists WHERE lists.rules IS NOT NULL)
		SELECT rules FROM lists WHERE rules IS NOT NULL AND ` + withRule("rules")
}

// pageOfRule is Findings for a page of a rule's.
func (t *tx) pageOfRule(ctx context.Context, now time.Time, f store.FindingFilter) ([]store.FindingView, error) {
	var lists []string
	err := t.each(ctx, "looking up rules", listsWith(), ruleArgs(f.Rule), func(scan scanner) error {
		var list string
		err := scan(&list)
		lists = append(lists, list)
		return err
	})
	if err != nil {
		return nil, err
	}
	rest := withoutPage(f)
	rest.Rule = ""
	var out []store.FindingView
	for after, size := f.After, f.Limit; ; size = page {
		rows, err := firstOf(ctx, t, "rules", lists, after, size)
		if err != nil {
			return nil, err
		}
		list, err := t.viewsOf(ctx, now, rows, t.conditionOf(rest))
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			if f.PathGlob != "" && !globMatches(f.PathGlob, v.Path) {
				continue
			}
			if out = append(out, v); len(out) == f.Limit {
				return out, nil
			}
		}
		if len(rows) < size {
			return out, nil
		}
		after = rows[len(rows)-1].id
	}
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
