package files

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/fingerprints"
	"revenant/scanners"
)

// defaultBatch is how many items a batch has.
const defaultBatch = 256

// DirOptions configures NewDir.
type DirOptions struct {
	Root     string // a directory or a single file
	SourceID string // empty: dir:<absolute path>
	// Exclude holds globs on paths below Root, with slashes and ** for any
	// number of directories; a glob without a slash is compared with names at
	// every depth. What they leave out is a listed skip.
	Exclude []string
	// Ignored says whether the place's own rules leave an entry out, a folder with
	// all below it: it is a listed skip, SkipIgnored. nil: they leave nothing out.
	Ignored func(path string, folder bool) bool
	Links   Links
	Cursor  []byte // of an earlier scan of the same root; nil: from the start
	Batch   int    // items in a batch; 0: 256
}

// NewDir returns a source that walks a directory in the order of its names, or
// reads one file. A directory that could not be listed, or a file that could
// not be opened, is a skip; only a root that is not there is an error.
func NewDir(o DirOptions) (scanners.Source, error) {
	return newWalk(o, nil)
}

// filter narrows a walk; paths are below the root.
type filter interface {
	enter(dir string) bool
	admit(file string) bool
}

// walk is a depth-first walk with an explicit stack, so that its place can be
// saved.
type walk struct {
	id      string
	root    string // absolute, links resolved
	single  string // name of the file when the root is one
	exclude []string
	ignored func(path string, folder bool) bool // nil: nothing
	links   Links
	filter  filter // nil: everything
	batch   int
	resume  []place

	started bool
	done    bool
	stack   []*frame
	entered map[inode]bool // directories that were walked, when links are followed
}

// frame is one directory being walked.
type frame struct {
	rel    string // below the root; "" is the root
	abs    string
	names  []string // sorted
	next   int
	at     place
	self   inode
	linked bool // reached through a link, or below one
}

func newWalk(o DirOptions, f filter) (*walk, error) {
	abs, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, fmt.Errorf("the root %w: no working directory", ErrNoRoot)
	}
	for _, g := range o.Exclude {
		if !doublestar.ValidatePattern(g) {
			return nil, fmt.Errorf("exclude pattern: %w", ErrBadGlob)
		}
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fmt.Errorf("the root %w: %s", ErrNoRoot, cause(err))
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, fmt.Errorf("the root %w: %s", ErrNoRoot, cause(err))
	}
	w := &walk{
		id: o.SourceID, root: real, exclude: o.Exclude, ignored: o.Ignored, links: o.Links, filter: f,
		batch: o.Batch, entered: map[inode]bool{},
	}
	if w.id == "" {
		w.id = "dir:" + filepath.ToSlash(abs)
	}
	if w.batch <= 0 {
		w.batch = defaultBatch
	}
	if !info.IsDir() {
		w.single = filepath.Base(abs)
	}
	if len(o.Cursor) > 0 {
		if w.resume, err = parseCursor(o.Cursor); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *walk) ID() string { return w.id }

func (w *walk) Kind() fingerprints.SourceKind { return fingerprints.KindDir }

func (w *walk) Close() error {
	w.done, w.stack = true, nil
	return nil
}

// Next walks on until a batch is full.
func (w *walk) Next(ctx context.Context) (scanners.Batch, error) {
	var b scanners.Batch
	if err := ctx.Err(); err != nil {
		return b, err
	}
	if !w.started && !w.done {
		w.started = true
		w.begin(&b)
	}
	for len(b.Items) < w.batch && len(b.Skipped) < 4*w.batch && len(w.stack) > 0 {
		if err := ctx.Err(); err != nil {
			return scanners.Batch{}, err
		}
		w.step(&b)
	}
	if len(w.stack) > 0 {
		b.Cursor = w.cursor()
		return b, nil
	}
	w.done = true
	return b, io.EOF
}

