package image

import (
	"slices"
	"sync"
)

// mostIdle is how many are kept that nobody uses.
const mostIdle = 4

// idle are walkers and streams that were read to some place and go on from there for
// others. The zero value is ready. Safe for concurrent use.
type idle[T interface{ end() }] struct {
	mu     sync.Mutex
	list   []T // the last that was used is the last
	closed bool
}

// take is the one that stands farthest, of those that serve: at says where one stands,
// and whether it does.
func (i *idle[T]) take(at func(T) (int64, bool)) (t T, has bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	best, farthest := -1, int64(0)
	for k, one := range i.list {
		if place, serves := at(one); serves && (best < 0 || place > farthest) {
			best, farthest = k, place
		}
	}
	if best < 0 {
		return t, false
	}
	t = i.list[best]
	i.list = slices.Delete(i.list, best, best+1)
	return t, true
}

// give keeps one for others, in the place of the one that was not used longest.
func (i *idle[T]) give(t T) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		t.end()
		return
	}
	if i.list = append(i.list, t); len(i.list) > mostIdle {
		i.list[0].end()
		i.list = slices.Delete(i.list, 0, 1)
	}
}

func (i *idle[T]) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	for _, t := range i.list {
		t.end()
	}
	i.list = nil
}
