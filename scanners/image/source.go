// Package image is the source of container images: of a registry, or saved in
// files.
//
// It promises: each layer is read once, whatever the number of images and tags
// that have it; what a later layer removes or replaces is read like everything
// else, and said to be shadowed; what an image says of itself - environment,
// labels, history, annotations - is content too; memory is flat and nothing is
// unpacked, but for git repositories in which something may be; what cannot be read is a Skip. It refuses: to run or flatten an
// image, and to know what is in a file.
package image

import (
	"context"
	"errors"
	"io"

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
	// Named says whether there may be a hit at a path whatever stands there; nil:
	// there is none.
	Named func(path string) bool
	// Memory keeps what is known of layers between scans; nil: all of them are read.
	Memory Memory
	// Whole says that everything of the source is read: what is remembered of other
	// layers is of no use any more.
	Whole bool
	// Look names everything that Screen's word depends on: what is remembered of a
	// scan that looked otherwise is of no use.
	Look [32]byte
	// Workers is how many layers are read at once; at least 1.
	Workers int
	// Repositories reads git repositories in layers; nil: their objects are contents
	// like all others.
	Repositories GitRepositories
	// Spool is how many bytes of such repositories lie on a disk at a time, and how
	// large one may be; 0: 2 GiB.
	Spool int64
	// Progress is told of each file that was screened, with its size; nil: nobody
	// is. Calls overlap.
	Progress func(bytes int64)
}

// ErrNoScreen is returned when Options.Screen is nil.
var ErrNoScreen = errors.New("no screen")

// Bounds of a batch.
const (
	batchSize  = 256
	batchBytes = 16 << 20 // of contents that are held in memory
)

// place is where images are kept.
type place interface {
	id() string
	// part reports whether there is more under that id.
	part() bool
	// pictures are the images, and those that also names by digest where they are
	// still there; what cannot be had of them is told to skip.
	pictures(ctx context.Context, also []string, skip skipper) ([]picture, error)
	close() error
}

type skipper func(path, locator string, why fingerprints.SkipReason, detail string)

// Source is images as a source. Not safe for concurrent use.
type Source struct {
	o     Options
	place place

	reached reached
	work    *work // nil: not begun
	items   []scanners.Item
	skipped []fingerprints.Skip
	read    scanners.Counts
	failed  error
	closed  bool
	again   shelf
	cabinet *cabinet // nil: none was needed
}

var _ scanners.Source = (*Source)(nil)

// ID implements scanners.Source.
func (s *Source) ID() string {
	if s.o.SourceID != "" {
		return s.o.SourceID
	}
	return s.place.id()
}

// With is the same images as a source of their own, with other options. The place is
// its: s must not be used any more.
func (s *Source) With(o Options) (*Source, error) {
	if o.Screen == nil {
		return nil, ErrNoScreen
	}
	return &Source{o: o, place: s.place}, nil
}

// Part reports whether images are scanned that are some of a repository's.
func (s *Source) Part() bool { return s.place.part() }

// Kind implements scanners.Source.
func (s *Source) Kind() fingerprints.SourceKind { return fingerprints.KindImage }

// Close implements scanners.Source.
func (s *Source) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.again.close()
	if s.work != nil {
		s.work.reader.stop()
	}
	var err error
	if s.cabinet != nil {
		err = s.cabinet.close()
	}
	return errors.Join(err, s.place.close())
}

// known reads what is remembered of images, once.
func (s *Source) known() {
	if s.reached.Names == nil {
		s.reached.load(s.o.Memory)
	}
}

// Whole reports whether it is known what was scanned before: what was found then
// and no name leads to any more is gone.
func (s *Source) Whole() bool {
	s.known()
	return s.o.Whole || s.reached.loaded
}

// Stands reports whether an image that was scanned before, and is not scanned now,
// has what stands at a locator.
func (s *Source) Stands(locator string) bool {
	s.known()
	return s.reached.stands(locator)
}

// Next implements scanners.Source. Layers are read ahead, in the order in which
// images need them.
func (s *Source) Next(ctx context.Context) (scanners.Batch, error) {
	if err := ctx.Err(); err != nil && s.work == nil {
		return scanners.Batch{}, err
	}
	if s.work == nil && s.failed == nil {
		s.failed = s.begin(ctx)
	}
	for len(s.items) < batchSize && s.failed == nil {
		s.failed = s.work.next(ctx)
	}
	n, bytes := 0, int64(0)
	for ; n < min(batchSize, len(s.items)) && bytes < batchBytes; n++ {
		bytes += max(s.items[n].Size, 0)
	}
	b := scanners.Batch{Items: s.items[:n:n], Found: true, Skipped: s.skipped, Read: s.read}
	s.items, s.skipped, s.read = s.items[n:], nil, scanners.Counts{}
	if len(s.items) > 0 {
		return b, nil
	}
	if errors.Is(s.failed, io.EOF) && s.work.reader.failed.CompareAndSwap(true, false) {
		b.Notes = []string{"what layers hold could not be remembered: the next scan takes longer"}
	}
	return b, s.failed
}

func (s *Source) skip(path, locator string, why fingerprints.SkipReason, detail string) {
	s.skipped = append(s.skipped, fingerprints.Skip{Path: path, Locator: locator, Reason: why, Detail: detail, Size: -1})
}

// begin asks for the images, and has their layers read.
func (s *Source) begin(ctx context.Context) error {
	s.known()
	var also []string
	if s.o.Whole {
		also = s.reached.digests() // no list of tags has them
	}
	pictures, err := s.place.pictures(ctx, also, s.skip)
	if err != nil {
		return err
	}
	s.reached.take(pictures, s.o.Whole)
	s.work = newWork(s, pictures)
	s.work.reader.start(ctx, s.o.Workers)
	return nil
}
