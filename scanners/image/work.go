package image

import (
	"context"
	"io"
	"slices"
	"strings"

	"revenant/fingerprints"
)

// work goes through images, those that share their lower layers side by side, and
// gives out what may hold something: as soon as an image shows it, else once the
// last image that has it was looked at.
type work struct {
	src      *Source
	pictures []picture
	layers   []*standing // by the layer's place in the reader's order
	reader   *reader

	histories map[string][]*generation // of git directories, by the layers that have them
	known     map[string]*generation   // by their part
	read      int                      // of them

	at    int // the next picture
	stack *stack
	on    []int // the layers on the stack
}

// standing is what is known of a layer's files in the images that have it.
type standing struct {
	blob   blob
	last   int             // the last picture that has it
	names  map[string]bool // of the images that have it
	where  where
	known  *surveyed
	owner  string
	hidden map[int]*hider // held files that were seen hidden
	// waiting are held files that no image has shown yet.
	waiting []int
	repeats map[int]bool

	// Of git directories: nil where nobody asked yet.
	folders   map[string]bool
	git       *gitIndex
	entries   map[int]int     // held files by their entry
	replaced  map[int]bool    // held files that contents of a repository stand for
	committed map[string]bool // contents of repositories that are held
}

// where says where a layer stands in an image that has it, the first one.
type where struct {
	digest, platform string
	index, of        int // counted from 0
	made             string
}

// given is a held file that is given out.
type given struct {
	held     int
	presence fingerprints.Presence
}

// hider is a layer that hides a file.
type hider struct{ digest, made string }

// newWork puts images in the order that shares most.
func newWork(s *Source, pictures []picture) *work {
	slices.SortStableFunc(pictures, func(a, b picture) int {
		if a.loose != b.loose {
			if a.loose {
				return 1
			}
			return -1
		}
		return slices.CompareFunc(a.layers, b.layers, func(x, y blob) int { return strings.Compare(x.digest, y.digest) })
	})
	w := &work{
		src: s, pictures: pictures, reader: newReader(s.o), stack: newStack(),
		histories: map[string][]*generation{}, known: map[string]*generation{},
	}
	for n := range pictures {
		w.place(n, &pictures[n])
	}
	return w
}

// place notes where an image's layers stand, and what its configuration says of them.
func (w *work) place(n int, p *picture) {
	p.made, p.owner = instructions(p.config, len(p.layers)), ownerOf(*p)
	for i, l := range p.layers {
		at := w.reader.add(l)
		if at == len(w.layers) {
			w.layers = append(w.layers, &standing{
				blob: l, owner: p.owner, hidden: map[int]*hider{}, names: map[string]bool{},
				replaced: map[int]bool{}, committed: map[string]bool{},
				where: where{digest: p.digest, platform: p.platform, index: i, of: len(p.layers)},
			})
		}
		st := w.layers[at]
		if st.last = n; p.made != nil && st.where.made == "" {
			st.where.made = p.made[i]
		}
		if st.owner != p.owner {
			st.owner = "" // images of several owners share it
		}
		for _, name := range p.called() {
			st.names[name] = true
		}
	}
}

// shared is how many layers two images have in common, from the lowest on.
func shared(a, b []int) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func distinct(list []int) []int {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// next looks at an image; io.EOF: there is none left.
func (w *work) next(ctx context.Context) error {
	if w.at == len(w.pictures) {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.end()
	}
	n := w.at
	w.at++
	p := w.pictures[n]
	chain := w.take(ctx, p)
	w.repositories(ctx, p, chain)
	if !p.loose {
		w.show(p, chain)
		w.src.said(ctx, p)
	}
	for _, at := range distinct(chain) {
		if st := w.layers[at]; st.last == n && st.known != nil {
			w.give(st, st.rest())
			// The names in it may be many.
			st.known, st.hidden, st.git, st.entries, st.committed = nil, nil, nil, nil, nil
		}
	}
	w.pictures[n] = picture{} // and so may configurations
	return nil
}

// end keeps what names lead to now.
func (w *work) end() error {
	if m := w.src.o.Memory; m != nil && w.src.reached.save(m) != nil {
		w.reader.failed.Store(true)
	}
	return io.EOF
}

// take waits for an image's layers. After an interruption those that were read
// are there.
func (w *work) take(ctx context.Context, p picture) (chain []int) {
	for _, l := range p.layers {
		at := w.reader.at[l.digest]
		chain = append(chain, at)
		st := w.layers[at]
		if st.known != nil {
			continue
		}
		if st.known = w.reader.take(ctx, at); st.known == nil {
			continue // interrupted
		}
		w.src.skipped = append(w.src.skipped, st.known.skipped...)
		w.src.read.Items += st.known.counts.Items
		w.src.read.Bytes += st.known.counts.Bytes
		if st.known.noTar {
			st.known.Held = []heldFile{{Entry: wholeLayer, Size: l.size}}
		}
		st.repeats = st.known.repeats()
		for i := range st.known.Held {
			st.waiting = append(st.waiting, i)
		}
	}
	return chain
}

// show puts an image's layers on each other, and gives out what it shows.
func (w *work) show(p picture, chain []int) {
	if !slices.ContainsFunc(chain, func(at int) bool { return len(w.layers[at].waiting) > 0 }) {
		return // where its names stand does not matter, and they may be many
	}
	same := shared(w.on, chain)
	for range len(w.on) - same {
		w.stack.pop()
	}
	w.on = append(w.on[:same], chain[same:]...)
	for _, at := range chain[same:] {
		if known := w.layers[at].known; known != nil {
			w.stack.push(known.Entries)
		} else {
			w.stack.push(nil)
		}
	}
	// From the top on: a layer may stand there twice, and the upper one shows.
	for i, at := range slices.Backward(chain) {
		w.shows(i, w.layers[at], func(by int) *hider {
			h := &hider{digest: w.layers[chain[by]].blob.digest}
			if p.made != nil {
				h.made = p.made[by]
			}
			return h
		})
	}
}

// shows gives out what an image shows of its layer number i; of a layer that no
// image behind it has, everything, so that it comes in the layer's order.
func (w *work) shows(i int, st *standing, hiding func(layer int) *hider) {
	var out []given
	st.waiting = slices.DeleteFunc(st.waiting, func(k int) bool {
		entry := st.known.Held[k].Entry
		if entry < 0 || st.known.Entries[entry].kind == kindOther {
			return false // no container sees it
		}
		by := w.stack.hides(i, entry)
		switch {
		case by == visible:
			out = append(out, given{k, fingerprints.PresenceVisible})
			return true
		case st.hidden[k] == nil:
			st.hidden[k] = hiding(by)
		}
		return false
	})
	if st.last == w.at-1 {
		out = append(out, st.rest()...)
		slices.SortFunc(out, func(a, b given) int { return a.held - b.held })
	}
	w.give(st, out)
}

// rest is what no image shows.
func (st *standing) rest() (out []given) {
	for _, k := range st.waiting {
		out = append(out, given{k, fingerprints.PresenceShadowed})
	}
	st.waiting = nil
	return out
}
