package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/lineage"
	"revenant/scanners/gitrepo/objects"
)

// attributed asks history for the places of what may hold something.
func (v *survey) attributed(ctx context.Context) (*history, error) {
	if len(v.held)+len(v.written)+len(v.names) == 0 {
		h := v.history()
		if v.absent.any() {
			v.standing(ctx, h)
		}
		return h, errors.Join(v.unasked(), ctx.Err())
	}
	if h, all := v.pushed(ctx); all {
		v.standing(ctx, h)
		return h, ctx.Err()
	}
	now := v.now()
	if old, forward := v.forward(ctx, now); forward {
		h := v.history()
		err := v.walked(ctx, h, now, old, func() bool { return v.restored(ctx, h) })
		if err == nil && v.allPlaced(h) {
			v.standing(ctx, h)
			return h, ctx.Err()
		}
	}
	h := v.history()
	v.anew = true
	if err := v.known.reached.clear(); err != nil {
		return nil, fmt.Errorf("remembering: %w", err)
	}
	if err := v.allOver(ctx, h, now); err != nil {
		return nil, err
	}
	v.standing(ctx, h)
	return h, ctx.Err()
}

// allOver notes what all commits say of places.
func (v *survey) allOver(ctx context.Context, h *history, now []oid) error {
	past, err := v.lineage(ctx, h)
	if err != nil {
		return err
	}
	for id, m := range v.written {
		m.presence = fingerprints.PresenceUnreachable
		v.written[id] = m
	}
	reached := past.Reach(now)
	v.reached(reached.Has, reached.All())
	err = past.Brought(ctx, reached, func(commit oid, reached bool, places []lineage.Place) {
		presence := fingerprints.PresenceUnreachable
		if reached {
			presence = fingerprints.PresenceHistory
		}
		for _, p := range places {
			h.note(place{blob: p.ID, path: p.Path}, commit, presence)
		}
	})
	h.settle()
	return err
}

// lineage reads all commits and trees for what is asked for.
func (v *survey) lineage(ctx context.Context, h *history) (*lineage.History, error) {
	q := lineage.Query{Workers: v.s.o.Workers, Names: h.names, Links: v.absent.links}
	q.IDs = slices.AppendSeq(slices.Collect(maps.Keys(h.wanted)), maps.Keys(h.pointers))
	if v.s.o.Memory != nil && v.lasts() {
		q.Read = v.known.reader()
	}
	var err error
	v.ancestry, err = lineage.Read(ctx, v.s.store.Store, q)
	return v.ancestry, err
}

func (v *survey) history() *history {
	h := newHistory(v.held, v.names)
	h.pointers = v.absent.pointers
	return h
}

// walked notes what commits say of places: those that tips reach, but for what
// was reached before, and those that are new and none of them reaches. Then older
// notes what was known before: the commit that a place was known by stays.
func (v *survey) walked(ctx context.Context, h *history, now, old []oid, older func() bool) error {
	in, out := v.since(ctx, now, old)
	reached, err := h.log(ctx, v.s.r, in, out, fingerprints.PresenceHistory)
	if err != nil {
		return err
	}
	v.reached(func(id oid) bool { return reached[id] }, maps.Keys(reached))
	for _, st := range h.places {
		if st.twice { // which of them is the oldest, git's order does not say
			return errMoved
		}
	}
	var beyond []oid
	for id := range v.commits {
		if !reached[id] {
			beyond = append(beyond, id)
		}
	}
	slices.SortFunc(beyond, oid.Compare)
	// One at a time: each says what it changed.
	_, err = h.log(ctx, v.s.r, beyond, nil, fingerprints.PresenceUnreachable, "--no-walk=unsorted")
	if err == nil && !older() {
		return errMoved
	}
	h.settle()
	return err
}

// errMoved says that remembered places are not what they were.
var errMoved = errors.New("a remembered place is not there")

// allPlaced reports whether each blob that was not known to hold anything has a
// place: one that commits of old brought in has none yet.
func (v *survey) allPlaced(h *history) bool {
	placed := map[oid]bool{}
	for _, r := range v.before.held {
		placed[r.id] = true
	}
	for p, s := range h.places {
		placed[p.blob] = placed[p.blob] || !s.commit.IsZero()
	}
	for id := range v.held {
		if !placed[id] {
			return false
		}
	}
	return true
}

