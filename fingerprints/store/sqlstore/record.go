package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	rules     []string
	newRules  bool
	homes     map[int64]bool
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
}

// sighted is a sighting that is about to be stored.
type sighted struct {
	place
	s      fingerprints.Sighting
	more   int64
	extent string
	isNew  bool
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
		r.linkFields, r.addSightings, r.updateFindings, r.replaceHomes,
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
	e := &entry{homes: map[int64]bool{}}
	var rules string
	err := scan(append([]any{&e.pk, &e.value, &e.id, &e.source, &e.was, &rules, &e.firstSeen}, more...)...)
	e.rules = splitRules(rules)
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
			e = &entry{id: o.FindingID, isNew: true, source: r.sources[o.SourceID], homes: map[int64]bool{}, first: o}
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
}

func (r *recording) addFindings(ctx context.Context) error {
	var fresh []*entry
	for _, e := range r.list {
		if e.isNew {
			fresh = append(fresh, e)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := r.findValues(ctx, fresh); err != nil {
		return err
	}
	pk, err := r.t.next(ctx, "findings", len(fresh))
	if err != nil {
		return err
	}
	const width = 13
	args := make([]any, 0, width*len(fresh))
	seen := r.at.UnixMicro()
	for _, e := range fresh {
		e.pk = pk
		pk++
		o := &e.first
		e.firstSeen = seen
		var goneAt any
		if e.presence == fingerprints.PresenceGone {
			goneAt = seen
		}
		args = append(args, e.pk, string(e.id), e.value, e.source, text(o.Path), o.PathID[:], string(e.presence),
			string(fingerprints.StatusOpen), o.Owner, seen, seen, goneAt, joinRules(e.rules))
	}
	return r.t.insert(ctx, "storing findings", `INSERT INTO findings (pk, id, value_pk, source_pk, path, path_id, presence,
		status, owner, first_seen, last_seen, gone_at, rules)`, "", width, args)
}

// findValues gives new findings the row of their value, a new one where the
// value was never seen or is too weak to be known by.
func (r *recording) findValues(ctx context.Context, fresh []*entry) error {
	known := map[fingerprints.ValueID]int64{}
	var ids [][]byte
	for _, e := range fresh {
		v := e.first.Value
		if _, ok := known[v]; !ok && !v.IsZero() {
			known[v] = 0
			ids = append(ids, v[:])
		}
	}
	err := inLists(ids, func(marks string, args []any) error {
		return r.t.each(ctx, "looking up values", `SELECT pk, value FROM seen_values WHERE value IN (`+marks+`)`, args,
			func(scan scanner) error {
				var pk int64
				var v fingerprints.ValueID
				err := scan(&pk, fixed{(*[16]byte)(&v)})
				known[v] = pk
				return err
			})
	})
	if err != nil {
		return err
	}
	var args []any
	var without []*entry
	for _, e := range fresh {
		if e.value = known[e.first.Value]; e.value == 0 {
			without = append(without, e)
		}
	}
	pk, err := r.t.next(ctx, "values", len(without))
	if err != nil {
		return err
	}
	for _, e := range without {
		v := e.first.Value
		switch {
		case v.IsZero():
			e.value = pk
			args = append(args, pk, nil)
		case known[v] != 0: // given by an entry before
			e.value = known[v]
			continue
		default:
			e.value = pk
			known[v] = pk
			args = append(args, pk, v[:])
		}
		pk++
	}
	return r.t.insert(ctx, "storing values", `INSERT INTO seen_values (pk, value)`, "", 2, args)
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
	return r.t.insert(ctx, "linking values to fields", `INSERT INTO value_fields (value_pk, field)`, `ON CONFLICT DO NOTHING`, 2, args)
}

// updateFindings brings the rows of findings that were known before up to date.
func (r *recording) updateFindings(ctx context.Context) error {
	var same, recount []int64
	seen := r.at.UnixMicro()
	for _, e := range r.list {
		if e.isNew {
			continue
		}
		back := e.was == fingerprints.PresenceGone && e.presence != fingerprints.PresenceGone
		stronger := presenceRank(e.presence) < presenceRank(e.was)
		if e.recount {
			recount = append(recount, e.pk)
		}
		if !stronger && !e.newRules && e.firstSeen <= seen {
			same = append(same, e.pk)
			continue
		}
		presence := e.was
		if stronger {
			presence = e.presence
		}
		_, err := r.t.exec(ctx, "updating a finding", `UPDATE findings SET presence = ?, rules = ?,
			gone_at = CASE WHEN ? = 1 THEN NULL ELSE gone_at END,
			first_seen = CASE WHEN first_seen > ? THEN ? ELSE first_seen END,
			last_seen = CASE WHEN last_seen < ? THEN ? ELSE last_seen END WHERE pk = ?`,
			string(presence), joinRules(e.rules), bit(back), seen, seen, seen, seen, e.pk)
		if err != nil {
			return err
		}
		if back {
			if err := r.t.addHistory(ctx, e.pk, store.HistoryEntry{At: r.at, What: "returned"}); err != nil {
				return err
			}
		}
	}
	err := inLists(same, func(marks string, args []any) error {
		_, err := r.t.exec(ctx, "updating findings", `UPDATE findings SET last_seen = ? WHERE last_seen < ? AND pk IN (`+marks+`)`,
			append([]any{seen, seen}, args...)...)
		return err
	})
	if err != nil {
		return err
	}
	return r.t.recountPresence(ctx, recount)
}

// recountPresence gives findings the presence of their strongest sighting.
func (t *tx) recountPresence(ctx context.Context, findings []int64) error {
	return inLists(findings, func(marks string, args []any) error {
		_, err := t.exec(ctx, "updating presences", `UPDATE findings AS f SET presence = `+strongestPresence()+` WHERE f.pk IN (`+marks+`)`, args...)
		return err
	})
}

// replaceHomes makes the allowed homes of every touched finding those that
// were given, as far as they exist.
func (r *recording) replaceHomes(ctx context.Context) error {
	exist := map[int64]bool{}
	err := r.t.each(ctx, "listing allowed homes", `SELECT id FROM homes`, nil, func(scan scanner) error {
		var id int64
		err := scan(&id)
		exist[id] = true
		return err
	})
	if err != nil || len(exist) == 0 {
		return err
	}
	byPK := map[int64]*entry{}
	var pks []int64
	for _, e := range r.list {
		maps.DeleteFunc(e.homes, func(id int64, _ bool) bool { return !exist[id] })
		byPK[e.pk] = e
		pks = append(pks, e.pk)
	}
	had := map[int64]map[int64]bool{}
	err = inLists(pks, func(marks string, args []any) error {
		return r.t.each(ctx, "reading allowed homes", `SELECT finding_pk, home FROM finding_homes WHERE finding_pk IN (`+marks+`)`, args,
			func(scan scanner) error {
				var pk, home int64
				err := scan(&pk, &home)
				if had[pk] == nil {
					had[pk] = map[int64]bool{}
				}
				had[pk][home] = true
				return err
			})
	})
	for _, pk := range pks {
		if err == nil && !maps.Equal(had[pk], byPK[pk].homes) {
			err = r.t.putHomes(ctx, pk, slices.Sorted(maps.Keys(byPK[pk].homes)))
		}
	}
	return err
}

func (t *tx) putHomes(ctx context.Context, finding int64, homes []int64) error {
	if _, err := t.exec(ctx, "replacing allowed homes", `DELETE FROM finding_homes WHERE finding_pk = ?`, finding); err != nil {
		return err
	}
	for _, h := range homes {
		_, err := t.exec(ctx, "replacing allowed homes",
			`INSERT INTO finding_homes (finding_pk, home) SELECT ?, id FROM homes WHERE id = ? ON CONFLICT DO NOTHING`, finding, h)
		if err != nil {
			return err
		}
	}
	return nil
}
