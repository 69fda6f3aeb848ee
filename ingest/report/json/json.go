// Package json writes findings as gitleaks does, one array of objects with
// gitleaks' keys and revenant's beside them, or as lines, one object each.
//
// It promises: a valid array whenever Close was called, hardly anything held in
// memory, and no plaintext unless made with Shown. The array has no room for skips:
// the exit code and the terminal report tell of them; that a scan was interrupted
// stands in its last entry. Lines end with a summary.
package json

import (
	"encoding/json"
	"fmt"
	"io"

	"revenant/api/wire"
	"revenant/ingest/report"
)

// Writer streams an array. Not safe for concurrent use.
type Writer struct {
	w       io.Writer
	secrets report.Secrets
	last    *report.Entry // held back: it may be the last
	n       int
	err     error
}

// NewWriter starts an array on w.
func NewWriter(w io.Writer, s report.Secrets) *Writer { return &Writer{w: w, secrets: s} }

// Write adds a finding.
func (w *Writer) Write(f wire.Finding) error {
	w.flush()
	e := report.NewEntry(f, w.secrets)
	w.last = &e
	return w.err
}

// Close ends the report; it does not close the underlying writer.
func (w *Writer) Close(s wire.Summary) error {
	if w.last != nil {
		w.last.Interrupted = s.Interrupted
	}
	w.flush()
	if w.n == 0 {
		w.write([]byte("[]\n"))
	} else {
		w.write([]byte("\n]\n"))
	}
	return w.err
}

func (w *Writer) flush() {
	if w.last == nil || w.err != nil {
		return
	}
	b, err := json.MarshalIndent(w.last, " ", " ")
	if err != nil {
		w.err = fmt.Errorf("encoding a finding: %w", err)
		return
	}
	if w.n == 0 {
		w.write([]byte("[\n "))
	} else {
		w.write([]byte(",\n "))
	}
	w.n++
	w.last = nil
	w.write(b)
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	if _, err := w.w.Write(b); err != nil {
		w.err = fmt.Errorf("writing the report: %w", err)
	}
}

// Lines streams findings as lines, each a JSON object, and a last line with the
// key Summary alone: without it the report was cut off. Not safe for concurrent
// use.
type Lines struct {
	enc     *json.Encoder
	secrets report.Secrets
}

// NewLines starts a report on w.
func NewLines(w io.Writer, s report.Secrets) *Lines {
	return &Lines{enc: json.NewEncoder(w), secrets: s}
}

// Write adds a finding.
func (l *Lines) Write(f wire.Finding) error { return l.line(report.NewEntry(f, l.secrets)) }

// Close writes the summary.
func (l *Lines) Close(s wire.Summary) error {
	return l.line(struct{ Summary wire.Summary }{s})
}

func (l *Lines) line(v any) error {
	if err := l.enc.Encode(v); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
