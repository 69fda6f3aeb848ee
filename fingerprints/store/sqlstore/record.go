package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// entry is a finding that a Record touches.
type entry struct {
	pk, value int64
	id        fingerprints.FindingID
	source    int64
	isNew     bool
	was       fingerprints.Presence // before this Record
	presence  fingerprints.Presence // strongest of those recorded now
	recount   bool                  // a sighting may have become weaker
	changed   bool                  // not as it was before, in what Changes tells
	rules     []string
	newRules  bool
	homes     map[int64]bool
	decided   map[int64]bool
	firstSeen int64
	first     store.Observed // what a new finding is made of
}

// place identifies a sighting.
type place struct {
	finding    int64
	locator    string
	start, end int64
}

// recording is the work of one Record.
type recording struct {
	t       *tx
	at      time.Time
	obs     []store.Observed
	sources map[string]int64
	entries map[fingerprints.FindingID]*entry // by the id as observed
	list    []*entry                          // each once, in order of first sight
	byObs   []*entry
	places  []*sighted // each once
	byPlace map[place]*sighted
	ofObs   []*sighted
	inRun   map[int]*run // observations that are counted, and not listed
}

// sighted is a sighting that is about to be stored.
type sighted struct {
	place
	s      fingerprints.Sighting
	more   int64
	extent string
	isNew  bool
	stream string
	at     any // the offset in the stream, of a run its watermark
	from   any // where a run begins; nil: it is none
}

