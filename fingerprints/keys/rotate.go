package keys

import (
	"fmt"
	"io"
	"time"
)

// inUse is how many filter generations a scanner searches with at most.
const inUse = 2

// Rotate begins an epoch, and after a compromise a filter generation too.
// Nothing changes when it fails.
func (r *Ring) Rotate(rand io.Reader, now time.Time, why Rotation) error {
	if why != RotateRoutine && why != RotateCompromise {
		return fmt.Errorf("rotating the key ring: unknown reason")
	}
	old := r.load()
	if len(old.epochs) == maxEpochs {
		return fmt.Errorf("rotating the key ring: it holds %d epochs already", maxEpochs)
	}
	next := epoch{info: EpochInfo{Epoch: old.newest() + 1, CreatedAt: stamp(now), Reason: why}}
	if _, err := io.ReadFull(rand, next.master[:]); err != nil {
		return fmt.Errorf("rotating the key ring: %w", err)
	}
	s := &ringState{installation: old.installation, root: old.root}
	s.epochs = append(append(s.epochs, old.epochs...), next)
	s.filters = append(s.filters, old.filters...)
	if why == RotateCompromise {
		newest := old.filters[len(old.filters)-1].gen
		s.filters = append(s.filters, generation{gen: newest + 1, epoch: next.info.Epoch})
		s.filters = s.filters[max(0, len(s.filters)-inUse):]
	}
	if !r.cell().CompareAndSwap(old, s) {
		return fmt.Errorf("rotating the key ring: it was rotated at the same time")
	}
	return nil
}

// Drops tells which filter generation a rotation would put out of use, so that
// its values can be listed before; 0: none.
func (r *Ring) Drops(why Rotation) uint32 {
	f := r.load().filters
	if why != RotateCompromise || len(f) < inUse {
		return 0
	}
	return f[0].gen
}

// Relation says how two copies of a ring stand to each other.
type Relation string

// The relations of a to b in Compare(a, b).
const (
	RelationSame     Relation = "same"
	RelationOlder    Relation = "older"    // b has everything of a, and more epochs
	RelationNewer    Relation = "newer"    // a has everything of b, and more epochs
	RelationDiverged Relation = "diverged" // one ring, rotated twice apart
	RelationForeign  Relation = "foreign"  // two installations
)

// Compare tells how a stands to b.
func Compare(a, b *Ring) Relation {
	x, y := a.load(), b.load()
	if x.installation != y.installation || x.root != y.root {
		return RelationForeign
	}
	for i := range min(len(x.epochs), len(y.epochs)) {
		if x.epochs[i].master != y.epochs[i].master {
			return RelationDiverged
		}
	}
	switch {
	case len(x.epochs) < len(y.epochs):
		return RelationOlder
	case len(x.epochs) > len(y.epochs):
		return RelationNewer
	}
	return RelationSame
}
