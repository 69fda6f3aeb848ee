package image

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Bounds of what is learnt of layers.
const (
	keptBytes  = 16 << 20  // of files that may hold something, until they are given out
	maxEntries = 5_000_000 // of one layer: more names than any file system image has
	maxNamed   = 512 << 20 // bytes of them, and of targets of links
)

// surveyed is what was learnt of a layer.
type surveyed struct {
	Entries []entry
	Held    []heldFile
	skipped []fingerprints.Skip
	counts  scanners.Counts
	failed  bool // it was not read to its end
	noTar   bool // it is one content, and no archive
	unsure  bool // it was not held against its digest
	mu      sync.Mutex
}

// hold adds what may hold something.
func (s *surveyed) hold(h heldFile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Held = append(s.Held, h)
}

// lists what of a layer was not read, beside how that ended.
func (s *surveyed) lists(why *scanners.SkipError) {
	s.failed = true
	s.skipped = append(s.skipped, fingerprints.Skip{Path: layerPath, Reason: why.Reason, Detail: why.Detail, Size: -1})
}

// heldFile is a file of a layer that may hold something.
type heldFile struct {
	Entry int    // its number in the layer; below 0: of no entry
	Part  string // behind the path: attributes, padding ...; empty: the content
	Nth   int    // of those beside a layer's stream
	Size  int64

	data []byte // nil: the layer is read again

	// Of a content of a repository, which the entry holds; nil: it is the entry's own.
	history   *generation
	committed *committed
}

// survey reads layers, each once, and screens what is in them.
type survey struct {
	*screening
	kept atomic.Int64 // bytes held
}

// layer reads one. What cannot be read of it is listed; the error is ctx's.
func (v *survey) layer(ctx context.Context, b blob) (*surveyed, error) {
	if b.path != "" {
		return &surveyed{noTar: true}, nil
	}
	s := &surveyed{}
	var w *walker
	rc, err := b.open(ctx)
	if err == nil {
		w, err = newWalker(rc, ctx.Done(), v.beside(ctx, s))
	}
	if err == nil {
		sum := w.summed(b.unpacked)
		if err = v.read(ctx, w, s); err == nil {
			err = errors.Join(drained(rc), sum())
		}
		_ = w.close() // it was read as far as it can be
		s.longHeaders(w)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errNoTar):
		// It is looked at as it is; if it broke off, the next time it may be an archive.
		*s = surveyed{noTar: true, failed: w.un.failed != nil, unsure: b.unpacked != ""}
		if skip := new(scanners.SkipError); s.failed && !errors.As(w.un.failed, &skip) { // that its own reading will not tell
			s.skipped = append(s.skipped, skipOf(damaged(w.un.failed), b))
		}
	case err != nil:
		s.failed = true
		s.skipped = append(s.skipped, skipOf(err, b))
	}
	if strings.HasSuffix(string(b.mediaType), "+encrypted") {
		s.skipped = append(s.skipped, skipOf(errEncrypted, b))
	}
	slices.SortFunc(s.Held, func(a, b heldFile) int {
		return cmp.Or(cmp.Compare(uint(a.Entry), uint(b.Entry)), strings.Compare(a.Part, b.Part), cmp.Compare(a.Nth, b.Nth))
	})
	return s, nil
}

var errEncrypted = &scanners.SkipError{Reason: fingerprints.SkipArchive, Detail: "the layer is encrypted", Size: -1}

// namesAtOnce is how many bytes of names are screened as one content.
const namesAtOnce = 256 << 10

// longHeaders lists headers that were not kept whole.
func (s *surveyed) longHeaders(w *walker) {
	if w.heads.ever {
		s.lists(errLongHeaders)
	}
}

var errLongHeaders = &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "an entry with headers of more than 2 MiB: not all of them was searched", Size: -1}

