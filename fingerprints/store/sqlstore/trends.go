package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

const secondsOfDay = 24 * 60 * 60

func (t *tx) PutDay(ctx context.Context, d store.Day) error {
	const doing = "storing what a day counts"
	day := d.Day.Unix() / secondsOfDay
	if _, err := t.exec(ctx, doing, `DELETE FROM days WHERE day = ?`, day); err != nil {
		return err
	}
	var args []any
	for _, v := range fingerprints.Verdicts() {
		if n := d.Verdicts[v]; n > 0 {
			args = append(args, day, string(v), n)
		}
	}
	if len(args) == 0 { // a day without findings is known, too
		args = []any{day, string(fingerprints.VerdictLeaked), 0}
	}
	return t.insert(ctx, doing, `INSERT INTO days (day, verdict, findings)`, "", 3, args)
}

func (t *tx) Days(ctx context.Context, from time.Time) ([]store.Day, error) {
	var out []store.Day
	err := t.each(ctx, "reading what days count", `SELECT day, verdict, findings FROM days WHERE day >= ? ORDER BY day, verdict`, []any{from.Unix() / secondsOfDay},
		func(scan scanner) error {
			var day int64
			var verdict fingerprints.Verdict
			var n int
			err := scan(&day, &verdict, &n)
			at := time.Unix(day*secondsOfDay, 0).UTC()
			if len(out) == 0 || !out[len(out)-1].Day.Equal(at) {
				out = append(out, store.Day{Day: at, Verdicts: map[fingerprints.Verdict]int{}})
			}
			if n > 0 {
				out[len(out)-1].Verdicts[verdict] = n
			}
			return err
		})
	return out, err
}

func (t *tx) Cleared(ctx context.Context, since time.Time, limit int) ([]store.Span, error) {
	var out []store.Span
	err := t.each(ctx, "reading what was cleared", `SELECT f.first_seen, f.gone_at FROM findings f
		WHERE f.gone_at >= ? AND EXISTS (`+registeredValues+` WHERE vf.value_pk = f.value_pk) ORDER BY f.gone_at DESC, f.first_seen DESC LIMIT ?`, []any{stamp(since), limit},
		func(scan scanner) error {
			var s store.Span
			err := scan(moment{&s.FirstSeen}, moment{&s.GoneAt})
			out = append(out, s)
			return err
		})
	return out, err
}

func (t *tx) ActiveAges(ctx context.Context, moments []time.Time) ([]store.Ages, error) {
	var cases strings.Builder
	var args []any
	for i, m := range moments {
		cases.WriteString(` WHEN v.activated_at >= ? THEN ` + strconv.Itoa(i))
		args = append(args, stamp(m))
	}
	args = append(args, string(fingerprints.StateActive))
	var out []store.Ages
	err := t.each(ctx, "counting active versions", `SELECT s.class, CASE`+cases.String()+` ELSE `+strconv.Itoa(len(moments))+` END AS since, COUNT(*)
		FROM versions v JOIN secrets s ON s.name = v.secret WHERE v.state = ? GROUP BY s.class, since ORDER BY s.class`, args, func(scan scanner) error {
		var class fingerprints.Class
		var since, n int
		err := scan(&class, &since, &n)
		if len(out) == 0 || out[len(out)-1].Class != class {
			out = append(out, store.Ages{Class: class, Since: make([]int, len(moments)+1)})
		}
		out[len(out)-1].Since[since] += n
		return err
	})
	return out, err
}

func (t *tx) PutView(ctx context.Context, v store.SavedView) error {
	const doing = "storing a view"
	id, err := t.next(ctx, "views", 1)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, doing, `DELETE FROM views WHERE owner = ? AND name = ?`, v.Owner, v.Name); err != nil {
		return err
	}
	_, err = t.exec(ctx, doing, `INSERT INTO views (pk, owner, name, query, created_at) VALUES (?, ?, ?, ?, ?)`, id, v.Owner, v.Name, v.Query, stamp(v.CreatedAt))
	return err
}

func (t *tx) Views(ctx context.Context, owner string) ([]store.SavedView, error) {
	var out []store.SavedView
	err := t.each(ctx, "reading views", `SELECT pk, owner, name, query, created_at FROM views WHERE owner = ? ORDER BY name, pk`, []any{owner}, func(scan scanner) error {
		var v store.SavedView
		err := scan(&v.ID, &v.Owner, &v.Name, &v.Query, moment{&v.CreatedAt})
		out = append(out, v)
		return err
	})
	return out, err
}

func (t *tx) RemoveView(ctx context.Context, owner string, id int64) error {
	n, err := t.exec(ctx, "removing a view", `DELETE FROM views WHERE owner = ? AND pk = ?`, owner, id)
	if err == nil && n == 0 {
		err = notFound("view", "")
	}
	return err
}
