package scanners

import "slices"

// Clean remembers chunks in which nothing is found at any path, by hashes with keys
// of its own: what an archive holds was screened when it is opened to be scanned,
// and layers that were made anew repeat nearly all files of the old ones. It forgets
// what is old. The nil one remembers nothing. Safe for concurrent use; memory grows to
// some 6 MiB.
//
// It is good for engines alone that look for the same in the same way.
type Clean struct{ memo memo }

// cleanSlots is about how many chunks are remembered.
const cleanSlots = 1 << 19

// NewClean returns one that remembers nothing yet.
func NewClean() *Clean { return &Clean{newMemo(cleanSlots)} }

// What is remembered.
const (
	cleanItself     = 1 // nothing is found in it
	cleanThroughout = 2 // nor in what is packed in it
)

// Throughout asks whether something is found in what is packed in a content, unless
// it is known that nothing is.
func (c *Clean) Throughout(data []byte, look func() (found bool)) (found bool) {
	if c == nil {
		return look()
	}
	key := c.memo.key(data, true, true)
	if c.memo.get(key) == cleanThroughout {
		return false
	}
	if found = look(); !found {
		c.memo.put(key, cleanThroughout)
	}
	return found
}

// knows reports whether nothing is found in a chunk at any path. The key is for keep.
func (c *Clean) knows(k Chunk) (key memoKey, known bool) {
	if c == nil {
		return memoKey{}, false
	}
	key = c.memo.key(k.Data, k.Base == 0, k.Final)
	return key, c.memo.get(key) != 0
}

// keep remembers that nothing is found in a chunk.
func (c *Clean) keep(key memoKey) {
	if c != nil {
		c.memo.put(key, cleanItself)
	}
}

// Pathwise is a Matcher that knows where it may find something whatever stands there.
type Pathwise interface {
	Matcher
	// Names reports whether the path alone may be a hit, or makes one of what is none elsewhere.
	Names(path string) bool
}

// Named reports whether a matcher finds something at a path whatever stands there, as
// far as matchers know.
func (e *Engine) Named(path string) bool {
	for _, m := range e.Matchers {
		if m, is := m.(Pathwise); is && m.Names(path) {
			return true
		}
	}
	return false
}

// mayBeNamed is Named where a matcher that does not know may.
func (e *Engine) mayBeNamed(path string) bool {
	return e.Named(path) || slices.ContainsFunc(e.Matchers, func(m Matcher) bool {
		switch m.(type) {
		case Pathwise, Placeless:
			return false
		}
		return true
	})
}
