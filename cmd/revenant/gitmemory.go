package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/gitrepo"
	"revenant/scanners/rules"
)

// gitMemory keeps what was read of one repository, in files of the registry's
// folder whose names begin alike. It holds ids of objects and no content.
type gitMemory struct {
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

func (m gitMemory) file(part string) string { return m.prefix + "." + part }

// Open implements gitrepo.Memory.
func (m gitMemory) Open(part string) (gitrepo.Part, error) {
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
func (m gitMemory) Save(part string, b []byte) error {
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
func (m gitMemory) Remove(part string) error {
	if err := os.Remove(m.file(part)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// tidy removes what killed processes left behind.
func (m gitMemory) tidy() {
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

// remembers sets what a scan of a repository keeps for the next one, where
// there is a registry to keep it beside.
func (a *app) remembers(o *gitrepo.Options, e *eye, fl *scanFlags, p scanPlace) {
	if e.session == nil || fl.noStore {
		return
	}
	known := a.generic(fl, p)
	if known == nil {
		return
	}
	o.Knows = gitrepo.Knowledge{Generic: [sha256.Size]byte(known), Fields: e.fieldRevision}
	if m := e.generics(); m != nil {
		o.Knows.Rules, o.Knows.Permits = ruleMarks(m.Marks()), ruleMarks(m.Permits())
	}
	o.Memory = a.gitMemory(e.session.dir, p.sourceID)
	o.KeepEvery = a.keepEvery
	o.ScreenFor = func(c gitrepo.Change) func(context.Context, []byte) bool {
		return e.screenFor(c, fl.archives(a.now))
	}
}

// ruleMarks are marks as a memory has them.
func ruleMarks(marks []rules.Mark) []gitrepo.RuleMark {
	out := make([]gitrepo.RuleMark, len(marks))
	for i, m := range marks {
		out[i] = gitrepo.RuleMark(m)
	}
	return out
}

// generics are the generic rules; nil: none.
func (e *eye) generics() *rules.Matcher {
	for _, m := range e.engine.Matchers {
		if r, is := m.(*rules.Matcher); is {
			return r
		}
	}
	return nil
}

// screenFor looks for what has changed alone.
func (e *eye) screenFor(c gitrepo.Change, open *archives.Expander) func(context.Context, []byte) bool {
	engine := &scanners.Engine{Viewer: e.engine.Viewer, ViewDepth: e.engine.ViewDepth}
	for _, m := range e.engine.Matchers {
		r, generic := m.(*rules.Matcher)
		switch {
		case !generic && c.Fields:
			engine.Matchers = append(engine.Matchers, m)
		case generic && len(c.Rules) > 0:
			marks := make([]rules.Mark, len(c.Rules))
			for i, mark := range c.Rules {
				marks[i] = rules.Mark(mark)
			}
			engine.Matchers = append(engine.Matchers, r.Only(marks))
		}
	}
	return scan.Screen{Engine: engine, Archives: open, Parts: scanners.NewScreener(engine, scanners.Cutting{})}.Of
}

// generic names everything but rules and registered values that a scan's
// findings depend on; nil where that cannot be told.
func (a *app) generic(fl *scanFlags, p scanPlace) []byte {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	info, err := os.Stat(self)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d %d %d %q %q", self, info.Size(), info.ModTime().UnixNano(), fl.decodeDepth, fl.archiveDepth,
		a.rulesOptions(fl, p).DecodeDepth, fl.only, fl.rules))
	return sum[:]
}