// begin handles the root.
func (w *walk) begin(b *scanners.Batch) {
	if w.single == "" {
		w.push(b, "", w.root, false)
		return
	}
	info, err := os.Lstat(w.root)
	if err != nil {
		b.Skipped = append(b.Skipped, skipOf(w.single, err))
		return
	}
	w.file(b, w.single, w.root, info, followNever)
}

// step handles the next entry of the innermost directory.
func (w *walk) step(b *scanners.Batch) {
	f := w.stack[len(w.stack)-1]
	if f.next >= len(f.names) {
		w.stack = w.stack[:len(w.stack)-1]
		if len(w.stack) > 0 {
			w.stack[len(w.stack)-1].next++ // the directory is finished
		}
		return
	}
	name := f.names[f.next]
	rel, abs := join(f.rel, name), f.abs+string(filepath.Separator)+name
	if w.entry(b, f, rel, abs) {
		return // next moves on when the directory is finished
	}
	w.resume = nil // the cursor leads no further down
	f.next++
}

// entry handles one entry and reports whether a directory was entered.
func (w *walk) entry(b *scanners.Batch, f *frame, rel, abs string) bool {
	info, err := os.Lstat(abs)
	if err != nil {
		if w.wanted(rel) {
			b.Skipped = append(b.Skipped, skipOf(rel, err))
		}
		return false
	}
	if w.filter != nil && !w.wantedAs(rel, info) {
		return false
	}
	if why := w.leftOut(rel, info.IsDir()); why != "" {
		size := int64(-1)
		if info.Mode().IsRegular() {
			size = info.Size()
		}
		b.Skipped = append(b.Skipped, fingerprints.Skip{Path: rel, Reason: why, Size: size})
		return false
	}
	switch {
	case info.IsDir():
		return w.push(b, rel, abs, f.linked)
	case info.Mode()&fs.ModeSymlink != 0:
		return w.link(b, rel, abs)
	}
	w.file(b, rel, abs, info, followNever)
	return false
}

// wanted reports whether the filter could want rel as anything.
func (w *walk) wanted(rel string) bool {
	return w.filter == nil || w.filter.enter(rel) || w.filter.admit(rel)
}

func (w *walk) wantedAs(rel string, info fs.FileInfo) bool {
	switch {
	case info.IsDir():
		return w.filter.enter(rel)
	case info.Mode()&fs.ModeSymlink != 0:
		return w.wanted(rel)
	}
	return w.filter.admit(rel)
}

// leftOut says why an entry is not looked at; empty: it is.
func (w *walk) leftOut(rel string, folder bool) fingerprints.SkipReason {
	switch {
	case w.excluded(rel):
		return fingerprints.SkipExcluded
	case w.ignored != nil && w.ignored(rel, folder):
		return fingerprints.SkipIgnored
	}
	return ""
}

func (w *walk) excluded(rel string) bool {
	for _, g := range w.exclude {
		subject := rel
		if !strings.Contains(g, "/") {
			subject = rel[strings.LastIndexByte(rel, '/')+1:]
		}
		if ok, _ := doublestar.Match(g, subject); ok {
			return true
		}
	}
	return false
}

// file yields a regular file; anything else is a skip and is not opened.
func (w *walk) file(b *scanners.Batch, rel, abs string, info fs.FileInfo, follow followMode) {
	if !info.Mode().IsRegular() {
		b.Skipped = append(b.Skipped, fingerprints.Skip{
			Path: rel, Reason: fingerprints.SkipSpecial, Detail: describe(info.Mode()), Size: -1,
		})
		return
	}
	b.Items = append(b.Items, scanners.Item{
		SourceID: w.id,
		Path:     rel,
		Presence: fingerprints.PresenceTip,
		At:       info.ModTime(),
		Size:     info.Size(),
		Open: func(context.Context) (io.ReadCloser, error) {
			return openContent(abs, follow)
		},
	})
}

// join puts slashes between the parts of a path below the root.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

func describe(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "not a regular file"
}
