package wire

import (
	"time"

	"revenant/fingerprints"
)

// EventV1 names the version of FindingEvent.
const EventV1 = "revenant.event/v1"

// FindingEvent is one thing that happened to a finding or a source, as a record of a
// topic: its key is the finding's id, or the source's of an event about a source. It
// arrives at least once: whoever reads it drops one whose ID is known.
// docs/event-v1.schema.json is its schema.
type FindingEvent struct {
	Schema string `json:"schema"` // EventV1
	ID     string `json:"id"`     // the same whenever the record is written
	// Sequence grows with each event of the registry. Of two events of one finding the
	// one with the greater number is the later, in whichever order they arrive.
	Sequence int64                 `json:"sequence"`
	Event    Event                 `json:"event"`
	At       time.Time             `json:"at"`
	Was      string                `json:"was,omitempty"` // what was told before: a verdict, or "settled"
	Verdict  fingerprints.Verdict  `json:"verdict,omitempty"`
	Severity fingerprints.Severity `json:"severity"`
	// FindingID is the finding's; empty: the event is about a source.
	FindingID fingerprints.FindingID `json:"finding_id,omitempty"`
	// Finding is the finding as it was when the record was written, with its first
	// place; nil: the event is about a source, or the finding is not kept any more.
	Finding *Finding `json:"finding,omitempty"`
	Source  string   `json:"source,omitempty"` // of an event about a source
	Detail  string   `json:"detail,omitempty"` // redacted
	URL     string   `json:"url,omitempty"`    // of the finding, where the server's is configured
}

// Key is what the record's key is.
func (e FindingEvent) Key() string {
	if e.FindingID != "" {
		return string(e.FindingID)
	}
	return e.Source
}
