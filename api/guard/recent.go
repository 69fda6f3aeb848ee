package guard

import "container/list"

// recent keeps the newest so many of what is asked for by key; the oldest goes. It
// is for one goroutine at a time.
type recent[T any] struct {
	most  int
	order *list.List // of entry[T], the newest first
	byKey map[string]*list.Element
}

type entry[T any] struct {
	key string
	of  *T
}

func newRecent[T any](most int) *recent[T] {
	return &recent[T]{most: most, order: list.New(), byKey: map[string]*list.Element{}}
}

// get returns what is kept for a key, which is the newest from then on; nil for
// nothing.
func (r *recent[T]) get(key string) *T {
	e, has := r.byKey[key]
	if !has {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(entry[T]).of
}

// put keeps something.
func (r *recent[T]) put(key string, of *T) {
	r.drop(key)
	r.byKey[key] = r.order.PushFront(entry[T]{key, of})
	if r.order.Len() > r.most {
		r.drop(r.order.Back().Value.(entry[T]).key)
	}
}

func (r *recent[T]) drop(key string) {
	if e, has := r.byKey[key]; has {
		r.order.Remove(e)
		delete(r.byKey, key)
	}
}
