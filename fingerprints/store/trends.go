package store

import (
	"context"
	"time"

	"revenant/fingerprints"
)

// Day is how many findings had each verdict on a day.
type Day struct {
	Day      time.Time // its beginning, in UTC
	Verdicts map[fingerprints.Verdict]int
}

// Span is how long a finding was there.
type Span struct{ FirstSeen, GoneAt time.Time }

// Ages is how many active versions of a class became so in each of some spans of time.
type Ages struct {
	Class fingerprints.Class
	// Since counts by the first of the moments that were asked for that is not after
	// the activation; the last number is of those before all of them.
	Since []int
}

// SavedView is a search that somebody keeps.
type SavedView struct {
	ID        int64  // given by the store
	Owner     string // who keeps it: an actor's name
	Name      string
	Query     string
	CreatedAt time.Time
}

// TrendTx is what is told over time, and the searches that people keep.
type TrendTx interface {
	// PutDay inserts or replaces a day's counts.
	PutDay(ctx context.Context, d Day) error
	// Days are the days from one on that there are, in order.
	Days(ctx context.Context, from time.Time) ([]Day, error)
	// Cleared are findings of registered values that went since a moment, the latest
	// first.
	Cleared(ctx context.Context, since time.Time, limit int) ([]Span, error)
	// ActiveAges counts active versions by class, in order of class, and by when they
	// became active: moments, of which there is one at least, are given in descending
	// order.
	ActiveAges(ctx context.Context, moments []time.Time) ([]Ages, error)

	// PutView inserts a view, or replaces the one that its owner has by that name.
	PutView(ctx context.Context, v SavedView) error
	// Views are those of an owner, in order of name.
	Views(ctx context.Context, owner string) ([]SavedView, error)
	// RemoveView removes a view of an owner; ErrNotFound.
	RemoveView(ctx context.Context, owner string, id int64) error
}
