package registry

import (
	"context"
	"time"

	"revenant/fingerprints"
)

// Status is the registry in numbers.
type Status struct {
	Installation  string                        `json:"installation"`
	Ring          string                        `json:"ring"`
	CreatedAt     time.Time                     `json:"created_at"`
	Revision      uint64                        `json:"revision"`
	PackRevision  uint64                        `json:"pack_revision"`
	FieldRevision uint64                        `json:"field_revision"`
	Secrets       int                           `json:"secrets"`
	Versions      map[fingerprints.State]int    `json:"versions"`
	Fields        map[fingerprints.Strength]int `json:"fields"`
	Findings      map[fingerprints.Verdict]int  `json:"findings"`
	Sources       int                           `json:"sources"`
	// OldFormat and OldGeneration count fields that today's binary or packs
	// cannot find as well as new ones.
	OldFormat     int       `json:"old_format,omitempty"`
	OldEpoch      int       `json:"old_epoch,omitempty"`
	OldGeneration int       `json:"old_generation,omitempty"`
	Audit         AuditHead `json:"audit"`
	LastScan      time.Time `json:"last_scan,omitzero"`
}

// Status counts what there is.
func (r *Registry) Status(ctx context.Context, a Actor) (Status, error) { panic("x") }

// CheckLevel is how bad a check's outcome is.
type CheckLevel string

// The levels.
const (
	CheckOK      CheckLevel = "ok"
	CheckWarning CheckLevel = "warning"
	CheckFailure CheckLevel = "failure"
)

// CheckResult is the outcome of one check, with the way out.
type CheckResult struct {
	Name    string     `json:"name"`
	Level   CheckLevel `json:"level"`
	Message string     `json:"message"`
	Items   []string   `json:"items,omitempty"` // the first of what it is about
	Count   int        `json:"count,omitempty"`
}

// DoctorOptions names files and folders whose permissions are checked.
type DoctorOptions struct{ Private []string }

// Doctor checks the whole installation.
func (r *Registry) Doctor(ctx context.Context, a Actor, o DoctorOptions) ([]CheckResult, error) {
	panic("x")
}
