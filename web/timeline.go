package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// wide is the width of a time line, in units of its drawing.
const wide = 1000

// timeline is one scale for the lives of a secret's versions.
type timeline struct{ from, to, now time.Time }

// lifeline is a version's line of time.
type lifeline struct {
	Spans []lifeSpan
	Marks []string // where copies were first seen
	Now   string
	Words string // the same in words
}

// lifeSpan is a time in which a version had a state.
type lifeSpan struct {
	Class    string // pending, active, window, overdue
	At, Wide string
}

// newTimeline spans from the first version's making to now, or to the last window's
// end.
func newTimeline(list []registry.VersionView, now time.Time) timeline {
	t := timeline{from: now.Add(-day), to: now, now: now}
	for _, v := range list {
		if v.CreatedAt.Before(t.from) {
			t.from = v.CreatedAt
		}
		if ends := moment(v.WindowEnds); v.State == fingerprints.StateSuperseded && ends.After(t.to) {
			t.to = ends
		}
	}
	return t
}

// place is where a time is on the scale.
func (t timeline) place(at time.Time) float64 {
	return min(wide, max(0, wide*float64(at.Sub(t.from))/float64(t.to.Sub(t.from))))
}

func unit(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

// life draws a version, of which copies were first seen at some times.
func (t timeline) life(v registry.VersionView, seen []time.Time) lifeline {
	out := lifeline{Now: unit(t.place(t.now) - 1)}
	var words []string
	add := func(class, word string, from, to time.Time) {
		if from.IsZero() || to.Before(from) {
			return
		}
		x := t.place(from)
		out.Spans = append(out.Spans, lifeSpan{class, unit(x), unit(max(3, t.place(to)-x))})
		words = append(words, word+" from "+from.UTC().Format(dayOnly)+" to "+to.UTC().Format(dayOnly))
	}
	active, superseded, ends := moment(v.ActivatedAt), moment(v.SupersededAt), moment(v.WindowEnds)
	over := firstOf(moment(v.RetiredAt), moment(v.AbandonedAt), t.now)
	add("pending", "pending", v.CreatedAt, firstOf(active, over))
	add("active", "active", active, firstOf(superseded, over))
	switch {
	case ends.IsZero():
		add("window", "superseded", superseded, over)
	case v.State == fingerprints.StateSuperseded && ends.After(over):
		add("window", "superseded, its window open,", superseded, ends)
	case ends.Before(over):
		add("window", "superseded, its window open,", superseded, ends)
		add("overdue", "superseded, its window over,", ends, over)
	default:
		add("window", "superseded", superseded, over)
	}
	for _, at := range seen {
		out.Marks = append(out.Marks, unit(t.place(at)-2))
	}
	if len(seen) > 0 {
		words = append(words, plural(len(seen), "copy", "copies")+" first seen since "+seen[0].UTC().Format(dayOnly))
	}
	out.Words = strings.Join(words, "; ")
	return out
}

// firstOf is the first of some times that is set.
func firstOf(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// firstSeen are the times at which copies of a secret's versions were first seen, in
// order, and whether there are more than are looked at.
func (s *server) firstSeen(r *http.Request, a registry.Actor, name string) (map[int][]time.Time, bool, error) {
	found, err := s.o.Registry.Findings(r.Context(), a, store.FindingFilter{Secret: name, Limit: shownMarks + 1})
	out := map[int][]time.Time{}
	for _, f := range found[:min(len(found), shownMarks)] {
		for _, m := range f.Matches {
			if m.Secret == name {
				out[m.Version] = append(out[m.Version], f.FirstSeen)
			}
		}
	}
	for _, list := range out {
		slices.SortFunc(list, time.Time.Compare)
	}
	return out, len(found) > shownMarks, err
}
