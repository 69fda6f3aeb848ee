package sqlstore

import (
	"context"
	"fmt"

	"revenant/fingerprints/store"
)

// upgrade brings an older schema up to date and refuses a newer one. One
// process at a time migrates.
func (s *Store) upgrade(ctx context.Context) error {
	current, target, err := s.schema(ctx)
	if err != nil {
		return err
	}
	s.was, s.is = current, target
	if current == target {
		return nil
	}
	if s.access == ReadOnly {
		return fmt.Errorf("%s: %w: its schema is older and must be brought up to date first; open it once for writing, as revenant status does", s.name, store.ErrReadOnly)
	}
	unlock, err := s.engine.lockUpgrade(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	return s.migrate(ctx)
}

func (s *Store) migrate(ctx context.Context) error {
	p, err := provider(s.write, s.engine)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return s.ended(ctx, fmt.Errorf("upgrading the schema: %w", err))
	}
	return nil
}

// schema returns the schema's version in the store and the one of this binary.
func (s *Store) schema(ctx context.Context) (current, target int64, err error) {
	p, err := provider(s.read, s.engine)
	if err != nil {
		return 0, 0, err
	}
	for _, m := range p.ListSources() {
		target = max(target, m.Version)
	}
	row := s.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+s.engine.schema().table+" WHERE is_applied")
	if err := row.Scan(&current); err != nil {
		if s.engine.isMissingTable(err) {
			return 0, 0, fmt.Errorf("%s: %w: it has no schema; restore it from a backup", s.name, store.ErrDamaged)
		}
		return 0, 0, s.ended(ctx, err)
	}
	if current > target {
		return 0, 0, fmt.Errorf("%s: %w: its schema is %d, this revenant knows up to %d; use a newer revenant", s.name, store.ErrNewer, current, target)
	}
	return current, target, nil
}
