package main

import (
	"errors"
	"io"
	"os"

	"revenant/ingest/sealed"
	"revenant/scanners/cilog"
)

// runsPart is the part of a memory that has what is known of a project's runs.
const runsPart = "runs"

// runsHead begins it.
const runsHead = "revenant.runs/1\n"

// maxRunsFile is how long it may be.
const maxRunsFile = 256 << 20

// runsMemory keeps what is known of a project's runs, sealed: names of jobs may
// hold a secret.
type runsMemory struct {
	files  memoryFiles
	box    sealed.Box
	random io.Reader
	kept   *keptOutcomes
}

var _ cilog.Memory = (*runsMemory)(nil)

// runsMemory is that of a project; nil where nothing is to be kept.
func (a *app) runsMemory(e *eye, fl *scanFlags, p scanPlace) *runsMemory {
	if e.session == nil || fl.noStore || p.sourceID == "" || e.ids == nil || e.ids.Core == nil {
		return nil
	}
	return &runsMemory{
		files: a.memoryOf(e.session.dir, p.kind, p.sourceID), random: a.rand, kept: e.kept,
		box: sealed.Box{Key: *e.ids.Core, Purpose: runsPart, Head: runsHead, Bound: []byte(p.sourceID)},
	}
}

// Load implements cilog.Memory. A file that does not open is as good as none.
func (m *runsMemory) Load() ([]byte, error) {
	f, err := m.files.Open(runsPart)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError("what is known of the runs", err)
	}
	defer f.Close()
	if f.Size() > maxRunsFile {
		return nil, nil
	}
	b, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		return nil, fileError("what is known of the runs", err)
	}
	plain, ok := m.box.Open(b)
	if !ok {
		return nil, nil
	}
	return plain, nil
}

// Save implements cilog.Memory. What logs gave until now is kept with it: a scan
// that is killed goes on from there.
func (m *runsMemory) Save(plain []byte) error {
	b, err := m.box.Seal(m.random, plain)
	if err != nil {
		return err
	}
	return errors.Join(m.files.Save(runsPart, b), m.kept.saveSoFar())
}
