package store

import (
	"context"
	"errors"
	"time"

	"revenant/fingerprints"
)

// ErrOvertaken says that another process was faster, and what was to be written rests on
// what is no longer so. Begin again.
var ErrOvertaken = errors.New("another process was faster")

// Told is what a receiver was last told of a finding.
type Told struct {
	Receiver string
	Finding  fingerprints.FindingID
	Word     string // a verdict, or another word of who tells
	Group    string // of the notice
	At       time.Time
}

// Notice is something that is to be told to one receiver, of a finding or of a
// source. It names what it is about and holds nothing of it: what is shown is
// read when it is sent.
type Notice struct {
	ID       int64 // given by the store
	Receiver string
	Group    string // notices of a group are told together, apart from other groups
	Event    string
	Finding  fingerprints.FindingID // empty: of a source
	Source   string
	Was      string // what was told before
	Verdict  fingerprints.Verdict
	Severity fingerprints.Severity
	Detail   string // redacted
	At       time.Time
	Urgent   bool
}

// Waiting are the notices of a receiver and group that no delivery has yet.
type Waiting struct {
	Receiver string
	Group    string
	Count    int
	Oldest   time.Time
	Urgent   bool // one of them is
}

// Delivery is a message that is sent until it arrives, or until its deadline.
type Delivery struct {
	ID        string // the same at each attempt
	Receiver  string
	Group     string
	Kind      string
	Summary   string // of what no notice tells, as who tells writes it
	CreatedAt time.Time
	NextAt    time.Time // not before
	Deadline  time.Time // not after
	Attempts  int       // those that began
	// A process that sends it has a lease; when that is over, another may.
	LeaseBy    string
	LeaseUntil time.Time
	SentAt     time.Time // zero: it did not arrive yet
	GivenUpAt  time.Time // zero: it is not given up
	Problem    string    // of the last attempt, in words that hold nothing of an answer
}

// NoticeCount is how many notices of a delivery have these in common.
type NoticeCount struct {
	Event    string
	Verdict  fingerprints.Verdict
	Severity fingerprints.Severity
	Count    int
}

// DeliveryState selects deliveries.
type DeliveryState string

// The states.
const (
	DeliveryWaiting DeliveryState = "waiting" // not arrived and not given up
	DeliverySent    DeliveryState = "sent"
	DeliveryGivenUp DeliveryState = "undelivered"
)

// DeliveryFilter selects deliveries; zero fields select everything.
type DeliveryFilter struct {
	ID       string
	Receiver string
	State    DeliveryState
	Behind   string // an id: those that stand behind it in the list
	Limit    int
}

// OutboxTx is what is to be told to whom, and what was.
type OutboxTx interface {
	// Mark is what SetMark wrote under a name; empty when nothing was.
	Mark(ctx context.Context, name string) (string, error)
	// SetMark replaces one mark by another (empty: none), or fails with
	// ErrOvertaken where it is not what the caller took it for.
	SetMark(ctx context.Context, name, from, to string) error

	// Told says what a receiver was told of findings; one of which it was told
	// nothing is left out. Merging a finding takes along what was told of it.
	Told(ctx context.Context, receiver string, ids []fingerprints.FindingID) (map[fingerprints.FindingID]Told, error)
	// PutTold replaces by receiver and finding; a finding that is gone from the
	// store is ignored.
	PutTold(ctx context.Context, told []Told) error

	// AddNotices stores notices that wait for a delivery. A finding that is gone
	// from the store is ignored, and takes its notices along when it goes.
	AddNotices(ctx context.Context, list []Notice) error
	// Waiting is in order of receiver and group.
	Waiting(ctx context.Context) ([]Waiting, error)
	// Gather makes a delivery of everything that waits for its receiver and group,
	// and reports of how many notices; of none it makes none.
	Gather(ctx context.Context, d Delivery) (int, error)
	// AddDelivery stores a delivery and its notices.
	AddDelivery(ctx context.Context, d Delivery, list []Notice) error
	// Notices are those of a delivery, the most severe first.
	Notices(ctx context.Context, delivery string, limit int) ([]Notice, error)
	CountNotices(ctx context.Context, delivery string) ([]NoticeCount, error)

	// Claim gives a delivery that may be sent now, to one of these receivers, to
	// who asks, until then; ErrNotFound when there is none. A receiver is sent one
	// at a time. It counts as an attempt.
	Claim(ctx context.Context, by string, now, until time.Time, receivers []string) (Delivery, error)
	// SaveDelivery writes the outcome of an attempt and ends the lease; it fails
	// with ErrOvertaken where the lease is another's by now.
	SaveDelivery(ctx context.Context, d Delivery) error
	// GiveUp gives up what did not arrive before its deadline and nobody is
	// sending now, for a problem where none is known, and reports how many.
	GiveUp(ctx context.Context, now time.Time, problem string) (int, error)
	// Retry lets a delivery that was given up be sent again until a deadline.
	Retry(ctx context.Context, id string, now, deadline time.Time) error
	// Hasten lets what waits for another attempt at a receiver be sent at once.
	Hasten(ctx context.Context, receiver string, now time.Time) error
	// Deliveries lists deliveries, the newest first.
	Deliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error)
	// ForgetSent removes deliveries that arrived before a time, with their notices.
	ForgetSent(ctx context.Context, before time.Time) (int, error)
}
