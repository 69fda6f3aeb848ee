package wire

import (
	"encoding/json"
	"time"
)

// Watch is a place that is scanned again and again, or a group of such places.
type Watch struct {
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	Location   string          `json:"location,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	Schedule   string          `json:"schedule,omitempty"`
	Credential string          `json:"credential,omitempty"` // where it lies
	Group      string          `json:"group,omitempty"`
	Paused     bool            `json:"paused"`
	Source     string          `json:"source,omitempty"`
	Outcome    string          `json:"outcome,omitempty"` // complete, incomplete, failed, following
	Problem    string          `json:"problem,omitempty"`
	Failures   int             `json:"failures,omitempty"`
	AddedAt    time.Time       `json:"added_at"`
	WantedAt   time.Time       `json:"wanted_at,omitzero"` // when somebody asked for a scan that has not begun
	QueuedAt   time.Time       `json:"queued_at,omitzero"`
	StartedAt  time.Time       `json:"started_at,omitzero"`
	FinishedAt time.Time       `json:"finished_at,omitzero"`
	NextRun    time.Time       `json:"next_run,omitzero"`
	// FieldRevision is the newest registered field that was searched for.
	FieldRevision uint64 `json:"field_revision"`
}
