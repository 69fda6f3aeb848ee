// Package terminal writes findings for people: one value at all its places
// together, the worst first, in the columns that the terminal has.
//
// It promises: no line is wider than the report but a value's, no byte of a finding reaches
// the terminal that could steer it, colour only where it was asked for, and the
// summary says what was not read. It refuses: values, unless made with Shown.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report"
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

// Options configures a report.
type Options struct {
	Color   Color
	Secrets report.Secrets
	Width   int // columns; 0: 80
}

// Bounds of what is shown; the rest is counted.
const (
	defaultWidth = 80
	minWidth     = 20
	maxGroups    = 1000
	maxPlaces    = 4
	maxSkips     = 3 // of one reason
	deeper       = 4 // the indent of what belongs to a place
)

func newPrinter(w io.Writer, o Options) *printer {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	return &printer{w: w, width: max(o.Width, minWidth), color: o.Color, secrets: o.Secrets}
}

// Write writes a scan: its values, then the summary.
func Write(w io.Writer, d report.Data, o Options) error {
	p := newPrinter(w, o)
	groups := report.Groups(d.Places)
	described := map[string]bool{}
	shown := groups[:min(len(groups), maxGroups)]
	settled := false
	for _, g := range shown {
		if g.Dismissed() != "" {
			settled = true
			p.settled(g)
			continue
		}
		p.group(g, d.Summary.Sources > 1, described)
	}
	if n := len(groups) - len(shown); n > 0 {
		p.line(0, "", fmt.Sprintf("and %s; -r json:FILE lists them all", count(int64(n), "more value", "more values")))
		settled = true
	}
	if settled {
		p.line(0, "", "")
	}
	p.summary(d, groups)
	return p.err
}

// Summary writes the end of a report alone.
func Summary(w io.Writer, d report.Data, o Options) error {
	p := newPrinter(w, o)
	p.summary(d, report.Groups(d.Places))
	return p.err
}

// group writes the places of a value, with their sources where there are
// several. A rule describes itself once.
func (p *printer) group(g report.Group, several bool, described map[string]bool) {
	first := g.Places[0]
	p.line(0, shade(g.Severity), heading(g))
	about := report.About(first.Finding)
	if len(first.Matches) > 0 {
		p.wrap(2, owned(about, first.Matches[0].Owner))
	} else if about != "" && !described[g.Name] {
		described[g.Name] = true
		p.wrap(2, about)
	}
	if p.secrets == report.Shown && !first.Secret.IsEmpty() {
		p.whole(2, "value: "+string(first.Secret.Reveal()))
	}
	shown := g.Places[:min(len(g.Places), maxPlaces)]
	context := ""
	for _, at := range shown {
		p.line(2, "", place(at))
		for _, text := range p.where(at, several) {
			p.line(deeper, dim, text)
		}
		if at.Kind == fingerprints.KindCI && at.URL != "" {
			p.whole(deeper, at.URL)
		}
		if at.Context != "" && at.Context != context {
			p.line(deeper, "", at.Context)
		}
		context = at.Context
		if at.ID != "" {
			p.line(deeper, dim, string(at.ID))
		}
	}
	if n := len(g.Places) - len(shown); n > 0 {
		p.line(2, "", "and "+count(int64(n), "more place", "more places"))
	}
	p.line(0, "", "")
}

func heading(g report.Group) string {
	return fmt.Sprintf("%-8s  %s  %s", strings.ToUpper(string(g.Severity)), g.Verdict, g.Name)
}

// settled is the one line of a value that nothing has to be done about.
func (p *printer) settled(g report.Group) {
	at := g.Places[0]
	where := place(at)
	if n := len(g.Places) - 1; n > 0 {
		where += " and " + count(int64(n), "more place", "more places")
	}
	p.line(0, dim, heading(g)+"  "+where+"  ("+g.Dismissed()+")")
}

func owned(about, owner string) string {
	if owner == "" {
		return about
	}
	state, also, has := strings.Cut(about, "; ")
	state += ", owner " + owner
	if has {
		state += "; " + also
	}
	return state
}

