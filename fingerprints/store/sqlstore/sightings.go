package sqlstore

import (
	"context"

	"revenant/fingerprints"
)

const sightingWidth = 26

// addSightings upserts every place once, and learns which were known: the
// database answers with the number of the row, which is the one given to a new
// place and an older one for a known place.
func (r *recording) addSightings(ctx context.Context) error {
	r.gather()
	first, err := r.t.next(ctx, "sightings", len(r.places))
	if err != nil {
		return err
	}
	args := make([]any, 0, sightingWidth*len(r.places))
	for i, p := range r.places {
		args = append(args, first+int64(i))
		args = p.append(args, r.at.UnixMicro())
	}
	fresh := make([]bool, len(r.places))
	err = insertMany(sightingWidth, args, func(values string, part []any) error {
		return r.t.each(ctx, "storing sightings", `INSERT INTO sightings (pk, finding_pk, locator, span_start, span_end,
			line, col, end_line, end_col, form, rule, field, inside, presence, context, url, content_at,
			first_seen, last_seen, extent, more, stream, at_offset, run_from, author, commit_id) VALUES `+values+upsertSighting(r.t.s.engine.words().key), part, func(scan scanner) error {
			var pk int64
			err := scan(&pk)
			if i := pk - first; err == nil && i >= 0 {
				fresh[i] = true
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	for i, p := range r.places {
		p.isNew = fresh[i]
	}
	for i, e := range r.byObs {
		e.changed = e.changed || r.ofObs[i].isNew
		if p := r.ofObs[i]; !e.isNew && !p.isNew && presenceRank(p.s.Presence) > presenceRank(e.was) {
			e.recount = true
		}
	}
	return nil
}

// upsertSighting keeps what identifies a sighting and since when it is known;
// a rule and a field that were known stay when the new ones are empty, because
// a scan may run without rules or without a pack.
func upsertSighting(key func(string) string) string {
	return `
	ON CONFLICT (finding_pk, ` + key("locator") + `, span_start, span_end) DO UPDATE SET
		line = excluded.line, col = excluded.col, end_line = excluded.end_line, end_col = excluded.end_col,
		form = excluded.form,
		rule = CASE WHEN excluded.rule = '' THEN sightings.rule ELSE excluded.rule END,
		field = COALESCE(excluded.field, sightings.field),
		inside = excluded.inside, presence = excluded.presence, context = excluded.context, url = excluded.url,
		content_at = excluded.content_at,
		first_seen = CASE WHEN excluded.first_seen < sightings.first_seen THEN excluded.first_seen ELSE sightings.first_seen END,
		last_seen = CASE WHEN excluded.last_seen > sightings.last_seen THEN excluded.last_seen ELSE sightings.last_seen END,
		extent = excluded.extent, more = excluded.more,
		stream = excluded.stream, at_offset = excluded.at_offset, run_from = excluded.run_from,
		author = CASE WHEN excluded.commit_id = '' THEN sightings.author ELSE excluded.author END,
		commit_id = CASE WHEN excluded.commit_id = '' THEN sightings.commit_id ELSE excluded.commit_id END
	RETURNING pk`
}

// gather joins observations of the same place.
func (r *recording) gather() {
	for i, o := range r.obs {
		at := place{r.byObs[i].pk, text(o.Sighting.Locator), o.Sighting.Start, o.Sighting.End}
		in := r.inRun[i]
		if in != nil {
			at = in.place(at.finding)
		}
		p := r.byPlace[at]
		if p == nil {
			p = &sighted{place: at, s: o.Sighting, more: o.Overflow, extent: o.Extent}
			p.streams(o, in)
			r.byPlace[at] = p
			r.places = append(r.places, p)
		} else {
			p.join(o.Sighting, o.Overflow)
		}
		r.ofObs = append(r.ofObs, p)
	}
}

func (p *sighted) join(s fingerprints.Sighting, more int64) {
	if presenceRank(s.Presence) < presenceRank(p.s.Presence) {
		p.s.Presence = s.Presence
	}
	if p.s.Rule == "" {
		p.s.Rule = s.Rule
	}
	if p.s.Row == (fingerprints.RowID{}) {
		p.s.Row = s.Row
		p.s.Form = s.Form
	}
	p.s.Within = p.s.Within && s.Within
	p.more = max(p.more, more)
}

func (p *sighted) append(args []any, seen int64) []any {
	s := &p.s
	var field any
	if s.Row != (fingerprints.RowID{}) {
		field = s.Row[:]
	}
	return append(args, p.finding, p.locator, p.start, p.end, int64(s.Line), int64(s.Column), int64(s.EndLine), int64(s.EndColumn),
		string(s.Form), s.Rule, field, bit(s.Within), string(s.Presence), text(s.Context), text(s.URL), stamp(s.At),
		seen, seen, p.extent, p.more, p.stream, p.at, p.from, text(s.Author), text(s.Commit))
}
