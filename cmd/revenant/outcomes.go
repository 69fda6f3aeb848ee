package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"revenant/fingerprints"
	"revenant/ingest/outcomes"
	"revenant/ingest/scan"
)

// outcomesPart is the part of a memory that has what contents gave.
const outcomesPart = "outcomes"

// keptOutcomes are those of a source, read and to be written. nil: none are.
type keptOutcomes struct {
	set    *outcomes.Set
	memory memoryFiles
	random io.Reader
}

// outcomes opens what contents of a source gave to a scan that looked as
// this one does; nil where it is not to be kept, or cannot be told.
func (a *app) outcomes(e *eye, fl *scanFlags, p scanPlace) *keptOutcomes {
	if e.session == nil || fl.noStore || fl.showSecrets || p.forgets || !slices.Contains(memoryKinds(), p.kind) || p.partial && p.kind == fingerprints.KindGit || p.sourceID == "" {
		return nil
	}
	look := a.look(e, fl, p)
	if look == nil || e.ids == nil || e.ids.Core == nil {
		return nil
	}
	set, err := outcomes.New(*e.ids.Core, [sha256.Size]byte(look))
	if err != nil {
		return nil
	}
	k := &keptOutcomes{set: set, memory: a.memoryOf(e.session.dir, p.kind, p.sourceID), random: a.rand}
	if file, err := k.memory.Open(outcomesPart); err == nil {
		if b, err := io.ReadAll(io.NewSectionReader(file, 0, min(file.Size(), outcomes.MaxSize+1))); err == nil {
			k.set.Open(b) // if it is of use
		}
		_ = file.Close()
	}
	return k
}

// look names everything that a scan's findings in a content depend on; nil where
// that cannot be told.
func (a *app) look(e *eye, fl *scanFlags, p scanPlace) []byte {
	known := a.generic(fl, p)
	if known == nil {
		return nil
	}
	// Fields: a row that left the registry leaves their revision as it is.
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%x %d %d %t", known, e.fieldRevision, e.fields, fl.compat.ignoreMarks)
	if m := e.generics(); m != nil {
		_, _ = fmt.Fprintf(sum, " %x %x %x", m.Marks(), m.Permits(), m.Wording())
	}
	return sum.Sum(nil)
}

// of gives them to a scan.
func (k *keptOutcomes) of(o *scan.Options) {
	if k != nil {
		o.Outcomes = k.set
	}
}

// holds reports whether a content gave something when it was looked at last.
func (k *keptOutcomes) holds(identity, path string) bool {
	return k != nil && k.set.Holds(scan.KeyOf(identity, path))
}

// saveSoFar keeps what is known while a scan is under way.
func (k *keptOutcomes) saveSoFar() error {
	if k == nil {
		return nil
	}
	b, err := k.set.SealSoFar(k.random)
	if err != nil {
		return err
	}
	return k.memory.Save(outcomesPart, b)
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
