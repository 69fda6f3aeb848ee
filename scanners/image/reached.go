package image

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/klauspost/compress/zstd"
)

// reachedPart is the part of a memory that says what names lead to.
const reachedPart = "names"

// reachedFormat is raised when what was kept before is of no use.
const reachedFormat = 1

// maxNames is how many names are remembered; those that were met longest ago go
// first.
const maxNames = 50_000

// reached is what names of images led to when they were scanned last.
type reached struct {
	Format int
	Scan   int // counted
	Names  map[string]reach

	loaded bool
	now    map[string]bool // names that are scanned now
	still  map[string]bool // locators that other names lead to; nil: not asked for
}

// reach is what a name leads to.
type reach struct {
	Scan   int
	Images []string // digests
	Layers []string
	Parts  []string // of the memory, about repositories in the layers
}

// load reads what is remembered.
func (r *reached) load(m Memory) {
	*r = reached{Format: reachedFormat, Names: map[string]reach{}, now: map[string]bool{}}
	if m == nil {
		return
	}
	packed, err := m.Load(reachedPart)
	if err != nil || packed == nil {
		return
	}
	var k reached
	if unpack(packed, &k) == nil && k.Format == reachedFormat && k.Names != nil {
		k.loaded, k.now = true, r.now
		*r = k
	}
}

// take notes what is scanned now. whole says that there is nothing else.
func (r *reached) take(pictures []picture, whole bool) {
	if r.Scan++; whole {
		clear(r.Names)
	}
	fresh := map[string]reach{}
	for _, p := range pictures {
		for _, called := range p.called() {
			if ref, err := name.ParseReference(called); err == nil {
				called = ref.Name()
			}
			at := fresh[called]
			at.Scan, at.Images = r.Scan, append(at.Images, p.digest)
			for _, l := range p.layers {
				at.Layers = append(at.Layers, l.digest)
			}
			fresh[called] = at
			r.now[called] = true
		}
	}
	maps.Copy(r.Names, fresh)
	if len(r.Names) > maxNames {
		names := slices.Collect(maps.Keys(r.Names))
		slices.SortFunc(names, func(a, b string) int {
			return cmp.Or(cmp.Compare(r.Names[b].Scan, r.Names[a].Scan), strings.Compare(a, b))
		})
		for _, name := range names[maxNames:] {
			delete(r.Names, name)
		}
	}
}

// keeps notes that a part of the memory is about what an image leads to.
func (r *reached) keeps(p picture, part string) {
	for _, called := range p.called() {
		if ref, err := name.ParseReference(called); err == nil {
			called = ref.Name()
		}
		if at, has := r.Names[called]; has && !slices.Contains(at.Parts, part) {
			at.Parts = append(at.Parts, part)
			r.Names[called] = at
		}
	}
}

// digests are those that images were scanned by.
func (r *reached) digests() (out []string) {
	for called := range r.Names {
		if _, digest, has := strings.Cut(called, "@"); has {
			out = append(out, digest)
		}
	}
	slices.Sort(out)
	return out
}

// stands reports whether a name that is not scanned now led to what a locator
// names.
func (r *reached) stands(locator string) bool {
	if r.still == nil {
		r.still = map[string]bool{}
		for name, at := range r.Names {
			if r.now[name] {
				continue
			}
			for _, l := range at.Layers {
				r.still["layer "+l] = true
			}
			for _, digest := range at.Images {
				r.still["image "+digest] = true
			}
		}
	}
	what, rest, _ := strings.Cut(locator, " ")
	digest, _, _ := strings.Cut(rest, " ")
	return r.still[what+" "+digest]
}

// save keeps it, and forgets layers that no name leads to any more.
func (r *reached) save(m Memory) error {
	packed, err := pack(r)
	if err == nil {
		err = m.Save(reachedPart, packed)
	}
	if err != nil {
		return fmt.Errorf("remembering images: %w", err)
	}
	parts := map[string]bool{}
	for _, at := range r.Names {
		for _, l := range at.Layers {
			parts[partOf(l)] = true
		}
		for _, part := range at.Parts {
			parts[part] = true
		}
	}
	return m.Keep(parts)
}

// pack encodes what is remembered.
func pack(v any) ([]byte, error) {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err == nil {
		err = errors.Join(gob.NewEncoder(w).Encode(v), w.Close())
	}
	return out.Bytes(), err
}

// maxUnpacked is how long what is remembered may be when it is unpacked.
const maxUnpacked = 1 << 30

func unpack(packed []byte, v any) error {
	d, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
	if err != nil {
		return err
	}
	defer d.Close()
	return gob.NewDecoder(io.LimitReader(d, maxUnpacked)).Decode(v)
}
