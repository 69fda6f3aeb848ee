package registry

import (
	"context"
	"time"

	"revenant/fingerprints"
)

// VerdictChange counts findings whose verdict changed.
type VerdictChange struct {
	From  fingerprints.Verdict `json:"from"`
	To    fingerprints.Verdict `json:"to"`
	Count int                  `json:"count"`
}

// Transition is one version's step from one state to another.
type Transition struct {
	Secret      string             `json:"secret"`
	Version     int                `json:"version"`
	From        fingerprints.State `json:"from"`
	To          fingerprints.State `json:"to"`
	Compromised bool               `json:"compromised,omitempty"`
	WindowEnds  *time.Time         `json:"window_ends,omitempty"`
}

// Changed is what a command on a version did.
type Changed struct {
	Transition
	// Unchanged: the version was like that already; nothing was written.
	Unchanged bool `json:"unchanged,omitempty"`
	// Also are other versions that moved with it (activate supersedes).
	Also     []Transition    `json:"also,omitempty"`
	Verdicts []VerdictChange `json:"verdicts"`
}

// SupersedeOptions sets the dual-credential window; zero: no deadline.
type SupersedeOptions struct{ Window time.Duration }

// Supersede: active -> superseded.
func (r *Registry) Supersede(ctx context.Context, a Actor, ref fingerprints.VersionRef, o SupersedeOptions) (Changed, error) {
	panic("x")
}

// RetireOptions qualifies Retire.
type RetireOptions struct {
	// NoSuccessor permits retiring the last active version.
	NoSuccessor bool
}

// Retire: active or superseded -> retired.
func (r *Registry) Retire(ctx context.Context, a Actor, ref fingerprints.VersionRef, o RetireOptions) (Changed, error) {
	panic("x")
}

// Compromise sets the flag, in any state.
func (r *Registry) Compromise(ctx context.Context, a Actor, ref fingerprints.VersionRef) (Changed, error) {
	panic("x")
}

// ActivateOptions sets the window of the version that is displaced.
type ActivateOptions struct{ Window time.Duration }

// Activate: pending -> active, or superseded -> active (rollback). The version
// that was active for the same consumer is superseded in the same transaction.
func (r *Registry) Activate(ctx context.Context, a Actor, ref fingerprints.VersionRef, o ActivateOptions) (Changed, error) {
	panic("x")
}

// Abandon: pending -> abandoned.
func (r *Registry) Abandon(ctx context.Context, a Actor, ref fingerprints.VersionRef) (Changed, error) {
	panic("x")
}

// Acknowledged is what Ack did.
type Acknowledged struct {
	Secret   string             `json:"secret"`
	Version  int                `json:"version"`
	State    fingerprints.State `json:"state"`
	Consumer string             `json:"consumer"`
	// NewConsumer: it was not among the secret's consumers and now is.
	NewConsumer bool     `json:"new_consumer,omitempty"`
	Unchanged   bool     `json:"unchanged,omitempty"`
	Missing     []string `json:"missing,omitempty"` // consumers that did not report this version yet
}

// Ack records that a consumer uses a version.
func (r *Registry) Ack(ctx context.Context, a Actor, ref fingerprints.VersionRef, consumer string) (Acknowledged, error) {
	panic("x")
}

// AllowRequest is a legitimate home of a secret's active and superseded values.
type AllowRequest struct {
	Name   string
	Source string // glob over source ids; "" is every source
	Path   string // glob over paths; "" is every path
	Until  time.Time
	Reason string
}

// AllowResult is what Allow or Unallow did.
type AllowResult struct {
	Home      AllowView       `json:"home"`
	Unchanged bool            `json:"unchanged,omitempty"`
	Findings  int             `json:"findings"` // known findings that the home covers
	Verdicts  []VerdictChange `json:"verdicts"`
}

// Allow adds a home. It takes effect on known findings at once.
func (r *Registry) Allow(ctx context.Context, a Actor, q AllowRequest) (AllowResult, error) {
	panic("x")
}

// Unallow removes a home by its id.
func (r *Registry) Unallow(ctx context.Context, a Actor, name string, id int64) (AllowResult, error) {
	panic("x")
}
