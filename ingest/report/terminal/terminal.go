// Package terminal writes findings for people: grouped by finding, the worst
// first, 80 columns wide.
package terminal

import (
	"io"

	"revenant/api/wire"
)

// Color says whether a report is coloured; see ColorFor.
type Color int

// The choices.
const (
	Plain Color = iota
	Colored
)

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

// Report collects findings until Close writes them. Not safe for concurrent use.
type Report struct{}

// New starts a report on w.
func New(w io.Writer, o Options) *Report { return &Report{} }

// Write adds a finding.
func (r *Report) Write(f wire.Finding) error { return nil }

// Close writes the report.
func (r *Report) Close(s wire.Summary) error { return nil }
