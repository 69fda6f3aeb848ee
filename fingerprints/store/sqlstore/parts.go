package sqlstore

import (
	"context"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// addParts fills matches, places, forms, homes, decisions and aliases of a list of views,
// a few queries for all of them.
func (t *tx) addParts(ctx context.Context, now time.Time, list []keyed) error {
	byPK := map[int64]*store.FindingView{}
	var pks []int64
	for _, k := range list {
		byPK[k.pk] = k.view
		pks = append(pks, k.pk)
	}
	return inLists(pks, func(marks string, args []any) error {
		if err := t.addMatches(ctx, now, marks, args, byPK); err != nil {
			return err
		}
		if err := t.addPlaces(ctx, marks, args, byPK); err != nil {
			return err
		}
		err := t.addLinks(ctx, homeLinks(), marks, args, func(pk, id int64) { byPK[pk].Allowed = append(byPK[pk].Allowed, id) })
		if err != nil {
			return err
		}
		err = t.addLinks(ctx, decisionLinks(), marks, args, func(pk, id int64) { byPK[pk].Decided = append(byPK[pk].Decided, id) })
		if err != nil {
			return err
		}
		return t.each(ctx, "reading aliases",
			`SELECT finding_pk, alias FROM aliases WHERE finding_pk IN (`+marks+`) ORDER BY finding_pk, alias`, args,
			func(scan scanner) error {
				var pk int64
				var alias fingerprints.FindingID
				if err := scan(&pk, &alias); err != nil {
					return err
				}
				byPK[pk].Aliases = append(byPK[pk].Aliases, alias)
				return nil
			})
	})
}

// addLinks hands out what some findings are tied to, in order.
func (t *tx) addLinks(ctx context.Context, l links, marks string, args []any, add func(pk, id int64)) error {
	return t.each(ctx, "reading "+l.what+" of findings",
		`SELECT finding_pk, `+l.column+` FROM `+l.table+` WHERE finding_pk IN (`+marks+`) ORDER BY finding_pk, `+l.column, args,
		func(scan scanner) error {
			var pk, id int64
			if err := scan(&pk, &id); err != nil {
				return err
			}
			add(pk, id)
			return nil
		})
}

func (t *tx) addMatches(ctx context.Context, now time.Time, marks string, args []any, byPK map[int64]*store.FindingView) error {
	query := clock + `SELECT f.pk, fd.id, fd.field, se.class, ` + verdictOfVersion() + ` AS verdict, ` + versionColumns + `
		FROM findings f JOIN value_fields vf ON vf.value_pk = f.value_pk JOIN fields fd ON fd.id = vf.field
		JOIN versions v ON v.id = fd.version JOIN secrets se ON se.name = v.secret
		WHERE f.pk IN (` + marks + `)
		ORDER BY f.pk, verdict, v.secret, v.number DESC, fd.field, fd.id`
	return t.each(ctx, "reading what findings match", query, append([]any{now.UnixMicro()}, args...), func(scan scanner) error {
		var m store.Match
		var pk int64
		var rank int
		dst := append([]any{&pk, fixed{(*[16]byte)(&m.Row)}, &m.Field, &m.Class, &rank}, versionDst(&m.Version)...)
		if err := scan(dst...); err != nil {
			return err
		}
		m.Verdict = verdictAt(rank)
		byPK[pk].Matches = append(byPK[pk].Matches, m)
		return nil
	})
}

func (t *tx) addPlaces(ctx context.Context, marks string, args []any, byPK map[int64]*store.FindingView) error {
	query := `SELECT finding_pk, form, CAST(SUM(CASE WHEN presence IN ('gone', 'expired') THEN 0 ELSE 1 + more END) AS BIGINT)
		FROM sightings WHERE finding_pk IN (` + marks + `) GROUP BY finding_pk, form ORDER BY finding_pk, form`
	return t.each(ctx, "counting sightings", query, args, func(scan scanner) error {
		var pk int64
		var form fingerprints.Form
		var n int
		if err := scan(&pk, &form, &n); err != nil {
			return err
		}
		v := byPK[pk]
		v.Places += n
		if !slices.Contains(v.Forms, form) {
			v.Forms = append(v.Forms, form)
		}
		return nil
	})
}

func (t *tx) Sightings(ctx context.Context, id fingerprints.FindingID, limit int) ([]fingerprints.Sighting, error) {
	pk, err := t.findingPK(ctx, id)
	if err != nil {
		return nil, err
	}
	query := `SELECT f.id, si.locator, si.span_start, si.span_end, si.line, si.col, si.end_line, si.end_col, si.form, si.rule,
			si.field, si.inside, si.presence, si.context, si.url, si.content_at, si.first_seen, si.last_seen
		FROM sightings si JOIN findings f ON f.pk = si.finding_pk WHERE si.finding_pk = ?
		ORDER BY CASE WHEN si.presence IN ('gone', 'expired') THEN 1 ELSE 0 END, si.locator, si.span_start, si.span_end`
	args := []any{pk}
	if limit > 0 {
		query += " LIMIT ?"
		args = append(args, limit)
	}
	var out []fingerprints.Sighting
	err = t.each(ctx, "listing sightings", query, args, func(scan scanner) error {
		var s fingerprints.Sighting
		err := scan(&s.Finding, &s.Locator, &s.Start, &s.End, &s.Line, &s.Column, &s.EndLine, &s.EndColumn, &s.Form, &s.Rule,
			fixed{(*[16]byte)(&s.Row)}, &s.Within, &s.Presence, &s.Context, &s.URL,
			moment{&s.At}, moment{&s.FirstSeen}, moment{&s.LastSeen})
		out = append(out, s)
		return err
	})
	return out, err
}
