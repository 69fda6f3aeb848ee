package pipeline

import (
	"fmt"
	"io"
	"strings"

	"revenant/fingerprints"
	"revenant/ingest/report"
)

// maxAnnotations is how many annotations of a step GitHub shows; the rest would
// only be in its log.
const maxAnnotations = 10

// CanAnnotate reports whether a system shows what a step says beside the lines
// that it is about.
func CanAnnotate(s System) bool { return s == GitHub || s == Azure }

// Annotate tells a system of open findings that have a line, the worst first, as
// many as it shows. Nothing of a finding can be a command of its own.
func Annotate(w io.Writer, s System, d report.Data) error {
	n := 0
	for _, p := range d.Open() {
		if p.Span.Line == 0 || strings.HasPrefix(p.Path, "@") || n == maxAnnotations {
			continue
		}
		n++
		level := "warning"
		if p.Severity == fingerprints.SeverityCritical || p.Severity == fingerprints.SeverityHigh || p.Severity == fingerprints.SeverityMedium {
			level = "error"
		}
		message := string(p.Verdict) + ": " + report.What(p.Finding) + ". " + report.Advice(p.Verdict)
		var err error
		switch s {
		case GitHub:
			_, err = fmt.Fprintf(w, "::%s file=%s,line=%d,endLine=%d,title=%s::%s\n", level,
				githubProperty(p.Path), p.Span.Line, max(p.Span.Line, p.Span.EndLine), githubProperty("Revenant: "+string(p.Severity)), githubData(message))
		case Azure:
			_, err = fmt.Fprintf(w, "##vso[task.logissue type=%s;sourcepath=%s;linenumber=%d;columnnumber=%d]%s\n", level,
				azureProperty(p.Path), p.Span.Line, p.Span.Column, azureProperty(message))
		default:
			return nil
		}
		if err != nil {
			return fmt.Errorf("annotating: %w", err)
		}
	}
	return nil
}

// githubData escapes the text of a workflow command, as GitHub's toolkit does.
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// githubProperty escapes a property of a workflow command.
func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// azureProperty escapes a property or the text of a logging command.
func azureProperty(s string) string {
	return strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", ";", "%3B", "]", "%5D").Replace(s)
}

// Fence are the lines between which GitHub takes nothing for a command, whatever
// the findings have in their context. The token must be hard to guess.
func Fence(s System, token string) (open, shut string) {
	if s != GitHub {
		return "", ""
	}
	return "::stop-commands::" + token + "\n", "::" + token + "::\n"
}
