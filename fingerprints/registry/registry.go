package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/store"
)

// Options are what a Registry stands on. Store is required. Without a Ring
// only reading works. Now, Rand and Log default to the system's clock, the
// system's randomness and no log.
type Options struct {
	Store store.Store
	Ring  *keys.Ring
	Now   func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Registry is the use cases. It is safe for concurrent use; several processes
// may have one on the same store.
type Registry struct {
	store  store.Store
	ring   atomic.Pointer[keys.Ring]
	now    func() time.Time
	rand   io.Reader
	log    *slog.Logger
	index  index
	shares shares
}

// New checks the options. It does not touch the store; see Check.
func New(o Options) (*Registry, error) {
	if o.Store == nil {
		return nil, fmt.Errorf("opening the registry: %w: no store", ErrInput)
	}
	r := &Registry{store: o.Store, now: o.Now, rand: o.Rand, log: o.Log}
	r.ring.Store(o.Ring)
	if r.now == nil {
		r.now = time.Now
	}
	if r.rand == nil {
		r.rand = rand.Reader
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

// time is now as the store keeps it.
func (r *Registry) time() time.Time { return r.now().UTC().Truncate(time.Microsecond) }

// Initialised is what Init did.
type Initialised struct {
	Installation string    `json:"installation"`
	Ring         string    `json:"ring"`
	CreatedAt    time.Time `json:"created_at"`
	Existed      bool      `json:"existed"` // nothing was changed
}

// Init binds an empty store to the ring. On a store that belongs to the ring
// it changes nothing; on another's it returns ErrForeignRing.
func (r *Registry) Init(ctx context.Context, a Actor) (Initialised, error) {
	ring := r.ring.Load()
	switch {
	case ring == nil:
		return Initialised{}, fmt.Errorf("initialising: %w", ErrNoRing)
	case !a.May(ScopeAdmin):
		return Initialised{}, fmt.Errorf("initialising: %w", ErrForbidden)
	}
	var out Initialised
	err := r.store.Update(ctx, func(tx store.Tx) error {
		meta, err := tx.Meta(ctx)
		if err == nil {
			out = initialised(meta)
			out.Existed = true
			return belongs(meta, ring)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		meta = store.Meta{Installation: ring.Installation(), Ring: ring.ID(), CreatedAt: r.time()}
		out = initialised(meta)
		c := &change{tx: tx, reg: r, ring: ring, actor: a, at: meta.CreatedAt, meta: meta}
		c.touch(touchPack)
		c.note("init", "", nil)
		return c.commit(ctx)
	})
	if err != nil {
		return Initialised{}, fmt.Errorf("initialising: %w", err)
	}
	return out, nil
}

func initialised(m store.Meta) Initialised {
	return Initialised{Installation: m.Installation.String(), Ring: m.Ring.String(), CreatedAt: m.CreatedAt}
}

// Check reports whether store and ring belong together: nil,
// ErrNotInitialised, ErrNoRing or ErrForeignRing.
func (r *Registry) Check(ctx context.Context) error {
	return r.store.View(ctx, func(tx store.Tx) error {
		if r.ring.Load() == nil {
			return ErrNoRing
		}
		_, err := r.readMeta(ctx, tx)
		return err
	})
}

// readMeta returns the store's meta, and refuses a ring that is another's.
func (r *Registry) readMeta(ctx context.Context, tx store.Tx) (store.Meta, error) {
	meta, err := tx.Meta(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return store.Meta{}, ErrNotInitialised
	}
	if err != nil {
		return store.Meta{}, err
	}
	if ring := r.ring.Load(); ring != nil {
		return meta, belongs(meta, ring)
	}
	return meta, nil
}

func belongs(m store.Meta, ring *keys.Ring) error {
	if m.Ring != ring.ID() || m.Installation != ring.Installation() {
		return ErrForeignRing
	}
	return nil
}

// Meta returns what the store knows of itself.
func (r *Registry) Meta(ctx context.Context, a Actor) (store.Meta, error) {
	var m store.Meta
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		m = v.meta
		return nil
	})
	return m, err
}

// checkName is fingerprints.CheckName with what is named.
func checkName(what, s string) error {
	if err := fingerprints.CheckName(s); err != nil {
		return &InputError{Input: what, Kind: err}
	}
	return nil
}
