package registry

import (
	"context"
	"time"

	"revenant/fingerprints"
)

// IssueRequest generates and registers traceable values.
type IssueRequest struct {
	Name        string
	Class       fingerprints.Class
	Owner       string
	Consumers   []string // one version for each; none: one version for all
	MultiActive bool
	Prefix      string // of the value: 2 to 12 of a-z, 0-9; "" is "rvt"
	Pending     bool
}

// Issue generates one value, or one for each consumer, and registers it in the
// same step. The values are in the results, once.
func (r *Registry) Issue(ctx context.Context, a Actor, q IssueRequest) ([]Registered, error) {
	panic("x")
}

// RotateRequest replaces the active value.
type RotateRequest struct {
	Name     string
	Fields   []Field // empty: Generate
	Generate bool    // generate a value (one field only)
	Prefix   string  // of a generated value
	IssuedTo string  // rotate this consumer's value only
	Window   time.Duration
	Force    bool // although the value contains or repeats an older one
}

// Rotate registers a new value as active and supersedes the old one with a
// deadline, in one transaction. With the value of a pending version it
// activates that one; with the active version's own value nothing changes.
func (r *Registry) Rotate(ctx context.Context, a Actor, q RotateRequest) (Registered, error) {
	panic("x")
}
