// Package image is the source of container images: of a registry, or saved in
// files.
//
// It promises: each layer is read once, whatever the number of images and tags
// that have it; what a later layer removes or replaces is read like everything
// else, and said to be shadowed; what an image says of itself - environment,
// labels, history, annotations - is content too; memory is flat and nothing is
// unpacked; what cannot be read is a Skip. It refuses: to run or flatten an
// image, and to know what is in a file.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Options configures a source. Screen is required.
type Options struct {
	SourceID string // "": from the place
	// Screen says whether a content may hold something at some path; only what may
	// is given out. It is called concurrently.
	Screen func(ctx context.Context, data []byte) bool
	// Stream is Screen for contents that are not held in memory; what r fails with
	// is told elsewhere. nil: such contents are given out without being looked at.
	Stream func(ctx context.Context, r io.Reader) bool
	// Workers is how many layers are read at once; at least 1.
	Workers int
	// Progress is told of each file that was screened, with its size; nil: nobody
	// is. Calls overlap.
	Progress func(bytes int64)
}

// ErrNoScreen is returned when Options.Screen is nil.
var ErrNoScreen = errors.New("no screen")

// batchSize is how many items a batch has.
const batchSize = 256

// place is where images are kept.
type place interface {
	id() string
	// pictures are the images; what cannot be had of them is told to skip.
	pictures(ctx context.Context, skip skipper) ([]picture, error)
	close() error
}

type skipper func(path, locator string, why fingerprints.SkipReason, detail string)

// Source is images as a source. Not safe for concurrent use.
type Source struct {
	o     Options
	place place

	began   bool
	items   []scanners.Item
	skipped []fingerprints.Skip
	read    scanners.Counts
	failed  error
	again   shelf
}

var _ scanners.Source = (*Source)(nil)

// ID implements scanners.Source.
func (s *Source) ID() string {
	if s.o.SourceID != "" {
		return s.o.SourceID
	}
	return s.place.id()
}

// Kind implements scanners.Source.
func (s *Source) Kind() fingerprints.SourceKind { return fingerprints.KindImage }

// Close implements scanners.Source.
func (s *Source) Close() error {
	s.again.close()
	return s.place.close()
}

// Next implements scanners.Source. The first call reads all layers.
func (s *Source) Next(ctx context.Context) (scanners.Batch, error) {
	if err := ctx.Err(); err != nil && !s.began {
		return scanners.Batch{}, err
	}
	if !s.began {
		s.began = true
		if s.failed = s.survey(ctx); s.failed != nil {
			return scanners.Batch{Skipped: s.skipped}, s.failed
		}
	}
	if s.failed != nil {
		return scanners.Batch{}, s.failed
	}
	n := min(batchSize, len(s.items))
	b := scanners.Batch{Items: s.items[:n:n], Found: true, Skipped: s.skipped, Read: s.read}
	s.items, s.skipped, s.read = s.items[n:], nil, scanners.Counts{}
	if len(s.items) > 0 {
		return b, nil
	}
	return b, io.EOF
}

func (s *Source) skip(path, locator string, why fingerprints.SkipReason, detail string) {
	s.skipped = append(s.skipped, fingerprints.Skip{Path: path, Locator: locator, Reason: why, Detail: detail, Size: -1})
}

// survey reads everything, and makes items of what may hold something.
func (s *Source) survey(ctx context.Context) error {
	pictures, err := s.place.pictures(ctx, s.skip)
	if err != nil {
		return err
	}
	var list []blob
	at := map[string]int{}
	for _, p := range pictures {
		for _, l := range p.layers {
			if _, has := at[l.digest]; !has {
				at[l.digest] = len(list)
				list = append(list, l)
			}
		}
	}
	v := &survey{screening: newScreening(s.o)}
	known := make([]*surveyed, len(list))
	if err := v.layers(ctx, list, s.o.Workers, func(i int, l *surveyed) { known[i] = l }); err != nil {
		return err
	}
	for _, l := range known {
		s.skipped = append(s.skipped, l.skipped...)
		s.read.Items += l.counts.Items
		s.read.Bytes += l.counts.Bytes
	}
	s.inLayers(pictures, list, at, known)
	for _, p := range pictures {
		if !p.loose {
			s.said(ctx, p)
		}
	}
	return nil
}

