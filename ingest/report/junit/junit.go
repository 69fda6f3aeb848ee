// Package junit writes a scan as JUnit's XML, in the part of it that CI systems
// agree on.
//
// A suite is a source and a case is one value at one path: it fails, or is skipped
// where somebody dismissed it. One more case says whether the source was read to its
// end. It promises no plaintext, and XML that any parser takes, whatever a file is
// called.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"revenant/ingest/report"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name      string `xml:"name,attr"`
	Tests     int    `xml:"tests,attr"`
	Failures  int    `xml:"failures,attr"`
	Errors    int    `xml:"errors,attr"`
	Skipped   int    `xml:"skipped,attr"`
	Time      string `xml:"time,attr"`
	Timestamp string `xml:"timestamp,attr,omitempty"`
	Cases     []item `xml:"testcase"`
}

type item struct {
	Name    string  `xml:"name,attr"`
	Class   string  `xml:"classname,attr"`
	Time    string  `xml:"time,attr"`
	Failure *detail `xml:"failure,omitempty"`
	Error   *detail `xml:"error,omitempty"`
	Skipped *detail `xml:"skipped,omitempty"`
}

type detail struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",innerxml"` // escaped, with its line breaks as they are
}

// Write writes a scan.
func Write(w io.Writer, d report.Data) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(build(d)); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func build(d report.Data) suites {
	all := suites{Name: d.Tool.Name, Time: seconds(d)}
	var order []string
	bySource := map[string][]item{}
	for _, p := range d.Places {
		if !slices.Contains(order, p.SourceID) {
			order = append(order, p.SourceID)
		}
		bySource[p.SourceID] = append(bySource[p.SourceID], caseOf(p))
	}
	for _, id := range order {
		all.add(suite{Name: clean(id), Cases: bySource[id]}, d)
	}
	all.add(suite{Name: d.Tool.Name, Cases: []item{coverage(d)}}, d)
	return all
}

func (all *suites) add(s suite, d report.Data) {
	s.Time = "0"
	if !d.Summary.StartedAt.IsZero() {
		s.Timestamp = d.Summary.StartedAt.UTC().Format("2006-01-02T15:04:05")
	}
	for _, c := range s.Cases {
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	all.Suites = append(all.Suites, s)
}

func seconds(d report.Data) string { return fmt.Sprintf("%.3f", d.Summary.Duration.Seconds()) }

func caseOf(p report.Place) item {
	at := p.Path
	if r := report.Region(p.Finding); r.Line > 0 {
		at = fmt.Sprintf("%s:%d", at, r.Line)
	}
	c := item{Name: clean(report.What(p.Finding) + " in " + at), Class: clean(p.Path), Time: "0"}
	title := clean(report.Title(p.Finding))
	if why := p.Justification(); why != "" {
		c.Skipped = &detail{Message: title + ": " + why}
		return c
	}
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, clean(text))
		}
	}
	b.WriteByte('\n')
	line("severity", string(p.Severity))
	line("what", report.About(p.Finding))
	line("where", at)
	line("context", p.Context)
	line("commit", p.Commit)
	line("presence", string(p.Presence))
	if p.Sightings > 1 {
		line("sightings", fmt.Sprint(p.Sightings))
	}
	line("finding", string(p.ID))
	line("what to do", report.Advice(p.Verdict))
	c.Failure = &detail{Message: title, Type: string(p.Verdict), Text: escaped(b.String())}
	return c
}

// coverage says whether everything was read. Bounds that were met are told in a
// case that is skipped, failures in one that is an error.
func coverage(d report.Data) item {
	c := item{Name: "everything was read", Class: clean(d.Tool.Name), Time: "0"}
	why := report.Incomplete(d.Summary)
	if why == "" && d.Left == 0 {
		return c
	}
	var b strings.Builder
	b.WriteByte('\n')
	if d.Left > 0 {
		fmt.Fprintf(&b, "%d further findings are not in this report\n", d.Left)
	}
	for _, g := range report.SkipGroups(d.Summary) {
		fmt.Fprintf(&b, "%d %s: %s\n", g.Count, g.Reason, report.SkipText(g.Reason))
	}
	if why == "" {
		why = "Not all findings are in this report."
	}
	det := &detail{Message: why, Type: "incomplete", Text: escaped(b.String())}
	if report.Failed(d.Summary) {
		c.Error = det
	} else {
		c.Skipped = det
	}
	return c
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes everything
	return strings.ReplaceAll(b.String(), "&#xA;", "\n")
}

func clean(s string) string { return report.Printable(s) }
