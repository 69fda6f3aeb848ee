package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// outFile is a file that a flag asks for. A regular one is written beside its
// place and renamed when it is whole, so that a reader never meets half of it;
// a device, a pipe or our own standard output is written to as it is.
type outFile struct {
	io.Writer
	file *os.File // nil: standard output
	path string   // "": written in place
	mode os.FileMode
}

// createOut opens the file that a flag names; the error names the flag.
func (a *app) createOut(flag, name string, mode os.FileMode) (*outFile, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil: // not there; or not to be looked at, and the next step says so
	case info.IsDir():
		return nil, usagef("%s names a folder: give a file", flag)
	case isStream(a.stdout, info):
		return &outFile{Writer: a.stdout}, nil
	case !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, fileError(flag, err)
		}
		return &outFile{Writer: f, file: f}, nil
	default: // what a link leads to is replaced, not the link
		if real, err := filepath.EvalSymlinks(name); err == nil {
			name = real
		}
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".revenant-*")
	switch {
	case isMissing(err):
		return nil, usagef("%s: it cannot be written there: there is no such folder%s", flag, below(&fs.PathError{Path: name}))
	case errors.Is(err, fs.ErrPermission):
		return nil, usagef("%s: it cannot be written there: %w", flag, errDenied)
	case err != nil:
		return nil, usagef("%s: it cannot be written there: %w", flag, bare(err))
	}
	return &outFile{Writer: f, file: f, path: name, mode: mode}, nil
}

// isStream reports whether a file is the one that w writes to.
func isStream(w io.Writer, info os.FileInfo) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(own, info)
}

// commit puts the file into its place.
func (o *outFile) commit() error {
	f := o.file
	if f == nil {
		return nil
	}
	if o.path == "" {
		o.file = nil
		return f.Close()
	}
	for _, step := range []func() error{
		func() error { return f.Chmod(o.mode) },
		f.Sync,
		f.Close,
		func() error { return os.Rename(f.Name(), o.path) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	o.file = nil
	return nil
}

// abort leaves nothing behind; after commit it does nothing.
func (o *outFile) abort() {
	if o.file == nil {
		return
	}
	_ = o.file.Close()
	if o.path != "" {
		_ = os.Remove(o.file.Name())
	}
	o.file = nil
}

// writeOut writes the file that a flag names.
func (a *app) writeOut(flag, name string, mode os.FileMode, fill func(io.Writer) error) error {
	o, err := a.createOut(flag, name, mode)
	if err != nil {
		return err
	}
	defer o.abort()
	if err := fill(o); err != nil {
		return unwritten(flag, err)
	}
	return unwritten(flag, o.commit())
}

// unwritten says whose file could not be written, where that is what failed.
func unwritten(what string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%s: it cannot be written: %w: make room on its disk and try again", what, syscall.ENOSPC)
	case errors.As(err, new(*fs.PathError)), errors.As(err, new(*os.LinkError)):
		return fmt.Errorf("%s: it cannot be written: %w", what, bare(err))
	}
	return err
}

// writeBytes writes b to the file that a flag names.
func (a *app) writeBytes(flag, name string, mode os.FileMode, b []byte) error {
	return a.writeOut(flag, name, mode, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// errDenied is the way out where permissions stand in the way.
var errDenied = fmt.Errorf("%w: this user may not use it; run as its owner, or choose another place", fs.ErrPermission)

// fileError says what is wrong with the file that a flag or argument names,
// and not its name: people put a value or a passphrase where a file belongs.
func fileError(what string, err error) error {
	switch {
	case isMissing(err):
		return usagef("%s: there is no such file%s (it wants a file's name, not what stands in the file)", what, below(err))
	case errors.Is(err, syscall.EISDIR):
		return usagef("%s names a folder: give a file", what)
	case errors.Is(err, fs.ErrPermission):
		return usagef("%s: %w", what, errDenied)
	}
	return usagef("%s: %w", what, bare(err))
}

// folderError is the same of a folder.
func folderError(what string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		if info, serr := os.Stat(p.Path); serr == nil && !info.IsDir() {
			return usagef("%s is no folder: give the name of one, not of a file", what)
		}
	}
	switch {
	case isMissing(err):
		return usagef("%s: there is no such folder%s", what, below(err))
	case errors.Is(err, fs.ErrPermission):
		return usagef("%s: %w", what, errDenied)
	}
	return usagef("%s: %w", what, bare(err))
}

// isMissing reports whether a path leads to nothing, or can lead to nothing.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrInvalid)
}

// below says how far the path of an error leads: what is there is no value that
// somebody typed in its place.
func below(err error) string {
	var p *fs.PathError
	if !errors.As(err, &p) {
		return ""
	}
	at, err := filepath.Abs(p.Path)
	if err != nil {
		return ""
	}
	for at != filepath.Dir(at) {
		at = filepath.Dir(at)
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			return " in " + printable(at)
		} else if err == nil {
			return ": " + printable(at) + " is a file"
		}
	}
	return ""
}

// bare is a file's error without the file's name.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
