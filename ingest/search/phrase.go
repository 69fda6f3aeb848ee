package search

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"
	"golang.org/x/sync/errgroup"

	"revenant/ingest/search/query"
)

// maxWords is how many words a beginning may stand for inside of a phrase.
const maxWords = 2000

// ErrBroad says that a phrase has a word with * that stands for too many words.
var ErrBroad = fmt.Errorf("a word with * in a phrase stands for more than %d words here: write more of it", maxWords)

// text finds documents that have words one behind the other in one of their texts.
func (p *part) text(n query.Text) (*roaring.Bitmap, error) {
	fields := []string{string(query.FieldPath)}
	if n.Field == "" {
		fields = append(fields, fieldText)
	}
	out := roaring.New()
	for _, field := range fields {
		b, err := p.phrase(field, n.Tokens)
		if err != nil {
			return nil, err
		}
		out.Or(b)
	}
	return out, nil
}

func (p *part) phrase(field string, tokens []query.Pattern) (*roaring.Bitmap, error) {
	if len(tokens) == 1 {
		out := roaring.New()
		return out, p.orTerms(out, field, tokens[0])
	}
	all := make([][]string, len(tokens))
	candidates := p.live
	for i, t := range tokens {
		terms := []string{string(t)}
		if _, exact := t.Exact(); !exact {
			var err error
			if terms, err = p.terms(field, t, maxWords+1); err != nil {
				return nil, err
			}
			if len(terms) > maxWords {
				return nil, ErrBroad
			}
		}
		b := roaring.New()
		if err := p.orAll(b, field, terms); err != nil {
			return nil, err
		}
		all[i], candidates = terms, roaring.And(candidates, b)
	}
	return p.following(field, all, candidates)
}

// shareOfPhrase is from how many documents on their places are read by several at once.
const shareOfPhrase = 64

// following keeps the candidates in which a word of each list follows one of the
// list before.
func (p *part) following(field string, all [][]string, candidates *roaring.Bitmap) (*roaring.Bitmap, error) {
	n := int(candidates.GetCardinality())
	shares := max(1, min(max(2, runtime.GOMAXPROCS(0)), n/shareOfPhrase))
	sets := make([]*roaring.Bitmap, shares)
	var g errgroup.Group
	for i := range shares {
		g.Go(func() (err error) {
			defer caught(&err)
			sets[i], err = p.again().followingIn(field, all, candidates, i*n/shares, (i+1)*n/shares)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return roaring.FastOr(sets...), nil
}

// followingIn is following for the candidates from one place in their order to before
// another.
func (p *part) followingIn(field string, all [][]string, candidates *roaring.Bitmap, from, to int) (*roaring.Bitmap, error) {
	out := roaring.New()
	if from == to {
		return out, nil
	}
	lists := make([][]*placed, len(all))
	for i, terms := range all {
		for _, term := range terms {
			list, err := p.postings(field, term, nil)
			if err != nil {
				return nil, err
			}
			lists[i] = append(lists[i], &placed{it: list.Iterator(true, true, true, nil)})
		}
	}
	it := candidates.Iterator()
	if from > 0 {
		first, err := candidates.Select(uint32(from))
		if err != nil {
			return nil, errDamaged
		}
		it.AdvanceIfNeeded(first)
	}
	var at, next []uint64
	for ; from < to && it.HasNext(); from++ {
		doc := uint64(it.Next())
		for i, words := range lists {
			next = next[:0]
			for _, w := range words {
				if err := w.to(doc); err != nil {
					return nil, err
				}
				next = w.appendPlaces(next, doc)
			}
			if i > 0 {
				next = slices.DeleteFunc(next, func(place uint64) bool { return !slices.Contains(at, place-1) })
			}
			if at, next = next, at; len(at) == 0 {
				break
			}
		}
		if len(at) > 0 {
			out.Add(uint32(doc))
		}
	}
	return out, nil
}

// placed is a list of documents with the places of a word in each.
type placed struct {
	it  segment.PostingsIterator
	now segment.Posting
	end bool
}

// to goes on to a document, or to the first behind it.
func (l *placed) to(doc uint64) error {
	if l.end || l.now != nil && l.now.Number() >= doc {
		return nil
	}
	var err error
	if l.now, err = l.it.Advance(doc); err != nil {
		return fmt.Errorf("%w: reading places", errDamaged)
	}
	l.end = l.now == nil
	return nil
}

// appendPlaces appends the word's places in a document: the text's number, and the
// place in it.
func (l *placed) appendPlaces(dst []uint64, doc uint64) []uint64 {
	if l.end || l.now == nil || l.now.Number() != doc {
		return dst
	}
	for _, loc := range l.now.Locations() {
		place := loc.Pos()
		if array := loc.ArrayPositions(); len(array) > 0 {
			place |= array[0] << 32
		}
		dst = append(dst, place)
	}
	return dst
}
