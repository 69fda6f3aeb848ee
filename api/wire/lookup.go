package wire

import (
	"time"

	"revenant/fingerprints"
)

// LookUpBatch is how many tags a look-up has, whatever is asked: what is missing is
// filled up with random ones.
const LookUpBatch = 64

// LookedUp says which of the tags that were asked about are those of registered
// values that no edge pack has.
type LookedUp struct {
	Known []KnownValue `json:"known" nullable:"false"`
	// More are known values that found no room in the answer.
	More int `json:"more" doc:"Registered values that found no room in the answer: ask again with fewer."`
	Left int `json:"left" doc:"Look-ups that are left of this day's, in UTC."`
	// Pad makes every answer as long as any other.
	Pad string `json:"pad" doc:"Random: every answer is as long as any other."`
}

// KnownValue is a registered value that was asked about.
type KnownValue struct {
	Asked    int            `json:"asked" doc:"Which tag it is, from 0."`
	Versions []KnownVersion `json:"versions" nullable:"false"`
}

// KnownVersion is a version that has a value, as a pack tells it to who has the value.
type KnownVersion struct {
	Row         string             `json:"row" doc:"The id of the field's row, in hex."`
	Secret      string             `json:"secret"`
	Version     int                `json:"version"`
	Field       string             `json:"field"`
	State       fingerprints.State `json:"state"`
	Class       fingerprints.Class `json:"class"`
	Compromised bool               `json:"compromised,omitempty"`
	WindowEnds  *time.Time         `json:"window_ends,omitempty"`
}
