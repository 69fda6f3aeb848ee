package store

import (
	"context"
	"time"
)

// LookUps are what an actor asked on one day about values that no edge pack has.
type LookUps struct {
	Actor   string
	Day     time.Time // its beginning in UTC
	Asked   int       // look-ups that were answered, whatever was asked
	Known   int       // values in them that are registered
	Refused int       // look-ups beyond what is allowed in a day
}

// LookUpTx counts look-ups.
type LookUpTx interface {
	// LookUps is by actor and day; counts of zero where nothing was asked.
	LookUps(ctx context.Context, actor string, day time.Time) (LookUps, error)
	// PutLookUps inserts or replaces by actor and day.
	PutLookUps(ctx context.Context, l LookUps) error
	// ForgetLookUps removes those of days that are older, and says how many.
	ForgetLookUps(ctx context.Context, before time.Time) (int, error)
}
