package wire

import (
	"time"

	"revenant/fingerprints"
)

// RegistryStatus is the registry in numbers.
type RegistryStatus struct {
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
	OldFormat     int `json:"old_format,omitempty"`
	OldEpoch      int `json:"old_epoch,omitempty"`
	OldGeneration int `json:"old_generation,omitempty"`
	// TooCommon counts weak fields in so many sources that they alert no more:
	// a policy violation.
	TooCommon int       `json:"too_common,omitempty"`
	Audit     AuditHead `json:"audit"`
	LastScan  time.Time `json:"last_scan,omitzero"`
}
