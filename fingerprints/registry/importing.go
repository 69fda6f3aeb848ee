package registry

import (
	"context"

	"revenant/fingerprints"
)

// ImportRecord is one line of an import: one value (or several fields) of one
// secret.
type ImportRecord struct {
	Line      int // for problems; 0: counted
	Name      string
	Fields    []Field
	Class     fingerprints.Class
	Owner     string
	Consumers []string
	State     fingerprints.State // "" active
	IssuedTo  string
}

// ImportOptions qualifies Import.
type ImportOptions struct {
	Force bool // accept values that contain or repeat an older one
}

// ImportProblem says why a line was not used, or what is wrong with it.
type ImportProblem struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// Imported is what Import did.
type Imported struct {
	Lines     int             `json:"lines"`
	Added     int             `json:"added"`     // new secrets
	Rotated   int             `json:"rotated"`   // new versions of known secrets
	Unchanged int             `json:"unchanged"` // name and value known
	Problems  []ImportProblem `json:"problems,omitempty"`
	// Unsearchable and Weak count registered fields of those kinds.
	Unsearchable int `json:"unsearchable"`
	Weak         int `json:"weak"`
	Recognised   int `json:"recognised"`
	Redacted     int `json:"redacted"`
}

// Import registers a stream of records, in order. next returns io.EOF at the
// end; a *LineError makes that line a problem, any other error ends the
// import. Lines are written in batches; repeating an import that was cut off
// finishes it.
func (r *Registry) Import(ctx context.Context, a Actor, next func() (ImportRecord, error), o ImportOptions) (Imported, error) {
	panic("x")
}

// LineError is a line that its reader could not use. Reason holds no content.
type LineError struct {
	Line   int
	Reason string
}

func (e *LineError) Error() string { return e.Reason }
