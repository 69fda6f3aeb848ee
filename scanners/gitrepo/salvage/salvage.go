// Package salvage reads git repositories of which files alone are at hand, one by one,
// from somebody whom nobody trusts: what layers of an image hold of them.
//
// It promises: of what is taken, objects are written as they are, under names of its
// own where a name could matter, and refs anew, as far as they are plain; indexes of
// packs are made here; everything lies in one folder that Close removes; a file whose
// objects were not all read is told. It refuses: configuration, hooks, alternates,
// grafts, replacements of paths, indexes and whatever else of a repository tells git
// what to do or where to look.
//
// Files of git directories: gitrepository-layout of git's documentation.
package salvage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// Options configures New.
type Options struct {
	Dir string // in which the repository gets a folder; nobody else may look into it
	// Screen is that of gitrepo.Options. Required.
	Screen func(ctx context.Context, data []byte) bool
	// Named is that of gitrepo.Options.
	Named func(name string) bool
	// Workers is how many contents are screened at once; at least 1.
	Workers int
	// Room is how many bytes may still be written where Dir is; nil: as many as are
	// wanted.
	Room func() int64
	// Patience is how long git may take for the index of a pack; 0: by its size.
	Patience time.Duration
}

// Repository is one that is put together and read then. Not safe for concurrent use.
type Repository struct {
	o      Options
	dir    string
	refs   refs
	takes  []take
	at     map[string][]int             // takes by the file of the object store that has them
	sums   map[string][sha256.Size]byte // of those files
	digits map[string]int               // that the names of packs had
	asked  int64                        // bytes that were written since it was asked for room

	src   *gitrepo.Source // nil before Read
	trees []int           // nil: not known
}

// take is a file that was taken.
type take struct {
	file   string // in the object store; empty: it holds no object
	unread bool
}

// Errors that end it. What was found in the files is not lost with it: whoever has
// them can look at them one by one.
var (
	errReftable = &scanners.SkipError{Reason: fingerprints.SkipArchive, Detail: "a git repository whose refs are kept in tables (reftable)", Size: -1}
	errRoom     = temporary{&scanners.SkipError{Reason: fingerprints.SkipArchive, Detail: "the disk has no room for a git repository", Size: -1}}
	errStopped  = temporary{&scanners.SkipError{Reason: fingerprints.SkipArchive, Detail: "git was stopped while it read a pack", Size: -1}}
	errNoGit    = temporary{&scanners.SkipError{Reason: fingerprints.SkipArchive, Detail: "git is not installed, which packs are read with", Size: -1}}
)

// temporary is an error of what may be otherwise another time.
type temporary struct{ *scanners.SkipError }

// Temporary reports that.
func (temporary) Temporary() bool { return true }

func (t temporary) Unwrap() error { return t.SkipError }

// New begins a repository of which nothing is known.
func New(o Options) (*Repository, error) {
	if o.Screen == nil {
		return nil, gitrepo.ErrNoScreen
	}
	dir, err := os.MkdirTemp(o.Dir, "repository-*")
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, "objects", "pack"), 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("making room for a repository: %w", err)
	}
	return &Repository{o: o, dir: dir, refs: newRefs(), at: map[string][]int{}, sums: map[string][sha256.Size]byte{}, digits: map[string]int{}}, nil
}

// Close removes it. Nothing may be read from its items any more.
func (r *Repository) Close() error {
	var err error
	if r.src != nil {
		err = r.src.Close()
	}
	if gone := os.RemoveAll(r.dir); gone != nil {
		err = errors.Join(err, fmt.Errorf("removing a repository: %w", gone))
	}
	return err
}

// Take takes a file by its name in the git directory. Of two with one name the last
// counts. What Wants does not name is passed over. An error of content is returned as
// it is.
func (r *Repository) Take(name string, size int64, content io.Reader) error {
	n := len(r.takes)
	r.takes = append(r.takes, take{})
	switch kindOf(name) {
	case kindNone:
		return nil
	case kindTable:
		return errReftable
	case kindLoose:
		return r.object(n, path.Join(path.Base(path.Dir(name)), path.Base(name)), size, content)
	case kindPack:
		file := path.Join("pack", "pack-"+strconv.Itoa(n)+".pack")
		if id := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "pack-"), ".pack"); hexadecimal(id) {
			r.digits[file] = len(id)
		}
		return r.object(n, file, size, content)
	case kindRefs:
	}
	text, err := io.ReadAll(io.LimitReader(content, largestText+1))
	if err != nil {
		return err
	}
	r.refs.take(name, text)
	return nil
}

// object writes a file of the object store.
func (r *Repository) object(n int, file string, size int64, content io.Reader) error {
	if err := r.room(size); err != nil {
		return err
	}
	full := filepath.Join(r.dir, "objects", filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return fmt.Errorf("putting a repository together: %w", err)
	}
	fresh := filepath.Join(r.dir, "taken")
	sum, err := written(fresh, content)
	if err != nil {
		return err
	}
	if same := r.same(file, sum); same != "" { // as a layer has it that changed its owner
		file = same
	} else {
		for _, before := range r.at[file] {
			r.takes[before].unread = true
		}
		r.at[file], r.sums[file] = nil, sum
		if err := os.Rename(fresh, full); err != nil {
			return fmt.Errorf("putting a repository together: %w", err)
		}
	}
	r.takes[n].file = file
	r.at[file] = append(r.at[file], n)
	return nil
}

// same is the file that has this content already, where that is what it would be
// read from; empty: none.
func (r *Repository) same(file string, sum [sha256.Size]byte) string {
	if path.Dir(file) != "pack" {
		if r.sums[file] == sum && len(r.at[file]) > 0 {
			return file
		}
		return ""
	}
	for other, has := range r.sums {
		if has == sum && path.Dir(other) == "pack" {
			return other
		}
	}
	return ""
}

// written writes a file, and says what its content hashes to. An error of content is
// returned as it is.
func written(name string, content io.Reader) (sum [sha256.Size]byte, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return sum, fmt.Errorf("putting a repository together: %w", err)
	}
	h, in := sha256.New(), &telling{r: content}
	_, err = io.Copy(io.MultiWriter(f, h), in)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	switch {
	case in.failed != nil:
		return sum, in.failed
	case err != nil:
		return sum, errRoom
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// telling keeps the error of a reader, to tell it from those of who is written to.
type telling struct {
	r      io.Reader
	failed error
}

func (t *telling) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		t.failed = err
	}
	return n, err
}

// Of the room on a disk: how often it is asked for, and what is left of it.
const (
	askedEvery = 16 << 20
	roomLeft   = 256 << 20
)

func (r *Repository) room(size int64) error {
	if r.o.Room == nil {
		return nil
	}
	if r.asked -= size; r.asked >= 0 {
		return nil
	}
	if r.o.Room()-size < roomLeft {
		return errRoom
	}
	r.asked = askedEvery
	return nil
}
