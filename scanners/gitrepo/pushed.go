package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"revenant/fingerprints"
)

// mostPushed is how many new commits are looked at here: of more, git's log is
// soon read.
const mostPushed = 512

// pushed is what history says, where what came since the last scan is only a few
// commits on top of what was there: then git need not be asked, whatever the
// history. It is false where anything else happened.
func (v *survey) pushed(ctx context.Context) (*history, bool) {
	if !v.before.came || v.again || len(v.names) > 0 || len(v.commits) > mostPushed || !v.plain() {
		return nil, false
	}
	met, on, ok := v.came()
	if !ok || slices.ContainsFunc(without(v.before.tips(), v.now()), func(id oid) bool { return !on[id] }) {
		return nil, false
	}
	h := v.history()
	t := &trees{store: v.s.store, h: h}
	if !t.changes(ctx, v.held, slices.SortedFunc(maps.Keys(met), oid.Compare), fingerprints.PresenceHistory) || !v.restored(ctx, h) {
		return nil, false
	}
	var beyond []oid
	for id := range v.commits {
		if !met[id] {
			beyond = append(beyond, id)
		}
	}
	if !t.changes(ctx, v.held, sorted(beyond), fingerprints.PresenceUnreachable) || !v.allPlaced(h) {
		return nil, false
	}
	v.reached(func(id oid) bool { return met[id] }, maps.Keys(met))
	h.settle()
	return h, true
}

// plain reports whether commits have the parents that they name, and refs lead
// to something.
func (v *survey) plain() bool {
	_, err := os.Lstat(filepath.Join(v.s.r.common, "info", "grafts"))
	return !v.s.r.shallow && !v.s.r.partial && !v.s.lostRef && errors.Is(err, fs.ErrNotExist)
}

// came are the new commits that tips reach, and the old ones that those are on
// top of. It is false where tips may have come to reach others, too.
func (v *survey) came() (met, on map[oid]bool, ok bool) {
	met, on = map[oid]bool{}, map[oid]bool{}
	before := v.before.tips()
	left := without(v.now(), before)
	others := map[oid]bool{} // they reach no commit
	for i := range v.s.refs {
		if f := &v.s.refs[i]; f.tip && !f.is {
			others[f.commit] = true
		}
	}
	left = slices.DeleteFunc(left, func(id oid) bool { return others[id] })
	for len(left) > 0 {
		id := left[len(left)-1]
		left = left[:len(left)-1]
		if met[id] || on[id] {
			continue
		}
		parents, fresh := v.commits[id]
		if fresh {
			met[id] = true
			left = append(left, parents...)
			continue
		}
		_, was := slices.BinarySearchFunc(before, id, oid.Compare)
		if !was && !(v.surely && v.known.reached.has(v.known.mark(id))) || !v.s.store.Has(id) {
			return nil, nil, false
		}
		on[id] = true
	}
	return met, on, true
}

// changes notes what commits brought in. It is false where something cannot be
// read, or the order of the commits matters, which is git's.
func (t *trees) changes(ctx context.Context, held map[oid]int64, commits []oid, presence fingerprints.Presence) bool {
	wanted := make(map[oid]bool, len(held))
	for id := range held {
		wanted[id] = true
	}
	by := map[place]oid{}
	for _, id := range commits {
		for _, p := range t.brought(ctx, id, wanted) {
			if _, twice := by[p]; twice && presence == fingerprints.PresenceHistory {
				return false
			}
			by[p] = id
			t.h.note(p, id, presence)
		}
	}
	return !t.missed && ctx.Err() == nil
}

// unasked notes what tips reach, where history need not be asked for any place.
func (v *survey) unasked() error {
	if v.s.o.Memory == nil {
		return nil
	}
	if !v.before.came { // all is new, or was read by a scan that was stopped
		v.surely = true
		if err := v.known.reached.clear(); err != nil {
			return fmt.Errorf("remembering: %w", err)
		}
	}
	met, _, ok := v.came()
	if v.surely = v.surely && ok && v.plain(); v.surely {
		v.reached(func(id oid) bool { return met[id] }, maps.Keys(met))
	}
	return nil
}
