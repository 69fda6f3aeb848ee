package objects

import (
	"context"
	"errors"
)

// Header is the kind and the size of an object. It reads no content, and does
// not say whether the content is sound.
func (s *Store) Header(ctx context.Context, id ID) (Kind, int64, error) {
	defer unguard(guard())
	r := s.readers.Get().(*reader)
	defer s.readers.Put(r)
	worst := ErrMissing
	for pl := range s.places(id) {
		kind, size, err := r.header(id, pl)
		if err == nil {
			return kind, size, nil
		}
		worst = err
	}
	if s.opts.Fallback == nil || errors.Is(worst, ErrMissing) {
		return 0, 0, worst
	}
	f, err := s.fallback(ctx, id, worst)
	if err != nil {
		return 0, 0, worst
	}
	defer f.Close()
	return f.kind, f.size, nil
}

func (r *reader) header(id ID, pl place) (Kind, int64, error) {
	if pl.pack == nil {
		st, err := pl.loose.open(id)
		if err != nil {
			return 0, 0, err
		}
		defer st.Close()
		return st.kind, st.size, nil
	}
	e, err := r.entryHead(pl)
	if err != nil {
		return 0, 0, err
	}
	size := e.size
	if e.delta() {
		if _, size, err = r.deltaHead(pl.pack, e); err != nil {
			return 0, 0, err
		}
	}
	kind, err := r.rootKind(pl, e)
	return kind, size, err
}

// rootKind is the kind at the bottom of a chain.
func (r *reader) rootKind(pl place, e entry) (Kind, error) {
	seen := map[cacheKey]bool{}
	for e.delta() {
		if e.kind == ofsDelta {
			pl = place{pack: pl.pack, pos: -1, off: e.base}
		} else {
			key := cacheKey{pl.pack, pl.off}
			if seen[key] {
				return 0, broken(ReasonCycle)
			}
			seen[key] = true
			below, ok := r.s.basePlace(pl.pack, e.ref)
			if !ok {
				return 0, &damage{reason: ReasonNoBase}
			}
			if below.pack == nil {
				kind, _, err := r.header(e.ref, below)
				return kind, err
			}
			pl = below
		}
		var err error
		if e, err = r.entryHead(pl); err != nil {
			return 0, err
		}
	}
	return e.kind, nil
}
