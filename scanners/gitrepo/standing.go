package gitrepo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/lineage"
	"revenant/scanners/gitrepo/objects"
)

// stoodV2 is what a memory has of the trees of refs: of each commit, where in
// its tree is what is asked for. Paths are kept as keyed hashes.
type stoodV2 struct {
	Commits []byte     // ids, one behind another
	Sets    []uint32   // of each of them, the set of places
	Members [][]uint32 // of each set, its places
	Blobs   []byte     // of each place, the id of what is there
	Links   []bool     // of each place, whether that is a commit of another repository
	Marks   []uint64   // of each place, its keyed hash
}

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
	commits map[oid]uint32    // their sets
	lasting map[oid]bool      // commits whose sets can be kept
	fresh   int               // how many such were walked now
	// outlines are the sets of trees that were read with all others.
	outlines map[lineage.Outline]outlineSet
}

type outlineSet struct {
	set  uint32
	sure bool
}

func newStood(salt [16]byte) *stood {
	return &stood{
		salt: salt, by: map[place]uint32{}, marks: map[uint64]uint32{},
		same: map[string]uint32{}, commits: map[oid]uint32{}, lasting: map[oid]bool{}, outlines: map[lineage.Outline]outlineSet{},
	}
}

// recallStood takes up what a memory has; nothing where it contradicts itself.
func recallStood(salt [16]byte, m stoodV2) *stood {
	s := newStood(salt)
	n := len(m.Marks)
	if len(m.Sets) == 0 || len(m.Commits)%len(m.Sets) != 0 || len(m.Links) != n || n > 0 && len(m.Blobs)%n != 0 {
		return s
	}
	for i, mark := range m.Marks {
		size := len(m.Blobs) / n
		s.spots = append(s.spots, spot{place: place{blob: objects.MakeID(m.Blobs[i*size : (i+1)*size]), link: m.Links[i]}, mark: mark})
		s.marks[mark] = uint32(i)
	}
	for _, members := range m.Members {
		for _, i := range members {
			if int(i) >= n {
				return newStood(salt)
			}
		}
		s.set(members)
	}
	size := len(m.Commits) / len(m.Sets)
	for i, set := range m.Sets {
		if int(set) >= len(s.sets) {
			return newStood(salt)
		}
		id := objects.MakeID(m.Commits[i*size : (i+1)*size])
		s.commits[id], s.lasting[id] = set, true
	}
	return s
}

// remember is what is to be kept: of the commits that refs are at now.
func (s *stood) remember(refs []ref) stoodV2 {
	var m stoodV2
	sets, spots, done := map[uint32]uint32{}, map[uint32]uint32{}, map[oid]bool{}
	total := 0
	for _, f := range refs {
		set, has := s.commits[f.commit]
		if !has || !s.lasting[f.commit] || done[f.commit] {
			continue
		}
		done[f.commit] = true
		if _, has := sets[set]; !has {
			if total += len(s.sets[set]); total > maxStood {
				break
			}
			sets[set] = uint32(len(m.Members))
			m.Members = append(m.Members, s.members(&m, set, spots))
		}
		m.Commits = append(m.Commits, f.commit.Bytes()...)
		m.Sets = append(m.Sets, sets[set])
	}
	return m
}

// members puts a set's spots into what is kept, each once.
func (s *stood) members(m *stoodV2, set uint32, spots map[uint32]uint32) []uint32 {
	out := make([]uint32, 0, len(s.sets[set]))
	for _, i := range s.sets[set] {
		k, has := spots[i]
		if !has {
			k = uint32(len(m.Marks))
			spots[i] = k
			p := &s.spots[i]
			m.Marks, m.Links, m.Blobs = append(m.Marks, p.mark), append(m.Links, p.link), append(m.Blobs, p.blob.Bytes()...)
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

// mark is a keyed hash of a place.
func (s *stood) mark(p place) uint64 {
	b := append([]byte("place\x00"), s.salt[:]...)
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
	for _, f := range refs {
		if ctx.Err() != nil {
			return
		}
		set, has := s.commits[f.commit]
		if !has {
			var sure, is bool
			if set, sure, is = s.found(ctx, t, f); !is {
				continue
			}
			if ctx.Err() == nil {
				s.commits[f.commit], s.lasting[f.commit] = set, sure
				if sure {
					s.fresh++
				}
			}
		}
		for _, i := range s.sets[set] {
			s.note(t.h, f, &s.spots[i])
		}
	}
}

// found is the set of what the tree of a ref holds; is tells whether it leads
// to a tree.
func (s *stood) found(ctx context.Context, t *trees, f ref) (set uint32, sure, is bool) {
	if t.past != nil {
		o, commit, has := t.past.Root(ctx, f.commit)
		if has && (commit || f.tip) {
			e, known := s.outlines[o]
			if !known {
				var list []place
				list, e.sure = t.spelled(o)
				e.set = s.take(list)
				s.outlines[o] = e
			}
			return e.set, e.sure && commit, true
		}
	}
	list, sure, is := t.of(ctx, f)
	if !is {
		return 0, false, false
	}
	return s.take(list), sure, true
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
	known := map[uint32]bool{}
	for _, f := range refs {
		set, has := s.commits[f.commit]
		if !has || known[set] {
			continue
		}
		if s.whole(t.h, set) || s.walked(ctx, t, f, set) {
			known[set] = true
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
func (s *stood) note(h *history, f ref, p *spot) {
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
