package registry_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"revenant/fingerprints/registry"
)

// Many ask while a reading is held: two readings answer all of them, and nobody is
// given what was read before they asked.
func TestSharedReadings(t *testing.T) { synctest.Test(t, sharedReadings) }

func sharedReadings(t *testing.T) {
	var s registry.Shares
	var state, runs atomic.Int64
	begun, hold := make(chan struct{}), make(chan struct{})
	read := func() (any, error) {
		seen := state.Load()
		if runs.Add(1) == 1 {
			close(begun)
			<-hold
		}
		return seen, nil
	}
	var all sync.WaitGroup
	ask := func(ctx context.Context, least int64) {
		v, err := s.Do(ctx, "a", read)
		if err != nil || v.(int64) < least {
			t.Errorf("asked at %d, got %v, %v", least, v, err)
		}
	}
	all.Go(func() { ask(t.Context(), 0) })
	<-begun
	state.Store(1)
	for range 100 {
		all.Go(func() { ask(t.Context(), 1) })
	}
	synctest.Wait()
	close(hold)
	all.Wait()
	if n := runs.Load(); n != 2 {
		t.Errorf("%d readings", n)
	}
	if n := s.Len(); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// Who went away leaves the others their answer; a panic is that of one.
func TestSharedReadingsOfSomebodyGone(t *testing.T) {
	led := map[string]int{} // who of two reads is chance
	for i := 0; i < 1000 && (len(led) < 3 || i < 30); i++ {
		how := []string{"gone", "panics", "fails"}[i%3]
		synctest.Test(t, func(t *testing.T) {
			var s registry.Shares
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			begun, hold := make(chan struct{}), make(chan struct{})
			odd := errors.New("odd")
			var all sync.WaitGroup
			all.Go(func() {
				defer func() { _ = recover() }()
				_, _ = s.Do(ctx, "a", func() (any, error) {
					close(begun)
					<-hold
					return nil, nil
				})
			})
			<-begun
			// The next reading is led by one whose context ends, or who panics.
			all.Go(func() {
				defer func() { _ = recover() }()
				_, _ = s.Do(ctx, "a", func() (any, error) {
					led[how]++
					switch how {
					case "gone":
						cancel()
						return nil, ctx.Err()
					case "panics":
						panic(how)
					}
					return nil, odd
				})
			})
			synctest.Wait()
			all.Go(func() {
				v, err := s.Do(t.Context(), "a", func() (any, error) { return 7, nil })
				if how == "fails" && errors.Is(err, odd) {
					return // it shares that answer, too
				}
				if err != nil || v != 7 {
					t.Errorf("%s: after that: %v, %v", how, v, err)
				}
			})
			synctest.Wait()
			close(hold)
			all.Wait()
			if n := s.Len(); n != 0 {
				t.Errorf("%d keys are left", n)
			}
		})
	}
}

// Who waits may go.
func TestSharedReadingsAreLeft(t *testing.T) {
	var s registry.Shares
	begun, hold := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_, _ = s.Do(t.Context(), "a", func() (any, error) {
			close(begun)
			<-hold
			return nil, nil
		})
	})
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Do(ctx, "a", func() (any, error) { return nil, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if v, err := s.Do(t.Context(), "b", func() (any, error) { return 1, nil }); v != 1 || err != nil {
		t.Errorf("another key waits: %v, %v", v, err)
	}
	close(hold)
	all.Wait()
	if v, err := s.Do(t.Context(), "a", func() (any, error) { return 2, nil }); v != 2 || err != nil {
		t.Errorf("after a reading that nobody wanted: %v, %v", v, err)
	}
}
