package search

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// view is one state of the index. It is looked at segment by segment, with sets of
// documents, so that what concerns a million findings takes as long as a hundred
// operations on bitmaps.
type view struct {
	reader index.IndexReader
	state  state
	parts  []*part
	unlock func()
}

// part is one segment of a view.
type part struct {
	segment segment.Segment
	live    *roaring.Bitmap // documents that are findings now; not to be changed
	dicts   map[string]segment.TermDictionary
	id      uint64 // of the segment, in this process
	columns *columns
}

// view opens the newest state; close it.
func (x *Index) view() (v *view, err error) {
	x.open.RLock()
	defer func() {
		if err != nil {
			x.open.RUnlock()
		}
	}()
	defer caught(&err)
	if x.kept == nil {
		return nil, errDamaged
	}
	r, err := x.kept.Reader()
	if err != nil {
		return nil, errDamaged
	}
	v = &view{reader: r, unlock: x.open.RUnlock}
	snap, is := r.(*scorch.IndexSnapshot)
	if !is {
		_ = r.Close()
		return nil, errDamaged
	}
	if v.state, err = stateOf(r.GetInternal); err == nil {
		err = v.addParts(snap, &x.columns)
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return v, nil
}

func (v *view) addParts(snap *scorch.IndexSnapshot, c *columns) error {
	ids := map[uint64]bool{}
	for _, s := range snap.Segments() {
		p := &part{segment: s.Segment(), live: roaring.New(), dicts: map[string]segment.TermDictionary{}, id: s.Id(), columns: c}
		ids[p.id] = true
		p.live.AddRange(0, s.Segment().Count())
		if gone := s.Deleted(); gone != nil {
			p.live.AndNot(gone)
		}
		marked, err := s.Segment().DocNumbers([]string{marker})
		if err != nil {
			return errDamaged
		}
		p.live.AndNot(marked)
		v.parts = append(v.parts, p)
	}
	c.keep(ids)
	return nil
}

func (v *view) close() {
	_ = v.reader.Close()
	v.unlock()
}

func (v *view) documents() int {
	n := 0
	for _, p := range v.parts {
		n += int(p.live.GetCardinality())
	}
	return n
}

// again is the part with dictionaries of its own: they are for one goroutine.
func (p *part) again() *part {
	own := *p
	own.dicts = map[string]segment.TermDictionary{}
	return &own
}

func (p *part) dict(field string) (segment.TermDictionary, error) {
	if d := p.dicts[field]; d != nil {
		return d, nil
	}
	d, err := p.segment.Dictionary(field)
	if err != nil {
		return nil, fmt.Errorf("%w: reading terms", errDamaged)
	}
	p.dicts[field] = d
	return d, nil
}

// postings is a term's list of documents.
func (p *part) postings(field, term string, reuse segment.PostingsList) (segment.PostingsList, error) {
	d, err := p.dict(field)
	if err != nil {
		return nil, err
	}
	list, err := d.PostingsList([]byte(term), nil, reuse)
	if err != nil {
		return nil, fmt.Errorf("%w: reading a list of documents", errDamaged)
	}
	return list, nil
}

// orer is what the lists of segments can do beside iterating.
type orer interface{ OrInto(*roaring.Bitmap) }

// orTerm adds the documents of a term to a set.
func (p *part) orTerm(into *roaring.Bitmap, field, term string) error {
	list, err := p.postings(field, term, nil)
	if err != nil {
		return err
	}
	if o, is := list.(orer); is {
		o.OrInto(into)
		return nil
	}
	return errDamaged
}

// omitter lists terms without reading who has them.
type omitter interface {
	AutomatonIteratorOmitCount(a segment.Automaton, from, to []byte) segment.DictionaryIterator
}

// eachTerm calls fn for the terms of a field from one to before another, in order;
// empty: no end. fn returns whether to go on.
func (p *part) eachTerm(field, from, to string, fn func(term string) (bool, error)) error {
	d, err := p.dict(field)
	if err != nil {
		return err
	}
	var start, end []byte
	if from != "" {
		start = []byte(from)
	}
	if to != "" {
		end = []byte(to)
	}
	var it segment.DictionaryIterator
	if o, is := d.(omitter); is {
		it = o.AutomatonIteratorOmitCount(nil, start, end)
	} else {
		it = d.AutomatonIterator(nil, start, end)
	}
	for {
		entry, err := it.Next()
		if err != nil {
			return fmt.Errorf("%w: reading terms", errDamaged)
		}
		if entry == nil {
			return nil
		}
		if more, err := fn(entry.Term); err != nil || !more {
			return err
		}
	}
}

// behindPrefix is the first text behind all that begin so; empty: there is none.
func behindPrefix(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}
