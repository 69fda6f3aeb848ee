package sqlstore

import (
	"context"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// changed gives findings, each once in the list, their next numbers. Every
// writer waits for the one before, so numbers are committed in their order.
func (t *tx) changed(ctx context.Context, findings []int64) error {
	if len(findings) == 0 {
		return nil
	}
	number, err := t.next(ctx, changeCounter, len(findings))
	if err != nil {
		return err
	}
	args := make([]any, 0, 2*len(findings))
	for i, pk := range findings {
		args = append(args, pk, number+int64(i))
	}
	return insertMany(2, args, func(values string, part []any) error {
		_, err := t.exec(ctx, "numbering changes", `UPDATE findings AS f SET changed = v.column2
			FROM (VALUES `+strings.ReplaceAll(values, "?", "CAST(? AS BIGINT)")+`) AS v WHERE f.pk = v.column1`, part...)
		return err
	})
}

// changeCounter is the counter of changes.
const changeCounter = "changes"

// changedWhere is changed for the findings whose numbers a query gives.
func (t *tx) changedWhere(ctx context.Context, query string, args ...any) error {
	findings, err := t.numbers(ctx, "looking for what changed", query, args...)
	if err != nil {
		return err
	}
	return t.changed(ctx, findings)
}

// changedOfValues is changed for every finding of some values.
func (t *tx) changedOfValues(ctx context.Context, values []int64) error {
	return inLists(values, func(marks string, args []any) error {
		return t.changedWhere(ctx, `SELECT pk FROM findings WHERE value_pk IN (`+marks+`) ORDER BY pk`, args...)
	})
}

func (t *tx) Changes(ctx context.Context, after uint64, limit int) ([]store.FindingChange, error) {
	var out []store.FindingChange
	err := t.each(ctx, "listing changes", `SELECT changed, id FROM findings WHERE changed > ? ORDER BY changed LIMIT ?`, []any{int64(after), limit},
		func(scan scanner) error {
			var c store.FindingChange
			err := scan(&c.Number, &c.Finding)
			out = append(out, c)
			return err
		})
	return out, err
}

func (t *tx) LastChange(ctx context.Context) (uint64, error) {
	var last uint64
	err := t.one(ctx, "reading the last change", `SELECT COALESCE(MAX(last), 0) FROM counters WHERE name = ?`, []any{changeCounter}, &last)
	return last, err
}

// lapsedValues selects values by what ended for all of their findings; lapsed
// selects other findings. Each part begins with the few that end; CROSS JOIN keeps
// SQLite from beginning with all findings.
const (
	lapsedValues = `SELECT vf.value_pk FROM versions v CROSS JOIN fields fd CROSS JOIN value_fields vf
			WHERE v.window_ends > ?1 AND v.window_ends <= ?2 AND fd.version = v.id AND vf.field = fd.id
		UNION SELECT vf.value_pk FROM homes h CROSS JOIN versions v CROSS JOIN fields fd CROSS JOIN value_fields vf
			WHERE h.until > ?1 AND h.until <= ?2 AND h.whole = 1 AND v.secret = h.secret AND fd.version = v.id AND vf.field = fd.id
		ORDER BY 1`
	lapsed = `SELECT pk FROM findings WHERE until > ?1 AND until <= ?2
		UNION SELECT fh.finding_pk FROM homes h CROSS JOIN finding_homes fh WHERE h.until > ?1 AND h.until <= ?2 AND fh.home = h.id
		UNION SELECT fd.finding_pk FROM decisions d CROSS JOIN finding_decisions fd WHERE d.until > ?1 AND d.until <= ?2 AND fd.decision = d.id`
)

func (t *tx) Lapsed(ctx context.Context, from, to time.Time, after fingerprints.FindingID, limit int) ([]fingerprints.FindingID, error) {
	const doing = "listing what ended"
	values, err := t.numbers(ctx, doing, lapsedValues, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return nil, err
	}
	rows, err := firstOf(ctx, t, "value_pk", values, after, limit)
	if err != nil {
		return nil, err
	}
	err = t.each(ctx, doing, `WITH ended (pk) AS MATERIALIZED (`+lapsed+`)
		SELECT f.id, f.pk FROM ended e CROSS JOIN findings f WHERE f.pk = e.pk AND f.id > ?3 ORDER BY f.id LIMIT ?4`,
		[]any{from.UnixMicro(), to.UnixMicro(), string(after), limit}, func(scan scanner) error {
			var r row
			err := scan(&r.id, &r.pk)
			rows = append(rows, r)
			return err
		})
	var out []fingerprints.FindingID
	for _, r := range firstRows(rows, limit) {
		out = append(out, r.id)
	}
	return out, err
}
