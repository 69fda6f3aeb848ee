package gitrepo

import "revenant/scanners/gitrepo/objects"

// Progress is how much of a repository was read.
type Progress struct {
	Objects, Bytes int64
	// Total is how many objects its packs have that are to be read; 0: not known.
	// Loose objects are not counted beforehand.
	Total int64
}

// counted makes a walk count the objects of the packs that it will read.
func (v *survey) counted(w *objects.Walk) {
	known := w.Known
	w.Known = func(p objects.PackInfo) bool {
		if known != nil && known(p) {
			return true
		}
		v.mu.Lock()
		v.total += int64(p.Objects)
		v.mu.Unlock()
		return false
	}
}

// tell says how far the survey is.
func (v *survey) tell() {
	if v.s.o.Progress == nil {
		return
	}
	v.mu.Lock()
	p := Progress{Objects: v.read.Items, Bytes: v.read.Bytes, Total: v.total}
	v.mu.Unlock()
	v.s.o.Progress(p)
}
