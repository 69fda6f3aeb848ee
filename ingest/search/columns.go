package search

import (
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// manyValues is from how many values of a field in a segment on findings are
// counted by a column.
const manyValues = 64

// column is which values each document of a segment has: a segment never changes.
// It takes 8 bytes a document.
type column struct {
	terms  []string
	starts []uint32 // of each document's values, and the end
	values []uint32 // into terms
}

func (c *column) count(set *roaring.Bitmap, counts map[string]int) {
	n := make([]int32, len(c.terms))
	it := set.ManyIterator()
	buf := make([]uint32, 4096)
	for k := it.NextMany(buf); k > 0; k = it.NextMany(buf) {
		for _, doc := range buf[:k] {
			for _, v := range c.values[c.starts[doc]:c.starts[doc+1]] {
				n[v]++
			}
		}
	}
	for v, k := range n {
		if k > 0 {
			counts[c.terms[v]] += int(k)
		}
	}
}

// columns are kept for the segments that there are.
type columns struct {
	mu  sync.Mutex
	all map[columnKey]*column
}

type columnKey struct {
	segment uint64
	field   string
}

// forget drops all: segments' numbers begin anew.
func (c *columns) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = nil
}

// keep drops those of segments that are no more.
func (c *columns) keep(segments map[uint64]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.all {
		if !segments[key.segment] {
			delete(c.all, key)
		}
	}
}

// of is a segment's column of a field, made where it is not there yet.
func (c *columns) of(p *part, field string) (*column, error) {
	key := columnKey{p.id, field}
	c.mu.Lock()
	col := c.all[key]
	c.mu.Unlock()
	if col != nil {
		return col, nil
	}
	col, err := p.column(field)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[columnKey]*column{}
	}
	c.all[key] = col
	return col, nil
}

// column turns the lists of a field's terms around.
func (p *part) column(field string) (*column, error) {
	c := &column{starts: make([]uint32, p.segment.Count()+1)}
	var lists []*roaring.Bitmap
	err := p.eachTerm(field, "", "", func(term string) (bool, error) {
		b := roaring.New()
		c.terms, lists = append(c.terms, term), append(lists, b)
		return true, p.orTerm(b, field, term)
	})
	if err != nil {
		return nil, err
	}
	total := uint32(0)
	for _, b := range lists {
		for it := b.Iterator(); it.HasNext(); total++ {
			c.starts[it.Next()+1]++
		}
	}
	for i := 1; i < len(c.starts); i++ {
		c.starts[i] += c.starts[i-1]
	}
	c.values = make([]uint32, total)
	at := append([]uint32(nil), c.starts...)
	for v, b := range lists {
		for it := b.Iterator(); it.HasNext(); {
			doc := it.Next()
			c.values[at[doc]] = uint32(v)
			at[doc]++
		}
	}
	return c, nil
}
