// Package template writes findings through a template of the user's: Go's
// text/template with Sprig's functions, as gitleaks has it.
//
// The template is given a list of findings with gitleaks' fields and revenant's
// beside them (report.Entry); {{ summary }} is the scan's wire.Summary and
// {{ left }} the number of findings beyond the first ones. It promises no plaintext.
// It refuses functions that reach outside: env, expandenv, getHostByName.
package template

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"revenant/api/wire"
	"revenant/ingest/report"
)

// MaxEntries is how many findings a template is given: they are held in memory.
const MaxEntries = 100_000

// Writer collects findings until Close. Not safe for concurrent use.
type Writer struct {
	w       io.Writer
	t       *template.Template
	entries []report.Entry
	left    int64
	summary wire.Summary
}

// NewWriter parses a template and starts a report on w.
func NewWriter(w io.Writer, text string) (*Writer, error) {
	out := &Writer{w: w, entries: []report.Entry{}}
	funcs := sprig.TxtFuncMap()
	for _, outside := range []string{"env", "expandenv", "getHostByName"} {
		delete(funcs, outside)
	}
	funcs["summary"] = func() wire.Summary { return out.summary }
	funcs["left"] = func() int64 { return out.left }
	t, err := template.New("report").Funcs(funcs).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	out.t = t
	return out, unknownField(t)
}

// unknownField tries a template on a finding without anything, so that a field
// that no finding has is told before a scan and not after it. Other errors may
// be the empty finding's.
func unknownField(t *template.Template) error {
	err := t.Execute(io.Discard, []report.Entry{{}})
	if err != nil && strings.Contains(err.Error(), "can't evaluate field") {
		return fmt.Errorf("trying the template: %w", err)
	}
	return nil
}

// Write adds a finding.
func (w *Writer) Write(f wire.Finding) error {
	if len(w.entries) >= MaxEntries {
		w.left++
		return nil
	}
	w.entries = append(w.entries, report.NewEntry(f, report.Redacted))
	return nil
}

// Close runs the template.
func (w *Writer) Close(s wire.Summary) error {
	if n := len(w.entries); n > 0 {
		w.entries[n-1].Interrupted = s.Interrupted
	}
	w.summary = s
	if err := w.t.Execute(w.w, w.entries); err != nil {
		return fmt.Errorf("running the template: %w", err)
	}
	return nil
}
