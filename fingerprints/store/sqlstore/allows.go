package sqlstore

import (
	"context"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

const allowColumns = `SELECT id, secret, source_glob, path_glob, until, reason, created_at, actor, whole FROM homes`

func (t *tx) AddAllow(ctx context.Context, a store.Allow) (int64, error) {
	id, err := t.next(ctx, "homes", 1)
	if err != nil {
		return 0, err
	}
	err = t.try(ctx, "storing an allowed home",
		`INSERT INTO homes (id, secret, source_glob, path_glob, until, reason, created_at, actor, whole) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, a.Secret, a.SourceGlob, a.PathGlob, stamp(a.Until), a.Reason, stamp(a.CreatedAt), a.Actor, bit(a.Whole))
	return id, err
}

func (t *tx) Allows(ctx context.Context, secret string) ([]store.Allow, error) {
	query, args := allowColumns+t.whereSeen("secret")+` ORDER BY id`, []any(nil)
	if secret != "" {
		query, args = allowColumns+` WHERE secret = ? `+t.andSeen("secret")+` ORDER BY id`, []any{secret}
	}
	var out []store.Allow
	err := t.each(ctx, "listing allowed homes", query, args, func(scan scanner) error {
		var a store.Allow
		err := scan(&a.ID, &a.Secret, &a.SourceGlob, &a.PathGlob, moment{&a.Until}, &a.Reason, moment{&a.CreatedAt}, &a.Actor, &a.Whole)
		out = append(out, a)
		return err
	})
	return out, err
}

func (t *tx) RemoveAllow(ctx context.Context, id int64) error {
	n, err := t.exec(ctx, "removing an allowed home", `DELETE FROM homes WHERE id = ?`, id)
	if err == nil && n == 0 {
		return notFound("allowed home", "")
	}
	return err
}

func (t *tx) SetAllowEnd(ctx context.Context, id int64, until time.Time) error {
	n, err := t.exec(ctx, "changing when an allowed home ends", `UPDATE homes SET until = ? WHERE id = ?`, stamp(until), id)
	if err == nil && n == 0 {
		return notFound("allowed home", "")
	}
	return err
}

func (t *tx) CoverSources(ctx context.Context, home int64, sources []string) error {
	return inLists(sources, func(marks string, args []any) error {
		_, err := t.exec(ctx, "covering sources", `INSERT INTO home_sources (home, source_pk) SELECT h.id, s.pk FROM homes h, sources s
			WHERE h.id = ? AND h.whole = 1 AND s.id IN (`+marks+`) ON CONFLICT DO NOTHING`, append([]any{home}, args...)...)
		return err
	})
}

func (t *tx) SetSourceHomes(ctx context.Context, source string, homes []int64) error {
	const doing = "covering a source"
	pk, err := t.sourcePK(ctx, source)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, doing, `DELETE FROM home_sources WHERE source_pk = ?`, pk); err != nil {
		return err
	}
	return inLists(homes, func(marks string, args []any) error {
		_, err := t.exec(ctx, doing, `INSERT INTO home_sources (home, source_pk) SELECT id, CAST(? AS BIGINT) FROM homes
			WHERE whole = 1 AND id IN (`+marks+`) ON CONFLICT DO NOTHING`, append([]any{pk}, args...)...)
		return err
	})
}

// valuesOfHome are the values of the secret of a home.
const valuesOfHome = `SELECT vf.value_pk FROM homes h CROSS JOIN versions v CROSS JOIN fields fd CROSS JOIN value_fields vf
	WHERE h.id = ?1 AND v.secret = h.secret AND fd.version = v.id AND vf.field = fd.id`

func (t *tx) CountCovered(ctx context.Context, home int64) (int, error) {
	var n int
	// The plus keeps SQLite from beginning with all values of the sources.
	err := t.one(ctx, "counting what a home covers", `SELECT CAST(COALESCE((SELECT SUM(ta.present + ta.gone) FROM tallies ta
			WHERE `+t.oneOf("ta.value_pk", valuesOfHome)+` AND `+t.oneOf("+ta.source_pk", "SELECT source_pk FROM home_sources WHERE home = ?1")+`), 0)
		+ (SELECT COUNT(*) FROM finding_homes fh CROSS JOIN findings f
			WHERE fh.home = ?1 AND f.pk = fh.finding_pk AND f.value_pk IN (`+valuesOfHome+`)) AS BIGINT)`, []any{home}, &n)
	return n, err
}

func (t *tx) AddAllowed(ctx context.Context, home int64, findings []fingerprints.FindingID) error {
	return inLists(findings, func(marks string, args []any) error {
		_, err := t.exec(ctx, "tying findings to allowed homes", `INSERT INTO finding_homes (finding_pk, home)
			SELECT f.pk, h.id FROM findings f, homes h WHERE h.id = ? AND f.id IN (`+marks+`) ON CONFLICT DO NOTHING`, append([]any{home}, args...)...)
		return err
	})
}

func (t *tx) AddDecided(ctx context.Context, decision int64, findings []fingerprints.FindingID) error {
	var pks []int64
	err := inLists(findings, func(marks string, args []any) error {
		return t.each(ctx, "tying findings to decisions", `INSERT INTO finding_decisions (finding_pk, decision)
			SELECT f.pk, d.id FROM findings f, decisions d WHERE d.id = ? AND f.id IN (`+marks+`)
			ON CONFLICT DO NOTHING RETURNING finding_pk`, append([]any{decision}, args...), func(scan scanner) error {
			var pk int64
			err := scan(&pk)
			pks = append(pks, pk)
			return err
		})
	})
	if err != nil {
		return err
	}
	return t.changed(ctx, pks)
}

func (t *tx) EachPlace(ctx context.Context, now time.Time, f store.FindingFilter, fn func(store.Place) error) error {
	c := t.conditionOf(f)
	query := clock + `SELECT f.id, sv.value, s.id, f.path FROM findings f CROSS JOIN sources s CROSS JOIN seen_values sv
		WHERE s.pk = f.source_pk AND sv.pk = f.value_pk AND ` + strings.Join(c.where, " AND ")
	return t.each(ctx, "listing places", query, append([]any{now.UnixMicro()}, c.args...), func(scan scanner) error {
		var p store.Place
		if err := scan(&p.Finding, fixed{(*[16]byte)(&p.Value)}, &p.SourceID, &p.Path); err != nil {
			return err
		}
		return fn(p)
	})
}
