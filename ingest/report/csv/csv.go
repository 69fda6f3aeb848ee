// Package csv writes findings as rows: gitleaks' columns, and revenant's behind
// them.
//
// It promises: no plaintext, nothing held in memory, and no cell that a spreadsheet
// takes for a formula: one that would begin like that has an apostrophe in front.
// That a scan was interrupted stands in its last row.
package csv

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"revenant/api/wire"
	"revenant/ingest/report"
)

// Writer streams rows. Not safe for concurrent use.
type Writer struct {
	w     *csv.Writer
	last  *report.Entry // held back: it may be the last
	begun bool
}

// NewWriter starts a report on w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: csv.NewWriter(w)} }

type column struct {
	name string
	cell func(e *report.Entry) string
}

// columns are gitleaks' first, in gitleaks' order.
func columns() []column {
	return []column{
		{"RuleID", func(e *report.Entry) string { return e.RuleID }},
		{"Commit", func(e *report.Entry) string { return e.Commit }},
		{"File", func(e *report.Entry) string { return e.File }},
		{"SymlinkFile", func(e *report.Entry) string { return e.SymlinkFile }},
		{"Secret", func(e *report.Entry) string { return e.Secret }},
		{"Match", func(e *report.Entry) string { return e.Match }},
		{"StartLine", func(e *report.Entry) string { return strconv.Itoa(e.StartLine) }},
		{"EndLine", func(e *report.Entry) string { return strconv.Itoa(e.EndLine) }},
		{"StartColumn", func(e *report.Entry) string { return strconv.Itoa(e.StartColumn) }},
		{"EndColumn", func(e *report.Entry) string { return strconv.Itoa(e.EndColumn) }},
		{"Author", func(e *report.Entry) string { return e.Author }},
		{"Message", func(e *report.Entry) string { return e.Message }},
		{"Date", func(e *report.Entry) string { return e.Date }},
		{"Email", func(e *report.Entry) string { return e.Email }},
		{"Fingerprint", func(e *report.Entry) string { return e.Fingerprint }},
		{"Tags", func(e *report.Entry) string { return strings.Join(e.Tags, " ") }},

		{"Severity", func(e *report.Entry) string { return e.Severity }},
		{"Verdict", func(e *report.Entry) string { return e.Verdict }},
		{"Status", func(e *report.Entry) string { return e.Status }},
		{"SecretName", func(e *report.Entry) string { return e.SecretName }},
		{"Version", version},
		{"Field", func(e *report.Entry) string { return e.Field }},
		{"State", func(e *report.Entry) string { return e.State }},
		{"Owner", func(e *report.Entry) string { return e.Owner }},
		{"Form", func(e *report.Entry) string { return e.Form }},
		{"Presence", func(e *report.Entry) string { return e.Presence }},
		{"SourceKind", func(e *report.Entry) string { return e.SourceKind }},
		{"Source", func(e *report.Entry) string { return e.Source }},
		{"Locator", func(e *report.Entry) string { return e.Locator }},
		{"Context", func(e *report.Entry) string { return e.Context }},
		{"Description", func(e *report.Entry) string { return e.Description }},
		{"FindingID", func(e *report.Entry) string { return e.FindingID }},
		{"Interrupted", interrupted},
	}
}

func version(e *report.Entry) string {
	if e.Version == 0 {
		return ""
	}
	return strconv.Itoa(e.Version)
}

func interrupted(e *report.Entry) string {
	if !e.Interrupted {
		return ""
	}
	return "true"
}

// Write adds a finding.
func (w *Writer) Write(f wire.Finding) error {
	err := w.flush()
	e := report.NewEntry(f, report.Redacted)
	w.last = &e
	return err
}

// Close writes what is left.
func (w *Writer) Close(s wire.Summary) error {
	if w.last != nil {
		w.last.Interrupted = s.Interrupted
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.w.Flush()
	if err := w.w.Error(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// flush writes the heading, once, and the row that was held back.
func (w *Writer) flush() error {
	var rows [][]string
	all := columns()
	if !w.begun {
		w.begun = true
		heading := make([]string, len(all))
		for i, c := range all {
			heading[i] = c.name
		}
		rows = append(rows, heading)
	}
	if w.last != nil {
		row := make([]string, len(all))
		for i, c := range all {
			row[i] = Defused(c.cell(w.last))
		}
		w.last = nil
		rows = append(rows, row)
	}
	for _, r := range rows {
		if err := w.w.Write(r); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	return nil
}

// Defused is a cell that no spreadsheet evaluates. Blanks and quotes in front of
// a formula do not make it harmless everywhere.
func Defused(s string) string {
	rest := strings.TrimLeft(s, " \t\r\n\v\f\u00a0\ufeff\"'")
	if rest != "" && strings.ContainsRune("=+-@＝＋－＠|%", []rune(rest)[0]) || s != "" && strings.ContainsRune("\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
