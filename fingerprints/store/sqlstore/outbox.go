package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func (t *tx) Mark(ctx context.Context, name string) (string, error) {
	var mark string
	err := t.each(ctx, "reading a mark", `SELECT mark FROM marks WHERE name = ?`, []any{name}, func(scan scanner) error {
		return scan(&mark)
	})
	return mark, err
}

func (t *tx) SetMark(ctx context.Context, name, from, to string) error {
	const doing = "setting a mark"
	is, err := t.Mark(ctx, name)
	switch {
	case err != nil:
		return err
	case is != from:
		return fmt.Errorf("%s: %w", doing, store.ErrOvertaken)
	case to == "":
		_, err = t.exec(ctx, doing, `DELETE FROM marks WHERE name = ?`, name)
	default:
		_, err = t.exec(ctx, doing, `INSERT INTO marks (name, mark) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET mark = excluded.mark`, name, text(to))
	}
	return err
}

func (t *tx) Told(ctx context.Context, receiver string, ids []fingerprints.FindingID) (map[fingerprints.FindingID]store.Told, error) {
	out := map[fingerprints.FindingID]store.Told{}
	err := inLists(plainIDs(ids), func(marks string, args []any) error {
		return t.each(ctx, "reading what was told", `SELECT f.id, td.word, td.grp, td.at FROM findings f JOIN told td ON td.finding_pk = f.pk
			WHERE td.receiver = ? AND f.id IN (`+marks+`)`, append([]any{receiver}, args...), func(scan scanner) error {
			told := store.Told{Receiver: receiver}
			err := scan(&told.Finding, &told.Word, &told.Group, moment{&told.At})
			out[told.Finding] = told
			return err
		})
	})
	return out, err
}

