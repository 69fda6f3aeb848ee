package objects

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// chainMost is how many deltas on each other are followed for one object.
const chainMost = 1 << 20

// Get reads an object whole. The bytes are shared: nobody may change them.
// ErrMissing: there is no such object. ErrTooLarge: use Open.
func (s *Store) Get(ctx context.Context, id ID) (Kind, []byte, error) {
	kind, data, err := s.own(id)
	if err == nil || errors.Is(err, ErrMissing) || errors.Is(err, ErrTooLarge) || s.opts.Fallback == nil {
		return kind, data, err
	}
	f, ferr := s.fallback(ctx, id, err)
	if ferr != nil {
		return 0, nil, err
	}
	defer f.Close()
	if f.size > s.opts.Limits.Whole {
		return f.kind, nil, ErrTooLarge
	}
	if data, ferr = io.ReadAll(f); ferr != nil {
		return 0, nil, err
	}
	return f.kind, data, nil
}

// own is Get without the fallback.
func (s *Store) own(id ID) (Kind, []byte, error) {
	defer unguard(guard())
	r := s.readers.Get().(*reader)
	defer s.readers.Put(r)
	worst := ErrMissing
	for pl := range s.places(id) {
		kind, data, err := r.get(id, pl)
		if err == nil {
			return kind, data, nil
		}
		worst = err
	}
	return 0, nil, worst
}

// get reads one copy of an object and makes sure that it is the one.
func (r *reader) get(id ID, pl place) (Kind, []byte, error) {
	if pl.pack == nil {
		return r.looseData(pl.loose, id)
	}
	item, err := r.resolve(pl)
	switch {
	case errors.Is(err, ErrMissing): // of its base: this copy is no use
		return 0, nil, &damage{reason: ReasonNoBase, err: err}
	case err != nil:
		return 0, nil, err
	case item.id == id:
	case !r.is(id, item.kind, item.data):
		return 0, nil, broken(ReasonID)
	default:
		item.id = id
		r.s.cache.put(item)
	}
	return item.kind, item.data, nil
}

// resolve follows the deltas from a place to an object that is whole and makes
// what stands on it, one after the other. What comes back is not the reader's.
func (r *reader) resolve(pl place) (cacheItem, error) {
	chain, item, err := r.descend(pl)
	if err != nil {
		return cacheItem{}, err
	}
	keepAll := int64(len(item.data))*int64(len(chain)) < r.s.opts.Limits.Cache/4
	owned := false // item.data is a buffer of the reader
	for i := len(chain) - 1; i >= 0; i-- {
		next, err := r.step(chain[i], item)
		if owned {
			r.bufs.put(item.data)
		}
		if err != nil {
			return cacheItem{}, err
		}
		item, owned = next, true
		if keepAll || i == 0 {
			item.data = bytes.Clone(item.data)
			r.bufs.put(next.data)
			r.s.cache.put(item)
			owned = false
		}
	}
	return item, nil
}

// descend collects the deltas below a place, and what they stand on.
func (r *reader) descend(pl place) (chain []place, item cacheItem, err error) {
	seen := map[cacheKey]bool{}
	for {
		if item, ok := r.s.cache.get(cacheKey{pl.pack, pl.off}); ok {
			return chain, item, nil
		}
		e, err := r.entryHead(pl)
		if err != nil {
			return nil, item, err
		}
		if !e.delta() {
			item, err = r.root(pl, e)
			return chain, item, err
		}
		if len(chain) >= chainMost {
			return nil, item, ErrTooLarge
		}
		r.steps++
		chain = append(chain, pl)
		if e.kind == ofsDelta {
			pl = place{pack: pl.pack, pos: -1, off: e.base}
			continue
		}
		// Only a base that is named can lead back: distances only lead down.
		key := cacheKey{pl.pack, pl.off}
		if seen[key] {
			return nil, item, broken(ReasonCycle)
		}
		seen[key] = true
		below, ok := r.s.basePlace(pl.pack, e.ref)
		if !ok {
			return nil, item, ErrMissing
		}
		if below.pack == nil {
			kind, data, err := r.looseData(below.loose, e.ref)
			return chain, cacheItem{kind: kind, data: data}, err
		}
		pl = below
	}
}

// basePlace finds a base that is named: in the same pack, or anywhere.
func (s *Store) basePlace(p *pack, id ID) (place, bool) {
	if pl, ok := p.place(id); ok {
		return pl, true
	}
	for pl := range s.places(id) {
		return pl, true
	}
	return place{}, false
}

func (r *reader) entryHead(pl place) (e entry, err error) {
	defer caught(&err)
	if err := pl.pack.open(); err != nil {
		return entry{}, err
	}
	return pl.pack.head(pl.off, &r.small)
}

// root reads the object that a chain stands on.
func (r *reader) root(pl place, e entry) (cacheItem, error) {
	data, err := r.entryData(pl.pack, pl.off, pl.pack.end, e, nil)
	if err != nil {
		return cacheItem{}, err
	}
	item := cacheItem{key: cacheKey{pl.pack, pl.off}, kind: e.kind, data: bytes.Clone(data)}
	r.bufs.put(data)
	r.s.cache.put(item)
	return item, nil
}

// step makes the next object of a chain; its data is a buffer of the reader.
func (r *reader) step(pl place, base cacheItem) (cacheItem, error) {
	e, err := r.entryHead(pl)
	if err != nil {
		return cacheItem{}, err
	}
	delta, err := r.entryData(pl.pack, pl.off, pl.pack.end, e, nil)
	if err != nil {
		return cacheItem{}, err
	}
	data, _, err := r.apply(base.data, delta, nil)
	r.bufs.put(delta)
	return cacheItem{key: cacheKey{pl.pack, pl.off}, kind: base.kind, data: data}, err
}

// Open reads an object bit by bit: flat memory, unless it is a delta. The last
// Read fails where the content turns out to be another one.
func (s *Store) Open(ctx context.Context, id ID) (Kind, int64, io.ReadCloser, error) {
	kind, data, err := s.own(id)
	if err == nil {
		return kind, int64(len(data)), io.NopCloser(bytes.NewReader(data)), nil
	}
	if errors.Is(err, ErrTooLarge) {
		if st := s.ownStream(id); st != nil {
			return st.kind, st.size, st, nil
		}
	}
	if s.opts.Fallback == nil || errors.Is(err, ErrMissing) {
		return 0, 0, nil, err
	}
	f, ferr := s.fallback(ctx, id, err)
	if ferr != nil {
		return 0, 0, nil, err
	}
	return f.kind, f.size, f, nil
}

// ownStream opens the first copy that is large and no delta.
func (s *Store) ownStream(id ID) *stream {
	defer unguard(guard())
	r := s.newReader() // the stream keeps what it reads with
	for pl := range s.places(id) {
		if pl.pack == nil {
			if st, err := pl.loose.open(id); err == nil {
				return st.verified(s.set.format, id)
			}
			continue
		}
		e, err := r.entryHead(pl)
		if err != nil || e.delta() {
			continue
		}
		if st, err := r.stream(pl.pack, e, pl.pack.end, id); err == nil {
			return st
		}
	}
	return nil
}

// fallback reads an object in the other way and counts it.
func (s *Store) fallback(ctx context.Context, id ID, why error) (*stream, error) {
	kind, size, rc, err := s.opts.Fallback.Object(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.used[ReasonOf(why)]++
	s.mu.Unlock()
	st := &stream{kind: kind, size: size, r: &exact{r: rc, left: size}, c: rc}
	return st.verified(s.set.format, id), nil
}
