package wire

import "time"

// Worker is a process that scans.
type Worker struct {
	ID        string       `json:"id"`
	Host      string       `json:"host"`
	Version   string       `json:"version"`
	StartedAt time.Time    `json:"started_at"`
	SeenAt    time.Time    `json:"seen_at"`
	Slots     int          `json:"slots"` // jobs that it does at once
	Scans     []WorkerScan `json:"scans,omitempty" doc:"Under way when it was seen."`
}

// WorkerScan is a scan under way, as its worker told of it when it was last seen.
type WorkerScan struct {
	Watch     string    `json:"watch"`
	Why       string    `json:"why"`
	StartedAt time.Time `json:"started_at"`
	Items     int64     `json:"items"` // looked at until then
	Bytes     int64     `json:"bytes"` // of those
	// Stream is how the stream goes that is followed; nil: it is a scan.
	Stream *StreamState `json:"stream,omitempty"`
}

// StreamState is how a stream goes that a worker follows: Items of its WorkerScan are
// messages. What is counted is since the worker first followed the watch.
type StreamState struct {
	Hits       int64 `json:"hits"`    // sightings that were stored, also those that were known
	Skips      int64 `json:"skips"`   // stored, each with its reason
	Batches    int64 `json:"batches"` // that were stored, each with how far it was read
	Reconnects int64 `json:"reconnects"`
	Lag        int64 `json:"lag"` // messages that were not read yet
	Partitions int   `json:"partitions"`
	Failing    int   `json:"failing,omitempty"` // partitions that cannot be read
	// FailingSince is since when something of it cannot be read, and Problem why,
	// redacted; the zero time: all of it is read.
	FailingSince time.Time  `json:"failing_since,omitzero"`
	Problem      string     `json:"problem,omitempty"`
	Topics       []TopicLag `json:"topics,omitempty"` // those furthest behind, a few
}

// TopicLag is how far the reading of a topic is behind.
type TopicLag struct {
	Topic string `json:"topic"` // redacted
	Lag   int64  `json:"lag"`
}
