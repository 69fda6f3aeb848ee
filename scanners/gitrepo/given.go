package gitrepo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/objects"
)

// texts gives out messages and authors that may hold something.
func (v *survey) texts(ctx context.Context) {
	for _, id := range slices.SortedFunc(maps.Keys(v.written), oid.Compare) {
		m := v.written[id]
		data, err := v.s.store.get(ctx, id, m.kind)
		if errors.Is(err, objects.ErrMissing) {
			delete(v.written, id) // pruned since
			v.known.forget(id)
			continue
		}
		if err != nil {
			v.s.lost(id, "cannot be read again")
			continue
		}
		it := scanners.Item{Path: "@commit-message", Locator: "commit:" + id.String(), Presence: m.presence}
		if m.kind == objects.Tag {
			it.Path, it.Locator, it.Identity = "@tag-message", "tag:"+id.String(), "tag:"+id.String()
			v.s.text(string(data), it)
			continue
		}
		it.Identity = it.Locator // its parts have paths of their own
		it = v.s.attributed(ctx, it, id, "")
		people, rest := splitCommit(data)
		v.s.text(rest, it)
		it.Path = "@author"
		v.s.text(people, it)
	}
}

// splitCommit tells who made a commit from all else in it.
func splitCommit(data []byte) (people, rest string) {
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	var p, r []string
	for line := range strings.SplitSeq(string(head), "\n") {
		switch key, _, _ := strings.Cut(line, " "); key {
		case "author", "committer":
			p = append(p, line)
		case "tree", "parent":
		default:
			r = append(r, line)
		}
	}
	if len(r) > 0 {
		r = append(r, "")
	}
	return strings.Join(p, "\n"), strings.Join(append(r, string(body)), "\n")
}

// give gives out blobs at their paths, and paths that are themselves suspect.
func (v *survey) give(ctx context.Context, h *history) {
	named := map[oid]bool{}
	// A scan that remembers meets them in another order than the first.
	slices.SortFunc(h.order, func(a, b place) int { return cmp.Or(cmp.Compare(a.path, b.path), a.blob.Compare(b.blob)) })
	for _, p := range h.order {
		st := h.places[p]
		named[p.blob] = true
		if !v.s.store.Has(p.blob) {
			continue // pruned since
		}
		it := scanners.Item{Path: p.path, Presence: st.presence, Refs: st.refs, MoreRefs: st.more}
		if len(st.refs) > 0 && strings.HasPrefix(st.refs[0], "refs/notes/") && st.presence != fingerprints.PresenceTip {
			it.Path, it.Presence = "@note", fingerprints.PresenceTip
		}
		v.blob(v.s.attributed(ctx, it, st.commit, p.path), p.blob)
	}
	for _, id := range slices.SortedFunc(maps.Keys(v.held), oid.Compare) {
		switch {
		case !v.s.store.Has(id):
			delete(v.held, id)
			v.known.forget(id)
		case !named[id]:
			presence := fingerprints.PresenceUnreachable
			if v.rough { // most are in history; where, the next scan tells
				presence = fingerprints.PresenceHistory
			}
			v.blob(scanners.Item{Path: scanners.BlobPath + id.String(), Presence: presence}, id)
		}
	}
	// The name of a folder is found once, at the first of the paths below it: at
	// one that is as easy to meet as any.
	slices.SortStableFunc(h.paths, func(a, b string) int {
		return slices.Index(fingerprints.Presences(), h.named[a].presence) - slices.Index(fingerprints.Presences(), h.named[b].presence)
	})
	for _, path := range h.paths {
		st := h.named[path]
		it := v.s.attributed(ctx, scanners.Item{Path: path, Presence: st.presence, Locator: "name", Refs: st.refs, MoreRefs: st.more}, st.commit, path)
		it.SourceID = v.s.id
		it.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
		v.s.items = append(v.s.items, it)
	}
}

// blob gives out one blob.
func (v *survey) blob(it scanners.Item, id oid) {
	it.SourceID, it.Locator, it.Size = v.s.id, "blob:"+id.String(), v.held[id]
	it.Identity = it.Locator
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		data, err := v.s.store.get(ctx, id, objects.Blob)
		if errors.Is(err, objects.ErrTooLarge) {
			return v.s.store.stream(ctx, id)
		}
		if err != nil {
			return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the object cannot be read", Size: it.Size}
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	v.s.items = append(v.s.items, it)
}
