// Package terminal writes findings for people: grouped, the worst first, in
// the columns that the terminal has.
//
// It promises: no line is wider than the report but a value's, no byte of a finding reaches
// the terminal that could steer it, colour only where it was asked for, and the
// summary says what was not read. It refuses: values, unless made with Shown.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// Color says whether a report is coloured; see ColorFor.
type Color int

// The choices.
const (
	Plain Color = iota
	Colored
)

// ColorFor is Colored for a terminal, unless NO_COLOR is set or the terminal is
// dumb. The function looks environment variables up.
func ColorFor(w io.Writer, getenv func(string) string) Color {
	f, ok := w.(*os.File)
	if !ok || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" || !isatty.IsTerminal(f.Fd()) {
		return Plain
	}
	return Colored
}

// Secrets says whether a report shows values.
type Secrets int

// The choices.
const (
	Redacted Secrets = iota
	Shown
)

// Options configures a report.
type Options struct {
	Color   Color
	Secrets Secrets
	Width   int // columns; 0: 80
}

// Bounds of what is kept for the report; the rest is counted.
const (
	defaultWidth = 80
	minWidth     = 20
	maxGroups    = 1000
	maxPlaces    = 10
	maxSkips     = 20
)

// Report collects findings until Close writes them. Not safe for concurrent use.
type Report struct {
	w      io.Writer
	o      Options
	groups map[groupKey]*group
	order  []*group
	beyond int64 // findings of groups that were not kept
}

// groupKey is what findings are grouped by: a version with its verdict, or a
// rule.
type groupKey struct {
	verdict  fingerprints.Verdict
	severity fingerprints.Severity
	name     string
	status   fingerprints.Status
	common   bool
}

type group struct {
	key    groupKey
	about  string
	places []wire.Finding
	more   int64
}

// New starts a report on w.
func New(w io.Writer, o Options) *Report {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	o.Width = max(o.Width, minWidth)
	return &Report{w: w, o: o, groups: map[groupKey]*group{}}
}

// Write adds a finding.
func (r *Report) Write(f wire.Finding) error {
	k := groupKey{verdict: f.Verdict, severity: f.Severity, name: f.Rule, status: f.Status, common: f.TooCommon}
	about := f.Description
	if len(f.Matches) > 0 {
		m := f.Matches[0]
		k.name = m.Ref()
		about = aboutMatches(f.Matches)
	}
	if k.name == "" {
		k.name = "registered value"
	}
	g, has := r.groups[k]
	switch {
	case !has && len(r.order) >= maxGroups:
		r.beyond++
		return nil
	case !has:
		g = &group{key: k, about: about}
		r.groups[k] = g
		r.order = append(r.order, g)
	}
	g.more += f.More
	if len(g.places) >= maxPlaces {
		g.more++
		return nil
	}
	g.places = append(g.places, f)
	return nil
}

// Close writes the report.
func (r *Report) Close(s wire.Summary) error {
	slices.SortStableFunc(r.order, func(a, b *group) int {
		return cmp.Or(
			slices.Index(fingerprints.Severities(), a.key.severity)-slices.Index(fingerprints.Severities(), b.key.severity),
			slices.Index(fingerprints.Verdicts(), a.key.verdict)-slices.Index(fingerprints.Verdicts(), b.key.verdict),
			cmp.Compare(a.key.name, b.key.name),
		)
	})
	p := &printer{w: r.w, width: r.o.Width, color: r.o.Color}
	for _, g := range r.order {
		r.group(p, g, s.Sources > 1)
	}
	if r.beyond > 0 {
		p.line(0, "", fmt.Sprintf("and %s; -f json lists them all", count(r.beyond, "more finding", "more findings")))
		p.line(0, "", "")
	}
	summary(p, s)
	return p.err
}

// group writes the places of a group, with their sources where there are
// several.
func (r *Report) group(p *printer, g *group, several bool) {
	head := fmt.Sprintf("%-9s %s  %s", strings.ToUpper(string(g.key.severity)), g.key.verdict, g.key.name)
	if g.key.status != "" && g.key.status != fingerprints.StatusOpen {
		head += "  (" + string(g.key.status) + ")"
	}
	if g.key.common {
		head += "  (too common)"
	}
	p.line(0, shade(g.key.severity), head)
	if g.about != "" {
		p.wrap(2, g.about)
	}
	for _, f := range g.places {
		p.line(2, "", place(f))
		if at := where(f, several); at != "" {
			p.line(4, dim, at)
		}
		if f.Context != "" {
			p.line(4, dim, f.Context)
		}
		if r.o.Secrets == Shown && !f.Secret.IsEmpty() {
			p.whole(4, "value: "+string(f.Secret.Reveal()))
		}
		if f.ID != "" {
			p.line(4, dim, string(f.ID))
		}
	}
	if g.more > 0 {
		p.line(2, "", "and "+count(g.more, "more place", "more places"))
	}
	p.line(0, "", "")
}

