package gitrepo

import (
	"context"
	"errors"
	"slices"

	"revenant/fingerprints"
)

// log asks git which commits brought what in, and works it out here where git
// fails: a damaged commit ends git's log, and all that it had not come to yet
// would have no place. commits are in the order in which they are to be noted.
func (v *survey) log(ctx context.Context, h *history, presence fingerprints.Presence, ask func() (map[oid]bool, error), commits func() []oid) (map[oid]bool, error) {
	met, err := ask()
	if err == nil || !errors.Is(err, ErrGit) || ctx.Err() != nil {
		return met, err
	}
	v.s.note("git log failed: the history was walked without it")
	list := commits()
	v.ownLog(ctx, h, list, presence)
	met = make(map[oid]bool, len(list))
	for _, id := range list {
		met[id] = true
	}
	return met, ctx.Err()
}

// ownLog notes what commits brought in, the youngest first.
func (v *survey) ownLog(ctx context.Context, h *history, commits []oid, presence fingerprints.Presence) {
	t := &trees{store: v.s.store, h: h, skip: v.s.lost}
	wanted := make(map[oid]bool, len(v.held))
	for id := range v.held {
		wanted[id] = true
	}
	for _, id := range commits {
		for _, p := range t.brought(ctx, id, wanted) {
			h.note(p, id, presence)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// ordered are the commits that some reach, each before its parents.
func (v *survey) ordered(from []oid) []oid {
	type step struct {
		id   oid
		next int // of its parents
	}
	var out []oid
	seen := map[oid]bool{}
	for _, id := range from {
		stack := []step{{id: id}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			parents, has := v.commits[top.id]
			if top.next == 0 && (!has || seen[top.id]) {
				stack = stack[:len(stack)-1]
				continue
			}
			seen[top.id] = true
			if top.next < len(parents) {
				top.next++
				stack = append(stack, step{id: parents[top.next-1]})
				continue
			}
			out = append(out, top.id)
			stack = stack[:len(stack)-1]
		}
	}
	slices.Reverse(out)
	return out
}
