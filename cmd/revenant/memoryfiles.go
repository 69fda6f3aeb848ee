package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo"
)

// memoryFiles keep what was read of one source, in files of the
// registry's folder whose names begin alike. They hold ids and no content.
type memoryFiles struct {
	prefix string
	now    func() time.Time
}

// memoryFile is a part that was opened.
type memoryFile struct {
	*os.File
	size int64
}

// Size implements gitrepo.Part.
func (f memoryFile) Size() int64 { return f.size }

func (m memoryFiles) file(part string) string { return m.prefix + "." + part }

// Open implements gitrepo.Memory.
func (m memoryFiles) Open(part string) (gitrepo.Part, error) {
	f, err := os.Open(m.file(part))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return memoryFile{f, info.Size()}, nil
}

// staleMemory is how old a file is that a process left behind when it was
// killed while it saved.
const staleMemory = time.Hour

// Save implements gitrepo.Memory: the file is replaced as a whole, once all of
// it is on the disk.
func (m memoryFiles) Save(part string, b []byte) error {
	dir := filepath.Dir(m.prefix)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	m.tidy()
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(m.file(part))+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err = tmp.Write(b); err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), m.file(part))
}

// Remove implements gitrepo.Memory.
func (m memoryFiles) Remove(part string) error {
	if err := os.Remove(m.file(part)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// tidy removes what killed processes left behind.
func (m memoryFiles) tidy() {
	left, err := filepath.Glob(filepath.Join(filepath.Dir(m.prefix), "."+filepath.Base(m.prefix)+".*-*"))
	if err != nil {
		return // the pattern is sound
	}
	for _, name := range left {
		if info, err := os.Lstat(name); err == nil && m.now().Sub(info.ModTime()) > staleMemory {
			_ = os.Remove(name) // another process may have
		}
	}
}

// memoryKinds are the kinds of source that are remembered, each in a folder of its
// own.
func memoryKinds() []fingerprints.SourceKind {
	return []fingerprints.SourceKind{fingerprints.KindGit, fingerprints.KindCI, fingerprints.KindImage}
}

// memoryOf is where what is known of a source lies.
func (a *app) memoryOf(home string, kind fingerprints.SourceKind, sourceID string) memoryFiles {
	return memoryFiles{filepath.Join(home, string(kind), sourceFile(sourceID)), a.now}
}

// forgetMemory removes what is known of a source, whatever its id says it is.
func (a *app) forgetMemory(home, sourceID string) (err error) {
	for _, kind := range memoryKinds() {
		err = errors.Join(err, a.memoryOf(home, kind, sourceID).forget())
	}
	return err
}

// forget removes what is known of a source that is none any more.
func (m memoryFiles) forget() error {
	name := filepath.Base(m.prefix) + "."
	return removeBeside(filepath.Dir(m.prefix), func(file string) bool {
		return strings.HasPrefix(file, name) || strings.HasPrefix(file, "."+name)
	})
}

// forgetOutcomes removes what contents gave, of every source: the lines that are
// kept with it may hold what was registered just now.
func (s *session) forgetOutcomes() (err error) {
	for _, kind := range memoryKinds() {
		err = errors.Join(err, removeBeside(filepath.Join(s.dir, string(kind)), func(file string) bool {
			return strings.HasSuffix(strings.TrimPrefix(file, "."), "."+outcomesPart) || strings.Contains(file, "."+outcomesPart+"-")
		}))
	}
	return err
}

// removeBeside removes files of a folder, if there is one.
func removeBeside(dir string, which func(file string) bool) error {
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range list {
		if !which(e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
