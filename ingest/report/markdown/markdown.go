// Package markdown writes a scan for job summaries and pull requests: a table of
// values, the worst first, and what was not read.
//
// It promises: no plaintext; nothing from a finding is markup, a link or a mention;
// and no more than fits a comment on GitHub, 65,536 characters: what does not fit is
// counted.
package markdown

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/ingest/report"
)

// Bounds: of the report in bytes, of the part for the end, and of places of a value.
const (
	maxBytes  = 60_000
	endBytes  = 8_000
	maxPlaces = 3
	maxSkips  = 5
	maxCell   = 300
)

// Write writes a scan.
func Write(w io.Writer, d report.Data) error {
	var b strings.Builder
	groups := report.Groups(d.Places)
	b.WriteString("## " + d.Tool.Name + ": " + headline(d, groups) + "\n\n")
	if why := report.Incomplete(d.Summary); why != "" {
		b.WriteString("> **" + why + "**\n\n")
	}
	open := slices.DeleteFunc(slices.Clone(groups), func(g report.Group) bool { return g.Dismissed() != "" })
	table(&b, open, manySources(d), d.Left)
	if n := len(groups) - len(open); n > 0 {
		fmt.Fprintf(&b, "Settled, and not listed: %s.\n\n", count(int64(n), "value", "values"))
	}
	skipped(&b, d)
	foot(&b, d)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func headline(d report.Data, groups []report.Group) string {
	tally := report.Count(groups)
	if len(tally) == 0 {
		if len(d.Places) > 0 {
			return "nothing new to deal with"
		}
		return "no secrets found"
	}
	parts := make([]string, len(tally))
	n := 0
	for i, t := range tally {
		parts[i] = fmt.Sprintf("%d %s", t.Count, t.Severity)
		n += t.Count
	}
	return fmt.Sprintf("%s (%s)", count(int64(n), "secret", "secrets"), strings.Join(parts, ", "))
}

func manySources(d report.Data) bool {
	for _, p := range d.Places {
		if p.SourceID != d.Places[0].SourceID {
			return true
		}
	}
	return false
}

// table has a row for each value, as long as there is room.
func table(b *strings.Builder, groups []report.Group, several bool, left int64) {
	if len(groups) == 0 {
		return
	}
	b.WriteString("| Severity | Verdict | Secret | Where |\n|---|---|---|---|\n")
	for i, g := range groups {
		row := row(g, several)
		if b.Len()+len(row) > maxBytes-endBytes {
			fmt.Fprintf(b, "\nand %s, for which there is no room here\n", count(int64(len(groups)-i), "more secret", "more secrets"))
			break
		}
		b.WriteString(row)
	}
	if left > 0 {
		fmt.Fprintf(b, "\n%d further findings are not in this report.\n", left)
	}
	b.WriteByte('\n')
}

func row(g report.Group, several bool) string {
	first := g.Places[0]
	what := report.Code(report.Clip(g.Name, maxCell))
	if about := report.About(first.Finding); about != "" {
		what += "<br>" + report.Code(report.Clip(about, maxCell))
	}
	var where []string
	for _, p := range g.Places[:min(len(g.Places), maxPlaces)] {
		where = append(where, at(p, several))
	}
	if n := len(g.Places) - maxPlaces; n > 0 {
		where = append(where, "and "+count(int64(n), "more place", "more places"))
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", strong(g.Severity), g.Verdict, what, strings.Join(where, "<br>"))
}

func strong(s fingerprints.Severity) string {
	if s == fingerprints.SeverityCritical || s == fingerprints.SeverityHigh {
		return "**" + string(s) + "**"
	}
	return string(s)
}

func at(p report.Place, several bool) string {
	name := p.Path
	if r := report.Region(p.Finding); r.Line > 0 {
		name = fmt.Sprintf("%s:%d", name, r.Line)
	}
	s := report.Code(report.Clip(name, maxCell))
	if several {
		s = report.Code(report.Clip(p.SourceID, maxCell)) + " " + s
	}
	var notes []string
	if p.Form != "" && p.Form != fingerprints.FormRaw {
		notes = append(notes, string(p.Form))
	}
	if p.Presence != fingerprints.PresenceTip {
		notes = append(notes, string(p.Presence))
	}
	if p.Sightings > 1 {
		notes = append(notes, count(p.Sightings, "time", "times"))
	}
	if len(notes) > 0 {
		s += " (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

// skipped lists what was not read, folded.
func skipped(b *strings.Builder, d report.Data) {
	groups := report.SkipGroups(d.Summary)
	if len(groups) == 0 {
		return
	}
	fmt.Fprintf(b, "<details><summary>Not read: %d</summary>\n\n", d.Summary.Skipped())
	for _, g := range groups {
		fmt.Fprintf(b, "- %d %s: %s\n", g.Count, g.Reason, report.SkipText(g.Reason))
		for _, k := range g.First[:min(len(g.First), maxSkips)] {
			line := "  - " + report.Code(report.Clip(report.SkipPlace(k), maxCell)) + "\n"
			if b.Len()+len(line) > maxBytes {
				break
			}
			b.WriteString(line)
		}
	}
	b.WriteString("\n</details>\n\n")
}

// foot says what was searched for, and where.
func foot(b *strings.Builder, d report.Data) {
	s := d.Summary
	items := count(s.Items, "item", "items")
	if s.Sources > 1 {
		items += fmt.Sprintf(" of %d sources", s.Sources)
	}
	what := "searched for " + count(int64(s.Registered), "registered value", "registered values")
	if s.GenericOnly {
		what = "no key ring, so registered values were not searched for"
	}
	fmt.Fprintf(b, "<sub>%s %s: %s in %.1f s; %s</sub>\n", d.Tool.Name, d.Tool.Version, items, s.Duration.Seconds(), what)
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
