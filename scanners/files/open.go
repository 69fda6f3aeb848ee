package files

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
)

// maxGrowth bounds how many bytes beyond its size at opening a file may yield:
// logs that are being written are read to their end, files without one are not.
const maxGrowth = 64 << 20

type followMode int

const (
	followNever followMode = iota
	followLinks
)

// openContent opens a regular file without ever waiting for it. What turns out
// to be anything else is closed unread.
func openContent(abs string, follow followMode) (io.ReadCloser, error) {
	f, err := openFile(abs, follow)
	if err != nil {
		return nil, skipError(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, skipError(err)
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, &scanners.SkipError{Reason: fingerprints.SkipSpecial, Detail: describe(info.Mode()), Size: -1}
	}
	return &content{f: f, size: info.Size(), modified: info.ModTime()}, nil
}

// Open opens one regular file, through links, without ever waiting for it. Its
// errors are SkipErrors.
func Open(path string) (io.ReadCloser, error) { return openContent(path, followLinks) }

// content reads a file and notices when it was changed meanwhile. A small one is
// read at once, into memory that is used again: it is looked at from both ends.
type content struct {
	f        *os.File
	size     int64
	modified time.Time
	read     int64

	room  *[smallFile + 1]byte
	whole []byte // of room: what the file began with
	err   error  // how reading it at once ended; io.EOF: whole is all of it
}

// smallFile is the size up to which a file is read at once.
const smallFile = 32 << 10

var rooms = sync.Pool{New: func() any { return new([smallFile + 1]byte) }}

// load reads a small file.
func (c *content) load() {
	if c.room != nil || c.size > smallFile || c.size == 0 || c.read > 0 {
		return
	}
	c.room, _ = rooms.Get().(*[smallFile + 1]byte)
	for n := 0; n <= int(c.size) && c.err == nil; n = len(c.whole) { // one more byte tells that it ends
		var m int
		m, c.err = c.f.Read(c.room[n : c.size+1])
		c.whole = c.room[:n+m]
	}
}

// Read ends with a SkipError in place of io.EOF when the file was rewritten,
// cut short or never ended.
func (c *content) Read(p []byte) (int, error) {
	if c.read >= c.size+maxGrowth {
		return 0, &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "grows while it is read, or has no end", Size: -1}
	}
	if left := c.size + maxGrowth - c.read; int64(len(p)) > left {
		p = p[:left]
	}
	c.load()
	var n int
	var err error
	switch {
	case int(c.read) < len(c.whole):
		n = copy(p, c.whole[c.read:])
	case c.err != nil:
		err = c.err
	default:
		n, err = c.f.Read(p)
	}
	c.read += int64(n)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		if err = c.ended(); err == nil {
			return c.Read(p)
		}
		return n, err
	}
	e := skipError(err)
	e.Size = max(c.size-c.read, -1)
	return n, e
}

// ReadAt and Size let archives be opened where they lie. What changed meanwhile
// is noticed by Read.
func (c *content) ReadAt(p []byte, off int64) (int, error) {
	c.load()
	if errors.Is(c.err, io.EOF) {
		return bytes.NewReader(c.whole).ReadAt(p, off)
	}
	n, err := c.f.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, skipError(err)
	}
	return n, err
}

// Size is the file's at opening.
func (c *content) Size() int64 { return c.size }

// ended is io.EOF when what was read is what the file holds, and nil where more was
// written since a small one was read.
func (c *content) ended() error {
	info, err := c.f.Stat()
	if err != nil {
		return skipError(err)
	}
	changed := !info.ModTime().Equal(c.modified)
	switch {
	case c.err != nil && info.Size() > c.read && c.read >= c.size:
		c.err = nil
		return nil
	case c.read < c.size:
		return &scanners.SkipError{Reason: fingerprints.SkipChanging, Detail: "cut short while it was read", Size: c.size - c.read}
	case changed && info.Size() <= c.size && c.size > 0:
		return &scanners.SkipError{Reason: fingerprints.SkipChanging, Detail: "rewritten while it was read", Size: -1}
	}
	return io.EOF
}

func (c *content) Close() error {
	if c.room != nil {
		rooms.Put(c.room)
		c.room, c.whole, c.err = nil, nil, fs.ErrClosed
	}
	return c.f.Close()
}

// skipError turns an error of the operating system into one that names no path.
func skipError(err error) *scanners.SkipError {
	e := &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: cause(err), Size: -1}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Reason = fingerprints.SkipVanished
	case errors.Is(err, syscall.ENXIO):
		e.Reason = fingerprints.SkipSpecial
	case errors.Is(err, syscall.ELOOP):
		e.Reason, e.Detail = fingerprints.SkipSymlink, "became a link while scanning"
	}
	return e
}

func skipOf(rel string, err error) fingerprints.Skip {
	e := skipError(err)
	return fingerprints.Skip{Path: rel, Reason: e.Reason, Detail: e.Detail, Size: e.Size}
}

// cause is the operating system's words without the path.
func cause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case linkLoop(err):
		return "links that lead to each other"
	}
	return "input/output error"
}

// linkLoop recognises what EvalSymlinks says of links that lead to each other;
// it has no sentinel for it.
func linkLoop(err error) bool {
	return errors.Is(err, syscall.ELOOP) || err != nil && err.Error() == "EvalSymlinks: too many links"
}
