package registry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Ring is what the registry needs of a key ring (keys.Ring).
type Ring interface {
	ID() fingerprints.RingID
	Installation() fingerprints.InstallationID
}

// Options are what a Registry stands on. Store is required. Without a Ring
// only reading works. Now, Rand and Log default to the system's clock, the
// system's randomness and no log.
type Options struct {
	Store store.Store
	Ring  Ring
	Now   func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Registry is the use cases. It is safe for concurrent use; several processes
// may have one on the same store.
type Registry struct {
	store store.Store
	ring  Ring
	now   func() time.Time
	rand  io.Reader
	log   *slog.Logger
}

// New checks the options. It does not touch the store; see Check.
func New(o Options) (*Registry, error) { return nil, errors.New("to be written") }

// Initialised is what Init did.
type Initialised struct {
	Installation string    `json:"installation"`
	Ring         string    `json:"ring"`
	CreatedAt    time.Time `json:"created_at"`
	Existed      bool      `json:"existed"` // nothing was changed
}

// Init binds an empty store to the ring. On a store that belongs to the ring
// it changes nothing; on another's it returns ErrForeignRing.
func (r *Registry) Init(ctx context.Context, a Actor) (Initialised, error) { panic("x") }

// Check reports whether store and ring belong together: nil,
// ErrNotInitialised, ErrNoRing or ErrForeignRing.
func (r *Registry) Check(ctx context.Context) error { panic("x") }
