package image

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// maxRefs is how many names of images an item has.
const maxRefs = 20

func first(names []string) (some []string, more int) {
	slices.Sort(names)
	n := min(len(names), maxRefs)
	return names[:n:n], len(names) - n
}

// called are the names that a person knows an image by.
func (p picture) called() []string {
	if len(p.names) == 0 {
		return []string{p.digest}
	}
	return p.names
}

// give makes items of held files of a layer.
func (w *work) give(st *standing, list []given) {
	if len(list) == 0 {
		return
	}
	refs, more := first(slices.Collect(maps.Keys(st.names)))
	for _, g := range list {
		it := w.item(st, st.known.Held[g.held], g.presence)
		it.Refs, it.MoreRefs = refs, more
		if by := st.hidden[g.held]; g.presence == fingerprints.PresenceShadowed && by != nil {
			it.Layer.HiddenBy, it.Layer.Hiding = by.digest, by.made
		}
		w.src.items = append(w.src.items, it)
	}
}

// item is a file of a layer.
func (w *work) item(st *standing, h heldFile, presence fingerprints.Presence) scanners.Item {
	b := st.blob
	it := scanners.Item{
		SourceID: w.src.ID(), Path: layerPath, Locator: "layer " + b.digest, Presence: presence, Size: h.Size, Owner: st.owner,
		Identity: b.digest + " " + fmt.Sprint(h.Entry) + h.Part,
		Open:     func(ctx context.Context) (io.ReadCloser, error) { return w.src.again.open(ctx, b, h) },
	}
	if b.path != "" {
		it.Path, it.Presence = b.path, fingerprints.PresenceMetadata
	}
	if h.Entry == besideStream {
		it.Path, it.Locator, it.Identity = layerPath+h.Part, it.Locator+fmt.Sprintf(" content %d", h.Nth+1), it.Identity+fmt.Sprint(" ", h.Nth)
	}
	it.Origin.Message = st.where.made
	it.Layer = &scanners.ImageLayer{Image: st.where.digest, Platform: st.where.platform, Digest: b.digest, Index: st.where.index + 1, Of: st.where.of}
	if h.Entry >= 0 {
		it.Path = st.known.Entries[h.Entry].path() + h.Part
		if st.repeats[h.Entry] {
			it.Locator += fmt.Sprintf(" entry %d", h.Entry)
		}
	}
	if st.known.failed || st.known.unsure || partOf(b.digest) == "" { // it may be another content next time
		it.Identity = ""
	}
	w.reader.survey.gave(h)
	if h.history != nil {
		return w.committed(it, h)
	}
	return it
}

// repeats are the held entries whose names came before in their layer.
func (k *surveyed) repeats() map[int]bool {
	names, held := map[string]int{}, map[int]bool{}
	for _, h := range k.Held {
		if h.Entry >= 0 {
			names[k.Entries[h.Entry].name], held[h.Entry] = 0, true
		}
	}
	out := map[int]bool{}
	for i, e := range k.Entries {
		if _, has := names[e.name]; !has || e.kind == kindWhiteout || e.kind == kindOpaque {
			continue
		}
		out[i] = held[i] && names[e.name] > 0
		names[e.name]++
	}
	return out
}

// said makes the items of what an image says of itself.
func (s *Source) said(ctx context.Context, p picture) {
	if ctx.Err() != nil {
		return
	}
	list := configParts(p.config)
	if p.config == nil {
		list = nil
	}
	for _, key := range slices.Sorted(maps.Keys(p.annotations)) {
		list = append(list, part{"@annotation/" + key, key + "=" + p.annotations[key]})
	}
	if text := cmp.Or(p.untold, untoldOf(p.raw)); text != "" {
		list = append(list, part{manifestPath, text})
	}
	if names := strings.Join(p.names, "\n"); names != "" {
		list = append(list, part{"@name", names})
	}
	names, more := first(slices.Clone(p.called()))
	for _, said := range list {
		s.read.Items++
		s.read.Bytes += int64(len(said.text))
		if !s.o.Screen(ctx, []byte(said.text)) && !s.o.Screen(ctx, []byte(said.path)) {
			continue
		}
		s.items = append(s.items, scanners.Item{
			SourceID: s.ID(), Path: said.path, Locator: "image " + p.digest, Presence: fingerprints.PresenceMetadata, Size: int64(len(said.text)),
			Refs: names, MoreRefs: more, Owner: p.owner, Layer: &scanners.ImageLayer{Image: p.digest, Platform: p.platform},
			Identity: fmt.Sprintf("said %x", sha256.Sum256([]byte(said.text))), // no digest has all of it
			Open:     func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(said.text)), nil },
		})
	}
}
