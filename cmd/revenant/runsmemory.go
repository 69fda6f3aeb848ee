package main

import (
	"errors"

	"revenant/scanners/cilog"
)

// Of what is known of a project's runs: the part of its memory, how the file
// begins, and how long it may be.
const (
	runsPart    = "runs"
	runsHead    = "revenant.runs/1\n"
	maxRunsFile = 256 << 20
)

// runsMemory keeps what is known of a project's runs.
type runsMemory struct {
	files *sealedFiles
	kept  *keptOutcomes
}

var _ cilog.Memory = (*runsMemory)(nil)

// runsMemory is that of a project; nil where nothing is to be kept.
func (a *app) runsMemory(e *eye, fl *scanFlags, p scanPlace) *runsMemory {
	files := a.sealedFiles(e, fl, p.kind, p.sourceID, runsPart, runsHead)
	if files == nil {
		return nil
	}
	files.what, files.most = "what is known of the runs", maxRunsFile
	return &runsMemory{files, e.kept}
}

// Load implements cilog.Memory.
func (m *runsMemory) Load() ([]byte, error) { return m.files.load(runsPart) }

// Save implements cilog.Memory. What logs gave until now is kept with it: a scan
// that is killed goes on from there.
func (m *runsMemory) Save(plain []byte) error {
	return errors.Join(m.files.save(runsPart, plain), m.kept.saveSoFar())
}
