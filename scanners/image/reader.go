package image

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// reader surveys layers ahead of who needs them, each once, in a given order.
type reader struct {
	o      Options
	survey *survey
	list   []blob
	at     map[string]int // by digest
	ready  []chan struct{}
	got    []*surveyed // set when ready is closed; nil: not read
	ahead  chan struct{}
	cancel context.CancelFunc
	wg     sync.WaitGroup
	failed atomic.Bool // something could not be remembered
}

// aheadOf is how many layers are read for each worker before one is asked for.
const aheadOf = 4

func newReader(o Options) *reader {
	return &reader{o: o, at: map[string]int{}, cancel: func() {}, survey: &survey{screening: newScreening(o)}}
}

// add puts a layer in the order, if it is not there yet, and returns its place.
func (r *reader) add(b blob) int {
	if i, has := r.at[b.digest]; has {
		return i
	}
	r.at[b.digest] = len(r.list)
	r.list = append(r.list, b)
	return len(r.list) - 1
}

// start begins to read.
func (r *reader) start(ctx context.Context, workers int) {
	workers = max(1, workers)
	r.ready, r.got = make([]chan struct{}, len(r.list)), make([]*surveyed, len(r.list))
	for i := range r.ready {
		r.ready[i] = make(chan struct{})
	}
	ahead := workers * aheadOf
	order, placed := r.order()
	if placed { // the first that somebody waits for may be the last
		ahead, workers = len(r.list), 1
	}
	r.ahead = make(chan struct{}, ahead)
	ctx, r.cancel = context.WithCancel(ctx)
	next := make(chan int)
	r.wg.Go(func() {
		defer close(next)
		for _, i := range order {
			select {
			case r.ahead <- struct{}{}:
			case <-ctx.Done():
				return
			}
			next <- i
		}
	})
	for range workers {
		r.wg.Go(func() {
			for i := range next {
				r.layer(ctx, i)
			}
		})
	}
}

// order is how layers are best read: as they are asked for, and those in one stream that
// can be read from its beginning alone, which are placed, one after the other.
func (r *reader) order() (order []int, placed bool) {
	for i, b := range r.list {
		order, placed = append(order, i), placed || b.place > 0
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(r.list[i].place, r.list[j].place) })
	return order, placed
}

func (r *reader) layer(ctx context.Context, i int) {
	defer close(r.ready[i])
	if ctx.Err() != nil {
		return
	}
	if r.got[i] = r.known(r.list[i]); r.got[i] != nil {
		return
	}
	s, err := r.survey.layer(ctx, r.list[i])
	if err != nil {
		return // ctx has ended
	}
	if r.remember(r.list[i], s) != nil { // what was found is told all the same
		r.failed.Store(true)
	}
	r.got[i] = s
}

// take waits for a layer; nil: it was not read before ctx ended.
func (r *reader) take(ctx context.Context, i int) *surveyed {
	select {
	case <-r.ready[i]:
	case <-ctx.Done():
		r.stop()
		select {
		case <-r.ready[i]:
		default:
			return nil
		}
	}
	select {
	case <-r.ahead:
	default: // stopped
	}
	return r.got[i]
}

// stop ends the reading, and waits for it.
func (r *reader) stop() {
	r.cancel()
	r.wg.Wait()
}
