package store

import (
	"context"
	"time"

	"revenant/api/wire"
)

// Watch is a standing order: a place that is scanned again and again, or a
// group whose places become watches of their own. It is what people asked for,
// with what is known of how it goes.
type Watch struct {
	Name string // people's; of a group's member "GROUP/MEMBER"
	Kind string // how Location is read; a word of package watch
	// Location is a path, a URL without user name and password, or a reference.
	Location string
	Options  []byte // JSON, of the kind; nil: none
	// Credential is a reference to what opens the place (env:NAME ...), never
	// that itself.
	Credential string
	Schedule   string // "" on demand alone
	Parent     string // the watch of the group that it is a member of
	Paused     bool
	AddedAt    time.Time

	WatchState
}

// WatchState is how a watch goes.
type WatchState struct {
	SourceID string // of what is scanned; "" before the first scan
	NextRun  time.Time
	// WantedAt is when somebody last asked for a scan that has not begun since;
	// Wanted says who: "push", "asked".
	WantedAt time.Time
	Wanted   string
	QueuedAt time.Time // when a job was made that has not ended
	// StartedAt, FinishedAt and Outcome are of the newest scan; a scan that is
	// under way started after it finished.
	StartedAt  time.Time
	FinishedAt time.Time
	Outcome    string // "complete", "incomplete", "failed", "following"; "" none yet
	Problem    string // why it failed, redacted
	Failures   int    // in a row
	// FieldRevision is that of the newest scan that came to its end: newer
	// fields have not been searched for.
	FieldRevision uint64
}

// WatchFilter selects watches; zero fields select everything.
type WatchFilter struct {
	Parent string
	Source string // of this source
	// Schedule is that of the watches; "": any.
	Schedule string
	Outcome  string // of the newest scan; "": any
	After    string // names after this one, for paging
	Limit    int    // 0: no limit
}

// Due selects the watches that a job is to be made for.
type Due struct {
	At time.Time
	// FieldRevision is the registry's: watches whose newest scan came to its end
	// and searched for less are due.
	FieldRevision uint64
	// Requeue: a job that was made before then and did not begin is made again.
	Requeue time.Time
	// Ahead: so is one that says it was made later than then, by a clock that
	// was set back since.
	Ahead time.Time
	Limit int
}

// Worker is a process that does jobs.
type Worker struct {
	ID        string
	Host      string
	Version   string
	StartedAt time.Time
	SeenAt    time.Time // when it last said that it lives
	Slots     int       // jobs that it does at once
	Scans     []WorkerScan
}

// WorkerScan is a scan under way, as its worker told of it when it was last seen.
type WorkerScan = wire.WorkerScan

// StreamState is how a stream goes that a worker follows.
type StreamState = wire.StreamState

// TopicLag is how far the reading of a topic is behind.
type TopicLag = wire.TopicLag

// WatchTx is watches and the workers that see to them.
type WatchTx interface {
	PutWatch(ctx context.Context, w Watch) error // insert or replace by name
	Watch(ctx context.Context, name string) (Watch, error)
	Watches(ctx context.Context, f WatchFilter) ([]Watch, error) // in order of name
	RemoveWatch(ctx context.Context, name string) error
	// DueWatches lists those that were asked for first, then those whose values
	// are missing, then by time.
	DueWatches(ctx context.Context, d Due) ([]Watch, error)
	// CountWatches counts by outcome, "" for those without a scan; of groups it
	// counts the members.
	CountWatches(ctx context.Context) (map[string]int, error)

	// CountBehind counts the watches whose newest scan came to its end and searched
	// for less than a revision has.
	CountBehind(ctx context.Context, fieldRevision uint64) (int, error)

	PutWorker(ctx context.Context, w Worker) error // insert or replace by id
	Workers(ctx context.Context) ([]Worker, error) // in order of id
	RemoveWorker(ctx context.Context, id string) error
}
