package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/remedy"
)

// findingPage is all that is known of a finding.
type findingPage struct {
	registry.FindingDetail
	Why     string
	Steps   []remedy.Step
	Events  []event
	Shown   []place
	Unshown int      // places beyond those that are shown
	Watches []string // that scan its source
	// Proposed is the day that an acceptance ends without another word.
	Proposed string
}

// event is something that happened to a finding or to the version that it is of.
type event struct {
	At     time.Time
	What   string
	Who    string
	Detail string
	Of     string // version, where it is the version's
	Future bool
}

// place is a sighting, with the address of where it can be looked at.
type place struct {
	registry.SightingView
	Link string
}

// shownPlaces is how many places of a finding its page lists.
const shownPlaces = 50

func (s *server) finding(r *http.Request, a registry.Actor) (page, error) {
	ctx, id := r.Context(), chi.URLParam(r, "id")
	p := page{name: "finding", title: "Finding", nav: "findings"}
	d, err := s.o.Registry.Finding(ctx, a, id)
	if err != nil {
		return p, err
	}
	if full := strings.TrimPrefix(string(d.ID), "rv1:"); full != id { // one address for each
		return page{to: at("findings", full)}, nil
	}
	f := findingPage{FindingDetail: d, Why: why(d.FindingView), Steps: remedy.Steps(d), Proposed: s.o.Now().UTC().AddDate(0, 0, 30).Format(time.DateOnly)}
	for _, sight := range d.Sightings[:min(len(d.Sightings), shownPlaces)] {
		f.Shown = append(f.Shown, place{sight, forge(sight.URL)})
	}
	f.Unshown = d.Places - len(f.Shown)
	if f.Events, err = s.timeline(r, a, d); err != nil {
		return p, err
	}
	if a.May(registry.ScopeScan) {
		watches, err := s.o.Registry.Watches(ctx, a, store.WatchFilter{Source: d.Source})
		if err != nil {
			return p, err
		}
		for _, w := range watches {
			f.Watches = append(f.Watches, w.Name)
		}
	}
	p.title, p.data = fmt.Sprintf("%s %s", d.Verdict, shortID(d.ID)), f
	return p, nil
}

// forge is an address on the web; "" for any other.
func forge(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return address
}

// timeline is what happened to a finding and to its versions, in order.
func (s *server) timeline(r *http.Request, a registry.Actor, d registry.FindingDetail) ([]event, error) {
	var out []event
	for _, h := range d.History {
		out = append(out, event{At: h.At, What: told(h.What), Who: h.Actor, Detail: h.Detail})
	}
	for _, m := range d.Matches {
		secret, err := s.o.Registry.Show(r.Context(), a, m.Secret)
		if err != nil {
			return nil, err
		}
		for _, v := range secret.Versions {
			if v.Version == m.Version {
				out = append(out, steps(m, v)...)
			}
		}
	}
	if d.Due != nil {
		out = append(out, event{At: *d.Due, What: "due"})
	}
	slices.SortStableFunc(out, func(x, y event) int { return cmp.Or(x.At.Compare(y.At), strings.Compare(y.Of, x.Of)) })
	out = slices.CompactFunc(out, func(x, y event) bool { return x == y })
	for i := range out {
		out[i].Future = out[i].At.After(s.o.Now())
	}
	return out, nil
}

// told is a word of the history as a timeline says it.
func told(word string) string {
	known := map[string]string{"seen": "first seen", "returned": "seen again", "gone": "cleared: not there any more", "expired": "expired: its source does not keep it any longer", "merged": "known under another id before", "due-set": "due date set", "due-cleared": "due date by its verdict again"}
	return cmp.Or(known[word], word)
}

// steps is what happened to a version.
func steps(m registry.FindingMatch, v registry.VersionView) []event {
	of := fingerprints.VersionRef{Name: m.Secret, Number: v.Version}.String()
	out := []event{{At: v.CreatedAt, What: "registered", Of: of}}
	if v.IssuedTo != "" {
		out[0].What, out[0].Detail = "issued", "to "+v.IssuedTo
	}
	for _, step := range []struct {
		at   *time.Time
		what string
	}{
		{v.ActivatedAt, "active"}, {v.SupersededAt, "superseded"}, {v.WindowEnds, "its window ends"}, {v.RetiredAt, "retired"}, {v.AbandonedAt, "abandoned"}, {v.CompromisedAt, "marked as compromised"},
	} {
		if step.at != nil {
			out = append(out, event{At: *step.at, What: step.what, Of: of})
		}
	}
	return out
}

// why says what a verdict is made of.
func why(f registry.Finding) string {
	where := presence(f.Presence)
	if len(f.Matches) == 0 {
		if f.Verdict == fingerprints.VerdictCleared {
			return "No copy is left where it was."
		}
		return "A rule matched, and the value is not one that is registered. The copy is " + where + "."
	}
	m := f.Matches[0]
	version := fingerprints.VersionRef{Name: m.Secret, Number: m.Version}.String()
	switch f.Verdict {
	case fingerprints.VerdictCompromised:
		return version + " was marked as compromised, which wins over its state (" + string(m.State) + "). A copy is " + where + "."
	case fingerprints.VerdictLeaked:
		return version + " is active: it opens the door now. A copy is " + where + ", where it is not allowed to be."
	case fingerprints.VerdictPremature:
		return version + " is pending: it was seen before it came into use. A copy is " + where + "."
	case fingerprints.VerdictStale:
		return version + " is " + string(m.State) + " and opens nothing, but a copy is still " + where + "."
	case fingerprints.VerdictOverdue:
		return version + " was superseded, and the window for moving to the new one is over. A copy is " + where + "."
	case fingerprints.VerdictLagging:
		return version + " was superseded and still works until its window ends or it is retired. A copy is " + where + "."
	case fingerprints.VerdictAllowed:
		return version + " is allowed to be at this place."
	case fingerprints.VerdictCleared:
		return "No copy of " + version + " is left where it was."
	case fingerprints.VerdictUnregistered:
	}
	return "The copy is " + where + "."
}

// presence is where a copy still is, in a sentence.
func presence(p fingerprints.Presence) string {
	known := map[fingerprints.Presence]string{
		fingerprints.PresenceTip: "in what is checked out now (tip)", fingerprints.PresenceHistory: "in the history that a branch or tag reaches",
		fingerprints.PresenceUnreachable: "in what no branch reaches and can still be fetched or restored", fingerprints.PresenceVisible: "visible in an image",
		fingerprints.PresenceShadowed: "in a layer, hidden by a later one", fingerprints.PresenceMetadata: "in an image's metadata",
		fingerprints.PresenceRetained: "in what the system still keeps", fingerprints.PresenceExpired: "kept no longer", fingerprints.PresenceGone: "gone",
	}
	return cmp.Or(known[p], string(p))
}
