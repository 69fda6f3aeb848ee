package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"revenant/fingerprints"
	"revenant/ingest/outcomes"
	"revenant/ingest/scan"
)

// outcomesPart is the part of a git memory that has what contents gave.
const outcomesPart = "outcomes"

// keptOutcomes are those of a repository, read and to be written. nil: none are.
type keptOutcomes struct {
	set    *outcomes.Set
	memory gitMemory
	random io.Reader
}

// gitMemory is where what is known of a repository lies.
func (a *app) gitMemory(home, sourceID string) gitMemory {
	return gitMemory{filepath.Join(home, "git", sourceFile(sourceID)), a.now}
}

// outcomes opens what contents of a repository gave to a scan that looked as
// this one does; nil where it is not to be kept, or cannot be told.
func (a *app) outcomes(e *eye, fl *scanFlags, p scanPlace) *keptOutcomes {
	if e.session == nil || fl.noStore || fl.showSecrets || p.kind != fingerprints.KindGit || p.partial || p.sourceID == "" {
		return nil
	}
	known := a.generic(fl, p)
	if known == nil || e.ids == nil || e.ids.Core == nil {
		return nil
	}
	// Fields: a row that left the registry leaves their revision as it is.
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%x %d %d %t", known, e.fieldRevision, e.fields, fl.compat.ignoreMarks)
	if m := e.generics(); m != nil {
		_, _ = fmt.Fprintf(sum, " %x %x %x", m.Marks(), m.Permits(), m.Wording())
	}
	set, err := outcomes.New(*e.ids.Core, [sha256.Size]byte(sum.Sum(nil)))
	if err != nil {
		return nil
	}
	k := &keptOutcomes{set: set, memory: a.gitMemory(e.session.dir, p.sourceID), random: a.rand}
	if file, err := k.memory.Open(outcomesPart); err == nil {
		if b, err := io.ReadAll(io.NewSectionReader(file, 0, min(file.Size(), outcomes.MaxSize+1))); err == nil {
			k.set.Open(b) // if it is of use
		}
		_ = file.Close()
	}
	return k
}

// of gives them to a scan.
func (k *keptOutcomes) of(o *scan.Options) {
	if k != nil {
		o.Outcomes = k.set
	}
}

// save keeps what is known now. whole says that the scan came to its end: what
// it did not ask for is not there any more.
func (k *keptOutcomes) save(whole bool) error {
	if k == nil {
		return nil
	}
	if !whole {
		k.set.Whole()
	}
	if !k.set.Changed() {
		return nil
	}
	b, err := k.set.Seal(k.random)
	if err != nil {
		return err
	}
	return k.memory.Save(outcomesPart, b)
}

// forget removes what is known of a repository that is no source any more.
func (m gitMemory) forget() error {
	name := filepath.Base(m.prefix) + "."
	return removeBeside(filepath.Dir(m.prefix), func(file string) bool {
		return strings.HasPrefix(file, name) || strings.HasPrefix(file, "."+name)
	})
}

// forgetOutcomes removes what contents gave, of every repository: the lines that
// are kept with it may hold what was registered just now.
func (s *session) forgetOutcomes() error {
	return removeBeside(filepath.Join(s.dir, "git"), func(file string) bool {
		return strings.HasSuffix(strings.TrimPrefix(file, "."), "."+outcomesPart) || strings.Contains(file, "."+outcomesPart+"-")
	})
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
