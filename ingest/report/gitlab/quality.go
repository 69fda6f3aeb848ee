package gitlab

import (
	"fmt"
	"io"

	"revenant/fingerprints"
	"revenant/ingest/report"
)

// issue is an entry of the code quality report, in Code Climate's words.
type issue struct {
	Type        string   `json:"type"`
	Check       string   `json:"check_name"`
	Description string   `json:"description"`
	Categories  []string `json:"categories"`
	Fingerprint string   `json:"fingerprint"`
	Severity    string   `json:"severity"`
	Location    place    `json:"location"`
}

type place struct {
	Path  string `json:"path"`
	Lines lines  `json:"lines"`
}

type lines struct {
	Begin int `json:"begin"`
	End   int `json:"end,omitempty"`
}

// WriteQuality writes the code quality report. It is a list of issues and nothing
// else: that a scan was interrupted, or did not list all, is an issue too.
func WriteQuality(w io.Writer, d report.Data) error {
	all := []issue{}
	for _, p := range d.Open() {
		begin := firstLine(p.Finding)
		all = append(all, issue{
			Type: "issue", Check: rule(p), Categories: []string{"Security"},
			Description: report.Printable(report.Title(p.Finding)) + ". " + report.Advice(p.Verdict),
			Fingerprint: p.Key, Severity: climate(p.Severity),
			Location: place{Path: report.File(p.Finding), Lines: lines{Begin: begin}},
		})
	}
	if d.Summary.Interrupted {
		all = append(all, aside("interrupted", report.Interrupted))
	}
	if d.Left > 0 {
		all = append(all, aside("left-out", fmt.Sprintf("%d further findings are not in this report.", d.Left)))
	}
	return encode(w, all)
}

// aside is an issue about the scan.
func aside(check, text string) issue {
	return issue{
		Type: "issue", Check: "revenant-" + check, Categories: []string{"Security"}, Description: text,
		Fingerprint: "revenant-" + check, Severity: "major", Location: place{Path: ".", Lines: lines{Begin: 1}},
	}
}

// climate is a severity in Code Climate's words.
func climate(s fingerprints.Severity) string {
	switch s {
	case fingerprints.SeverityCritical:
		return "blocker"
	case fingerprints.SeverityHigh:
		return "critical"
	case fingerprints.SeverityMedium:
		return "major"
	case fingerprints.SeverityLow:
		return "minor"
	case fingerprints.SeverityInfo:
	}
	return "info"
}
