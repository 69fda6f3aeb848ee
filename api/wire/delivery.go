package wire

import (
	"time"

	"revenant/fingerprints"
)

// Delivery is a message to a receiver.
type Delivery struct {
	ID        string     `json:"id"`
	Receiver  string     `json:"receiver"`
	State     string     `json:"state"` // waiting, sent, undelivered
	CreatedAt time.Time  `json:"created_at"`
	Attempts  int        `json:"attempts"`
	NextAt    *time.Time `json:"next_at,omitempty"` // while it waits
	// Deadline is until when it is tried.
	Deadline *time.Time `json:"deadline,omitempty"` // while it waits
	SentAt   *time.Time `json:"sent_at,omitempty"`
	Problem  string     `json:"problem,omitempty"`
}

// DeliveryDetail is a message with what it tells.
type DeliveryDetail struct {
	Delivery
	Kind    string   `json:"kind" doc:"events, or summary: what was there when the receiver was set up."`
	Total   int      `json:"total" doc:"How many notices it has; a summary names the most severe alone."`
	Notices []Notice `json:"notices" nullable:"false" doc:"The most severe first, no more than the first 100."`
}

// Notice is one thing that a message tells.
type Notice struct {
	Event    Event                 `json:"event"`
	At       time.Time             `json:"at"`
	Was      string                `json:"was,omitempty" doc:"What the receiver was told before."`
	Verdict  fingerprints.Verdict  `json:"verdict,omitempty" doc:"When it was written down."`
	Severity fingerprints.Severity `json:"severity,omitempty"`
	Source   string                `json:"source,omitempty" doc:"With an event of a source."`
	Detail   string                `json:"detail,omitempty"`
	Finding  *FindingView          `json:"finding,omitempty" doc:"As it is now."`
}

// Waiting are things that a receiver will be told with its next message.
type Waiting struct {
	Receiver string    `json:"receiver"`
	Count    int       `json:"count"`
	Oldest   time.Time `json:"oldest"`
	Urgent   bool      `json:"urgent,omitempty" doc:"One of them does not wait for others."`
}
