package wire

import (
	"time"

	"revenant/fingerprints"
)

// NotificationV1 names the version of Notification.
const NotificationV1 = "revenant.notification/v1"

// NotificationKind says what a notification is made of.
type NotificationKind string

// The kinds.
const (
	// NotifyEvents: something happened; Events has it, or the first of it.
	NotifyEvents NotificationKind = "events"
	// NotifySummary: what was there already when the receiver was set up.
	NotifySummary NotificationKind = "summary"
)

// Event is what happened to a finding or a source.
type Event string

// The events.
const (
	EventOpened          Event = "opened"   // seen for the first time
	EventChanged         Event = "changed"  // another verdict, such as stale after a retirement
	EventReturned        Event = "returned" // it was cleared, and is back
	EventReopened        Event = "reopened" // an acceptance, dismissal or permission ended
	EventSettled         Event = "settled"  // accepted, dismissed or allowed
	EventCleared         Event = "cleared"  // no copy is left
	EventSourceFailing   Event = "source-failing"
	EventSourceRecovered Event = "source-recovered"
)

// Events lists every event.
func Events() []Event {
	return []Event{
		EventOpened, EventChanged, EventReturned, EventReopened, EventSettled, EventCleared, EventSourceFailing, EventSourceRecovered,
	}
}

// Notification is what a receiver is told at once. It arrives at least once:
// whoever receives it drops one whose ID is known.
type Notification struct {
	Schema string              `json:"schema"` // NotificationV1
	ID     string              `json:"id"`     // the same at each attempt
	Kind   NotificationKind    `json:"kind"`
	At     time.Time           `json:"at"`     // when it was put together
	Total  int                 `json:"total"`  // of events, or of findings in a summary
	Events []NotificationEvent `json:"events"` // the most severe first; no more than the first 20
	Counts []NotificationCount `json:"counts,omitempty"`
	URL    string              `json:"url,omitempty"` // of the server, where one is configured
}

// NotificationEvent is one thing that happened.
type NotificationEvent struct {
	Event    Event                 `json:"event"`
	At       time.Time             `json:"at"`
	Was      string                `json:"was,omitempty"` // what was told before: a verdict, or "settled"
	Verdict  fingerprints.Verdict  `json:"verdict,omitempty"`
	Severity fingerprints.Severity `json:"severity"`
	// Finding is the finding as it is when the notification is sent, with its first
	// place; nil: the event is about a source, or the finding is not kept any more.
	Finding *Finding `json:"finding,omitempty"`
	Source  string   `json:"source,omitempty"` // of an event about a source
	Detail  string   `json:"detail,omitempty"` // redacted
	URL     string   `json:"url,omitempty"`
}

// NotificationCount is how many events have these in common.
type NotificationCount struct {
	Event    Event                 `json:"event"`
	Verdict  fingerprints.Verdict  `json:"verdict,omitempty"`
	Severity fingerprints.Severity `json:"severity"`
	Count    int                   `json:"count"`
}