func (t *tx) Record(ctx context.Context, at time.Time, obs []store.Observed) ([]store.Recorded, error) {
	if len(obs) == 0 {
		return nil, nil
	}
	if at.IsZero() {
		return nil, errors.New("recording sightings: the time is missing")
	}
	r := &recording{
		t: t, at: at, obs: obs,
		sources: map[string]int64{}, entries: map[fingerprints.FindingID]*entry{}, byPlace: map[place]*sighted{},
	}
	steps := []func(context.Context) error{
		r.findSources, r.findAliases, r.findFindings, r.addFindings,
		r.linkFields, r.findRuns, r.addSightings, r.updateFindings, r.replaceLinks, r.numberChanges,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	out := make([]store.Recorded, len(obs))
	for i, e := range r.byObs {
		out[i] = store.Recorded{
			FindingID: e.id, New: e.isNew, NewPlace: r.ofObs[i].isNew,
			Returned: !e.isNew && e.was == fingerprints.PresenceGone && e.presence != fingerprints.PresenceGone,
		}
	}
	return out, nil
}

func (r *recording) findSources(ctx context.Context) error {
	for _, o := range r.obs {
		if o.FindingID == "" {
			return errors.New("recording sightings: one has no finding id")
		}
		if _, ok := r.sources[o.SourceID]; ok {
			continue
		}
		pk, err := r.t.sourcePK(ctx, o.SourceID)
		if err != nil {
			return fmt.Errorf("recording sightings: %w", err)
		}
		r.sources[o.SourceID] = pk
	}
	return nil
}

func (r *recording) observedIDs() []string {
	seen := map[string]bool{}
	var ids []string
	for _, o := range r.obs {
		if id := string(o.FindingID); !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

const entryColumns = `f.pk, f.value_pk, f.id, f.source_pk, f.presence, f.rules, f.first_seen`

func scanEntry(scan scanner, more ...any) (*entry, error) {
	e := &entry{homes: map[int64]bool{}, decided: map[int64]bool{}}
	var rules string
	err := scan(append([]any{&e.pk, &e.value, &e.id, &e.source, &e.was, &rules, &e.firstSeen}, more...)...)
	e.rules = splitLines(rules)
	return e, err
}

// findAliases also drops an alias whose finding has moved to another source:
// what is seen at the old source again is a finding of its own.
func (r *recording) findAliases(ctx context.Context) error {
	sourceOf := map[fingerprints.FindingID]int64{}
	for _, o := range r.obs {
		sourceOf[o.FindingID] = r.sources[o.SourceID]
	}
	byPK := map[int64]*entry{}
	var outlived []fingerprints.FindingID
	err := inLists(r.observedIDs(), func(marks string, args []any) error {
		return r.t.each(ctx, "looking up aliases", `SELECT `+entryColumns+`, a.alias
			FROM aliases a JOIN findings f ON f.pk = a.finding_pk WHERE a.alias IN (`+marks+`)`, args,
			func(scan scanner) error {
				var alias fingerprints.FindingID
				e, err := scanEntry(scan, &alias)
				if err != nil {
					return err
				}
				if e.source != sourceOf[alias] {
					outlived = append(outlived, alias)
					return nil
				}
				if known := byPK[e.pk]; known != nil {
					e = known // two aliases of one finding
				}
				byPK[e.pk] = e
				r.entries[alias], r.entries[e.id] = e, e
				return nil
			})
	})
	for _, alias := range outlived {
		if err == nil {
			_, err = r.t.exec(ctx, "dropping an alias", `DELETE FROM aliases WHERE alias = ?`, string(alias))
		}
	}
	return err
}

func (r *recording) findFindings(ctx context.Context) error {
	err := inLists(r.observedIDs(), func(marks string, args []any) error {
		return r.t.each(ctx, "looking up findings", `SELECT `+entryColumns+` FROM findings f WHERE f.id IN (`+marks+`)`, args,
			func(scan scanner) error {
				e, err := scanEntry(scan)
				if err == nil && r.entries[e.id] == nil {
					r.entries[e.id] = e
				}
				return err
			})
	})
	if err != nil {
		return err
	}
	listed := map[*entry]bool{}
	for _, o := range r.obs {
		e := r.entries[o.FindingID]
		if e == nil {
			e = &entry{id: o.FindingID, isNew: true, source: r.sources[o.SourceID], homes: map[int64]bool{}, decided: map[int64]bool{}, first: o}
			r.entries[o.FindingID] = e
		}
		e.take(o)
		r.byObs = append(r.byObs, e)
		if !listed[e] {
			listed[e] = true
			r.list = append(r.list, e)
		}
	}
	return nil
}

// take adds what one observation says of its finding.
func (e *entry) take(o store.Observed) {
	if p := o.Sighting.Presence; e.presence == "" || presenceRank(p) < presenceRank(e.presence) {
		e.presence = p
	}
	if rule := o.Sighting.Rule; rule != "" && !slices.Contains(e.rules, rule) {
		e.rules = append(slices.Clone(e.rules), rule)
		slices.Sort(e.rules)
		e.newRules = true
	}
	for _, h := range o.AllowIDs {
		e.homes[h] = true
	}
	for _, d := range o.DecisionIDs {
		e.decided[d] = true
	}
}

func (r *recording) linkFields(ctx context.Context) error {
	type link struct {
		value int64
		row   fingerprints.RowID
	}
	links := map[link]bool{}
	var args []any
	for i, o := range r.obs {
		for _, row := range o.Rows {
			l := link{r.byObs[i].value, row}
			if !links[l] {
				links[l] = true
				args = append(args, l.value, row[:])
			}
		}
	}
	return r.t.tie(ctx, args)
}

// tie stores pairs of value and field; every finding of a value that was not
// tied so before may have another verdict now.
func (t *tx) tie(ctx context.Context, pairs []any) error {
	seen := map[int64]bool{}
	var values []int64
	err := insertMany(2, pairs, func(rows string, part []any) error {
		return t.each(ctx, "linking values to fields", `INSERT INTO value_fields (value_pk, field) VALUES `+rows+`
			ON CONFLICT DO NOTHING RETURNING value_pk`, part, func(scan scanner) error {
			var pk int64
			if err := scan(&pk); err != nil || seen[pk] {
				return err
			}
			seen[pk] = true
			values = append(values, pk)
			return nil
		})
	})
	if err != nil {
		return err
	}
	return t.changedOfValues(ctx, values)
}
