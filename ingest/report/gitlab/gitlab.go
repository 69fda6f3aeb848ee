// Package gitlab writes the two reports that GitLab reads: secret detection
// (security report schema 15.0.7) and code quality.
//
// One entry is one value at one path. What somebody dismissed, and what is allowed,
// is left out: both reports are lists of what is to be done. It promises: no
// plaintext, no names of persons, ids that are the same in the next scan.
package gitlab

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report"
)

// schemaVersion is the version of the security report's schema: the last 15.0,
// which GitLab reads from 15.0 on.
const schemaVersion = "15.0.7"

// Lengths that the schema allows.
const (
	maxName     = 255
	maxSolution = 7000
)

// noCommit stands for a commit where there is none, as in GitLab's own analyzer.
const noCommit = "0000000"

type security struct {
	Version string          `json:"version"`
	Scan    scanned         `json:"scan"`
	Found   []vulnerability `json:"vulnerabilities"`
}

type scanned struct {
	Analyzer analyzer  `json:"analyzer"`
	Scanner  analyzer  `json:"scanner"`
	Type     string    `json:"type"`
	Start    string    `json:"start_time"`
	End      string    `json:"end_time"`
	Status   string    `json:"status"`
	Messages []message `json:"messages,omitempty"`
}

type analyzer struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Vendor  vendor `json:"vendor"`
}

type vendor struct {
	Name string `json:"name"`
}

type message struct {
	Level string `json:"level"`
	Value string `json:"value"`
}

type vulnerability struct {
	ID          string            `json:"id"`
	Category    string            `json:"category"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Severity    string            `json:"severity"`
	Solution    string            `json:"solution"`
	Identifiers []identifier      `json:"identifiers"`
	Location    location          `json:"location"`
	Details     map[string]detail `json:"details"`
}

type identifier struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`
}

type location struct {
	File   string `json:"file"`
	Start  int    `json:"start_line,omitempty"`
	End    int    `json:"end_line,omitempty"`
	Commit commit `json:"commit"`
}

type commit struct {
	SHA string `json:"sha"`
}

type detail struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Write writes the secret detection report.
func Write(w io.Writer, d report.Data) error { return encode(w, build(d)) }

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func build(d report.Data) security {
	version := d.Tool.Version
	if version == "" {
		version = "unknown"
	}
	who := analyzer{ID: strings.ToLower(d.Tool.Name), Name: d.Tool.Name, Version: version, Vendor: vendor{Name: d.Tool.Name}}
	s := security{Version: schemaVersion, Found: []vulnerability{}, Scan: scanned{
		Analyzer: who, Scanner: who, Type: "secret_detection", Status: "success",
		Start: stamp(d.Summary.StartedAt), End: stamp(d.Summary.StartedAt.Add(d.Summary.Duration)),
		Messages: messages(d),
	}}
	if report.Failed(d.Summary) {
		s.Scan.Status = "failure"
	}
	for _, p := range d.Open() {
		s.Found = append(s.Found, vulnerabilityOf(p))
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

// messages say what was not read, and what is not listed.
func messages(d report.Data) []message {
	var out []message
	say := func(level, text string) { out = append(out, message{level, text}) }
	if d.Summary.Interrupted {
		say("fatal", report.Interrupted)
	}
	if d.Left > 0 {
		say("warn", fmt.Sprintf("%d further findings are not in this report.", d.Left))
	}
	if n := len(d.Places) - len(d.Open()); n > 0 {
		say("info", fmt.Sprintf("%d findings that were dismissed or are allowed are not listed.", n))
	}
	if d.Summary.GenericOnly {
		say("info", "There was no key ring: registered values were not searched for.")
	}
	for _, g := range report.SkipGroups(d.Summary) {
		say("warn", fmt.Sprintf("%d skipped: %s.", g.Count, report.SkipText(g.Reason)))
	}
	return out
}

func vulnerabilityOf(p report.Place) vulnerability {
	at := report.Region(p.Finding)
	v := vulnerability{
		ID: p.Key, Category: "secret_detection", Name: report.Clip(report.Printable(report.Title(p.Finding)), maxName),
		Description: describe(p), Severity: severity(p.Severity), Solution: report.Clip(report.Advice(p.Verdict), maxSolution),
		Identifiers: []identifier{
			{Type: "revenant_rule_id", Name: "Revenant rule " + rule(p), Value: rule(p)},
			{Type: "cwe", Name: "CWE-798", Value: "798", URL: "https://cwe.mitre.org/data/definitions/798.html"},
		},
		Location: location{File: report.File(p.Finding), Commit: commit{SHA: noCommit}},
		Details:  details(p),
	}
	if p.Member == "" {
		v.Location.Start, v.Location.End = at.Line, at.EndLine
	}
	if p.Commit != "" {
		v.Location.Commit.SHA = p.Commit
	}
	return v
}

// rule is what GitLab tracks a finding by, with its place: of a registered value
// its version, since that stays when the verdict changes.
func rule(p report.Place) string {
	if len(p.Matches) > 0 {
		return report.RegisteredRule + "/" + p.Matches[0].Ref()
	}
	return report.Printable(report.RuleID(p.Finding))
}

// describe is GitLab's Markdown, so that what is not ours stands in code.
func describe(p report.Place) string {
	about := report.About(p.Finding)
	text := report.Code(about)
	if about == "" {
		text = "A secret"
	}
	text += " in " + report.Code(p.Path)
	if p.Context != "" {
		text += ": " + report.Code(p.Context)
	}
	return text
}

func details(p report.Place) map[string]detail {
	out := map[string]detail{}
	add := func(key, name, value string) {
		if value != "" {
			out[key] = detail{Name: name, Type: "text", Value: report.Printable(value)}
		}
	}
	add("verdict", "Verdict", string(p.Verdict))
	add("presence", "Presence", string(p.Presence))
	add("form", "Form", string(p.Form))
	add("finding", "Finding", string(p.ID))
	add("source", "Source", p.SourceID)
	if p.Sightings > 1 {
		add("sightings", "Sightings", fmt.Sprint(p.Sightings))
	}
	return out
}

func severity(s fingerprints.Severity) string {
	switch s {
	case fingerprints.SeverityCritical:
		return "Critical"
	case fingerprints.SeverityHigh:
		return "High"
	case fingerprints.SeverityMedium:
		return "Medium"
	case fingerprints.SeverityLow:
		return "Low"
	case fingerprints.SeverityInfo:
		return "Info"
	}
	return "Unknown"
}

// firstLine is where a finding is shown that has no line of its own.
func firstLine(f wire.Finding) int {
	if f.Member != "" {
		return 1
	}
	return max(report.Region(f).Line, 1)
}
