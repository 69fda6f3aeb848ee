package registry

import (
	"context"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Finding is a finding as people see it; status and due date are computed for
// the registry's now.
type Finding struct {
	ID        fingerprints.FindingID   `json:"id"`
	Verdict   fingerprints.Verdict     `json:"verdict"`
	Severity  fingerprints.Severity    `json:"severity"`
	Status    fingerprints.Status      `json:"status"`
	Source    string                   `json:"source"`
	Path      string                   `json:"path"`
	Presence  fingerprints.Presence    `json:"presence"`
	Owner     string                   `json:"owner,omitempty"`
	Reason    string                   `json:"reason,omitempty"`
	Until     *time.Time               `json:"until,omitempty"`
	Due       *time.Time               `json:"due,omitempty"`
	FirstSeen time.Time                `json:"first_seen"`
	LastSeen  time.Time                `json:"last_seen"`
	GoneAt    *time.Time               `json:"gone_at,omitempty"`
	Rules     []string                 `json:"rules,omitempty"`
	Forms     []fingerprints.Form      `json:"forms,omitempty"`
	Matches   []FindingMatch           `json:"matches,omitempty"`
	Places    int                      `json:"places"`
	Aliases   []fingerprints.FindingID `json:"aliases,omitempty"`
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
	Finding
	Sightings []SightingView       `json:"sightings"`
	History   []store.HistoryEntry `json:"history"`
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
	FirstSeen time.Time             `json:"first_seen"`
	LastSeen  time.Time             `json:"last_seen"`
}

// Findings lists findings in order of id.
func (r *Registry) Findings(ctx context.Context, a Actor, f store.FindingFilter) ([]Finding, error) {
	panic("x")
}

// Verdicts counts findings by verdict.
func (r *Registry) Verdicts(ctx context.Context, a Actor, f store.FindingFilter) (map[fingerprints.Verdict]int, error) {
	panic("x")
}

// Finding shows one finding. id may be the unique beginning of one, with or
// without "rv1:".
func (r *Registry) Finding(ctx context.Context, a Actor, id string) (FindingDetail, error) {
	panic("x")
}

// Export calls fn for each finding with its places, in order of id.
func (r *Registry) Export(ctx context.Context, a Actor, f store.FindingFilter, fn func(FindingDetail) error) error {
	panic("x")
}

// Accept accepts a finding until a date, for a reason.
func (r *Registry) Accept(ctx context.Context, a Actor, id string, until time.Time, reason string) (Finding, error) {
	panic("x")
}

// Dismiss says that a finding is a false positive. A registered value is never
// one: ErrTransition.
func (r *Registry) Dismiss(ctx context.Context, a Actor, id, reason string) (Finding, error) {
	panic("x")
}

// Assign gives a finding an owner.
func (r *Registry) Assign(ctx context.Context, a Actor, id, owner string) (Finding, error) {
	panic("x")
}

// Reopen takes an acceptance or dismissal back.
func (r *Registry) Reopen(ctx context.Context, a Actor, id string) (Finding, error) { panic("x") }
