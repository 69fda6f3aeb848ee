package gitrepo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// remember keeps what was read; h is nil where history was not looked at.
func (v *survey) remember(h *history) error {
	to := v.s.o.Memory
	if to == nil || h != nil && v.nothingNew() {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	m := &memory{knows: v.s.o.Knows}
	if v.again && h == nil { // what was looked through so far is not known
		m.knows = v.before.knows
	}
	v.found(m)
	m.clean = v.s.clean
	slices.Sort(m.clean)
	if h != nil {
		v.past(m, h)
	}
	return v.known.keep(to, m)
}

// keep saves a state with the marks that it names.
func (k *known) keep(to Memory, m *memory) (err error) {
	var movedRead, movedReached bool
	m.salt = k.salt
	if m.read, movedRead, err = k.read.keep(to, k.gone); err != nil {
		return err
	}
	if m.reached, movedReached, err = k.reached.keep(to, nil); err != nil {
		return err
	}
	if err := to.Save(statePart, m.encode()); err != nil {
		return fmt.Errorf("remembering: %w", err)
	}
	return errors.Join(k.read.kept(to, m.read, movedRead), k.reached.kept(to, m.reached, movedReached))
}

// found puts in what objects may hold.
func (v *survey) found(m *memory) {
	for id, size := range v.held {
		m.held = append(m.held, remembered{id: id, size: size})
	}
	for id, w := range v.written {
		m.written = append(m.written, remembered{id: id, kind: w.kind, presence: w.presence})
	}
	for id := range v.trees {
		m.trees = append(m.trees, id)
	}
	v.absent.remember(m)
}

// past puts in what history says.
func (v *survey) past(m *memory, h *history) {
	m.came, m.packs = true, v.packs()
	m.places = h.remembered(v.known.salt)
	m.surely = v.surely
	m.commits, m.tags = v.leads()
	if v.stood != nil && v.lasts() {
		v.stood.remember(m)
	}
}

// packs are the checksums of packs that were read wholly.
func (v *survey) packs() (sums [][]byte) {
	for _, p := range v.s.store.Packs() {
		if len(p.Sum) > 0 && !v.broken[p.Name] {
			sums = append(sums, p.Sum)
		}
	}
	return sums
}

// leads are the objects that refs lead to.
func (v *survey) leads() (commits []tip, tags []peeled) {
	refs := v.s.refs
	commits = make([]tip, 0, len(refs))
	order := make([]oid, len(refs))
	for i := range refs {
		order[i] = refs[i].commit
	}
	at := make(map[uint64]int, len(refs)) // by the first bytes
	for _, id := range slices.Compact(sorted(order)) {
		if _, has := at[first(&id)]; !has { // nobody makes two that begin alike
			at[first(&id)] = len(commits)
			commits = append(commits, tip{id: id})
		}
	}
	for i := range refs {
		f := &refs[i]
		t := &commits[at[first(&f.commit)]]
		if t.id != f.commit {
			continue
		}
		t.tip, t.is, t.in = t.tip || f.tip, t.is || f.is, t.in || f.in
		if f.is && f.target != f.commit {
			tags = append(tags, peeled{f.target, f.commit, f.tagIn})
		}
	}
	slices.SortFunc(tags, func(a, b peeled) int { return a.tag.Compare(b.tag) })
	return commits, slices.Compact(tags)
}

// nothingNew reports whether the memory says already what this scan would keep.
func (v *survey) nothingNew() bool {
	return v.before.came && v.before.knows.equal(v.s.o.Knows) && !v.anew && len(v.known.read.fresh)+len(v.known.reached.fresh)+len(v.known.gone) == 0 &&
		(v.stood == nil || v.stood.fresh == 0) && v.surely == v.before.surely && !v.known.read.most.damaged() && !v.known.reached.most.damaged() &&
		slices.Equal(v.before.clean, slices.Sorted(slices.Values(v.s.clean))) &&
		slices.EqualFunc(v.before.packs, v.packs(), bytes.Equal) && slices.Equal(v.before.tips(), v.now())
}
