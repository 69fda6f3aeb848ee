package wire

import (
	"time"

	"revenant/fingerprints"
)

// FindingView is a finding as people see it; status and due date are computed for
// the registry's now.
type FindingView struct {
	ID        fingerprints.FindingID `json:"id"`
	Verdict   fingerprints.Verdict   `json:"verdict"`
	Severity  fingerprints.Severity  `json:"severity"`
	Status    fingerprints.Status    `json:"status"`
	Source    string                 `json:"source"`
	Path      string                 `json:"path"`
	Presence  fingerprints.Presence  `json:"presence"`
	Owner     string                 `json:"owner,omitempty"`
	Reason    string                 `json:"reason,omitempty"`
	Until     *time.Time             `json:"until,omitempty"`
	Due       *time.Time             `json:"due,omitempty"`
	DueSet    bool                   `json:"due_set,omitempty" doc:"Somebody set the due date; without it, it follows from verdict and class."`
	FirstSeen time.Time              `json:"first_seen"`
	LastSeen  time.Time              `json:"last_seen"`
	GoneAt    *time.Time             `json:"gone_at,omitempty"`
	Rules     []string               `json:"rules,omitempty"`
	Forms     []fingerprints.Form    `json:"forms,omitempty"`
	Matches   []FindingMatch         `json:"matches,omitempty"`
	Places    int                    `json:"places"`
	// TooCommon: a weak value in so many sources that it alerts no more.
	TooCommon bool                     `json:"too_common,omitempty"`
	Aliases   []fingerprints.FindingID `json:"aliases,omitempty"`
	// Decision is the number of the decision that status, reason and until are
	// by; 0: they are the finding's own.
	Decision  int64  `json:"decision,omitempty"`
	DecidedBy string `json:"decided_by,omitempty"` // who answers for it
}

// FindingMatch ties a finding to a version; the worst comes first.
type FindingMatch struct {
	Secret      string               `json:"secret"`
	Version     int                  `json:"version"`
	Field       string               `json:"field"`
	State       fingerprints.State   `json:"state"`
	Class       fingerprints.Class   `json:"class"`
	Owner       string               `json:"owner,omitempty"`
	IssuedTo    string               `json:"issued_to,omitempty"`
	Compromised bool                 `json:"compromised,omitempty"`
	Verdict     fingerprints.Verdict `json:"verdict"`
}

// FindingDetail is a finding with its places and its history.
type FindingDetail struct {
	FindingView
	Sightings []SightingView `json:"sightings"`
	History   []HistoryView  `json:"history"`
}

// HistoryView is one change of a finding.
type HistoryView struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor,omitempty"`
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty"`
}

// SightingView is one place of a finding.
type SightingView struct {
	Locator   string                `json:"locator,omitempty"`
	Line      int                   `json:"line,omitempty"`
	Column    int                   `json:"column,omitempty"`
	EndLine   int                   `json:"end_line,omitempty"`
	EndColumn int                   `json:"end_column,omitempty"`
	Start     int64                 `json:"start"`
	End       int64                 `json:"end"`
	Form      fingerprints.Form     `json:"form"`
	Rule      string                `json:"rule,omitempty"`
	Within    bool                  `json:"within,omitempty"`
	Presence  fingerprints.Presence `json:"presence"`
	Context   string                `json:"context,omitempty"`
	URL       string                `json:"url,omitempty"`
	At        *time.Time            `json:"at,omitempty"`
	Commit    string                `json:"commit,omitempty" doc:"That brought the content in."`
	Author    string                `json:"author,omitempty" doc:"Who wrote it, as the commit says; redacted."`
	FirstSeen time.Time             `json:"first_seen"`
	LastSeen  time.Time             `json:"last_seen"`
}

// DecisionView is a decision as people see it.
type DecisionView struct {
	ID     int64               `json:"id"`
	Value  bool                `json:"value,omitempty"` // about one value everywhere
	Rule   string              `json:"rule,omitempty"`
	Source string              `json:"source"`
	Path   string              `json:"path"`
	Status fingerprints.Status `json:"status"`
	Until  *time.Time          `json:"until,omitempty"`
	Over   bool                `json:"over,omitempty"` // its date has passed
	Reason string              `json:"reason"`
	Owner  string              `json:"owner,omitempty"`
	Actor  string              `json:"actor"`
	At     time.Time           `json:"at"`
	// Findings is how many have their status by it now; 0 in a list says that it
	// is not used. Present are those of them with a copy that is still there.
	Findings int `json:"findings"`
	Present  int `json:"present"`
}

// DecisionResult is what Decide or Revoke did.
type DecisionResult struct {
	Decision  DecisionView `json:"decision"`
	Unchanged bool         `json:"unchanged,omitempty"`
}
