// Package sarif writes a scan as SARIF 2.1.0 (OASIS), as GitHub and others take it.
//
// One result is one value at one path; its versions and lines are counted, not
// listed. It promises: no plaintext and no names of persons; relative URIs that do
// not leave the source; partial fingerprints that survive moved lines, rebases and
// new versions of the program, and change when the value does; a run for each
// source. What was not read is a notification of the invocation.
//
// Bounds are GitHub's, from its documentation of SARIF support: 25,000 results of a
// run (it shows 5,000), 20 runs of a file, 10 MB of a file that is compressed. What
// goes beyond is left out, the mildest first, and a notification says so.
//
// GitHub knows no suppressions and opens an alert for each result, so what is
// settled is left out unless the report is asked to say why it is.
package sarif

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report"
)

// schema is where the format's schema is published.
const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// maxRuns is how many runs GitHub takes of a file.
const maxRuns = 20

// cwe is the weakness that results are instances of: hard-coded credentials.
const (
	cweURI = "https://cwe.mitre.org/data/definitions/798.html"
	cweTag = "external/cwe/cwe-798"
)

// maxSize is how large a file may be that GitHub takes, when it is compressed.
const maxSize = 10 << 20

// Write writes a scan.
func Write(w io.Writer, d report.Data) error { return write(w, d, maxSize) }

func write(w io.Writer, d report.Data, limit int64) error {
	l, err := fitting(d, limit)
	if err == nil {
		err = encode(w, l)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func encode(w io.Writer, l log) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(l)
}

// fitting leaves the mildest places out until the file is small enough.
func fitting(d report.Data, limit int64) (log, error) {
	settled := 0
	if !d.Settled {
		open := d.Open()
		settled = len(d.Places) - len(open)
		d.Places = open
	}
	for {
		l := build(d, settled)
		n, err := compressed(l, limit)
		if err != nil || n <= limit || len(d.Places) == 0 {
			return l, err
		}
		keep := int(float64(len(d.Places)) * 0.9 * float64(limit) / float64(n))
		for _, p := range d.Places[keep:] {
			d.Left += p.Sightings
		}
		d.Places = d.Places[:keep]
	}
}

// compressed is the size of the file as it is uploaded; of one that is small
// enough as it is, that.
func compressed(l log, limit int64) (int64, error) {
	var plain, packed counter
	if err := encode(&plain, l); err != nil || int64(plain) <= limit {
		return int64(plain), err
	}
	z := gzip.NewWriter(&packed)
	if err := encode(z, l); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return int64(packed), nil
}

// counter counts what is written.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// build makes a run for each source; a scan without findings is one run. settled
// is how many places are left out as asking for nothing.
func build(d report.Data, settled int) log {
	var order []string
	bySource := map[string][]report.Place{}
	for _, p := range d.Places {
		if bySource[p.SourceID] == nil {
			order = append(order, p.SourceID)
		}
		bySource[p.SourceID] = append(bySource[p.SourceID], p)
	}
	left := d.Left
	for _, id := range order[min(len(order), maxRuns):] {
		for _, p := range bySource[id] {
			left += p.Sightings
		}
	}
	order = order[:min(len(order), maxRuns)]
	if len(order) == 0 {
		order = []string{""}
	}
	out := log{Schema: schema, Version: "2.1.0"}
	for i, id := range order {
		r := buildRun(d, bySource[id])
		if len(order) > 1 { // uploads of one tool are told apart by it
			r.Automation = &automation{ID: "revenant/" + id + "/"}
		}
		if i == 0 {
			r.Invocations = []invocation{invoked(d.Summary, left, settled)}
		}
		out.Runs = append(out.Runs, r)
	}
	return out
}

func buildRun(d report.Data, places []report.Place) run {
	r := run{Tool: tool{Driver: driver{
		Name: d.Tool.Name, Version: d.Tool.Version, Semantic: semantic(d.Tool.Version), Rules: []rule{},
	}}, Results: []result{}, ColumnKind: "utf16CodeUnits"}
	index := map[string]int{}
	for _, p := range places {
		id := ruleID(p)
		at, has := index[id]
		if !has {
			at = len(r.Tool.Driver.Rules)
			index[id] = at
			r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, describe(id, p))
		}
		r.Results = append(r.Results, resultOf(p, id, at))
	}
	return r
}

// semver is what SARIF calls a semantic version.
var semver = regexp.MustCompile(`^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$`)

