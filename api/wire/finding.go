// Package wire holds the versioned types that leave a process: reports, API
// answers, events and NDJSON all carry revenant.finding/v1.
//
// It promises: field names and meanings of a version never change, fields are
// only added. It refuses: plaintext. Values travel beside the encoded fields as
// fingerprints.Value, which no encoder can write; a report that shows secrets
// has to reveal them by name.
package wire

import (
	"time"

	"revenant/fingerprints"
)

// FindingV1 names the version of Finding.
const FindingV1 = "revenant.finding/v1"

// Finding is one value at one place, with what correlation said of it when it
// was written. One Finding describes one sighting; findings with the same ID
// are the same finding seen at several spots.
type Finding struct {
	Schema string                 `json:"schema"` // FindingV1
	ID     fingerprints.FindingID `json:"id,omitempty"`

	SourceID string                  `json:"source"`
	Kind     fingerprints.SourceKind `json:"source_kind"`
	Path     string                  `json:"path"`             // redacted
	Member   string                  `json:"member,omitempty"` // the part of Path inside of a file, behind a "!"; redacted
	Locator  string                  `json:"locator,omitempty"`
	URL      string                  `json:"url,omitempty"`
	At       time.Time               `json:"at,omitzero"` // the content's own time

	// Commit brought the content in, where the source is a history; the rest is
	// what it says of itself, redacted.
	Commit  string `json:"commit,omitempty"`
	Author  string `json:"author,omitempty"`
	Email   string `json:"email,omitempty"`
	Message string `json:"message,omitempty"` // first line

	// Refs are the branches, tags and the like that hold the content now, the
	// first ones, redacted; MoreRefs counts the others.
	Refs     []string `json:"refs,omitempty"`
	MoreRefs int      `json:"more_refs,omitempty"`

	// Owner is whose it is: the secret's owner, else whom the source names; redacted.
	Owner string `json:"owner,omitempty"`
	// Layer is where the content stands in container images; nil: it is of none.
	Layer *Layer `json:"layer,omitempty"`

	Rule        string   `json:"rule,omitempty"` // generic rule
	Rules       []string `json:"rules,omitempty"`
	Description string   `json:"description,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Entropy     float32  `json:"entropy,omitempty"`

	// Matches are the registered fields that have this value, worst first;
	// empty: not registered.
	Matches  []Match               `json:"matches,omitempty"`
	Verdict  fingerprints.Verdict  `json:"verdict"`
	Severity fingerprints.Severity `json:"severity"`
	Status   fingerprints.Status   `json:"status"`
	Presence fingerprints.Presence `json:"presence"`
	Form     fingerprints.Form     `json:"form"`
	Within   bool                  `json:"within,omitempty"`
	// TooCommon: a weak value in so many sources that it alerts no more.
	TooCommon bool `json:"too_common,omitempty"`

	Span    Region `json:"span"`           // of the value as it stands in the content
	Whole   Region `json:"match,omitzero"` // of the rule's whole match
	Context string `json:"context,omitempty"`
	More    int64  `json:"more,omitempty"` // further sightings in the same content, not listed
	New     bool   `json:"new,omitempty"`  // unknown to the registry before

	// Tolerated says by whose word the finding alerts nobody; nil: by nobody's.
	Tolerated *Tolerated `json:"tolerated,omitempty"`

	// Ordinal counts from 0 the hits of Rule at this path; with path and rule
	// it names a finding that has no ID.
	Ordinal uint32 `json:"ordinal,omitempty"`

	// Same tells values apart while the program runs: findings with one number
	// have one value. 0: not known. It means nothing elsewhere and is never encoded.
	Same uint64 `json:"-"`

	// Secret and Match are plaintext, set only where the user asked for it on
	// their own terminal. Never encoded.
	Secret fingerprints.Value `json:"-"`
	Match  fingerprints.Value `json:"-"`
}

// Layer is where a content stands in a container image, the first that has it.
type Layer struct {
	Image    string `json:"image,omitempty"`    // digest
	Platform string `json:"platform,omitempty"` // OS/ARCHITECTURE
	Digest   string `json:"digest,omitempty"`   // of the layer; empty: the image itself says it
	Index    int    `json:"index,omitempty"`    // counted from 1, from the lowest on
	Of       int    `json:"of,omitempty"`
	HiddenBy string `json:"hidden_by,omitempty"` // the layer that removes or replaces it
	Hiding   string `json:"hiding,omitempty"`    // the instruction that made that one; redacted
	// InRepository is where the content stands in a git repository that the layer has:
	// tip, history or unreachable.
	InRepository string `json:"in_repository,omitempty"`
}

// ToleratedIn is where the word stands that tolerates a finding.
type ToleratedIn string

// The kinds.
const (
	ToleratedInSource   ToleratedIn = "source"   // a mark in the line
	ToleratedInFile     ToleratedIn = "file"     // a baseline or a file of what is to be ignored
	ToleratedInRegistry ToleratedIn = "registry" // a decision about a value, or about a rule and paths
)

// Tolerated is what a mark, a baseline, a file of what is to be ignored or a
// decision of the registry says of a finding.
type Tolerated struct {
	By string      `json:"by"` // the mark, the file, or the decision
	In ToleratedIn `json:"in,omitempty"`
	// Status is what a decision says; empty: accepted.
	Status fingerprints.Status `json:"status,omitempty"`
	Owner  string              `json:"owner,omitempty"`
	Until  time.Time           `json:"until,omitzero"` // zero: no end
	Reason string              `json:"reason,omitempty"`
}

// Match ties a finding to a version of a secret.
type Match struct {
	Secret  string               `json:"secret"`
	Version int                  `json:"version"`
	Field   string               `json:"field"`
	State   fingerprints.State   `json:"state"`
	Class   fingerprints.Class   `json:"class,omitempty"`
	Owner   string               `json:"owner,omitempty"`
	Verdict fingerprints.Verdict `json:"verdict"`
}

// Ref is how people write the version: name@3.
func (m Match) Ref() string {
	return fingerprints.VersionRef{Name: m.Secret, Number: m.Version}.String()
}

// Region is a stretch of a content. Lines and columns count from 1, columns in
// bytes; the end is the last byte that belongs to the region. Lines are 0 where
// the content has none (a hit in a path).
type Region struct {
	Start     int64 `json:"start"` // byte offset
	End       int64 `json:"end"`   // byte offset behind the last byte
	Line      int   `json:"line,omitempty"`
	Column    int   `json:"column,omitempty"`
	EndLine   int   `json:"end_line,omitempty"`
	EndColumn int   `json:"end_column,omitempty"`
}

// Registered reports whether the finding is of a registered value.
func (f Finding) Registered() bool { return len(f.Matches) > 0 }

// Skip is something that was not read, and why.
type Skip struct {
	SourceID string                  `json:"source"`
	Path     string                  `json:"path"` // redacted
	Locator  string                  `json:"locator,omitempty"`
	Reason   fingerprints.SkipReason `json:"reason"`
	Detail   string                  `json:"detail,omitempty"`
	Size     int64                   `json:"size"` // bytes not read; -1 when unknown
	Failure  bool                    `json:"failure"`
}

// Summary closes a report.
type Summary struct {
	Sources   int   `json:"sources"`
	Items     int64 `json:"items"`
	Bytes     int64 `json:"bytes"`
	Findings  int   `json:"findings"` // distinct, "allowed" and "cleared" included
	Sightings int64 `json:"sightings"`
	Tolerated int   `json:"tolerated,omitempty"` // distinct, for the word of a mark, a baseline or a decision
	// ToleratedDecided counts those among Tolerated that are by a decision.
	ToleratedDecided int           `json:"tolerated_by_decision,omitempty"`
	Skips            []Skip        `json:"skips,omitempty"` // the first ones; SkipCounts has all
	SkipCounts       []SkipCount   `json:"skip_counts,omitempty"`
	Notes            []Note        `json:"notes,omitempty"`
	Complete         bool          `json:"complete"`
	Interrupted      bool          `json:"interrupted,omitempty"`
	StartedAt        time.Time     `json:"started_at,omitzero"`
	Duration         time.Duration `json:"duration_ns"`
	// Registered is how many registered fields were searched for; GenericOnly
	// says that there was no key ring and only generic rules ran.
	Registered  int  `json:"registered"`
	GenericOnly bool `json:"generic_only,omitempty"`
}

// Note is something that a source says of how it was read.
type Note struct {
	SourceID string `json:"source"`
	Text     string `json:"text"` // never content
}

// SkipCount is how many skips had one reason.
type SkipCount struct {
	Reason fingerprints.SkipReason `json:"reason"`
	Count  int64                   `json:"count"`
}

// Skipped is the number of skips of all reasons.
func (s Summary) Skipped() int64 {
	var n int64
	for _, c := range s.SkipCounts {
		n += c.Count
	}
	return n
}
