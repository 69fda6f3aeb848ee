package scanners

import (
	"bytes"
	"cmp"
	"context"
	"hash/maphash"
	"io"
	"runtime"
	"slices"
	"sync"

	"revenant/fingerprints"
)

// DefaultChunkSize is how much of a content a chunk owns when Engine.ChunkSize
// is zero: contents up to it are looked at whole. Twice as much took more time,
// since less of it stays in the cache, and more memory than there is beside the
// dictionary of an archive.
const DefaultChunkSize = 32 << 20

// DefaultPieceSize is how much a chunk owns of a content that is longer than
// that.
const DefaultPieceSize = 8 << 20

// Engine cuts a content into overlapping chunks, shows each to every matcher
// and keeps each hit exactly once.
//
// A content of up to ChunkSize bytes is one chunk. A longer one is cut into
// chunks that own DefaultPieceSize bytes, or ChunkSize if that is less, and
// that are looked at side by side. A chunk shows Overlap bytes before what it
// owns and twice as many after it, where the content has them, Overlap being the
// largest of the matchers' and the viewer's reach. A hit belongs to the chunk that owns its first
// byte, so the hits do not depend on ChunkSize or on how the reader hands out
// its bytes, as long as no hit is longer than Overlap. Longer ones, which only
// generic rules have, are found when they lie in one chunk, and listed as
// skips where a cut may have cost one.
//
// An Engine is safe for concurrent use and must not be copied after first use.
// Memory is one chunk for each Scan under way, grown only as far as the
// content needs and used again; in all of them together one piece for each
// of Parallel, read or looked at; and what a Crew was given and is not finished.
type Engine struct {
	Matchers []Matcher
	// Viewer decodes what is encoded in a chunk, and the matchers see that too;
	// nil: nothing is decoded beyond what matchers do themselves.
	Viewer Viewer
	// ViewDepth is how many encodings in each other are undone; 0:
	// DefaultViewDepth, negative: none.
	ViewDepth int
	// Clean remembers what holds nothing at any path, so that it is not looked at
	// again; nil: everything is looked at each time.
	Clean *Clean
	// ChunkSize is how long contents may be that are looked at whole; from 1,
	// zero or less means DefaultChunkSize.
	ChunkSize int
	// Parallel is how many pieces of long contents are looked at side by side;
	// zero or less means GOMAXPROCS.
	Parallel int

	buffers sync.Pool // of *[]byte
	rooms   sync.Pool // of *[]byte, as long as what is started may be
	once    sync.Once
	seed    maphash.Seed
	turns   chan struct{} // one for each piece under way beyond a Scan's first
	desks   chan struct{} // one for each piece that is looked at
	spare   chan struct{} // one for each chunk that two goroutines look at
}

// start makes what all Scans share.
func (e *Engine) start() {
	e.once.Do(func() {
		e.seed = maphash.MakeSeed()
		n := e.Parallel
		if n <= 0 {
			n = runtime.GOMAXPROCS(0)
		}
		e.turns, e.desks, e.spare = make(chan struct{}, n), make(chan struct{}, n), make(chan struct{}, n-1)
	})
}

// textSum is a hash of a text, good for this process.
func (e *Engine) textSum(data []byte) uint64 {
	e.start()
	return maphash.Bytes(e.seed, data)
}

// Window is one chunk with the hits that it owns. Chunk.Data is borrowed: it
// is overwritten when emit returns.
type Window struct {
	Chunk Chunk
	// Hits are sorted by span and free of duplicates; with those of the
	// windows before and after they are all hits of the content.
	Hits []Hit
	// Line and Column are the position of Chunk.Base, both from 1, the column
	// in bytes.
	Line, Column int
	// Skips lists spans that were too long to be looked at whole.
	Skips []fingerprints.Skip
}

// Scan reads r to its end and calls emit for every window, in order; a content
// has at least one, also when it is empty. It returns how many bytes were read.
//
// When r fails, what was read until then is searched and emitted before the
// error is returned. An error of emit ends the scan at once, the end of ctx
// after what was found in the chunk at hand was emitted.
func (e *Engine) Scan(ctx context.Context, r io.Reader, path string, emit func(Window) error) (int64, error) {
	return e.scan(ctx, r, path, false, emit)
}

func (e *Engine) scan(ctx context.Context, r io.Reader, path string, anyPath bool, emit func(Window) error) (int64, error) {
	e.start()
	s := e.newScan(r, path)
	s.anyPath = anyPath
	defer s.release()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	more, readErr := s.fill(ctx)
	if err := ctx.Err(); err != nil {
		return s.read, err
	}
	if more {
		return s.read, s.pieces(ctx, emit)
	}
	p := &piece{}
	s.cut(p, false, readErr)
	p.look(ctx, s)
	return s.read, p.give(ctx, emit)
}

func (e *Engine) newScan(r io.Reader, path string) *scan {
	s := &scan{e: e, in: feed{r: r}, path: path, line: 1, column: 1, step: e.ChunkSize}
	if s.step <= 0 {
		s.step = DefaultChunkSize
	}
	s.overlap = e.overlap()
	if s.around = s.overlap; e.Viewer != nil {
		s.around += e.Viewer.Reach()
	}
	s.block = &block{}
	if b, ok := e.buffers.Get().(*[]byte); ok {
		s.block.data = (*b)[:0]
	}
	s.buf = s.block.data
	return s
}

// overlap is what neighbouring chunks share for all matchers.
func (e *Engine) overlap() (most int) {
	for _, m := range e.Matchers {
		most = max(most, m.Overlap())
	}
	return most
}

// own drops the hits that another chunk owns, sorts and deduplicates.
func own(hits []Hit, from, to int64, final bool) []Hit {
	hits = slices.DeleteFunc(hits, func(h Hit) bool {
		if h.PathOnly {
			return from != 0
		}
		return h.Span.Start < from || !final && h.Span.Start >= to
	})
	slices.SortStableFunc(hits, compareHits)
	return slices.CompactFunc(hits, func(a, b Hit) bool { return compareHits(a, b) == 0 })
}

// compareHits orders hits by span, the longer first where they start together,
// then by what was found.
func compareHits(a, b Hit) int {
	return cmp.Or(
		cmp.Compare(a.Span.Start, b.Span.Start),
		cmp.Compare(b.Span.End, a.Span.End),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Match.Start, b.Match.Start),
		cmp.Compare(a.Match.End, b.Match.End),
		cmp.Compare(a.depth, b.depth),
		cmp.Compare(a.Form, b.Form),
		slices.CompareFunc(a.Rows, b.Rows, func(x, y fingerprints.RowID) int { return slices.Compare(x[:], y[:]) }),
		bytes.Compare(a.Value.Reveal(), b.Value.Reveal()),
	)
}
