package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"revenant/fingerprints/store"
)

// cause is what a kind of error means and what a person can do. Without a
// sentinel the error only gets the store's name.
type cause struct {
	sentinel error
	wayOut   string
}

// explain gives an error of the database its sentinel, the store's name and the
// way out. Other errors pass as they are.
func (s *Store) explain(err error) error {
	if err == nil || explained(err) {
		return err
	}
	c, known := s.engine.causeOf(err)
	switch {
	case !known:
		return err
	case errors.Is(c.sentinel, context.Canceled):
		return fmt.Errorf("%s: %s: %w", s.name, c.wayOut, errors.Join(c.sentinel, err))
	case c.sentinel != nil:
		return fmt.Errorf("%s: %w: %s (%w)", s.name, c.sentinel, c.wayOut, err)
	}
	if c.wayOut != "" {
		err = fmt.Errorf("%s: %w", c.wayOut, err)
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

func explained(err error) bool {
	for _, known := range []error{store.ErrLocked, store.ErrFull, store.ErrReadOnly, store.ErrDamaged, store.ErrUnreachable} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