// standing is where a layer's files stand in the images that have it.
type standing struct {
	presence []fingerprints.Presence // by the entry
	images   []int                   // that show it, else that have it
	made     string                  // by this instruction
}

// inLayers makes the items of what layers hold.
func (s *Source) inLayers(pictures []picture, list []blob, at map[string]int, known []*surveyed) {
	in := make([]*standing, len(list))
	for i := range list {
		in[i] = &standing{presence: make([]fingerprints.Presence, len(known[i].Entries))}
		for k := range in[i].presence {
			in[i].presence[k] = fingerprints.PresenceShadowed
		}
	}
	for n, p := range pictures {
		stack := make([][]entry, len(p.layers))
		for i, l := range p.layers {
			stack[i] = known[at[l.digest]].Entries
		}
		made := instructions(p.config, len(p.layers))
		for i, by := range shadows(stack) {
			st := in[at[p.layers[i].digest]]
			st.images = append(st.images, n)
			if made != nil && st.made == "" {
				st.made = made[i]
			}
			for k := range by {
				if by[k] == visible && !p.loose {
					st.presence[k] = fingerprints.PresenceVisible
				}
			}
		}
	}
	for i, l := range list {
		var names []string
		for _, n := range in[i].images {
			for _, name := range pictures[n].called() {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		repeats := known[i].repeats()
		for _, h := range s.held(known[i]) {
			it := s.item(l, known[i], h, in[i])
			if repeats[h.Entry] {
				it.Locator += fmt.Sprintf(" entry %d", h.Entry)
			}
			it.Refs, it.MoreRefs = first(names)
			s.items = append(s.items, it)
		}
	}
}

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

// held is what a layer may hold.
func (s *Source) held(k *surveyed) []heldFile {
	if k.noTar {
		return []heldFile{{Entry: wholeLayer, Size: -1}}
	}
	return k.Held
}

// item is a file of a layer.
func (s *Source) item(l blob, k *surveyed, h heldFile, st *standing) scanners.Item {
	it := scanners.Item{
		SourceID: s.ID(), Path: layerPath, Locator: "layer " + l.digest, Presence: fingerprints.PresenceShadowed, Size: h.Size,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return s.again.open(ctx, l, h) },
	}
	if k.noTar {
		it.Size = l.size
	}
	if h.Entry >= 0 {
		e := k.Entries[h.Entry]
		it.Path = e.path() + h.Part
		switch e.kind {
		case kindFile:
			it.Presence = st.presence[h.Entry]
		case kindDir, kindSymlink, kindHardlink:
			it.Presence = fingerprints.PresenceVisible
		case kindOther, kindWhiteout, kindOpaque: // no container sees what is in them
		}
	}
	it.Origin.Message = st.made
	it.Identity = l.digest + " " + fmt.Sprint(h.Entry) + h.Part
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
	list := configParts(p.config)
	if p.config == nil {
		list = nil
	}
	for _, key := range slices.Sorted(maps.Keys(p.annotations)) {
		list = append(list, part{"@annotation/" + key, key + "=" + p.annotations[key]})
	}
	if names := strings.Join(p.names, "\n"); names != "" {
		list = append(list, part{"@name", names})
	}
	for _, said := range list {
		s.read.Items++
		s.read.Bytes += int64(len(said.text))
		if !s.o.Screen(ctx, []byte(said.text)) && !s.o.Screen(ctx, []byte(said.path)) {
			continue
		}
		names, more := first(slices.Clone(p.called()))
		s.items = append(s.items, scanners.Item{
			SourceID: s.ID(), Path: said.path, Locator: "image " + p.digest, Presence: fingerprints.PresenceMetadata, Size: int64(len(said.text)),
			Refs: names, MoreRefs: more,
			Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(said.text)), nil },
		})
	}
}
