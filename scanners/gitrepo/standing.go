package gitrepo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/lineage"
)

// maxStood bounds how many members the sets that are kept have: beyond it, trees
// are walked again.
const maxStood = 1 << 20

// spot is a place in trees of refs.
type spot struct {
	place
	mark   uint64
	named  bool      // its path is known
	met    bool      // it is noted in the history
	absent bool      // as standing for content elsewhere
	route  []oid     // trees from that of a commit down to it; nil: not known
	at     *standing // nil: nothing is to be said of it
}

// stood is what the trees of commits hold, walked now or remembered.
type stood struct {
	salt    [16]byte
	spots   []spot
	by      map[place]uint32
	marks   map[uint64]uint32 // of spots that were remembered
	sets    [][]uint32
	same    map[string]uint32 // sets by their members
	commits map[oid]stoodAt
	fresh   int // how many of those that last were walked now
	// outlines are the sets of trees that were read with all others.
	outlines map[lineage.Outline]stoodAt
}

// stoodAt is what the tree of a commit holds.
type stoodAt struct {
	set   uint32
	lasts bool // it can be kept
}

func newStood(salt [16]byte) *stood {
	return &stood{
		salt: salt, by: map[place]uint32{}, marks: map[uint64]uint32{},
		same: map[string]uint32{}, commits: map[oid]stoodAt{}, outlines: map[lineage.Outline]stoodAt{},
	}
}

// recallStood takes up what a memory has.
func recallStood(salt [16]byte, m *memory) *stood {
	s := newStood(salt)
	for i, at := range m.spots {
		s.spots = append(s.spots, spot{place: place{blob: at.blob, link: at.link}, mark: at.mark, route: at.route})
		s.marks[at.mark] = uint32(i)
	}
	sets := make([]uint32, len(m.sets))
	for i, members := range m.sets {
		sets[i] = s.set(members)
	}
	s.commits = make(map[oid]stoodAt, len(m.commits))
	for i := range m.commits {
		if t := &m.commits[i]; t.set > 0 {
			s.commits[t.id] = stoodAt{sets[t.set-1], true}
		}
	}
	return s
}

// remember puts in what is to be kept of the commits of a memory.
func (s *stood) remember(m *memory) {
	sets, spots := map[uint32]uint32{}, map[uint32]uint32{}
	total := 0
	for i := range m.commits {
		t := &m.commits[i]
		at, has := s.commits[t.id]
		if !has || !at.lasts {
			continue
		}
		if sets[at.set] == 0 {
			if total += len(s.sets[at.set]); total > maxStood {
				break
			}
			m.sets = append(m.sets, s.members(m, at.set, spots))
			sets[at.set] = uint32(len(m.sets))
		}
		t.set = sets[at.set]
	}
}

// members puts a set's spots into what is kept, each once.
func (s *stood) members(m *memory, set uint32, spots map[uint32]uint32) []uint32 {
	out := make([]uint32, 0, len(s.sets[set]))
	for _, i := range s.sets[set] {
		k, has := spots[i]
		if !has {
			k = uint32(len(m.spots))
			spots[i] = k
			p := &s.spots[i]
			m.spots = append(m.spots, stoodSpot{p.blob, p.link, p.mark, p.route})
		}
		out = append(out, k)
	}
	return out
}

// set is the number of the set with these members.
func (s *stood) set(members []uint32) uint32 {
	key := make([]byte, 0, 4*len(members))
	for _, i := range members {
		key = binary.LittleEndian.AppendUint32(key, i)
	}
	n, has := s.same[string(key)]
	if !has {
		n = uint32(len(s.sets))
		s.sets = append(s.sets, members)
		s.same[string(key)] = n
	}
	return n
}

// spot is the number of a place whose path is known; a remembered one has got
// its path then.
func (s *stood) spot(p place) uint32 {
	if i, has := s.by[p]; has {
		return i
	}
	mark := s.mark(p)
	i, has := s.marks[mark]
	if !has || s.spots[i].blob != p.blob || s.spots[i].link != p.link {
		i = uint32(len(s.spots))
		s.spots = append(s.spots, spot{mark: mark})
	}
	s.spots[i].place, s.spots[i].named = p, true
	s.by[p] = i
	return i
}

func (s *stood) mark(p place) uint64 { return placeMark(s.salt, p) }

// placeMark is a keyed hash of a place.
func placeMark(salt [16]byte, p place) uint64 {
	b := append([]byte("place\x00"), salt[:]...)
	b = append(append(b, p.blob.Bytes()...), 0)
	if p.link {
		b[len(b)-1] = 1
	}
	sum := sha256.Sum256(append(b, p.path...))
	return binary.LittleEndian.Uint64(sum[:])
}

