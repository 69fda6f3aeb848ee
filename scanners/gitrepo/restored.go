package gitrepo

import (
	"context"
	"maps"
	"slices"

	"revenant/fingerprints"
)

// restored puts remembered places into the history; false where one of them
// is not what it was, or a newer commit may come behind it in git's order.
func (v *survey) restored(ctx context.Context, h *history) bool {
	t := &trees{store: v.s.store, h: h, skip: v.s.lost}
	by := map[oid][]remembered{}
	for _, r := range v.before.places {
		by[r.commit] = append(by[r.commit], r)
	}
	for _, commit := range slices.SortedFunc(maps.Keys(by), oid.Compare) {
		presence := map[uint64]fingerprints.Presence{}
		wanted := map[oid]bool{}
		for _, r := range by[commit] {
			presence[r.mark], wanted[r.id] = r.presence, true
		}
		for _, p := range t.brought(ctx, commit, wanted) {
			mark := placeMark(v.known.salt, p)
			was, is := presence[mark]
			if !is { // another commit is remembered for it
				continue
			}
			if !v.behind(ctx, h.places[p], commit, was) {
				return false
			}
			h.note(p, commit, was)
			delete(presence, mark)
		}
		if len(presence) > 0 {
			return false
		}
	}
	return true
}

// behind reports whether a remembered commit comes behind the new ones that
// brought the same to the same place: it does when one of them is on top of it.
func (v *survey) behind(ctx context.Context, now *standing, commit oid, was fingerprints.Presence) bool {
	if now == nil || now.commit.IsZero() || now.presence != was || was != fingerprints.PresenceHistory {
		return true
	}
	_, err := v.s.r.output(ctx, nil, "merge-base", "--is-ancestor", commit.String(), now.commit.String())
	return err == nil
}