// names are the entries whose names hold something themselves.
func (v *survey) names(ctx context.Context, entries []entry) (found []int) {
	var text []byte
	for from, n := 0, 0; n <= len(entries); n++ {
		if n < len(entries) {
			text = append(append(text, entries[n].name...), '\n')
		}
		if len(text) < namesAtOnce && n < len(entries) {
			continue
		}
		if v.screen(ctx, text) {
			for k := from; k < min(n+1, len(entries)); k++ {
				if v.screen(ctx, []byte(entries[k].name)) {
					found = append(found, k)
				}
			}
		}
		text, from = text[:0], n+1
	}
	return found
}

// called holds entries for their names, with no content, unless they are held.
func (s *surveyed) called(found []int) {
	held := map[int]bool{}
	for _, h := range s.Held {
		held[h.Entry] = true
	}
	for _, k := range found {
		if !held[k] {
			held[k] = true
			s.Held = append(s.Held, heldFile{Entry: k, data: []byte{}})
		}
	}
}

// skipOf is how a layer is listed that cannot be read.
func skipOf(err error, b blob) fingerprints.Skip {
	k := fingerprints.Skip{Path: layerPath, Locator: b.digest, Reason: fingerprints.SkipUnreadable, Detail: "the layer cannot be read", Size: b.size}
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		k.Reason, k.Detail = skip.Reason, skip.Detail
	}
	return k
}

// layerPath is where what is said of layers as such stands.
const layerPath = "@layer"

// read reads a layer's entries, and screens their contents and names.
func (v *survey) read(ctx context.Context, w *walker, s *surveyed) error {
	in := &intake{s: v.screening}
	in.hold = func(entry int, size int64, data []byte) { s.hold(v.keep(heldFile{Entry: entry, Size: size}, data)) }
	beside := &texts{v: v, s: s}
	named, err := v.entries(ctx, w, s, in, beside)
	in.send(ctx)
	beside.look(ctx) // while files are screened
	found := append(named, v.names(ctx, s.Entries)...)
	in.end(ctx)
	s.counts.Bytes = in.read
	s.called(found)
	return err
}

// entries reads the entries of a layer and gives their contents in. It returns those
// whose names are hits wherever they stand, or tell what their contents are.
func (v *survey) entries(ctx context.Context, w *walker, s *surveyed, in *intake, beside *texts) (found []int, err error) {
	named := 0
	for {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		m, body, err := w.next()
		beside.add(ctx, w.pad.number, paddingPart, w.pad.text)
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return found, err
		case m.number == behindEnd:
			beside.add(ctx, m.number, attributesPart, m.attributes)
			if m.size == 0 {
				continue
			}
			s.hold(heldFile{Entry: behindEnd, Size: -1})
			if _, err := io.Copy(io.Discard, body); err != nil {
				return found, damaged(err)
			}
			continue
		case m.number >= maxEntries:
			return found, &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: fmt.Sprintf("more than %d entries", maxEntries), Size: -1}
		}
		if named += len(m.name) + len(m.target); named > maxNamed {
			return found, &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: fmt.Sprintf("names of more than %d MiB", maxNamed>>20), Size: -1}
		}
		s.Entries = append(s.Entries, m.entry)
		s.counts.Items++
		beside.add(ctx, m.number, attributesPart, m.attributes)
		beside.add(ctx, m.number, headerPart, m.header)
		if m.target != "" && v.screen(ctx, []byte(m.target)) {
			s.hold(heldFile{Entry: m.number, Size: int64(len(m.target)), data: []byte(m.target)})
		}
		take := in.file
		if v.named != nil && m.kind == kindFile && v.named(m.name) {
			found = append(found, m.number)
			take = in.named
		}
		if m.size == 0 { // whatever it is: marks may have a content, too
			continue
		}
		if err := take(ctx, m, body); err != nil {
			return found, damaged(err)
		}
	}
}

// keep holds a copy of a file's bytes while there is room.
func (v *survey) keep(h heldFile, data []byte) heldFile {
	if data == nil {
		return h
	}
	if v.kept.Add(int64(len(data))) <= keptBytes {
		h.data = bytes.Clone(data)
	} else {
		v.kept.Add(-int64(len(data)))
	}
	return h
}

// gave says that a file's bytes are not the survey's any more.
func (v *survey) gave(h heldFile) { v.kept.Add(-int64(len(h.data))) }
