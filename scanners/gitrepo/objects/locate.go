package objects

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Layout is where the parts of a repository are.
type Layout struct {
	// GitDir holds HEAD and the index of this work tree.
	GitDir string
	// CommonDir holds what all work trees share: objects, refs, config. It is
	// GitDir itself except in a linked work tree.
	CommonDir string
	// Quarantine is a folder of objects that git did not take in yet, as while it
	// asks a pre-receive hook; they are read first. Empty: there is none.
	Quarantine string
}

// objectDirs are the folders that hold the repository's own objects.
func (l Layout) objectDirs() []string {
	own := filepath.Join(l.CommonDir, "objects")
	if l.Quarantine == "" {
		return []string{own}
	}
	return []string{l.Quarantine, own}
}

// pointerMost bounds the files that point elsewhere.
const pointerMost = 64 << 10

// Locate finds the repository at a path: a work tree, linked or not, a .git
// folder or file, a submodule or a bare repository. It does not look in the
// folders above.
func Locate(path string) (Layout, error) {
	dir := path
	info, err := os.Stat(path)
	if err != nil {
		return Layout{}, fmt.Errorf("%w: %w", ErrNoStore, err)
	}
	inside := filepath.Join(path, ".git")
	if !info.IsDir() {
		if dir, err = followPointer(path); err != nil {
			return Layout{}, err
		}
	} else if info, err := os.Stat(inside); err == nil {
		dir = inside
		if !info.IsDir() {
			if dir, err = followPointer(inside); err != nil {
				return Layout{}, err
			}
		}
	}
	l := Layout{GitDir: dir, CommonDir: dir}
	if text, err := readSmall(filepath.Join(dir, "commondir")); err == nil {
		l.CommonDir = joined(dir, strings.TrimRight(text, "\r\n"))
	}
	if !isDir(filepath.Join(l.CommonDir, "objects")) {
		return Layout{}, ErrNoStore
	}
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return Layout{}, ErrNoStore
	}
	return l, nil
}

// followPointer reads a .git file: "gitdir: " and a path.
func followPointer(name string) (string, error) {
	text, err := readSmall(name)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoStore, err)
	}
	target, ok := strings.CutPrefix(strings.TrimRight(text, "\r\n"), "gitdir: ")
	if !ok || target == "" {
		return "", ErrNoStore
	}
	return joined(filepath.Dir(name), target), nil
}

// joined resolves a path that may be relative to a folder.
func joined(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// readSmall reads a regular file of at most pointerMost bytes.
func readSmall(name string) (string, error) {
	f, err := openFile(name, AccessRead)
	if err != nil {
		return "", err
	}
	defer f.close()
	if f.size > pointerMost {
		return "", fmt.Errorf("%w: a file of %d bytes", ErrUnsupported, f.size)
	}
	data, err := f.whole()
	return string(data), err
}
