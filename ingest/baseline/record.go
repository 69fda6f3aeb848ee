package baseline

import (
	"time"

	"revenant/api/wire"
	"revenant/ingest/scan"
)

// Recorder tolerates everything that a scan finds, and remembers it for a new
// baseline. What stood in one of ours before keeps its owner and end. Not safe
// for concurrent use.
type Recorder struct {
	set     *Set
	owner   string
	until   time.Time
	entries map[string]Entry
	// Unnamed counts findings whose path holds a value, and that can be named by
	// nothing else: they are not in the baseline.
	Unnamed int
}

var _ scan.Tolerance = (*Recorder)(nil)

// NewRecorder returns a recorder of findings that new entries give an owner and
// an end to.
func NewRecorder(before *Set, owner string, until time.Time) *Recorder {
	return &Recorder{set: before, owner: owner, until: until, entries: map[string]Entry{}}
}

// Late implements scan.Tolerance.
func (r *Recorder) Late() bool { return false }

// Values implements scan.Tolerance.
func (r *Recorder) Values() bool { return false }

// Tolerate implements scan.Tolerance.
func (r *Recorder) Tolerate(k scan.Known) (wire.Tolerated, scan.Tolerated) {
	if t, how := r.set.inGlob(k); how != scan.TolerateNone {
		return t, how
	}
	known := ids(k)
	if k.BaselineID == "" && k.Shown != k.Path {
		r.Unnamed++
		return wire.Tolerated{}, scan.TolerateNone
	}
	e := Entry{ID: known[0], Until: r.until, Owner: r.owner, Rule: rule(k), Path: k.Shown}
	for _, id := range known {
		if old := r.set.entries[id]; old != nil && !old.over(r.set.now()) {
			e.Until, e.Owner, e.Reason = old.Until, old.Owner, old.Reason
			break
		}
	}
	if first, has := r.entries[e.ID]; has {
		e = first
	}
	r.entries[e.ID] = e
	if k.BaselineID == "" {
		return e.tolerated(DefaultName), scan.TolerateSighting
	}
	return e.tolerated(DefaultName), scan.TolerateFinding
}

// Entries are what the new baseline holds, sorted.
func (r *Recorder) Entries() []Entry {
	list := make([]Entry, 0, len(r.entries)+len(r.set.globs))
	for _, g := range r.set.globs {
		list = append(list, g.Entry)
	}
	for _, e := range r.entries {
		list = append(list, e)
	}
	return sortEntries(list)
}