func semantic(version string) string {
	if m := semver.FindStringSubmatch(version); m != nil {
		return m[1]
	}
	return ""
}

// ruleID is the rule that found a value; a registered one has a rule for each
// verdict, since GitHub takes the severity from the rule.
func ruleID(p report.Place) string {
	if p.Registered() {
		return report.RegisteredRule + "-" + string(p.Verdict)
	}
	return report.RuleID(p.Finding)
}

func describe(id string, p report.Place) rule {
	short, full := "A registered secret: "+string(p.Verdict), report.Advice(p.Verdict)
	if !p.Registered() {
		short = p.Description
		if short == "" {
			short = "A secret that " + id + " describes"
		}
	}
	return rule{
		ID: id, Name: report.Clip(camel(id), maxRuleName), Short: text(short), Full: text(strings.TrimSuffix(short, ".") + ". " + full), HelpURI: cweURI,
		Help:    &message{Text: plain(full), Markdown: full + "\n\n[CWE-798: use of hard-coded credentials](" + cweURI + ")"},
		Default: &configuration{Level: level(rating(p.Verdict))},
		Properties: map[string]any{
			"tags": []string{"security", "secret", cweTag}, "precision": precision(p),
			"security-severity": score(rating(p.Verdict)),
		},
	}
}

// rating is how severe a verdict is by itself.
func rating(v fingerprints.Verdict) fingerprints.Severity {
	switch v {
	case fingerprints.VerdictCompromised, fingerprints.VerdictLeaked:
		return fingerprints.SeverityCritical
	case fingerprints.VerdictPremature, fingerprints.VerdictOverdue:
		return fingerprints.SeverityHigh
	case fingerprints.VerdictStale, fingerprints.VerdictLagging, fingerprints.VerdictUnregistered:
		return fingerprints.SeverityMedium
	case fingerprints.VerdictAllowed, fingerprints.VerdictCleared:
		return fingerprints.SeverityInfo
	}
	return fingerprints.SeverityMedium
}

// precision: a registered value was confirmed by its MAC, a pattern was not.
func precision(p report.Place) string {
	if p.Registered() {
		return "very-high"
	}
	return "medium"
}

// score is a severity on CVSS's scale, in the middle of GitHub's bands.
func score(s fingerprints.Severity) string {
	switch s {
	case fingerprints.SeverityCritical:
		return "9.5"
	case fingerprints.SeverityHigh:
		return "8.0"
	case fingerprints.SeverityMedium:
		return "5.5"
	case fingerprints.SeverityLow:
		return "2.0"
	case fingerprints.SeverityInfo:
	}
	return "0.1"
}

func level(s fingerprints.Severity) string {
	switch s {
	case fingerprints.SeverityCritical, fingerprints.SeverityHigh:
		return "error"
	case fingerprints.SeverityMedium:
		return "warning"
	case fingerprints.SeverityLow, fingerprints.SeverityInfo:
	}
	return "note"
}

func resultOf(p report.Place, id string, at int) result {
	r := result{
		RuleID: id, RuleIndex: at, Level: level(p.Severity), Kind: "fail",
		Message:   message{Text: plain(report.Title(p.Finding) + ". " + report.Advice(p.Verdict))},
		Locations: []location{locate(p)},
		Prints: map[string]string{
			"revenantFinding/v1":      p.Key,
			"primaryLocationLineHash": p.Key + ":1",
		},
		Count:      p.Sightings,
		Properties: properties(p),
	}
	r.Suppressions = suppressed(p)
	return r
}

// suppressed says why nothing has to be done: by a mark in the source, or by
// what stands elsewhere - a baseline, a decision, what people said of the
// finding (SARIF 2.1.0, 3.35).
func suppressed(p report.Place) []suppression {
	why := p.Justification()
	if why == "" {
		return nil
	}
	s := suppression{Kind: "external", Status: "accepted", Justification: report.Clip(report.Printable(why), maxText)}
	if p.Tolerated != nil && p.Tolerated.In == wire.ToleratedInSource {
		s.Kind = "inSource"
	}
	return []suppression{s}
}

