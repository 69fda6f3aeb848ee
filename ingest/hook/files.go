package hook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// state is what stands at a hook's place.
type state int

const (
	absent  state = iota
	ours          // as it was written
	changed       // ours, changed by hand
	foreign       // another's
)

// found is a hook's file as it was found.
type found struct {
	state
	parsed
	text []byte
	mode fs.FileMode
	link bool
}

// runs reports whether git would run a file of this mode; Windows has no such
// bit, and git looks at the first line there.
func runs(mode fs.FileMode) bool { return filepath.Separator == '\\' || mode.Perm()&0o111 != 0 }

// maxHook bounds what is read of a file to see whose it is.
const maxHook = 1 << 20

// look reads a hook's file; what is not there is no error.
func look(path string) (found, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return found{}, nil
	}
	if err != nil {
		return found{}, unusable(path, err)
	}
	f := found{state: foreign, mode: info.Mode(), link: info.Mode()&fs.ModeSymlink != 0}
	if f.link {
		target, err := os.Stat(path)
		if err != nil || !target.Mode().IsRegular() {
			return f, nil // a link to nowhere is kept as it is
		}
	} else if !info.Mode().IsRegular() {
		return found{}, fmt.Errorf("%w: %s is no file; move it away", ErrPlace, path)
	}
	if f.text, err = readSome(path); err != nil {
		return found{}, unusable(path, err)
	}
	p, is := parse(f.text)
	switch {
	case !is:
		return f, nil
	case f.link:
		return found{}, fmt.Errorf("%w: %s is a link to a hook of Revenant; remove the link, then try again", ErrPlace, path)
	}
	f.parsed, f.state = p, ours
	if p.changed {
		f.state = changed
	}
	return f, nil
}

func readSome(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxHook))
}

// unusable says what is wrong with a place, and the way out.
func unusable(path string, err error) error {
	cause := err
	var p *fs.PathError
	var l *os.LinkError
	if errors.As(err, &p) {
		cause = p.Err
	} else if errors.As(err, &l) {
		cause = l.Err
	}
	out := "see to it that the place is a folder that can be written to"
	if errors.Is(err, fs.ErrPermission) {
		out = "run this as who may write there"
	}
	return fmt.Errorf("%w: %s: %w; %s", ErrPlace, path, cause, out)
}

// temporary is what files are called before they have their place.
const temporary = ".revenant-hook-"

// stale is how old a file is that a killed process left behind.
const stale = time.Hour

// put writes a file that is there as a whole or not at all.
func put(path string, text []byte, mode fs.FileMode) error {
	tmp, err := spill(filepath.Dir(path), text, mode)
	if err != nil {
		return unusable(filepath.Dir(path), err)
	}
	defer func() { _ = os.Remove(tmp) }()
	if err := os.Rename(tmp, path); err != nil {
		return unusable(path, err)
	}
	settle(filepath.Dir(path))
	return nil
}

// spill writes a file under a passing name, down to the disk.
func spill(dir string, text []byte, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(dir, temporary+"*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	for _, step := range []func() error{func() error { return f.Chmod(mode) }, f.Sync} {
		if err == nil {
			err = step()
		}
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// settle asks for a folder's entries to be on the disk; not every system can.
func settle(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}

// tidy removes what killed processes left behind.
func tidy(dir string, now time.Time) {
	left, err := filepath.Glob(filepath.Join(escapeGlob(dir), temporary+"*"))
	if err != nil {
		return // then they stay
	}
	for _, name := range left {
		if info, err := os.Lstat(name); err == nil && now.Sub(info.ModTime()) > stale {
			_ = os.Remove(name) // another process may have
		}
	}
}

// escapeGlob takes a folder's name literally; where that cannot be said, as on
// Windows, a name with such characters finds nothing.
func escapeGlob(dir string) string {
	if filepath.Separator == '\\' {
		return dir
	}
	var b bytes.Buffer
	for _, c := range []byte(dir) {
		if bytes.IndexByte([]byte(`*?[\`), c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// keep gives the hook at path a second name, so that it can be replaced. What
// stands at both names is one file until then: a kill loses nothing.
func keep(path, as string, f found) error {
	err := second(path, as, f)
	if errors.Is(err, fs.ErrExist) {
		if alike(path, as) {
			return nil // an earlier run came this far
		}
		return fmt.Errorf("%w: %s is another hook, kept from %s at an earlier time; see which of the two you want, and remove the other", ErrOccupied, as, filepath.Base(path))
	}
	if err != nil {
		return unusable(as, err)
	}
	settle(filepath.Dir(path))
	return nil
}

func second(path, as string, f found) error {
	if f.link {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		return os.Symlink(target, as)
	}
	err := os.Link(path, as)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without links: a copy does.
	if _, there := os.Lstat(as); there == nil {
		return fs.ErrExist
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	tmp, err := spill(filepath.Dir(path), text, f.mode.Perm())
	if err != nil {
		return err
	}
	return os.Rename(tmp, as)
}

// alike reports whether two names hold the same hook.
func alike(a, b string) bool {
	ai, aErr := os.Lstat(a)
	bi, bErr := os.Lstat(b)
	if aErr != nil || bErr != nil || ai.Mode() != bi.Mode() {
		return false
	}
	if os.SameFile(ai, bi) {
		return true
	}
	if ai.Mode()&fs.ModeSymlink != 0 {
		at, aErr := os.Readlink(a)
		bt, bErr := os.Readlink(b)
		return aErr == nil && bErr == nil && at == bt
	}
	at, aErr := os.ReadFile(a)
	bt, bErr := os.ReadFile(b)
	return aErr == nil && bErr == nil && bytes.Equal(at, bt)
}

// exists reports whether there is something of that name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
