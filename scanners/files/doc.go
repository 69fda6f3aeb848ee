// Package files holds the sources that read files and streams: a directory
// tree or a single file, standard input, NDJSON records, and the places in a
// developer's home where credentials gather.
//
// It promises: nothing is skipped silently; what is no regular file is never
// opened as content; a tree is walked in one order on every machine; a file
// that blocks, never ends or changes while it is read ends as a listed skip,
// never as a hang. Contents of .git directories, caches and vendored trees are
// content like any other here: a rule set may leave them out, a source does
// not.
//
// It refuses: to follow symbolic links out of the tree unless asked, to enter
// file systems that the kernel makes up (proc, sysfs and the like), and to
// write plaintext or raw paths into a cursor.
package files

import (
	"errors"
	"io"

	"revenant/scanners"
)

// ErrNoRoot is wrapped when the place to scan does not exist or cannot be read.
var ErrNoRoot = errors.New("cannot be scanned")

// ErrBadGlob is wrapped when an exclude pattern does not parse.
var ErrBadGlob = errors.New("not a valid glob")

// Links says what a walk does with symbolic links.
type Links int

// The choices. A link's own target text is always scanned as content of the
// link's path.
const (
	// LinksInside follows no link: what a link inside the tree points to is
	// scanned by itself; a target outside is a listed skip.
	LinksInside Links = iota
	// LinksFollow follows links out of the tree too, each directory once.
	LinksFollow
)

// stdinPath is the path that findings on standard input have.
const stdinPath = "-"

// NewStdin returns a source of one item that reads r. The id is empty when the
// user gave none with --source: nothing of it is stored then.
func NewStdin(r io.Reader, sourceID string) scanners.Source {
	return NewStream(r, sourceID, stdinPath)
}

// NewStream is NewStdin for what is called something else in findings.
func NewStream(r io.Reader, sourceID, path string) scanners.Source {
	return &stdin{r: r, id: sourceID, path: path}
}
