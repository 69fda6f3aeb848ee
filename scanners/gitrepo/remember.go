package gitrepo

import (
	"bytes"
	"slices"
)

// remember keeps what was read; h is nil where history was not looked at.
func (v *survey) remember(h *history) error {
	if v.s.o.Memory == nil || h != nil && v.nothingNew() {
		return nil
	}
	v.mu.Lock()
	m := memoryV2{Knows: v.s.o.Knows, Salt: v.known.salt, Seen: packed(v.known.all())}
	if v.again && h == nil { // what was looked through so far is not known
		m.Knows.Fields = v.before.Knows.Fields
	}
	for id, size := range v.held {
		m.Held = append(m.Held, remembered{ID: id.Bytes(), Size: size})
	}
	for id, w := range v.written {
		m.Written = append(m.Written, remembered{ID: id.Bytes(), Kind: w.kind, Presence: w.presence})
	}
	for id := range v.trees {
		m.Trees = append(m.Trees, id.Bytes())
	}
	v.absent.remember(&m)
	v.mu.Unlock()
	if h != nil {
		m.Packs, m.Tips = v.packs(), v.tips()
		m.Places = h.remembered()
		if v.stood != nil && v.lasts() {
			m.Stood = v.stood.remember(v.s.refs)
		}
	}
	return m.keep(v.s.o.Memory)
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

// tips are the ids of the commits that are reached from.
func (v *survey) tips() [][]byte {
	out := [][]byte{}
	for _, id := range tips(v.s.refs) {
		out = append(out, id.Bytes())
	}
	return out
}

// nothingNew reports whether the memory says already what this scan would keep.
func (v *survey) nothingNew() bool {
	return v.before.Tips != nil && !v.again && !v.anew && len(v.known.fresh)+len(v.known.gone) == 0 &&
		(v.stood == nil || v.stood.fresh == 0) &&
		slices.EqualFunc(v.before.Packs, v.packs(), bytes.Equal) && slices.EqualFunc(v.before.Tips, v.tips(), bytes.Equal)
}