// properties say what has no field of its own. No author: a report is no place for
// names of persons.
func properties(p report.Place) map[string]any {
	out := map[string]any{"verdict": p.Verdict, "severity": p.Severity, "presence": p.Presence, "form": p.Form, "source": p.SourceID}
	if p.ID != "" {
		out["findingId"] = p.ID
	}
	if p.Commit != "" {
		out["commit"] = p.Commit
	}
	if len(p.Matches) > 0 {
		m := p.Matches[0]
		out["secret"], out["state"], out["field"] = m.Ref(), m.State, m.Field
	}
	return out
}

// locate is the file; of what is inside of one, the member is a logical location
// and there are no lines, since they are not the file's.
func locate(p report.Place) location {
	file := report.File(p.Finding)
	loc := location{Physical: physical{Artifact: artifact{URI: report.URI(file)}}}
	if p.Path != file {
		loc.Logical = []logical{{FullName: p.Path, Kind: "member"}}
	}
	at := report.Region(p.Finding)
	if p.Member != "" || at.Line == 0 {
		return loc
	}
	r := &region{StartLine: at.Line, EndLine: at.EndLine, Snippet: &snippet{redacted(p)}}
	if ascii(p.Context) { // columns are counted in bytes
		r.StartColumn, r.EndColumn = at.Column, at.EndColumn+1
	}
	loc.Physical.Region = r
	if p.Context != "" && !strings.HasPrefix(p.Path, "@author") {
		loc.Physical.Context = &region{StartLine: at.Line, EndLine: at.EndLine, Snippet: &snippet{p.Context}}
	}
	return loc
}

func redacted(p report.Place) string {
	if len(p.Matches) > 0 {
		return "[secret " + p.Matches[0].Ref() + "]"
	}
	return "[redacted]"
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] > '~' {
			return false
		}
	}
	return true
}

// invoked tells how the scan went, and what it did not read.
func invoked(s wire.Summary, left int64, settled int) invocation {
	v := invocation{Successful: !report.Failed(s)}
	if !s.StartedAt.IsZero() {
		v.Start, v.End = stamp(s.StartedAt), stamp(s.StartedAt.Add(s.Duration))
	}
	note := func(level, id, what string) {
		v.Notifications = append(v.Notifications, notification{Level: level, Message: message{Text: plain(what)}, Descriptor: descriptor{ID: id}})
	}
	if s.Interrupted {
		note("error", "interrupted", report.Interrupted)
	}
	if left > 0 {
		note("warning", "left-out", fmt.Sprintf("%d findings are left out: a report has at most %d results a run, %d runs and %d MB when it is compressed. The JSON report has them all.", left, report.MaxPlaces, maxRuns, maxSize>>20))
	}
	if settled > 0 {
		note("note", "settled", fmt.Sprintf("%d findings that are accepted, dismissed or at an allowed place are not listed; --show-tolerated lists them with the reason.", settled))
	}
	if s.GenericOnly {
		note("note", "generic-only", "There was no key ring: registered values were not searched for.")
	}
	for _, g := range report.SkipGroups(s) {
		level := "warning"
		if g.Reason.Failure() {
			level = "error"
		}
		note(level, "skip-"+string(g.Reason), fmt.Sprintf("%d skipped: %s.", g.Count, report.SkipText(g.Reason)))
		for _, k := range g.First[:min(len(g.First), maxSkips)] {
			n := notification{Level: level, Message: message{Text: plain(report.SkipPlace(k))}, Descriptor: descriptor{ID: "skip-" + string(g.Reason)}}
			if k.Path != "" {
				n.Locations = []location{{Physical: physical{Artifact: artifact{URI: report.URI(report.Relative(k.Path))}}}}
			}
			v.Notifications = append(v.Notifications, n)
		}
	}
	for _, n := range s.Notes {
		note("note", "source", n.Text)
	}
	return v
}

// maxSkips is how many skips of one reason are listed.
const maxSkips = 50

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// plain is text in which SARIF sees neither links nor places to fill in.
func plain(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(report.Printable(s))
}

func text(s string) *message { return &message{Text: plain(report.Clip(s, maxText))} }

// maxText is how long GitHub shows the description of a rule.
const maxText = 1024

// maxRuleName is how long GitHub takes the name of a rule.
const maxRuleName = 255

// camel is a rule's id as a name.
func camel(id string) string {
	var b strings.Builder
	up := true
	for _, r := range id {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			if up {
				b.WriteString(strings.ToUpper(string(r)))
			} else {
				b.WriteRune(r)
			}
			up = false
			continue
		}
		up = true
	}
	return b.String()
}
