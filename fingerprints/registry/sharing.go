package registry

import (
	"context"
	"strings"
	"sync"
)

// shares let many who ask for the same dear thing at once have one reading of the
// store. Nobody is given what was read before they asked: who comes while a reading
// runs waits for the next one, with all who came meanwhile.
type shares struct {
	mu   sync.Mutex
	keys map[string]*readings
}

// readings are of one key: the one that runs, or will at once, and the one behind it.
type readings struct{ now, next *reading }

type reading struct {
	led   bool          // somebody reads, or has read
	done  chan struct{} // closed when it is over
	value any
	err   error
	lost  bool // who read went away, or panicked: it says nothing to others
}

func newReading() *reading { return &reading{done: make(chan struct{})} }

// do answers by fn, or by that of somebody who asked for the same key. What it returns
// is shared: it is not to be changed.
func (s *shares) do(ctx context.Context, key string, fn func() (any, error)) (any, error) {
	for {
		r, before := s.join(key)
		if before != nil {
			select {
			case <-before.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if s.lead(r) {
			return s.read(ctx, key, r, fn)
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !r.lost {
			return r.value, r.err
		}
	}
}

// join returns a reading that has not begun, and the one it has to wait for.
func (s *shares) join(key string) (mine, before *reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]*readings{}
	}
	k := s.keys[key]
	switch {
	case k == nil:
		k = &readings{now: newReading()}
		s.keys[key] = k
		return k.now, nil
	case !k.now.led:
		return k.now, nil
	case k.next == nil:
		k.next = newReading()
	}
	return k.next, k.now
}

// lead makes the first who asks the one who reads.
func (s *shares) lead(r *reading) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !r.led
	r.led = true
	return first
}

func (s *shares) read(ctx context.Context, key string, r *reading, fn func() (any, error)) (any, error) {
	r.lost = true
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if k := s.keys[key]; k.next != nil {
			k.now, k.next = k.next, nil
		} else {
			delete(s.keys, key)
		}
		close(r.done)
	}()
	r.value, r.err = fn()
	r.lost = ctx.Err() != nil
	return r.value, r.err
}

// shared is view for what is dear to read and the same for all who see the same rows.
func shared[T any](ctx context.Context, r *Registry, a Actor, what string, fn func(*view) (T, error)) (T, error) {
	var none T
	if err := mayRead(a, ScopeRead); err != nil {
		return none, err
	}
	v, err := r.shares.do(ctx, what+"\x00"+strings.Join(a.Teams, "\x00"), func() (any, error) {
		var out T
		err := r.view(ctx, a, ScopeRead, func(v *view) (err error) {
			out, err = fn(v)
			return err
		})
		return out, err
	})
	if err != nil {
		return none, err
	}
	return v.(T), nil //nolint:forcetypeassert // what is put in by the line above
}
