package image

import (
	"hash/maphash"
	"sync"
)

// maxClean is how many contents are remembered, twice.
const maxClean = 1 << 18

// clean remembers contents in which nothing was found, by hashes of 128 bits with keys
// of this process: layers that were made anew repeat nearly all files of the old ones. Safe for
// concurrent use.
type clean struct {
	seeds [2]maphash.Seed

	mu          sync.Mutex
	last, older map[[2]uint64]struct{}
}

func newClean() *clean {
	return &clean{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, last: map[[2]uint64]struct{}{}}
}

// look asks a screen, unless it is known that it finds nothing.
func (c *clean) look(data []byte, screen func() bool) (found bool) {
	key := [2]uint64{maphash.Bytes(c.seeds[0], data), maphash.Bytes(c.seeds[1], data)}
	if c.has(key) {
		return false
	}
	if found = screen(); !found {
		c.put(key)
	}
	return found
}

func (c *clean) has(key [2]uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, has := c.last[key]; has {
		return true
	}
	_, has := c.older[key]
	return has
}

func (c *clean) put(key [2]uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.last) >= maxClean {
		c.last, c.older = map[[2]uint64]struct{}{}, c.last
	}
	c.last[key] = struct{}{}
}
