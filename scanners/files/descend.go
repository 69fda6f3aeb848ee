package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// inode identifies a file on this machine; inodeOf finds it.
type inode struct{ dev, ino uint64 }

// push enters a directory and reports whether it did.
func (w *walk) push(b *scanners.Batch, rel, abs string, linked bool) bool {
	skip := func(reason fingerprints.SkipReason, detail string) bool {
		b.Skipped = append(b.Skipped, fingerprints.Skip{Path: rel, Reason: reason, Detail: detail, Size: -1})
		return false
	}
	d, info, err := openDir(abs)
	if err != nil {
		b.Skipped = append(b.Skipped, skipOf(rel, err))
		return false
	}
	defer d.Close()
	self := inodeOf(abs, info)
	for _, up := range w.stack {
		if up.self == self && self != (inode{}) {
			return skip(fingerprints.SkipLoop, "the directory contains itself")
		}
	}
	if linked && self != (inode{}) && w.entered[self] {
		return skip(fingerprints.SkipSymlink, "scanned already under another path")
	}
	outer := len(w.stack) == 0 || w.stack[len(w.stack)-1].self.dev != self.dev
	if outer && kernelMade(d) {
		return skip(fingerprints.SkipSpecial, "a file system that the kernel makes up")
	}
	names, err := d.Readdirnames(-1)
	if err != nil { // what was listed before the error is still walked
		b.Skipped = append(b.Skipped, skipOf(rel, err))
	}
	slices.Sort(names)
	if w.links == LinksFollow {
		w.entered[self] = true
	}
	f := &frame{rel: rel, abs: abs, names: names, self: self, linked: linked}
	f.at = place{Modified: info.ModTime().UnixNano(), Names: len(names)}
	w.resumeAt(f)
	w.stack = append(w.stack, f)
	return true
}

// resumeAt moves a freshly entered directory on to where the cursor stands. A
// directory that changed since then is walked from its start: reading twice
// is harmless, missing something is not.
func (w *walk) resumeAt(f *frame) {
	if len(w.resume) == 0 {
		return
	}
	p := w.resume[0]
	w.resume = w.resume[1:]
	if p.Modified != f.at.Modified || p.Names != f.at.Names || p.Index > len(f.names) {
		w.resume = nil
		return
	}
	f.next = p.Index
}

func (w *walk) cursor() []byte {
	places := make([]place, len(w.stack))
	for i, f := range w.stack {
		places[i] = f.at
		places[i].Index = f.next
	}
	return formatCursor(places)
}

// link handles a symbolic link: its text is content, and what it points to is
// scanned by itself, listed, or followed. It reports whether a directory was
// entered.
func (w *walk) link(b *scanners.Batch, rel, abs string) bool {
	target, err := os.Readlink(abs)
	if err != nil {
		b.Skipped = append(b.Skipped, skipOf(rel, err))
		return false
	}
	if len(w.resume) == 0 { // else the scan stood behind this link, inside its target
		b.Items = append(b.Items, scanners.Item{
			SourceID: w.id, Path: rel, Locator: "@link", Presence: fingerprints.PresenceTip, Size: int64(len(target)),
			Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(target)), nil
			},
		})
	}
	real, err := filepath.EvalSymlinks(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false // nothing is there to be read
	case err != nil && linkLoop(err):
		b.Skipped = append(b.Skipped, fingerprints.Skip{Path: rel, Reason: fingerprints.SkipLoop, Detail: "links that lead to each other", Size: -1})
		return false
	case err != nil:
		b.Skipped = append(b.Skipped, skipOf(rel, err))
		return false
	}
	return w.followLink(b, rel, abs, real)
}

// followLink decides what becomes of a link's target, real.
func (w *walk) followLink(b *scanners.Batch, rel, abs, real string) bool {
	skip := func(reason fingerprints.SkipReason, detail string) bool {
		b.Skipped = append(b.Skipped, fingerprints.Skip{Path: rel, Reason: reason, Detail: detail, Size: -1})
		return false
	}
	info, err := os.Stat(real)
	if err != nil {
		b.Skipped = append(b.Skipped, skipOf(rel, err))
		return false
	}
	if info.IsDir() {
		self := inodeOf(real, info)
		for _, up := range w.stack {
			if up.self == self && self != (inode{}) {
				return skip(fingerprints.SkipLoop, "a link to a directory above it")
			}
		}
	}
	inner, inside := w.below(real)
	if inside && (w.filter == nil || w.wantedAs(inner, info)) && !w.excluded(inner) {
		return false // scanned by itself, or listed
	}
	if w.links != LinksFollow {
		return skip(fingerprints.SkipSymlink, "points outside; not followed")
	}
	if info.IsDir() {
		if w.filter != nil && !w.filter.enter(rel) {
			return false
		}
		return w.push(b, rel, real, true)
	}
	if w.filter != nil && !w.filter.admit(rel) {
		return false
	}
	w.file(b, rel, abs, info, followLinks)
	return false
}

// below returns the path of real under the root.
func (w *walk) below(real string) (string, bool) {
	if real == w.root {
		return "", true
	}
	prefix := strings.TrimSuffix(w.root, string(filepath.Separator)) + string(filepath.Separator)
	inner, ok := strings.CutPrefix(real, prefix)
	return filepath.ToSlash(inner), ok
}

func openDir(abs string) (*os.File, fs.FileInfo, error) {
	d, err := openFolder(abs)
	if err != nil {
		return nil, nil, err
	}
	info, err := d.Stat()
	if err != nil {
		d.Close()
		return nil, nil, err
	}
	return d, info, nil
}
