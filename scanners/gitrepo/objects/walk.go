package objects

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// Object is what a walk shows. It and all that it points to are borrowed until
// Visit returns.
type Object struct {
	ID   ID
	Kind Kind
	Size int64
	// Data is the content; nil when Stream is set.
	Data []byte
	// Stream is the content of an object beyond Limits.Whole. Its last Read
	// fails when the content is not the object's; the walk lists it then, and
	// Visit may return that error or not. What is left unread is not checked.
	Stream io.Reader
	// Pack is where it was read from; empty: a loose object, or the fallback.
	Pack string
	// Delta is how the pack makes the object from another one; nil for an
	// object that is stored whole, and unless Walk.Pieces is set.
	Delta *Delta
}

// Delta is how an object is made from its base.
type Delta struct {
	Base []byte
	// State is what Visit returned for the base; nil when the base was not
	// shown, because it is not wanted or was shown in another pack.
	State  any
	Pieces []Piece
	Depth  int // bases below this object
}

// PackInfo is what is known of a pack without reading it.
type PackInfo struct {
	Name string // of the file
	// Sum is the checksum of the pack's content; nil: not known.
	Sum     []byte
	Objects int
}

// Walk says which objects are shown, and to whom.
type Walk struct {
	// Workers is how many goroutines read; 0: one for each processor.
	Workers int
	// Known reports that all objects of a pack are known: they are not shown,
	// and neither are copies of them elsewhere. It may be asked again. nil: none.
	Known func(PackInfo) bool
	// Want chooses objects, and is called once for each that is not known,
	// maybe concurrently; nil: all.
	Want func(ID) bool
	// Kinds are the kinds that are shown; nil: all.
	Kinds []Kind
	// Pieces asks for Object.Delta.
	Pieces bool
	// Visit is shown each object once, by several goroutines at a time; worker
	// is below Workers and never used twice at a time. What it returns is kept
	// until all objects that are made from this one were shown. An error ends
	// the walk.
	Visit func(ctx context.Context, worker int, o *Object) (state any, err error)
	// Damaged is told of each object that could not be read; nil: nobody.
	// Calls never overlap.
	Damaged func(Damage)
}

// Report is what a walk came to.
type Report struct {
	Objects   int64 // shown
	Bytes     int64 // of their contents
	Deltas    int64 // of them, made from another object
	Unwanted  int64 // known or not wanted
	Recovered int64 // shown from another copy, since one was damaged
	Fallback  int64 // shown from the fallback
	Damaged   int64 // not shown
}

func (r *Report) add(o Report) {
	r.Objects += o.Objects
	r.Bytes += o.Bytes
	r.Deltas += o.Deltas
	r.Unwanted += o.Unwanted
	r.Recovered += o.Recovered
	r.Fallback += o.Fallback
	r.Damaged += o.Damaged
}

// Packs lists the packs in the order in which they are read.
func (s *Store) Packs() []PackInfo {
	var infos []PackInfo
	for _, p := range s.shelf.Load().packs {
		infos = append(infos, p.info())
	}
	return infos
}

func (p *pack) info() PackInfo {
	return PackInfo{Name: p.name, Sum: p.index.packSum, Objects: p.index.n}
}

// Walk shows every object in the store once, whether anything refers to it or
// not: packs in their own order, each base inflated once, then loose objects.
// Memory is bounded by the number of packed objects (about 20 bytes each), by
// Limits.Whole, and by the logarithm of how many deltas stand on one object.
//
// A damaged object is told to Damaged and ends nothing. The error is that of
// ctx or Visit.
func (s *Store) Walk(ctx context.Context, w Walk) (Report, error) {
	if w.Workers <= 0 {
		w.Workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &tour{s: s, w: w, lane: make(chan struct{}, 1), cancel: cancel}
	defer unguard(guard())
	// Objects move from files into packs, so files are listed first: whatever
	// is packed meanwhile is in one of the two.
	t.listLoose()
	if err := s.Reload(ctx); err != nil {
		return t.report, err
	}
	if err := t.choose(ctx); err != nil {
		return t.report, err
	}
	if err := t.plant(ctx); err != nil {
		return t.report, err
	}
	var wg sync.WaitGroup
	for i := range w.Workers {
		wg.Go(func() {
			defer unguard(guard())
			k := &walker{t: t, r: s.readers.Get().(*reader), worker: i}
			if err := k.run(ctx); err != nil {
				cancel(err)
			}
			s.readers.Put(k.r)
			t.mu.Lock()
			t.report.add(k.report)
			t.mu.Unlock()
		})
	}
	wg.Wait()
	return t.report, context.Cause(ctx)
}

// tour is a walk under way.
type tour struct {
	s      *Store
	w      Walk
	packs  []*pack // those that were there when the walk began
	picks  []pick
	forest *forest
	roots  []uint32
	lost   []pick // of packs that cannot be read
	loose  []looseIDs

	groveOf   map[*pack]int
	looseNode map[ID]uint32

	nextRoot   atomic.Int64
	nextLost   atomic.Int64
	nextLoose  atomic.Int64
	retries    atomic.Int64
	fallbacks  atomic.Int64
	reloads    atomic.Int64
	spare      atomic.Int64  // bytes that may be read twice
	lane       chan struct{} // held by who has large objects in memory
	cancel     context.CancelCauseFunc
	mu         sync.Mutex
	report     Report
	damageCall sync.Mutex
}

func (t *tour) wants(k Kind) bool {
	if t.w.Kinds == nil {
		return true
	}
	for _, want := range t.w.Kinds {
		if want == k {
			return true
		}
	}
	return false
}

// damaged tells of an object that nobody could read.
func (t *tour) damaged(d Damage) {
	if t.w.Damaged == nil {
		return
	}
	t.damageCall.Lock()
	defer t.damageCall.Unlock()
	t.w.Damaged(d)
}