// forward reports whether all that was reached from tips before still is, so
// that only what came since is to be looked at; the old tips are returned.
func (v *survey) forward(ctx context.Context, now []oid) ([]oid, bool) {
	if !v.before.came || v.again || len(v.names) > 0 {
		return nil, false
	}
	old := v.before.tips()
	left := without(old, now)
	if len(left) == 0 {
		return old, true
	}
	// What a branch was at is mostly reached from where it is now: that is asked
	// first, since git reads each commit that it is given.
	for _, in := range [][]oid{without(now, old), now} {
		out, err := v.s.r.output(ctx, revisions(left, in), "rev-list", "--stdin", "--max-count=1")
		if err == nil && len(bytes.TrimSpace(out)) == 0 {
			return old, true
		}
	}
	return old, false
}

// without are the ids of a list that another has not; both are sorted.
func without(list, other []oid) []oid {
	var out []oid
	for i := range list {
		for len(other) > 0 && (first(&other[0]) < first(&list[i]) || other[0].Compare(list[i]) < 0) {
			other = other[1:]
		}
		if len(other) == 0 || other[0] != list[i] {
			out = append(out, list[i])
		}
	}
	return out
}

// since are tips to walk history from, and those to stop at, so that what now
// reaches and old does not is met.
func (v *survey) since(ctx context.Context, now, old []oid) (in, out []oid) {
	in = without(now, old)
	if len(in) == 0 || len(old) == 0 {
		return in, old
	}
	// Where all that the tips that are left behind do not reach is new in the
	// store, no other tip has reached it before, and git need not read them all.
	out = without(old, now)
	list, err := v.s.r.output(ctx, revisions(in, out), "rev-list", "--stdin", fmt.Sprintf("--max-count=%d", len(v.commits)+1))
	if err != nil {
		return in, old
	}
	for line := range bytes.Lines(list) {
		id, ok := parseOID(bytes.TrimSpace(line))
		if _, fresh := v.commits[id]; !ok || !fresh {
			return in, old
		}
	}
	return in, out
}

// revisions is git's input for what some commits reach and others do not.
func revisions(in, out []oid) io.Reader {
	var b strings.Builder
	for _, c := range in {
		b.WriteString(c.String() + "\n")
	}
	for _, c := range out {
		b.WriteString("^" + c.String() + "\n")
	}
	return strings.NewReader(b.String())
}

// reached notes that commits are in the history of tips, and tags are tips. Of
// the commits it is told which they are, and all of them.
func (v *survey) reached(has func(oid) bool, all iter.Seq[oid]) {
	v.surely = v.surely || v.anew
	for id := range all {
		v.known.reached.fresh = append(v.known.reached.fresh, v.known.mark(id))
	}
	named := map[oid]bool{}
	for _, f := range v.s.refs {
		if f.tip {
			named[f.target] = true
		}
	}
	for id, m := range v.written {
		switch {
		case m.kind == objects.Tag && named[id], has(id):
			m.presence = fingerprints.PresenceHistory
		case m.kind == objects.Tag:
			m.presence = fingerprints.PresenceUnreachable
		}
		v.written[id] = m
	}
}

// standing notes which refs' trees hold what.
func (v *survey) standing(ctx context.Context, h *history) {
	v.stood = newStood(v.known.salt)
	if v.lasts() && !v.again {
		v.stood = recallStood(v.known.salt, v.before)
	}
	t := &trees{store: v.s.store, h: h, known: map[oid]held{}, skip: v.s.lost, read: v.known.reader(), past: v.ancestry, told: map[oid]bool{}}
	if t.past == nil && v.stood.unknown(v.s.refs) > fewTrees {
		t.past, _ = v.lineage(ctx, h) // without it they are read one by one
	}
	v.stood.stand(ctx, t, v.s.refs)
	if t.past != nil && t.past.Over() {
		v.s.skip("", "", fingerprints.SkipTooLarge, "trees have more paths than are followed")
	}
}

// fewTrees is how many commits' trees are read one by one: for more all trees
// are read as they are stored.
const fewTrees = 50

// lasts reports whether what trees hold may be remembered: names of files are
// found in trees themselves, and a partial clone says of what it lacks each time.
func (v *survey) lasts() bool { return len(v.names) == 0 && !v.s.r.partial }