// place is path:line:column and what is unusual about it.
func place(at report.Place) string {
	f := at.Finding
	s := f.Path
	if f.Span.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d", s, f.Span.Line, f.Span.Column)
	}
	var notes []string
	if f.Locator != "" && !strings.HasPrefix(f.Locator, blobLocator) && f.Layer == nil {
		notes = append(notes, f.Locator)
	}
	if f.Form != "" && f.Form != fingerprints.FormRaw {
		notes = append(notes, string(f.Form))
	}
	if f.Presence != fingerprints.PresenceTip {
		notes = append(notes, string(f.Presence))
	}
	if f.Layer != nil && f.Layer.InRepository != "" {
		notes = append(notes, f.Layer.InRepository+" of the repository")
	}
	if f.Within {
		notes = append(notes, "inside another value")
	}
	if f.New {
		notes = append(notes, "new")
	}
	if at.Sightings > 1 {
		notes = append(notes, count(at.Sightings, "time", "times"))
	}
	if len(notes) > 0 {
		s += "  (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

// blobLocator begins the locator of a content in git: the commit says more.
const blobLocator = "blob:"

// Bounds of what a place says.
const (
	maxRefs     = 3
	commitRunes = 12
	// Of an instruction of an image.
	instructionColumns = 60
)

// where tells the source of a place, the commit that brought it in, and the refs that
// hold it, as many as fit.
func (p *printer) where(at report.Place, several bool) []string {
	f := at.Finding
	var lines, parts []string
	if several && f.SourceID != "" {
		lines = append(lines, f.SourceID)
	}
	if f.Kind == fingerprints.KindCI && f.Message != "" {
		parts = append(parts, "workflow "+f.Message)
	}
	if f.Layer != nil {
		if text := layer(f); text != "" {
			lines = append(lines, text)
		}
		if f.Layer.Platform != "" {
			parts = append(parts, f.Layer.Platform)
		}
	}
	switch blob, is := strings.CutPrefix(f.Locator, blobLocator); {
	case f.Commit != "":
		since := "since " + f.Commit[:min(len(f.Commit), commitRunes)]
		if !f.At.IsZero() {
			since += f.At.UTC().Format(", 2006-01-02")
		}
		parts = append(parts, since)
	case is:
		parts = append(parts, "blob "+blob[:min(len(blob), commitRunes)])
	case f.Kind == fingerprints.KindCI && !f.At.IsZero():
		parts = append(parts, "logged "+f.At.UTC().Format("2006-01-02 15:04:05")+" UTC")
	}
	if len(f.Refs) > 0 {
		room := p.width - deeper
		for _, part := range parts {
			room -= len(part) + len("; ")
		}
		parts = append(parts, refs(f, room))
	}
	text := strings.Join(parts, "; ")
	switch {
	case text == "":
	case len(lines) > 0 && len(f.Refs) == 0 && span([]rune(lines[0]+"; "+text)) <= p.width-deeper:
		lines[0] += "; " + text
	default:
		lines = append(lines, text)
	}
	return lines
}

// layer tells which layer of an image has a content, what made it, and what hides
// it.
func layer(f wire.Finding) string {
	l := f.Layer
	if l.Digest == "" {
		return ""
	}
	text := "layer " + short(l.Digest)
	if l.Of > 0 {
		text += fmt.Sprintf(" (%d of %d)", l.Index, l.Of)
	}
	if f.Message != "" {
		text += ", made by " + instruction(f.Message)
	}
	switch {
	case l.Hiding != "":
		text += "; hidden by " + instruction(l.Hiding)
	case l.HiddenBy != "":
		text += "; hidden by layer " + short(l.HiddenBy)
	}
	return text
}

// instruction is a step of a build, which may be a whole script.
func instruction(text string) string {
	return cut(strings.Join(strings.Fields(text), " "), instructionColumns)
}

// short is a digest as people copy it.
func short(digest string) string {
	_, sum, _ := strings.Cut(digest, ":")
	return sum[:min(len(sum), commitRunes)]
}

// refs names the first ones that fit, and counts the others.
func refs(f wire.Finding, room int) string {
	for n := min(len(f.Refs), maxRefs); ; n-- {
		names := make([]string, 0, maxRefs)
		for _, ref := range f.Refs[:n] {
			names = append(names, refName(ref))
		}
		in := "in " + strings.Join(names, ", ")
		if more := len(f.Refs) - n + f.MoreRefs; more > 0 {
			in += fmt.Sprintf(" and %d more", more)
		}
		if n == 1 || span([]rune(in)) <= room {
			return in
		}
	}
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

// summary closes the report: what was found, what was read, and what was not.
func (p *printer) summary(d report.Data, groups []report.Group) {
	s := d.Summary
	what := "no findings"
	if s.Findings > 0 {
		what = count(int64(s.Findings), "finding", "findings")
	}
	items := count(s.Items, "item", "items")
	if s.Sources > 1 {
		items += fmt.Sprintf(" of %d sources", s.Sources)
	}
	p.line(0, "", fmt.Sprintf("%s in %s, %s, %.1f s", what, items, Size(s.Bytes), s.Duration.Seconds()))
	if tally := report.Count(groups); len(tally) > 0 {
		p.line(0, "", tallied(tally, d.Left))
	}
	if s.GenericOnly {
		p.wrap(0, "no key ring: generic rules only, registered values were not searched for")
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
	if s.Skipped() > 0 {
		p.skips(s)
	} else if !s.Complete && !s.Interrupted {
		p.line(0, warn, "not complete")
	}
}

func tallied(tally []report.Tally, left int64) string {
	parts := make([]string, len(tally))
	n := 0
	for i, t := range tally {
		parts[i] = fmt.Sprintf("%d %s", t.Count, t.Severity)
		n += t.Count
	}
	text := count(int64(n), "value", "values") + " to deal with: " + strings.Join(parts, ", ")
	if left > 0 {
		text += fmt.Sprintf("; %d findings more were counted only", left)
	}
	return text
}

// skips lists what was not read, by reason, the first ones of each.
func (p *printer) skips(s wire.Summary) {
	p.line(0, warn, fmt.Sprintf("not complete: %d skipped", s.Skipped()))
	for _, g := range report.SkipGroups(s) {
		p.line(2, "", fmt.Sprintf("%d %s: %s", g.Count, g.Reason, report.SkipText(g.Reason)))
		shown := g.First[:min(len(g.First), maxSkips)]
		for _, k := range shown {
			if k.Path != "" && strings.HasPrefix(k.Locator, blobLocator) {
				k.Locator = ""
			}
			at := report.SkipPlace(k)
			if s.Sources > 1 && k.SourceID != "" && !strings.HasPrefix(at, k.SourceID) {
				at = k.SourceID + " " + at
			}
			p.line(deeper, dim, at)
		}
		if n := g.Count - int64(len(shown)); n > 0 && len(shown) > 0 {
			p.line(deeper, dim, fmt.Sprintf("and %d more", n))
		}
	}
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Size is a number of bytes for people.
func Size(n int64) string {
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
