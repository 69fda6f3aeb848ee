package wire

import (
	"time"

	"revenant/fingerprints"
)

// SealedField is the fingerprint of a value that a registrar made elsewhere, sealed
// as the store keeps it: whoever lacks the ring's keys reads nothing in it.
type SealedField struct {
	Name         string                `json:"name" minLength:"1" maxLength:"200"`
	Row          string                `json:"row" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]+$" doc:"The id that it was sealed with, in hex."`
	Version      string                `json:"version" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]+$" doc:"The version's id that it was sealed with, in hex."`
	Number       int                   `json:"number,omitempty" doc:"Of the version, where rows of a secret are told."`
	Format       uint16                `json:"format"`
	Epoch        uint32                `json:"epoch"`
	FilterGen    uint32                `json:"filter_generation"`
	Revision     uint64                `json:"revision,omitempty"`
	Strength     fingerprints.Strength `json:"strength" maxLength:"32"`
	Unsearchable string                `json:"unsearchable,omitempty" maxLength:"200" doc:"Why it cannot be searched for; it has no fingerprint then."`
	Sealed       []byte                `json:"sealed,omitempty" maxLength:"4096" contentEncoding:"base64"`
}

// RegistrarState is what a registrar elsewhere works with.
type RegistrarState struct {
	Installation string `json:"installation"`
	Ring         string `json:"ring"`
	Format       uint16 `json:"format"`
	Epoch        uint32 `json:"epoch"`
	FilterGen    uint32 `json:"filter_generation"`
	// Crowded are the tags of regions that many registered values share: keyed
	// hashes, by which others are chosen.
	Crowded []SharedTag `json:"crowded" nullable:"false"`
}

// SharedTag is how many values share a region.
type SharedTag struct {
	Tag    uint64 `json:"tag"`
	Values int    `json:"values"`
}

// KnownRows are the sealed rows of values that a registrar asked for.
type KnownRows struct {
	// Values has a row for each value that is registered, by the value's id in hex.
	Values map[string]SealedField `json:"values"`
	// Secret are the rows of the secret's versions.
	Secret []SealedField `json:"secret" nullable:"false"`
}

// Registration registers values that were fingerprinted elsewhere.
type Registration struct {
	Name        string             `json:"name" minLength:"1" maxLength:"200"`
	Class       fingerprints.Class `json:"class,omitempty" maxLength:"64"`
	Owner       string             `json:"owner,omitempty" maxLength:"200"`
	Consumers   []string           `json:"consumers,omitempty" maxItems:"1000"`
	MultiActive bool               `json:"multi_active,omitempty"`
	Pending     bool               `json:"pending,omitempty"`
	IssuedTo    string             `json:"issued_to,omitempty" maxLength:"200"`
	State       fingerprints.State `json:"state,omitempty" maxLength:"32" doc:"In an import."`
	Line        int                `json:"line,omitempty" doc:"In an import: its line, for problems."`
	Window      time.Duration      `json:"window_ns,omitempty" minimum:"0" doc:"In a rotation: for how long the old value may be used."`
	Force       bool               `json:"force,omitempty" doc:"Although it repeats an older value, or the caller says that it contains one."`
	// Issued has a field for each consumer, in order of name.
	Fields []SealedField `json:"fields" minItems:"1" maxItems:"1000" nullable:"false"`
}

// RegisteredView is what registering one version did.
type RegisteredView struct {
	Secret     string             `json:"secret"`
	Version    int                `json:"version"`
	State      fingerprints.State `json:"state"`
	IssuedTo   string             `json:"issued_to,omitempty"`
	Fields     []FieldResult      `json:"fields"`
	Recognised int                `json:"recognised"` // findings that were known as generic ones before
	Redacted   int                `json:"redacted"`   // stored texts in which the new value stood
	Unchanged  bool               `json:"unchanged,omitempty"`
	Superseded []Transition       `json:"superseded,omitempty"`
	Verdicts   []VerdictChange    `json:"verdicts,omitempty"`
}

// LineProblem says why a line of an import was not used, or what is wrong with it.
type LineProblem struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// ImportedView is what an import did.
type ImportedView struct {
	Lines        int           `json:"lines"`
	Added        int           `json:"added"`
	Rotated      int           `json:"rotated"`
	Unchanged    int           `json:"unchanged"`
	Problems     []LineProblem `json:"problems,omitempty"`
	Notes        []LineProblem `json:"notes,omitempty"`
	Unsearchable int           `json:"unsearchable"`
	Weak         int           `json:"weak"`
	Recognised   int           `json:"recognised"`
	Redacted     int           `json:"redacted"`
}

// Add adds what another part of the import did.
func (v *ImportedView) Add(part ImportedView) {
	v.Lines += part.Lines
	v.Added += part.Added
	v.Rotated += part.Rotated
	v.Unchanged += part.Unchanged
	v.Unsearchable += part.Unsearchable
	v.Weak += part.Weak
	v.Recognised += part.Recognised
	v.Redacted += part.Redacted
	v.Problems = append(v.Problems, part.Problems...)
	v.Notes = append(v.Notes, part.Notes...)
}
