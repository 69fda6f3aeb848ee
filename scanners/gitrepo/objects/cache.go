package objects

import (
	"container/list"
	"sync"
)

// cache keeps bases that were read a short while ago. What it holds is never
// written to.
type cache struct {
	mu    sync.Mutex
	most  int64
	size  int64
	items map[cacheKey]*list.Element
	order list.List // newest first
}

type cacheKey struct {
	pack *pack
	off  int64
}

type cacheItem struct {
	key  cacheKey
	kind Kind
	data []byte
	id   ID // that it was checked against; zero: not yet
}

func newCache(most int64) *cache {
	return &cache{most: most, items: map[cacheKey]*list.Element{}}
}

func (c *cache) get(key cacheKey) (cacheItem, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[key]
	if !ok {
		return cacheItem{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(cacheItem), true
}

func (c *cache) put(item cacheItem) {
	size := int64(cap(item.data))
	if size > c.most/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, has := c.items[item.key]; has {
		if !item.id.IsZero() {
			e.Value = item
		}
		return
	}
	c.items[item.key] = c.order.PushFront(item)
	c.size += size
	for c.size > c.most {
		e := c.order.Back()
		old := c.order.Remove(e).(cacheItem)
		delete(c.items, old.key)
		c.size -= int64(cap(old.data))
	}
}
