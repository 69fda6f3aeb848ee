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

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Bounds of what is held in memory while layers are read.
const (
	largeFile   = 32 << 20 // longer ones are taken for what may hold something
	keptBytes   = 64 << 20 // of files that may hold something, until they are given out
	flightBytes = 128 << 20
	maxEntries  = 5_000_000 // of one layer: more names than any file system image has
)

// surveyed is what was learnt of a layer.
type surveyed struct {
	Entries []entry
	Held    []heldFile
	skipped []fingerprints.Skip
	counts  scanners.Counts
	failed  bool // it was not read to its end
	noTar   bool // it is one content, and no archive
}

// heldFile is a file of a layer that may hold something.
type heldFile struct {
	Entry int    // its number in the layer; -1: what is behind the archive's end
	Part  string // behind the path: attributes; empty: the content
	Size  int64

	data []byte // nil: the layer is read again
}

// survey reads layers, each once, and screens what is in them.
type survey struct {
	screen func(ctx context.Context, data []byte) bool
	room   *semaphore.Weighted // bytes being screened
	kept   atomic.Int64        // bytes held
	onFile func(bytes int64)
}

// layers surveys several side by side.
func (v *survey) layers(ctx context.Context, list []blob, workers int, done func(i int, s *surveyed)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, workers))
	var mu sync.Mutex
	for i, b := range list {
		g.Go(func() error {
			s, err := v.layer(ctx, b)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done(i, s)
			return nil
		})
	}
	return g.Wait()
}

// layer reads one. What cannot be read of it is listed; the error is ctx's.
func (v *survey) layer(ctx context.Context, b blob) (*surveyed, error) {
	if b.path != "" {
		return &surveyed{noTar: true}, nil
	}
	s := &surveyed{}
	rc, err := b.open(ctx)
	if err == nil {
		defer rc.Close()
		if err = v.read(ctx, rc, s); err == nil {
			err = drained(rc)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errNoTar):
		*s = surveyed{noTar: true}
	case err != nil:
		s.failed = true
		s.skipped = append(s.skipped, skipOf(err, b))
	}
	v.names(ctx, s)
	slices.SortFunc(s.Held, func(a, b heldFile) int {
		return cmp.Or(cmp.Compare(uint(a.Entry), uint(b.Entry)), strings.Compare(a.Part, b.Part))
	})
	return s, nil
}

// namesAtOnce is how many bytes of names are screened as one content.
const namesAtOnce = 256 << 10

// names holds entries whose names hold something themselves, with no content.
func (v *survey) names(ctx context.Context, s *surveyed) {
	held := map[int]bool{}
	for _, h := range s.Held {
		held[h.Entry] = true
	}
	var text []byte
	for from, n := 0, 0; n <= len(s.Entries); n++ {
		if n < len(s.Entries) {
			text = append(append(text, s.Entries[n].name...), '\n')
		}
		if len(text) < namesAtOnce && n < len(s.Entries) {
			continue
		}
		if v.screen(ctx, text) {
			for k := from; k < min(n+1, len(s.Entries)); k++ {
				if !held[k] && v.screen(ctx, []byte(s.Entries[k].name)) {
					s.Held = append(s.Held, heldFile{Entry: k, data: []byte{}})
				}
			}
		}
		text, from = text[:0], n+1
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

func (v *survey) read(ctx context.Context, r io.Reader, s *surveyed) error {
	un, err := decompressed(r)
	if err != nil {
		return damaged(err)
	}
	defer un.Close()
	var wg sync.WaitGroup
	var mu sync.Mutex
	defer wg.Wait()
	hold := func(h heldFile) {
		mu.Lock()
		defer mu.Unlock()
		s.Held = append(s.Held, h)
	}
	return walkLayer(ctx, un, func(m member, body io.Reader) error {
		n := len(s.Entries)
		if n >= maxEntries {
			return &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: fmt.Sprintf("more than %d entries", maxEntries), Size: -1}
		}
		if m.name == "" && m.kind == kindFile {
			hold(heldFile{Entry: -1, Size: -1})
			return nil
		}
		s.Entries = append(s.Entries, m.entry)
		s.counts.Items++
		if len(m.attributes) > 0 && v.screen(ctx, m.attributes) {
			hold(heldFile{Entry: n, Part: attributesPart, Size: int64(len(m.attributes)), data: m.attributes})
		}
		if m.kind == kindSymlink && v.screen(ctx, []byte(m.target)) {
			hold(heldFile{Entry: n, Size: int64(len(m.target)), data: []byte(m.target)})
		}
		if m.kind != kindFile || m.size == 0 {
			return nil
		}
		s.counts.Bytes += m.size
		if m.size > largeFile {
			hold(heldFile{Entry: n, Size: m.size})
			return nil
		}
		if err := v.room.Acquire(ctx, m.size); err != nil {
			return err
		}
		data := make([]byte, m.size)
		if k, err := io.ReadFull(body, data); err != nil {
			v.room.Release(m.size)
			if k > 0 {
				hold(heldFile{Entry: n, Size: int64(k), data: data[:k]})
			}
			return err
		}
		wg.Go(func() {
			defer v.room.Release(m.size)
			if v.screen(ctx, data) || ctx.Err() != nil {
				hold(v.keep(heldFile{Entry: n, Size: m.size}, data))
			}
			if v.onFile != nil {
				v.onFile(m.size)
			}
		})
		return nil
	})
}

// keep holds a file's bytes while there is room.
func (v *survey) keep(h heldFile, data []byte) heldFile {
	if v.kept.Add(int64(len(data))) <= keptBytes {
		h.data = data
	} else {
		v.kept.Add(-int64(len(data)))
	}
	return h
}

// attributesPart is behind the path of what stands beside an entry's name.
const attributesPart = "!@attributes"

// reopen reads a held file again, from its layer.
func reopen(ctx context.Context, b blob, h heldFile, noTar bool) (io.ReadCloser, error) {
	if h.data != nil {
		return io.NopCloser(bytes.NewReader(h.data)), nil
	}
	rc, err := b.open(ctx)
	if err != nil {
		return nil, asSkip(err)
	}
	if noTar {
		return rc, nil
	}
	un, err := decompressed(rc)
	if err != nil {
		return nil, errors.Join(damaged(err), rc.Close())
	}
	pr, pw := io.Pipe()
	go func() {
		n := 0
		err := walkLayer(ctx, un, func(m member, body io.Reader) error {
			at := n
			if m.name == "" && m.kind == kindFile {
				at = -1
			} else {
				n++
			}
			if at != h.Entry {
				return nil
			}
			if h.Part == attributesPart {
				body = bytes.NewReader(m.attributes)
			} else if m.kind == kindSymlink {
				body = bytes.NewReader([]byte(m.target))
			}
			if _, err := io.Copy(pw, body); err != nil {
				return err
			}
			return errDone
		})
		if errors.Is(err, errDone) {
			err = nil
		} else if err == nil {
			err = &scanners.SkipError{Reason: fingerprints.SkipChanging, Detail: "the layer is not what it was", Size: -1}
		}
		_ = un.Close()
		_ = rc.Close()
		_ = pw.CloseWithError(err)
	}()
	return pr, nil
}

var errDone = errors.New("done")

// asSkip says how a content is listed that cannot be opened.
func asSkip(err error) error {
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return skip
	}
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the layer cannot be read", Size: -1}
}
