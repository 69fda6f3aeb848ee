package sqlstore

import (
	"context"
	"fmt"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// run is a stretch of a stream in which sightings of a finding are counted: every
// one from from to through.
type run struct {
	stream        string
	from, through int64
	seen          int64
	now           int64 // the offset that was counted last in this Record; -1: none
}

// place is the one row that stands for the run.
func (r *run) place(finding int64) place {
	return place{finding: finding, locator: fmt.Sprintf("%s from offset %d on", r.stream, r.from)}
}

// streams says where in a stream a sighting stands; in is the run that it is counted
// in, as it is when all of the Record is.
func (p *sighted) streams(o store.Observed, in *run) {
	switch {
	case in != nil:
		p.stream, p.at, p.from, p.more = in.stream, in.through, in.from, in.seen-1
	case o.Stream != nil:
		p.stream, p.at = o.Stream.Name, o.Stream.Offset
	}
}

// streamed is what is known of a finding in a stream.
type streamed struct {
	listed int
	known  map[place]bool // listed, where this Record sees something
	runs   []*run
	obs    []int
	lo, hi int64 // offsets of obs
}

// findRuns decides which observations of streams are listed one by one and which are
// counted. What is at or before a run's watermark was counted before.
func (r *recording) findRuns(ctx context.Context) error {
	type key struct {
		finding int64
		stream  string
	}
	groups := map[key]*streamed{}
	var order []key
	for i, o := range r.obs {
		if o.Stream == nil {
			continue
		}
		k := key{r.byObs[i].pk, o.Stream.Name}
		g := groups[k]
		if g == nil {
			g = &streamed{known: map[place]bool{}, lo: o.Stream.Offset, hi: o.Stream.Offset}
			groups[k] = g
			order = append(order, k)
		}
		g.obs = append(g.obs, i)
		g.lo, g.hi = min(g.lo, o.Stream.Offset), max(g.hi, o.Stream.Offset)
	}
	if len(order) == 0 {
		return nil
	}
	r.inRun = map[int]*run{}
	for _, k := range order {
		g := groups[k]
		if err := r.readStream(ctx, k.finding, k.stream, g); err != nil {
			return err
		}
		for _, i := range g.obs {
			o := r.obs[i]
			at := place{k.finding, text(o.Sighting.Locator), o.Sighting.Start, o.Sighting.End}
			if in := g.place(at, o.Stream); in != nil {
				r.inRun[i] = in
			}
		}
	}
	return nil
}

func (r *recording) readStream(ctx context.Context, finding int64, stream string, g *streamed) error {
	const doing = "looking at a stream"
	err := r.t.one(ctx, doing, `SELECT COUNT(*) FROM sightings WHERE finding_pk = ? AND stream = ? AND run_from IS NULL`,
		[]any{finding, stream}, &g.listed)
	if err != nil || g.listed == 0 {
		return err
	}
	err = r.t.each(ctx, doing, `SELECT locator, span_start, span_end FROM sightings
		WHERE finding_pk = ? AND stream = ? AND at_offset BETWEEN ? AND ? AND run_from IS NULL`, []any{finding, stream, g.lo, g.hi},
		func(scan scanner) error {
			p := place{finding: finding}
			err := scan(&p.locator, &p.start, &p.end)
			g.known[p] = true
			return err
		})
	if err != nil {
		return err
	}
	return r.t.each(ctx, doing, `SELECT run_from, at_offset, more FROM sightings
		WHERE finding_pk = ? AND stream = ? AND run_from IS NOT NULL`, []any{finding, stream}, func(scan scanner) error {
		in := &run{stream: stream, now: -1}
		err := scan(&in.from, &in.through, &in.seen)
		in.seen++
		g.runs = append(g.runs, in)
		return err
	})
}

// place returns the run that an observation is counted in, or was before; nil: it is
// listed.
func (g *streamed) place(at place, s *store.StreamAt) *run {
	if g.known[at] {
		return nil
	}
	for _, in := range g.runs {
		if in.from <= s.Offset && s.Offset <= in.through {
			if in.now == s.Offset { // once more in the content that was counted now
				in.seen++
			}
			return in
		}
	}
	if g.listed < store.MaxListed {
		g.known[at] = true
		g.listed++
		return nil
	}
	// The run that reaches to where reading went on, if there is one.
	var best *run
	for _, in := range g.runs {
		if in.through < s.Offset && in.through+1 >= s.Since && (best == nil || in.through > best.through) {
			best = in
		}
	}
	if best == nil {
		best = &run{stream: s.Name, from: s.Since}
		g.runs = append(g.runs, best)
	}
	best.through, best.now = s.Offset, s.Offset
	best.seen++
	return best
}

func (t *tx) ExpireStreams(ctx context.Context, sourceID string, at time.Time, from func(stream string) int64) ([]fingerprints.FindingID, error) {
	const doing = "expiring what a stream does not keep"
	source, err := t.sourcePK(ctx, sourceID)
	if err != nil {
		return nil, err
	}
	byPK := map[int64]vanished{}
	var pks, sightings []int64
	err = t.each(ctx, doing, `SELECT f.pk, f.id, f.path, si.pk, si.stream, si.at_offset FROM findings f JOIN sightings si ON si.finding_pk = f.pk
		WHERE f.source_pk = ? AND si.stream <> '' AND si.presence NOT IN ('gone', 'expired') ORDER BY f.id, si.pk`, []any{source}, func(scan scanner) error {
		var v vanished
		var sighting, offset int64
		var stream string
		if err := scan(&v.pk, &v.id, &v.path, &sighting, &stream, &offset); err != nil || offset >= from(stream) {
			return err
		}
		sightings = append(sightings, sighting)
		if _, has := byPK[v.pk]; !has {
			byPK[v.pk] = v
			pks = append(pks, v.pk)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = inLists(sightings, func(marks string, list []any) error {
		_, err := t.exec(ctx, doing, `UPDATE sightings SET presence = 'expired' WHERE pk IN (`+marks+`)`, list...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t.closeExpired(ctx, at, pks, byPK)
}

// closeExpired gives findings their presence and returns those that have no sighting
// left that is kept.
func (t *tx) closeExpired(ctx context.Context, at time.Time, pks []int64, byPK map[int64]vanished) ([]fingerprints.FindingID, error) {
	if err := t.recountPresence(ctx, pks); err != nil {
		return nil, err
	}
	var out []fingerprints.FindingID
	var ended []int64
	err := inLists(pks, func(marks string, args []any) error {
		return t.each(ctx, "expiring findings", `SELECT pk FROM findings WHERE presence = 'expired' AND pk IN (`+marks+`) ORDER BY id`, args, func(scan scanner) error {
			var pk int64
			if err := scan(&pk); err != nil {
				return err
			}
			out = append(out, byPK[pk].id)
			ended = append(ended, pk)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for _, pk := range ended {
		if err := t.addHistory(ctx, pk, store.HistoryEntry{At: at, What: "expired"}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *tx) PutPositions(ctx context.Context, sourceID string, rows map[string][]byte) error {
	source, err := t.sourcePK(ctx, sourceID)
	if err != nil {
		return err
	}
	for name, row := range rows {
		if _, err := t.exec(ctx, "storing a position", `INSERT INTO positions (source_pk, name, position) VALUES (?, ?, ?)
			ON CONFLICT (source_pk, name) DO UPDATE SET position = excluded.position`, source, name, row); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) Positions(ctx context.Context, sourceID string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := t.each(ctx, "reading positions", `SELECT p.name, p.position FROM positions p JOIN sources s ON s.pk = p.source_pk WHERE s.id = ?`,
		[]any{sourceID}, func(scan scanner) error {
			var name string
			var row []byte
			err := scan(&name, &row)
			out[name] = row
			return err
		})
	return out, err
}
