package sqlstore

import (
	"context"
	"slices"
	"strings"
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
		if err := t.addTied(ctx, marks, args, byPK); err != nil {
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

// homesOf are the homes that some findings are tied to, and those of their
// secrets that cover their sources.
const homesOf = `SELECT finding_pk, home FROM finding_homes WHERE finding_pk IN ($marks)
	UNION SELECT f.pk, h.id FROM findings f JOIN home_sources hs ON hs.source_pk = f.source_pk JOIN homes h ON h.id = hs.home
		WHERE f.pk IN ($marks) AND EXISTS (SELECT 1 FROM value_fields vf JOIN fields fd ON fd.id = vf.field
			JOIN versions v ON v.id = fd.version WHERE vf.value_pk = f.value_pk AND v.secret = h.secret)
	ORDER BY 1, 2`

// decisionsOf are the decisions that are about some findings.
const decisionsOf = `SELECT finding_pk, decision FROM finding_decisions WHERE finding_pk IN ($marks) ORDER BY 1, 2`

// addTied fills in homes and decisions.
func (t *tx) addTied(ctx context.Context, marks string, args []any, byPK map[int64]*store.FindingView) error {
	read := func(query string, add func(v *store.FindingView, id int64)) error {
		all := slices.Repeat(args, strings.Count(query, "$marks"))
		return t.each(ctx, "reading what findings are tied to", strings.ReplaceAll(query, "$marks", marks), all, func(scan scanner) error {
			var pk, id int64
			if err := scan(&pk, &id); err != nil {
				return err
			}
			add(byPK[pk], id)
			return nil
		})
	}
	err := read(homesOf, func(v *store.FindingView, id int64) { v.Allowed = append(v.Allowed, id) })
	if err != nil {
		return err
	}
	return read(decisionsOf, func(v *store.FindingView, id int64) { v.Decided = append(v.Decided, id) })
}

func (t *tx) addMatches(ctx context.Context, now time.Time, marks string, args []any, byPK map[int64]*store.FindingView) error {
	query := clock + `SELECT f.pk, fd.id, fd.field, se.class, se.owner, ` + verdictOfVersion() + ` AS verdict, ` + versionColumns + `
		FROM findings f JOIN value_fields vf ON vf.value_pk = f.value_pk JOIN fields fd ON fd.id = vf.field
		JOIN versions v ON v.id = fd.version JOIN secrets se ON se.name = v.secret
		WHERE f.pk IN (` + marks + `)
		ORDER BY f.pk, verdict, v.secret, v.number DESC, fd.field, fd.id`
	return t.each(ctx, "reading what findings match", query, append([]any{now.UnixMicro()}, args...), func(scan scanner) error {
		var m store.Match
		var pk int64
		var rank int
		dst := append([]any{&pk, fixed{(*[16]byte)(&m.Row)}, &m.Field, &m.Class, &m.Owner, &rank}, versionDst(&m.Version)...)
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

// sightingColumns are those of sightings si, and sightingOrder is the order in
// which they are shown.
const (
	sightingColumns = `si.locator, si.span_start, si.span_end, si.line, si.col, si.end_line, si.end_col, si.form, si.rule,
			si.field, si.inside, si.presence, si.context, si.url, si.content_at, si.first_seen, si.last_seen, si.author, si.commit_id`
	sightingOrder = `CASE WHEN si.presence IN ('gone', 'expired') THEN 1 ELSE 0 END, si.locator, si.span_start, si.span_end`
)

func scanSighting(scan scanner) (fingerprints.Sighting, error) {
	var s fingerprints.Sighting
	err := scan(&s.Finding, &s.Locator, &s.Start, &s.End, &s.Line, &s.Column, &s.EndLine, &s.EndColumn, &s.Form, &s.Rule,
		fixed{(*[16]byte)(&s.Row)}, &s.Within, &s.Presence, &s.Context, &s.URL,
		moment{&s.At}, moment{&s.FirstSeen}, moment{&s.LastSeen}, &s.Author, &s.Commit)
	return s, err
}

func (t *tx) Sightings(ctx context.Context, id fingerprints.FindingID, limit int) ([]fingerprints.Sighting, error) {
	pk, err := t.findingPK(ctx, id)
	if err != nil {
		return nil, err
	}
	query := `SELECT f.id, ` + sightingColumns + ` FROM sightings si JOIN findings f ON f.pk = si.finding_pk WHERE si.finding_pk = ? ORDER BY ` + sightingOrder
	args := []any{pk}
	if limit > 0 {
		query += " LIMIT ?"
		args = append(args, limit)
	}
	var out []fingerprints.Sighting
	err = t.each(ctx, "listing sightings", query, args, func(scan scanner) error {
		s, err := scanSighting(scan)
		out = append(out, s)
		return err
	})
	return out, err
}

func (t *tx) FirstSightings(ctx context.Context, ids []fingerprints.FindingID, limit int) (map[fingerprints.FindingID][]fingerprints.Sighting, error) {
	out := map[fingerprints.FindingID][]fingerprints.Sighting{}
	err := inLists(ids, func(marks string, args []any) error {
		for i, id := range args {
			if id, is := id.(fingerprints.FindingID); is {
				args[i] = string(id)
			}
		}
		query := `SELECT id, locator, span_start, span_end, line, col, end_line, end_col, form, rule, field, inside, presence, context, url, content_at, first_seen, last_seen, author, commit_id
			FROM (SELECT f.id, ROW_NUMBER() OVER (PARTITION BY si.finding_pk ORDER BY ` + sightingOrder + `) AS place, ` + sightingColumns + `
				FROM findings f JOIN sightings si ON si.finding_pk = f.pk WHERE f.id IN (` + marks + `)) placed
			WHERE place <= ? ORDER BY id, place`
		return t.each(ctx, "listing first sightings", query, append(args, limit), func(scan scanner) error {
			s, err := scanSighting(scan)
			out[s.Finding] = append(out[s.Finding], s)
			return err
		})
	})
	return out, err
}
