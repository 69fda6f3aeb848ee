// Package json writes findings as gitleaks does: one array of objects with
// gitleaks' keys, and revenant's beside them.
//
// It promises: a valid array whenever Close was called, nothing held in
// memory, and no plaintext unless made with Shown. It refuses: skips, which
// gitleaks' format has no place for; the exit code and the terminal report
// tell of them.
//
// Lines and columns count from 1, columns in bytes, and describe a rule's whole
// match as in gitleaks, or the value of a registered secret.
package json

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// Secrets says whether a report shows values.
type Secrets int

// The choices.
const (
	Redacted Secrets = iota
	Shown
)

// hidden is what gitleaks writes for a value with --redact.
const hidden = "REDACTED"

// RegisteredRule stands for a rule where a registered value was found and no
// rule matched.
const RegisteredRule = "registered-secret"

// Writer streams a report. Not safe for concurrent use.
type Writer struct {
	w       io.Writer
	secrets Secrets
	n       int
	err     error
}

// entry is one element; the first keys are gitleaks', in gitleaks' order.
type entry struct {
	RuleID      string
	Description string
	StartLine   int
	EndLine     int
	StartColumn int
	EndColumn   int
	Match       string
	Secret      string
	File        string
	SymlinkFile string
	Commit      string
	Link        string `json:",omitempty"`
	Entropy     float32
	Author      string
	Email       string
	Date        string
	Message     string
	Tags        []string
	Fingerprint string

	SecretName string
	Version    int
	State      fingerprints.State
	Verdict    fingerprints.Verdict
	Severity   fingerprints.Severity
	Status     fingerprints.Status
	Form       fingerprints.Form
	Presence   fingerprints.Presence
	SourceKind fingerprints.SourceKind
	Source     string
	FindingID  *fingerprints.FindingID
	Context    string   `json:",omitempty"`
	Locator    string   `json:",omitempty"` // record, layer ... inside the source
	Refs       []string `json:",omitempty"` // that hold it now, the first ones
	MoreRefs   int      `json:",omitempty"` // further ones
	Field      string   `json:",omitempty"`
	Owner      string   `json:",omitempty"`
	Matches    []match  `json:",omitempty"` // every registered field of this value, worst first
	New        bool     `json:",omitempty"` // unknown to the registry before
	Within     bool     `json:",omitempty"`
	TooCommon  bool     `json:",omitempty"` // a weak value in so many sources that it alerts no more
	More       int64    `json:",omitempty"` // further sightings in the same content
}

// match is one registered field that has the value.
type match struct {
	SecretName string
	Version    int
	Field      string
	State      fingerprints.State
	Verdict    fingerprints.Verdict
	Owner      string `json:",omitempty"`
}

// NewWriter starts a report on w.
func NewWriter(w io.Writer, s Secrets) *Writer { return &Writer{w: w, secrets: s} }

// Write adds a finding.
func (w *Writer) Write(f wire.Finding) error {
	b, err := json.MarshalIndent(w.entry(f), " ", " ")
	if err != nil {
		return fmt.Errorf("encoding a finding: %w", err)
	}
	if w.n == 0 {
		w.write([]byte("[\n "))
	} else {
		w.write([]byte(",\n "))
	}
	w.n++
	w.write(b)
	return w.err
}

// Close ends the report; it does not close the underlying writer.
func (w *Writer) Close() error {
	if w.n == 0 {
		w.write([]byte("[]\n"))
	} else {
		w.write([]byte("\n]\n"))
	}
	return w.err
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	if _, err := w.w.Write(b); err != nil {
		w.err = fmt.Errorf("writing the report: %w", err)
	}
}

func (w *Writer) entry(f wire.Finding) entry {
	at := f.Whole
	if at.Line == 0 {
		at = f.Span
	}
	e := entry{
		RuleID: f.Rule, Description: f.Description,
		StartLine: at.Line, EndLine: at.EndLine, StartColumn: at.Column, EndColumn: at.EndColumn,
		Match: hidden, Secret: hidden, File: f.Path, Link: f.URL, Entropy: f.Entropy,
		Tags: f.Tags, Verdict: f.Verdict, Severity: f.Severity, Status: f.Status, Form: f.Form,
		Presence: f.Presence, SourceKind: f.Kind, Source: f.SourceID, Context: f.Context,
		Commit: f.Commit, Author: f.Author, Email: f.Email, Message: f.Message,
		Locator: f.Locator, Refs: f.Refs, MoreRefs: f.MoreRefs, New: f.New, Within: f.Within, TooCommon: f.TooCommon, More: f.More,
	}
	if f.ID != "" {
		e.FindingID = &f.ID
	}
	if !f.At.IsZero() {
		e.Date = f.At.UTC().Format(time.RFC3339)
	}
	if e.Tags == nil {
		e.Tags = []string{}
	}
	if len(f.Matches) > 0 {
		m := f.Matches[0]
		e.SecretName, e.Version, e.State, e.Field, e.Owner = m.Secret, m.Version, m.State, m.Field, m.Owner
		for _, m := range f.Matches {
			e.Matches = append(e.Matches, match{m.Secret, m.Version, m.Field, m.State, m.Verdict, m.Owner})
		}
		e.Match, e.Secret = "[secret "+m.Ref()+"]", "[secret "+m.Ref()+"]"
		if e.Description == "" {
			e.Description = "Registered value of " + m.Ref() + ", " + m.Field
		}
	}
	if e.RuleID == "" {
		e.RuleID = RegisteredRule
	}
	if w.secrets == Shown {
		e.Secret, e.Match = string(f.Secret.Reveal()), string(f.Match.Reveal())
	}
	if e.Fingerprint = fmt.Sprintf("%s:%s:%d", f.Path, e.RuleID, e.StartLine); f.Commit != "" {
		e.Fingerprint = f.Commit + ":" + e.Fingerprint
	}
	return e
}
