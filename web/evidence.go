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

// evidence says whether a version can be deactivated safely, and why.
type evidence struct {
	Word    string // yes, no, unknown
	Against []point
	Unknown []point
	For     []point
	// Copies are live ones, the first of them; More: there are others.
	Copies   []registry.Finding
	More     bool
	Coverage registry.Coverage
}

// point is one piece of evidence, with the address of what it rests on.
type point struct {
	Text string
	Link string // "": there is none
	Say  string // what the link is called
}

// shownCopies is how many live copies are listed.
const shownCopies = 20

// evidenceOf gathers what speaks for and against deactivating a version. It rests on
// the store, not on the index of findings, which may be behind.
func (s *server) evidenceOf(r *http.Request, a registry.Actor, secret registry.SecretView, v registry.VersionView) (evidence, error) {
	var e evidence
	ref := fingerprints.VersionRef{Name: secret.Name, Number: v.Version}
	e.window(v, s.o.Now())
	e.consumers(secret, v)
	var err error
	e.Copies, err = s.o.Registry.Findings(r.Context(), a, store.FindingFilter{Secret: ref.Name, Version: ref.Number, Presences: livePresences(), Limit: shownCopies + 1})
	if err != nil {
		return e, err
	}
	e.copies(ref)
	if e.Coverage, err = s.o.Registry.Coverage(r.Context(), a, ref); err != nil {
		return e, err
	}
	e.coverage(ref)
	if len(a.Teams) > 0 {
		e.unknown(point{Text: "You see the rows of your teams alone: others may have copies."})
	}
	switch {
	case len(e.Against) > 0:
		e.Word = "no"
	case len(e.Unknown) > 0:
		e.Word = "unknown"
	default:
		e.Word = "yes"
	}
	return e, nil
}

// livePresences are those of copies that a reader meets without digging.
func livePresences() []fingerprints.Presence {
	return slices.DeleteFunc(fingerprints.Presences(), func(p fingerprints.Presence) bool { return !p.Live() })
}

func (e *evidence) against(p point) { e.Against = append(e.Against, p) }
func (e *evidence) unknown(p point) { e.Unknown = append(e.Unknown, p) }
func (e *evidence) speaks(p point)  { e.For = append(e.For, p) }

// window weighs the version's state and its window.
func (e *evidence) window(v registry.VersionView, now time.Time) {
	switch ends := moment(v.WindowEnds); {
	case v.State == fingerprints.StateActive:
		e.against(point{Text: "It is active: consumers are meant to use it. Rotate first; the new value supersedes it."})
	case ends.IsZero():
		e.speaks(point{Text: "It is superseded, without a date until which it has to be accepted."})
	case !now.Before(ends):
		e.speaks(point{Text: "Its window is over since " + ends.UTC().Format(exact) + "."})
	default:
		e.against(point{Text: "Its window is open: it is to be accepted until " + ends.UTC().Format(exact) + "."})
	}
}

// consumers weighs who has acknowledged the version that follows.
func (e *evidence) consumers(secret registry.SecretView, v registry.VersionView) {
	list := at("secrets", secret.Name) + "#consumers"
	next := successorOf(secret, v)
	if next == nil {
		e.against(point{Text: "No other version is active, so deactivating it leaves nothing in use.", Link: at("secrets", secret.Name), Say: "Versions"})
		return
	}
	ref := fingerprints.VersionRef{Name: secret.Name, Number: next.Version}.String()
	missing, known := missingFor(v, *next), len(secret.Consumers) > 0 || v.IssuedTo != ""
	switch {
	case len(missing) > 0:
		e.against(point{Text: plural(len(missing), "consumer has", "consumers have") + " not acknowledged " + ref + ": " + strings.Join(missing[:min(len(missing), 8)], ", ") + rest(len(missing), 8) + ".", Link: list, Say: "Consumers"})
	case !known:
		e.unknown(point{Text: "No consumer is known, so nobody can have said that they use " + ref + ".", Link: list, Say: "Consumers"})
	default:
		e.speaks(point{Text: "Every consumer has acknowledged " + ref + ".", Link: list, Say: "Consumers"})
	}
}

// rest says how many of a list are not shown.
func rest(n, shown int) string {
	if n <= shown {
		return ""
	}
	return " and " + number(n-shown) + " more"
}

// copies weighs the copies that are where a reader meets them.
func (e *evidence) copies(ref fingerprints.VersionRef) {
	if len(e.Copies) == 0 {
		e.speaks(point{Text: "No live copy of it is known."})
		return
	}
	words := make([]string, 0, len(livePresences()))
	for _, p := range livePresences() {
		words = append(words, string(p))
	}
	p := point{Link: findingsOf(secretQuery(ref.String(), "presence:"+strings.Join(words, ","))), Say: "Live copies"}
	if len(e.Copies) > shownCopies {
		e.Copies, e.More = e.Copies[:shownCopies], true
		p.Text = "Over " + strconv.Itoa(shownCopies) + " live copies of it are left: whoever reads one there may still use it."
	} else {
		p.Text = plural(len(e.Copies), "live copy of it is", "live copies of it are") + " left: whoever reads it there may still use it."
	}
	e.against(p)
}

// coverage weighs where it was searched for.
func (e *evidence) coverage(ref fingerprints.VersionRef) {
	c, link := e.Coverage, at("secrets", ref.Name, "versions", ref.Number)+"#coverage"
	before := len(e.Unknown)
	if len(c.Sources) == 0 {
		e.unknown(point{Text: "No source was scanned, so nobody knows where copies are.", Link: "/watches/new", Say: "Watch a place"})
	}
	for _, f := range c.Unsearchable {
		e.unknown(point{Text: "Its field " + f.Name + " cannot be searched for: " + f.Unsearchable + ".", Link: link, Say: "Coverage"})
	}
	for _, k := range []struct {
		state     registry.CoverageState
		one, many string
	}{
		{registry.CoveragePending, "source was not searched for it yet.", "sources were not searched for it yet."},
		{registry.CoveragePartial, "source was searched in part only.", "sources were searched in part only."},
		{registry.CoverageSkipped, "source has places that were skipped.", "sources have places that were skipped."},
	} {
		if n := c.Counts[k.state]; n > 0 {
			e.unknown(point{Text: plural(n, k.one, k.many), Link: link, Say: "Coverage"})
		}
	}
	if len(e.Unknown) == before {
		e.speaks(point{Text: plural(len(c.Sources), "source was", "sources were") + " read wholly in search of it.", Link: link, Say: "Coverage"})
	}
}
