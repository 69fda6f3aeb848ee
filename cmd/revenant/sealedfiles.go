package main

import (
	"errors"
	"io"
	"os"

	"revenant/fingerprints"
	"revenant/ingest/sealed"
)

// sealedFiles keep parts of what is known of a source, sealed: names may hold a
// secret.
type sealedFiles struct {
	files  memoryFiles
	random io.Reader
	box    sealed.Box
	what   string // for errors
	most   int64  // bytes of a part
	// shared reports whether a part is the same for every source; nil: none is.
	shared func(part string) bool
}

// sealedFiles are those of a source; nil where nothing is to be kept. Head begins
// each file, purpose tells them from other sealed files.
func (a *app) sealedFiles(e *eye, fl *scanFlags, kind fingerprints.SourceKind, sourceID, purpose, head string) *sealedFiles {
	if e.session == nil || fl.noStore || sourceID == "" || e.ids == nil || e.ids.Core == nil {
		return nil
	}
	return &sealedFiles{
		files: a.memoryOf(e.session.dir, kind, sourceID), random: a.rand,
		box: sealed.Box{Key: *e.ids.Core, Purpose: purpose, Head: head, Bound: []byte(sourceID)},
	}
}

// load reads a part; nil: there is none, or it does not open, which is as good as
// none.
func (s *sealedFiles) load(part string) ([]byte, error) {
	f, err := s.files.Open(part)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError(s.what, err)
	}
	defer f.Close()
	if f.Size() > s.most {
		return nil, nil
	}
	b, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		return nil, fileError(s.what, err)
	}
	plain, ok := s.bound(part).Open(b)
	if !ok {
		return nil, nil
	}
	return plain, nil
}

// save replaces a part.
func (s *sealedFiles) save(part string, plain []byte) error {
	b, err := s.bound(part).Seal(s.random, plain)
	if err != nil {
		return err
	}
	return s.files.Save(part, b)
}

// bound is a box that opens this part alone, and of this source if it is not shared.
func (s *sealedFiles) bound(part string) sealed.Box {
	box := s.box
	if s.shared != nil && s.shared(part) {
		box.Bound = nil
	}
	box.Bound = append(append(box.Bound[:len(box.Bound):len(box.Bound)], 0), part...)
	return box
}
