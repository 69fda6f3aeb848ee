package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/gitrepo"
	"revenant/scanners/rules"
)

// gitMemory is a file of the registry's folder that keeps what was read of one
// repository. It holds ids of objects and no content.
type gitMemory struct {
	file string
	now  func() time.Time
}

// Load implements gitrepo.Memory.
func (m gitMemory) Load() ([]byte, error) { return os.ReadFile(m.file) }

// staleMemory is how old a file is that a process left behind when it was
// killed while it saved.
const staleMemory = time.Hour

// Save implements gitrepo.Memory: the file is replaced as a whole, once all of
// it is on the disk.
func (m gitMemory) Save(b []byte) error {
	dir := filepath.Dir(m.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	m.tidy()
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(m.file)+"-*")
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
	return os.Rename(tmp.Name(), m.file)
}

// tidy removes what killed processes left behind.
func (m gitMemory) tidy() {
	left, err := filepath.Glob(filepath.Join(filepath.Dir(m.file), "."+filepath.Base(m.file)+"-*"))
	if err != nil {
		return // the pattern is sound
	}
	for _, name := range left {
		if info, err := os.Lstat(name); err == nil && m.now().Sub(info.ModTime()) > staleMemory {
			_ = os.Remove(name) // another process may have
		}
	}
}

// extendsFile finds what makes a configuration depend on another file.
var extendsFile = regexp.MustCompile(`(?m)^\s*\[extend\][^\[]*^\s*path\s*=`)

// remembers sets what a scan of a repository keeps for the next one, where
// there is a registry to keep it beside.
func (a *app) remembers(o *gitrepo.Options, e *eye, fl *scanFlags, p scanPlace) error {
	if e.session == nil || fl.noStore {
		return nil
	}
	known, err := a.generic(fl, p)
	if err != nil || known == nil {
		return err
	}
	o.Knows = gitrepo.Knowledge{Generic: [sha256.Size]byte(known), Fields: e.fieldRevision}
	name := sha256.Sum256([]byte(p.sourceID))
	o.Memory = gitMemory{filepath.Join(e.session.dir, "git", hex.EncodeToString(name[:16])+".memory"), a.now}
	o.KeepEvery = a.keepEvery
	o.ScreenFields = e.screenFields(fl.archives(a.now))
	return nil
}

// screenFields looks for registered values alone.
func (e *eye) screenFields(open *archives.Expander) func(context.Context, []byte) bool {
	engine := &scanners.Engine{Viewer: e.engine.Viewer, ViewDepth: e.engine.ViewDepth}
	for _, m := range e.engine.Matchers {
		if _, guesses := m.(scanners.Guesser); !guesses {
			engine.Matchers = append(engine.Matchers, m)
		}
	}
	return scan.Screen{Engine: engine, Archives: open, Parts: scanners.NewScreener(engine, scanners.Cutting{})}.Of
}

// generic names everything but registered values that a scan's findings depend
// on; nil where that cannot be told.
func (a *app) generic(fl *scanFlags, p scanPlace) ([]byte, error) {
	h := sha256.New()
	self, err := os.Executable()
	if err != nil {
		return nil, nil //nolint:nilerr // nothing is remembered then
	}
	info, err := os.Stat(self)
	if err != nil {
		return nil, nil //nolint:nilerr // nothing is remembered then
	}
	o := a.rulesOptions(fl, p)
	fmt.Fprintf(h, "%s %d %d %d %d %d %q %q\n", self, info.Size(), info.ModTime().UnixNano(), fl.decodeDepth, fl.archiveDepth, o.DecodeDepth, fl.only, fl.rules)
	config := o.Contents
	if o.Path != "" {
		if config, err = os.ReadFile(o.Path); err != nil {
			return nil, usageError{fmt.Errorf("the configuration: %w", rules.ErrBadConfig)}
		}
	}
	if extendsFile.Match(config) {
		return nil, nil
	}
	_, _ = io.WriteString(h, o.Path+"\n")
	_, _ = h.Write(config)
	return h.Sum(nil), nil
}
