package store

import (
	"context"
	"time"

	"revenant/fingerprints"
)

// FindingChange is a finding and the number of its latest change. Numbers rise
// with every change and are never given twice; because Updates are serialised,
// whoever has seen a number has seen all below it.
type FindingChange struct {
	Number  uint64
	Finding fingerprints.FindingID
}

// ChangeTx tells what changed, for whoever keeps something beside the store:
// notifications, a search index, a screen.
//
// A finding's number moves when it is new, seen at a new place, stronger or
// weaker in presence, gone, returned, merged, moved to another source, triaged,
// tied to a registered field or a decision, tied to an allowed home by a scan, and
// when its provenance is redacted. It does not move when a version's state changes
// or a home is added or removed: the audit chain tells that; nor by the passing of
// time: Lapsed tells that; nor when its source is forgotten, which removes it.
type ChangeTx interface {
	// Changes lists findings whose latest change is above a number, in order of
	// numbers.
	Changes(ctx context.Context, after uint64, limit int) ([]FindingChange, error)
	// LastChange is the highest number that was given out; 0: none.
	LastChange(ctx context.Context) (uint64, error)
	// Lapsed lists findings, in order of id after one, of which something ended
	// later than from and not later than to: the window of a version, an
	// acceptance, an allowed home, a decision. Where a home of whole sources ended, it
	// may list others of the same values.
	Lapsed(ctx context.Context, from, to time.Time, after fingerprints.FindingID, limit int) ([]fingerprints.FindingID, error)
}