// stand says of each ref what its tree holds, by the walk of its tree or by
// what is remembered of its commit.
func (s *stood) stand(ctx context.Context, t *trees, refs []ref) {
	s.name(ctx, t, refs)
	for i := range refs {
		f := &refs[i]
		if ctx.Err() != nil {
			return
		}
		at, has := s.commits[f.commit]
		if !has {
			if t.past == nil {
				at, has = s.after(ctx, t, f.commit)
			}
			if !has {
				if at, has = s.found(ctx, t, *f); !has {
					continue
				}
			}
			if ctx.Err() == nil {
				s.commits[f.commit] = at
				if at.lasts {
					s.fresh++
				}
			}
		}
		for _, i := range s.sets[at.set] {
			s.note(t.h, f, &s.spots[i])
		}
	}
	s.route(ctx, t, refs)
}

// found is what the tree of a ref holds; is tells whether it leads to a tree.
func (s *stood) found(ctx context.Context, t *trees, f ref) (at stoodAt, is bool) {
	if t.past != nil {
		o, commit, has := t.past.Root(ctx, f.commit)
		if has && (commit || f.tip) {
			at, known := s.outlines[o]
			if !known {
				list, sure := t.spelled(o)
				at = stoodAt{s.take(list), sure}
				s.outlines[o] = at
			}
			at.lasts = at.lasts && commit
			return at, true
		}
	}
	list, sure, is := t.of(ctx, f)
	if !is {
		return stoodAt{}, false
	}
	return stoodAt{s.take(list), sure}, true
}

// unknown is how many commits of refs were not walked.
func (s *stood) unknown(refs []ref) int {
	n := map[oid]bool{}
	for _, f := range refs {
		if _, has := s.commits[f.commit]; !has {
			n[f.commit] = true
		}
	}
	return len(n)
}

// take makes a set of what was walked.
func (s *stood) take(list []place) uint32 {
	members := make([]uint32, 0, len(list))
	for _, p := range list {
		members = append(members, s.spot(p))
	}
	return s.set(members)
}

// name finds the paths of what is remembered: most are known from history, and
// for each other a tree that has it is walked. Commits that stay without are
// forgotten.
func (s *stood) name(ctx context.Context, t *trees, refs []ref) {
	for _, p := range t.h.order {
		s.spot(p)
	}
	for i := range s.spots {
		s.follow(ctx, t, &s.spots[i])
	}
	known := make([]bool, len(s.sets))
	for i := range refs {
		f := &refs[i]
		at, has := s.commits[f.commit]
		if !has || known[at.set] {
			continue
		}
		if s.whole(t.h, at.set) || s.walked(ctx, t, *f, at.set) {
			known[at.set] = true
			continue
		}
		delete(s.commits, f.commit)
	}
}

// walked walks the tree of a ref for the sake of the paths in it.
func (s *stood) walked(ctx context.Context, t *trees, f ref, set uint32) bool {
	list, _, _ := t.of(ctx, f)
	for _, p := range list {
		s.spot(p)
	}
	return s.whole(t.h, set)
}

// whole reports whether all paths are known in a set that anything is to be
// said of.
func (s *stood) whole(h *history, set uint32) bool {
	return !slices.ContainsFunc(s.sets[set], func(i uint32) bool {
		p := &s.spots[i]
		_, wanted := h.wanted[p.blob]
		return !p.named && (wanted || p.link || h.pointers[p.blob])
	})
}

// note notes that a ref's tree has something at a place.
func (s *stood) note(h *history, f *ref, p *spot) {
	if !p.named {
		return // nobody asks for it any more
	}
	if !p.met {
		p.met, p.at = true, h.standingAt(p.place)
	}
	if f.tip && !p.absent && (p.link || h.pointers[p.blob]) {
		p.absent, h.absent[p.place] = true, true
	}
	if p.at == nil {
		return
	}
	if f.tip {
		p.at.presence = fingerprints.PresenceTip
	}
	if len(p.at.refs) < maxRefs {
		p.at.refs = append(p.at.refs, f.name)
	} else {
		p.at.more++
	}
}

// standingAt is what is said of a place in a tree of a ref: nil, if nothing is.
func (h *history) standingAt(p place) *standing {
	if p.blob.IsZero() {
		h.note(p, oid{}, fingerprints.PresenceTip)
		return h.named[p.path]
	}
	if _, wanted := h.wanted[p.blob]; p.link || !wanted {
		return nil
	}
	return h.at(p)
}
