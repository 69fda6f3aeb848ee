package image

import (
	"slices"

	"revenant/scanners"
)

// heldAt is the place of a held file among those of its layer; -1: it is not held.
func (w *work) heldAt(at gitPlace) int {
	st := w.layers[at.layer]
	if st.entries == nil {
		st.entries = map[int]int{}
		for k, h := range st.known.Held {
			if h.Part == "" && h.history == nil {
				st.entries[h.Entry] = k
			}
		}
	}
	if k, has := st.entries[at.entry]; has {
		return k
	}
	return -1
}

// apply puts what a repository holds in the place of the files that hold it.
func (w *work) apply(g *generation) {
	if g.read == nil { // interrupted
		return
	}
	for _, k := range g.read.Skipped {
		w.src.skip(joined(g.folder, k.Path), "layer "+w.layers[g.files[len(g.files)-1].layer].blob.digest, k.Reason, k.Detail)
	}
	for i := range g.read.Items {
		w.hold(g, &g.read.Items[i])
	}
	for _, n := range g.read.Done {
		f := g.files[n]
		st := w.layers[f.layer]
		k := w.heldAt(f.gitPlace)
		if at := slices.Index(st.waiting, k); k >= 0 && at >= 0 {
			st.waiting = slices.Delete(st.waiting, at, at+1)
			st.replaced[k] = true
			w.reader.survey.gave(st.known.Held[k])
			st.known.Held[k].data = nil
		}
	}
}

// hold makes a content of a repository a held one of each layer that has it, unless
// that was given out with the file that holds it.
func (w *work) hold(g *generation, c *committed) {
	done := map[int]bool{}
	for _, n := range c.Files {
		f := g.files[n]
		st := w.layers[f.layer]
		k := w.heldAt(f.gitPlace)
		given := k >= 0 && !st.replaced[k] && !slices.Contains(st.waiting, k)
		if f.linked() || done[f.layer] || given {
			continue
		}
		done[f.layer] = true
		name := joined(g.folder, c.Path) + "\x00" + c.Locator
		if st.committed[name] {
			continue // as an image before has it
		}
		st.committed[name] = true
		w.cabinet().more(c)
		st.waiting = append(st.waiting, len(st.known.Held))
		st.known.Held = append(st.known.Held, heldFile{Entry: f.entry, Size: c.Size, history: g, committed: c})
	}
}

// joined is a path in a repository that lies in a layer.
func joined(folder, path string) string {
	if folder == "" {
		folder = "/"
	}
	if path == "" {
		return folder
	}
	return folder + "!" + path
}

// committed makes an item of a content of a repository.
func (w *work) committed(it scanners.Item, h heldFile) scanners.Item {
	c, g := h.committed, h.history
	it.Path, it.Outside = joined(g.folder, c.Path), joined(g.folder, "")+"!"
	it.Locator = "layer " + it.Layer.Digest + " " + c.Locator
	if it.Identity = ""; c.Identity != "" {
		it.Identity = it.Layer.Digest + " git " + g.folder + " " + c.Identity
	}
	it.At, it.Layer.InRepository = c.At, c.Presence
	it.Origin.Commit, it.Origin.Author, it.Origin.Email = c.Commit, c.Author, c.Email
	it.Open = w.cabinet().opening(g, c)
	return it
}