func plainIDs(ids []fingerprints.FindingID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// findingPKs finds the rows of findings by their ids; those that are not there
// are left out.
func (t *tx) findingPKs(ctx context.Context, ids []fingerprints.FindingID) (map[fingerprints.FindingID]int64, error) {
	out := map[fingerprints.FindingID]int64{}
	err := inLists(plainIDs(ids), func(marks string, args []any) error {
		return t.each(ctx, "looking up findings", `SELECT f.pk, f.id FROM findings f WHERE f.id IN (`+marks+`)
			UNION ALL SELECT a.finding_pk, a.alias FROM aliases a WHERE a.alias IN (`+marks+`)`, append(args, args...), func(scan scanner) error {
			var pk int64
			var id fingerprints.FindingID
			err := scan(&pk, &id)
			out[id] = pk
			return err
		})
	})
	return out, err
}

func (t *tx) PutTold(ctx context.Context, told []store.Told) error {
	ids := make([]fingerprints.FindingID, len(told))
	for i, w := range told {
		ids[i] = w.Finding
	}
	pks, err := t.findingPKs(ctx, ids)
	if err != nil {
		return err
	}
	type known struct {
		receiver string
		pk       int64
	}
	at := map[known]int{} // a statement may write a row once
	var args []any
	for _, w := range told {
		pk, has := pks[w.Finding]
		if !has {
			continue
		}
		row := []any{w.Receiver, pk, w.Word, text(w.Group), stamp(w.At)}
		if i, has := at[known{w.Receiver, pk}]; has {
			copy(args[i:], row)
			continue
		}
		at[known{w.Receiver, pk}] = len(args)
		args = append(args, row...)
	}
	return t.insert(ctx, "storing what was told", `INSERT INTO told (receiver, finding_pk, word, grp, at)`,
		`ON CONFLICT (receiver, finding_pk) DO UPDATE SET word = excluded.word, grp = excluded.grp, at = excluded.at`, 5, args)
}

func (t *tx) AddNotices(ctx context.Context, list []store.Notice) error {
	return t.addNotices(ctx, list, nil)
}

func (t *tx) addNotices(ctx context.Context, list []store.Notice, delivery any) error {
	ids := make([]fingerprints.FindingID, len(list))
	for i, n := range list {
		ids[i] = n.Finding
	}
	pks, err := t.findingPKs(ctx, ids)
	if err != nil {
		return err
	}
	next, err := t.next(ctx, "notices", len(list))
	if err != nil {
		return err
	}
	const width = 13
	args := make([]any, 0, width*len(list))
	for i, n := range list {
		var finding any
		if n.Finding != "" {
			pk, has := pks[n.Finding]
			if !has {
				continue
			}
			finding = pk
		}
		args = append(args, next+int64(i), n.Receiver, text(n.Group), n.Event, finding, text(n.Source), n.Was,
			string(n.Verdict), string(n.Severity), text(n.Detail), stamp(n.At), bit(n.Urgent), delivery)
	}
	return t.insert(ctx, "storing notices", `INSERT INTO notices (pk, receiver, grp, event, finding_pk, source, was, verdict, severity,
		detail, at, urgent, delivery)`, "", width, args)
}

func (t *tx) Waiting(ctx context.Context) ([]store.Waiting, error) {
	var out []store.Waiting
	err := t.each(ctx, "listing what waits", `SELECT receiver, grp, COUNT(*), MIN(at), MAX(urgent) FROM notices WHERE delivery IS NULL
		GROUP BY receiver, grp ORDER BY receiver, grp`, nil, func(scan scanner) error {
		var w store.Waiting
		var urgent int
		err := scan(&w.Receiver, &w.Group, &w.Count, moment{&w.Oldest}, &urgent)
		w.Urgent = urgent == 1
		out = append(out, w)
		return err
	})
	return out, err
}

func (t *tx) Gather(ctx context.Context, d store.Delivery) (int, error) {
	const doing = "gathering notices"
	waits := false
	err := t.each(ctx, doing, `SELECT 1 FROM notices WHERE delivery IS NULL AND receiver = ? AND grp = ? LIMIT 1`, []any{d.Receiver, text(d.Group)},
		func(scanner) error {
			waits = true
			return nil
		})
	if err != nil || !waits {
		return 0, err
	}
	if err := t.AddDelivery(ctx, d, nil); err != nil {
		return 0, err
	}
	n, err := t.exec(ctx, doing, `UPDATE notices SET delivery = ? WHERE delivery IS NULL AND receiver = ? AND grp = ?`, d.ID, d.Receiver, text(d.Group))
	return int(n), err
}

const deliveryColumns = `id, receiver, grp, kind, summary, created_at, next_at, deadline, attempts, lease_by, lease_until, sent_at, given_up_at, problem`

func (t *tx) AddDelivery(ctx context.Context, d store.Delivery, list []store.Notice) error {
	err := t.try(ctx, "storing a delivery", `INSERT INTO deliveries (`+deliveryColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, d.Receiver, text(d.Group), d.Kind, text(d.Summary), stamp(d.CreatedAt), stamp(d.NextAt), stamp(d.Deadline), d.Attempts,
		d.LeaseBy, stamp(d.LeaseUntil), stamp(d.SentAt), stamp(d.GivenUpAt), text(d.Problem))
	if err != nil {
		return err
	}
	return t.addNotices(ctx, list, d.ID)
}

// severityRank orders by severity; a word that this version does not know comes
// first, so that it is seen.
func severityRank(column string) string {
	var b strings.Builder
	b.WriteString("CASE " + column)
	for i, s := range fingerprints.Severities() {
		b.WriteString(" WHEN '" + string(s) + "' THEN " + strconv.Itoa(i))
	}
	return b.String() + " ELSE -1 END"
}

func (t *tx) Notices(ctx context.Context, delivery string, limit int) ([]store.Notice, error) {
	query := `SELECT n.pk, n.receiver, n.grp, n.event, f.id, n.source, n.was, n.verdict, n.severity, n.detail, n.at, n.urgent
		FROM notices n LEFT JOIN findings f ON f.pk = n.finding_pk WHERE n.delivery = ? ORDER BY ` + severityRank("n.severity") + `, n.pk`
	args := []any{delivery}
	if limit > 0 {
		query += ` LIMIT ?`
		args = append(args, limit)
	}
	var out []store.Notice
	err := t.each(ctx, "reading notices", query, args, func(scan scanner) error {
		var n store.Notice
		var finding sql.NullString
		var urgent int
		err := scan(&n.ID, &n.Receiver, &n.Group, &n.Event, &finding, &n.Source, &n.Was, &n.Verdict, &n.Severity, &n.Detail, moment{&n.At}, &urgent)
		n.Finding, n.Urgent = fingerprints.FindingID(finding.String), urgent == 1
		out = append(out, n)
		return err
	})
	return out, err
}

func (t *tx) CountNotices(ctx context.Context, delivery string) ([]store.NoticeCount, error) {
	var out []store.NoticeCount
	err := t.each(ctx, "counting notices", `SELECT event, verdict, severity, COUNT(*) FROM notices WHERE delivery = ?
		GROUP BY event, verdict, severity ORDER BY `+severityRank("severity")+`, event, verdict`, []any{delivery}, func(scan scanner) error {
		var c store.NoticeCount
		err := scan(&c.Event, &c.Verdict, &c.Severity, &c.Count)
		out = append(out, c)
		return err
	})
	return out, err
}
