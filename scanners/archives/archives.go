// Package archives opens what is packed: archives and compressed streams, in
// each other, as contents that can be scanned.
//
// Formats are recognised by their bytes, and brotli alone, which has nothing else,
// by its name: zip and what is built on it (jar, war, apk, whl, office documents),
// also behind other data; tar (v7, ustar, pax, GNU, sparse), ar, gzip, bzip2, xz,
// zstd, lz4 frames, zlib streams, brotli, mozLz4, 7z, git packs; what databases keep:
// SQLite's files, PostgreSQL's dumps and tables, Redis' dumps. A member's path is its container's, `!` and its name.
//
// It promises: linear time in what is read and flat memory, whatever an archive
// says of itself; members come before their container, whose own bytes are a
// content too; what is encrypted, unsupported, damaged or beyond a bound is a
// Skip of the reason fingerprints.SkipArchive, and what could be read of it was
// given out before.
//
// It refuses: to write anything under a name that an archive chose. What needs
// random access lies in memory or in an unlinked temporary file that only its
// owner can read.
package archives

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"revenant/fingerprints"
)

// DefaultDepth is how many containers in each other are opened.
const DefaultDepth = 8

// Limits bound what one item may cost.
type Limits struct {
	// Depth is how many containers in each other are opened; 0 opens none and
	// lists each.
	Depth int
	// Bytes is how much may come out of one item beyond its own size, and how
	// much of a stream is kept for random access.
	Bytes int64
	// Entries is how many members one item may have, at all depths.
	Entries int
	// Ratio is how many bytes may come out for one that went in, once Slack
	// bytes came out of a member.
	Ratio, Slack int64
	// Memory is how much is kept in memory; beyond it lies a temporary file.
	Memory int64
	// Time is how long an item may take; 0 for ever.
	Time time.Duration
}

// DefaultLimits are the bounds of every scan.
func DefaultLimits() Limits {
	return Limits{
		Depth: DefaultDepth, Bytes: 1 << 30, Entries: 100_000,
		Ratio: 1000, Slack: 16 << 20, Memory: 4 << 20, Time: 15 * time.Minute,
	}
}

// Expander opens items. It is safe for concurrent use, and must not be copied after
// first use: it keeps memory for the next item.
type Expander struct {
	Limits Limits
	// Now is the clock of Limits.Time; nil: no bound.
	Now func() time.Time

	heads    sync.Pool // of *[headSize]byte
	tails    sync.Pool // of *[tailSize]byte
	unzips   sync.Pool // of *gunzip
	xzs      sync.Pool // of *xz.Reader
	inflates sync.Pool // of *inflating
}

// Content is an item, or a member of one.
type Content struct {
	Path string // raw
	// Parent is how long the container's path is in Path; 0 for the item.
	Parent int
	// Number counts an item's contents from 1; First is the number of a
	// container's first member, 0 where there is none. Members have the numbers
	// from First to Number-1.
	Number, First int
	// Packed reports that members stand in the content compressed: whatever is
	// readable in it and was found in a member is the same copy.
	Packed bool

	stored []extent
}

// extent is where a member stands uncompressed in its container.
type extent struct{ start, end int64 }

// Covered reports whether a stretch of a container's bytes is part of a member
// that was read to its end: what stands there was found there already.
func (c Content) Covered(start, end int64) bool {
	i, exact := slices.BinarySearchFunc(c.stored, start, func(e extent, at int64) int {
		switch {
		case e.start < at:
			return -1
		case e.start > at:
			return 1
		}
		return 0
	})
	if !exact {
		i--
	}
	return i >= 0 && i < len(c.stored) && end <= c.stored[i].end
}

// Visitor takes what an Expander finds. Calls never overlap.
type Visitor interface {
	// Content reads a content. What it leaves unread is lost. A member's reader
	// never fails: it ends early, and a Skip follows. An error ends the
	// expansion.
	Content(ctx context.Context, c Content, r io.Reader) error
	// Skip takes what was not read; its path is raw.
	Skip(s fingerprints.Skip)
}

// sized is what random access needs.
type sized interface {
	io.ReaderAt
	Size() int64
}

// Expand visits r, and before it what is packed in it. Where r also has ReadAt
// and Size it is not copied. Errors are those of ctx and of the visitor;
// errors of r are left to whoever reads the item's content.
func (x *Expander) Expand(ctx context.Context, r io.Reader, path string, v Visitor) error {
	w := &walk{x: x, v: v, memory: x.Limits.Memory, left: x.Limits.Bytes, entries: x.Limits.Entries}
	if x.Now != nil && x.Limits.Time > 0 {
		w.deadline = x.Now().Add(x.Limits.Time)
	}
	in := input{r: r, limit: x.Limits.Bytes}
	if s, ok := r.(sized); ok && s.Size() > 0 {
		in.at, in.size = s, s.Size()
		w.left += s.Size()
	}
	err := w.content(ctx, Content{Path: path}, 0, in)
	w.endSkips()
	return err
}
