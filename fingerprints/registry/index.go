package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
)

// index knows, in memory, how many values share each region and which row has
// each value: what registering and look-ups ask for. It is built from the sealed rows when
// either comes first, and follows the store's field revision.
type index struct {
	mu       sync.Mutex
	built    bool
	revision uint64 // field revision that it reflects
	tags     map[uint64]int
	values   map[fingerprints.ValueID]fingerprints.RowID
	// quiet has the rows of values that no edge pack has, by what they are asked for by.
	quiet map[registration.LookupTag][]fingerprints.RowID
}

// indexed is one entry of the index.
type indexed struct {
	row   fingerprints.RowID
	value fingerprints.ValueID
	tags  []uint64
	asked registration.LookupTag
	quiet bool
}

func indexedOf(e registration.Entry) indexed {
	return indexed{row: e.Row, value: e.ValueID, tags: e.Tags(), asked: e.Tag(), quiet: e.Edge == nil}
}

func (x *index) addLocked(i indexed) {
	if i.quiet && !slices.Contains(x.quiet[i.asked], i.row) {
		x.quiet[i.asked] = append(x.quiet[i.asked], i.row)
	}
	if _, known := x.values[i.value]; known {
		return // the tags count distinct values
	}
	x.values[i.value] = i.row
	for _, t := range distinct(i.tags) {
		x.tags[t]++
	}
}

func distinct(tags []uint64) []uint64 {
	s := slices.Clone(tags)
	slices.Sort(s)
	return slices.Compact(s)
}

// readAhead builds the index where there is none, in a transaction that keeps nobody
// from writing: opening each row of a large registry takes seconds. What is committed
// meanwhile is read by follow.
func (r *Registry) readAhead(ctx context.Context) error {
	r.index.mu.Lock()
	built := r.index.built
	r.index.mu.Unlock()
	ring := r.ring.Load()
	if built || ring == nil {
		return nil
	}
	return r.store.View(ctx, func(tx store.Tx) error {
		meta, err := r.readMeta(ctx, tx)
		if err != nil {
			return err
		}
		return r.index.follow(ctx, &change{tx: tx, reg: r, ring: ring, meta: meta})
	})
}

// updateIndexed is update for what asks the index.
func (r *Registry) updateIndexed(ctx context.Context, a Actor, need Scope, what string, fn func(*change) error) error {
	if a.May(need) {
		if err := r.readAhead(ctx); err != nil {
			return fmt.Errorf("%s: reading what is registered: %w", what, err)
		}
	}
	return r.update(ctx, a, need, what, fn)
}

// follow brings the index to the state that the transaction sees.
func (x *index) follow(ctx context.Context, c *change) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.built && x.revision == c.meta.FieldRevision {
		return nil
	}
	if !x.built || x.revision > c.meta.FieldRevision {
		x.tags, x.values, x.revision = map[uint64]int{}, map[fingerprints.ValueID]fingerprints.RowID{}, 0
		x.quiet = map[registration.LookupTag][]fingerprints.RowID{}
	}
	reg := registration.New(c.ring, c.reg.rand, nil)
	err := c.tx.EachField(ctx, func(f fingerprints.FieldRow, _ fingerprints.Version) error {
		if f.Unsearchable != "" || x.built && f.Revision <= x.revision {
			return nil
		}
		e, err := reg.Open(f)
		if err != nil {
			return nil //nolint:nilerr // doctor and packs report rows that do not open; they share nothing
		}
		x.addLocked(indexedOf(e))
		return nil
	})
	if err != nil {
		x.built = false
		return err
	}
	x.built, x.revision = true, c.meta.FieldRevision
	return nil
}

// merge takes over what a committed change added.
func (x *index) merge(c *change) {
	if len(c.added) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.built || x.revision != c.meta.FieldRevision {
		return // another change came between; follow will read it
	}
	for _, i := range c.added {
		x.addLocked(i)
	}
	x.revision = c.revision()
}

// lookup is the index as one change sees it: the committed rows and its own.
type lookup struct {
	ctx    context.Context
	base   *index
	tx     store.Tx
	open   *registration.Registrar
	tags   map[uint64]int
	values map[fingerprints.ValueID]registration.Entry
}

func (l *lookup) add(e registration.Entry) {
	if _, known := l.values[e.ValueID]; known {
		return
	}
	l.values[e.ValueID] = e
	for _, t := range distinct(e.Tags()) {
		l.tags[t]++
	}
}

// Shared implements registration.Index.
func (l *lookup) Shared(tag uint64) int {
	l.base.mu.Lock()
	defer l.base.mu.Unlock()
	return l.base.tags[tag] + l.tags[tag]
}

// Known implements registration.Index.
func (l *lookup) Known(id fingerprints.ValueID) (registration.Entry, bool) {
	if e, ok := l.values[id]; ok {
		return e, true
	}
	l.base.mu.Lock()
	row, ok := l.base.values[id]
	l.base.mu.Unlock()
	if !ok {
		return registration.Entry{}, false
	}
	f, err := l.tx.FieldByID(l.ctx, row)
	if err != nil {
		return registration.Entry{}, false
	}
	e, err := l.open.Open(f)
	return e, err == nil
}

// sortedKeys is for stable output.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
