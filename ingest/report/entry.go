package report

import (
	"fmt"
	"time"

	"revenant/api/wire"
)

// hidden is what gitleaks writes for a value with --redact.
const hidden = "REDACTED"

// RegisteredRule stands for a rule where a registered value was found and no
// rule matched.
const RegisteredRule = "registered-secret"

// Entry is a finding in gitleaks' shape: the first fields are gitleaks', in
// gitleaks' order, the others are ours. Lines and columns count from 1, columns in
// bytes, and describe a rule's whole match as in gitleaks, or the value of a
// registered secret. Words are plain strings, as the functions of templates want them.
type Entry struct {
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
	State      string
	Verdict    string
	Severity   string
	Status     string
	Form       string
	Presence   string
	SourceKind string
	Source     string
	FindingID  string       `json:"-"`         // empty: none
	JSONID     *string      `json:"FindingID"` // the same, null where there is none
	Context    string       `json:",omitempty"`
	Locator    string       `json:",omitempty"` // record, layer ... inside the source
	Refs       []string     `json:",omitempty"` // that hold it now, the first ones
	MoreRefs   int          `json:",omitempty"` // further ones
	Layer      *EntryLayer  `json:",omitempty"` // where it stands in container images
	Field      string       `json:",omitempty"`
	Owner      string       `json:",omitempty"`
	Matches    []EntryMatch `json:",omitempty"` // every registered field of this value, worst first
	New        bool         `json:",omitempty"` // unknown to the registry before
	Within     bool         `json:",omitempty"`
	TooCommon  bool         `json:",omitempty"` // a weak value in so many sources that it alerts no more
	More       int64        `json:",omitempty"` // further sightings in the same content

	// Interrupted stands in the last entry of a scan that did not come to its end.
	Interrupted bool `json:",omitempty"`
}

// EntryMatch is one registered field that has the value.
type EntryMatch struct {
	SecretName string
	Version    int
	Field      string
	State      string
	Verdict    string
	Owner      string `json:",omitempty"`
}

// EntryLayer is where a content stands in a container image.
type EntryLayer struct {
	Image    string `json:",omitempty"` // digest
	Platform string `json:",omitempty"`
	Digest   string `json:",omitempty"`
	Index    int    `json:",omitempty"` // counted from 1
	Of       int    `json:",omitempty"`
	HiddenBy string `json:",omitempty"` // the layer that removes or replaces it
	Hiding   string `json:",omitempty"` // the instruction that made that one
	// InRepository is where it stands in a git repository that the layer has.
	InRepository string `json:",omitempty"`
}

// NewEntry puts a finding into gitleaks' shape.
func NewEntry(f wire.Finding, s Secrets) Entry {
	at := Region(f)
	e := Entry{
		RuleID: RuleID(f), Description: f.Description,
		StartLine: at.Line, EndLine: at.EndLine, StartColumn: at.Column, EndColumn: at.EndColumn,
		Match: hidden, Secret: hidden, File: f.Path, Link: f.URL, Entropy: f.Entropy,
		Tags: f.Tags, Verdict: string(f.Verdict), Severity: string(f.Severity), Status: string(f.Status), Form: string(f.Form),
		Presence: string(f.Presence), SourceKind: string(f.Kind), Source: f.SourceID, Context: f.Context,
		Commit: f.Commit, Author: f.Author, Email: f.Email, Message: f.Message,
		Locator: f.Locator, Refs: f.Refs, MoreRefs: f.MoreRefs, Owner: f.Owner, New: f.New, Within: f.Within, TooCommon: f.TooCommon, More: f.More,
	}
	if f.ID != "" {
		id := string(f.ID)
		e.FindingID, e.JSONID = id, &id
	}
	if !f.At.IsZero() {
		e.Date = f.At.UTC().Format(time.RFC3339)
	}
	if f.Layer != nil {
		layer := EntryLayer(*f.Layer)
		e.Layer = &layer
	}
	if e.Tags == nil {
		e.Tags = []string{}
	}
	if len(f.Matches) > 0 {
		e.registered(f.Matches)
	}
	if s == Shown {
		e.Secret, e.Match = string(f.Secret.Reveal()), string(f.Match.Reveal())
	}
	if e.Fingerprint = fmt.Sprintf("%s:%s:%d", f.Path, e.RuleID, e.StartLine); f.Commit != "" {
		e.Fingerprint = f.Commit + ":" + e.Fingerprint
	}
	return e
}

// registered says whose value it is.
func (e *Entry) registered(ms []wire.Match) {
	m := ms[0]
	e.SecretName, e.Version, e.State, e.Field, e.Owner = m.Secret, m.Version, string(m.State), m.Field, m.Owner
	for _, m := range ms {
		e.Matches = append(e.Matches, EntryMatch{m.Secret, m.Version, m.Field, string(m.State), string(m.Verdict), m.Owner})
	}
	e.Match, e.Secret = "[secret "+m.Ref()+"]", "[secret "+m.Ref()+"]"
	if e.Description == "" {
		e.Description = "Registered value of " + m.Ref() + ", " + m.Field
	}
}

// RuleID is the rule of a finding; RegisteredRule where only the registry knew
// the value.
func RuleID(f wire.Finding) string {
	if f.Rule == "" {
		return RegisteredRule
	}
	return f.Rule
}

// Region is where a finding is: the rule's whole match, else the value.
func Region(f wire.Finding) wire.Region {
	if f.Whole.Line > 0 {
		return f.Whole
	}
	return f.Span
}