// aboutMatches says whose value it is; the first match, the worst, is in the
// heading.
func aboutMatches(ms []wire.Match) string {
	first := ms[0]
	about := string(first.State)
	if first.Field != "" && first.Field != fingerprints.DefaultField {
		about = first.Field + ", " + about
	}
	if first.Owner != "" {
		about += ", owner " + first.Owner
	}
	var also []string
	for _, m := range ms[1:] {
		also = append(also, fmt.Sprintf("%s (%s)", m.Ref(), m.State))
	}
	if len(also) > 0 {
		about += "; also the value of " + strings.Join(also, ", ")
	}
	return about
}

// place is path:line:column and what is unusual about it.
func place(f wire.Finding) string {
	s := f.Path
	if f.Span.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d", s, f.Span.Line, f.Span.Column)
	}
	var notes []string
	if f.Locator != "" {
		notes = append(notes, f.Locator)
	}
	if f.Form != "" && f.Form != fingerprints.FormRaw {
		notes = append(notes, string(f.Form))
	}
	if f.Presence != fingerprints.PresenceTip {
		notes = append(notes, string(f.Presence))
	}
	if f.Within {
		notes = append(notes, "inside another value")
	}
	if f.New {
		notes = append(notes, "new")
	}
	if len(notes) > 0 {
		s += "  (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

// maxRefs is how many refs a place names.
const maxRefs = 3

// where tells the source of a place and the refs that hold it.
func where(f wire.Finding, several bool) string {
	var parts []string
	if several && f.SourceID != "" {
		parts = append(parts, f.SourceID)
	}
	if n := len(f.Refs); n > 0 {
		names := make([]string, 0, maxRefs)
		for _, ref := range f.Refs[:min(n, maxRefs)] {
			names = append(names, refName(ref))
		}
		in := "in " + strings.Join(names, ", ")
		if more := n - len(names) + f.MoreRefs; more > 0 {
			in += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, in)
	}
	return strings.Join(parts, ", ")
}

// refName is a ref as people know it.
func refName(ref string) string {
	for _, p := range []string{"refs/heads/", "refs/"} {
		if name, has := strings.CutPrefix(ref, p); has {
			return name
		}
	}
	return ref
}

// summary closes the report: what was read, and what was not.
func summary(p *printer, s wire.Summary) {
	what := "no findings"
	if s.Findings > 0 {
		what = count(int64(s.Findings), "finding", "findings")
	}
	items := count(s.Items, "item", "items")
	if s.Sources > 1 {
		items += fmt.Sprintf(" of %d sources", s.Sources)
	}
	p.line(0, "", fmt.Sprintf("%s in %s, %s, %.1f s", what, items, size(s.Bytes), s.Duration.Seconds()))
	if s.GenericOnly {
		p.line(0, "", "no key ring: generic rules only, registered values were not searched for")
	} else {
		p.line(0, "", "searched for "+count(int64(s.Registered), "registered value", "registered values"))
	}
	for _, n := range s.Notes {
		text := n.Text
		if s.Sources > 1 && n.SourceID != "" {
			text = n.SourceID + ": " + text
		}
		p.wrap(0, text)
	}
	if s.Interrupted {
		p.line(0, warn, "interrupted: this is what was found until then")
	}
	if n := s.Skipped(); n > 0 {
		counts := slices.Clone(s.SkipCounts)
		slices.SortFunc(counts, func(a, b wire.SkipCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
		})
		var parts []string
		for _, c := range counts {
			parts = append(parts, fmt.Sprintf("%d %s", c.Count, c.Reason))
		}
		p.line(0, warn, fmt.Sprintf("not complete: %d skipped", n))
		p.wrap(2, strings.Join(parts, ", "))
		for _, k := range s.Skips[:min(len(s.Skips), maxSkips)] {
			p.line(2, "", skipLine(k, s.Sources > 1))
		}
		if n > maxSkips && len(s.Skips) > 0 {
			p.line(2, "", fmt.Sprintf("and %d more", n-int64(min(len(s.Skips), maxSkips))))
		}
	} else if !s.Complete && !s.Interrupted {
		p.line(0, warn, "not complete")
	}
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func skipLine(k wire.Skip, several bool) string {
	what := []string{string(k.Reason) + " "}
	if several || k.Path == "" {
		what = append(what, k.SourceID)
	}
	what = append(what, k.Path, k.Locator)
	what = slices.DeleteFunc(what, func(s string) bool { return s == "" })
	s := strings.Join(what, " ")
	if k.Detail != "" {
		s += ": " + k.Detail
	}
	return s
}

func size(n int64) string {
	f := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if f < 1000 {
			if unit == "B" {
				return fmt.Sprintf("%d B", n)
			}
			return fmt.Sprintf("%.1f %s", f, unit)
		}
		f /= 1000
	}
	return fmt.Sprintf("%.1f TB", f)
}
