package gitrepo

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// findRefs lists the refs and follows tags to what they are of. Those that lead
// nowhere are skips: what they led to may be gone, and what they still reach is
// read as an object, but where it is to be met is not known.
func (s *Source) findRefs(ctx context.Context) error {
	refs, whole, err := s.r.refs(ctx)
	if err != nil {
		return err
	}
	if !whole {
		s.skip("@ref", "", fingerprints.SkipUnreadable, "git cannot list the refs; those that could be read here were")
	}
	for _, name := range s.r.brokenRefs() {
		s.skip("@ref", name, fingerprints.SkipUnreadable, "a ref that cannot be read")
	}
	for _, f := range refs {
		if f.commit, err = s.peeled(ctx, f.target); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			reason := fingerprints.SkipUnreadable
			if s.r.partial || s.r.shallow {
				reason = fingerprints.SkipMissing
			}
			s.skip("@ref", f.name, reason, "a ref to an object that cannot be read")
		}
		s.refs = append(s.refs, f)
	}
	return nil
}

// maxPeel bounds tags of tags.
const maxPeel = 32

// peeled is what a tag is of, or the object itself.
func (s *Source) peeled(ctx context.Context, id oid) (oid, error) {
	for range maxPeel {
		kind, _, err := s.store.Header(ctx, id)
		if err != nil || kind != objects.Tag {
			return id, err
		}
		data, err := s.store.get(ctx, id, objects.Tag)
		if err != nil {
			return id, err
		}
		text, _ := header(data, "object")
		next, ok := parseOID(text)
		if !ok {
			return id, nil
		}
		id = next
	}
	return id, nil
}

// maxRef is how large a file of a ref is at most.
const maxRef = 8 << 10

// loose calls each for every file of a ref, with its name and its first line.
func (r *repo) loose(each func(name string, line []byte)) {
	root := filepath.Join(r.common, "refs")
	_ = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(file, ".lock") {
			return nil //nolint:nilerr // the others are walked all the same
		}
		rel, err := filepath.Rel(r.common, file)
		if err != nil {
			return nil //nolint:nilerr // cannot be: it is below
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxRef {
			each(filepath.ToSlash(rel), nil)
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			data = nil
		}
		line, _, _ := bytes.Cut(data, []byte("\n"))
		each(filepath.ToSlash(rel), bytes.TrimSpace(line))
		return nil
	})
}

// brokenRefs are refs whose files say nothing that a ref can.
func (r *repo) brokenRefs() (names []string) {
	r.loose(func(name string, line []byte) {
		if _, err := objects.ParseID(string(line)); err != nil && !bytes.HasPrefix(line, []byte("ref:")) {
			names = append(names, name)
		}
	})
	return names
}

// readRefs reads refs without git, as far as they can be read: packed ones, and
// over them those in files.
func (r *repo) readRefs(add func(name string, id []byte)) {
	own := map[string]bool{}
	r.loose(func(name string, line []byte) {
		if _, err := objects.ParseID(string(line)); err == nil {
			own[name] = true
			add(name, line)
		}
	})
	packed, err := os.ReadFile(filepath.Join(r.common, "packed-refs"))
	if err != nil {
		return
	}
	for line := range bytes.Lines(packed) {
		id, name, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte{' '})
		if found && bytes.HasPrefix(name, []byte("refs/")) && !own[string(name)] {
			add(string(name), id)
		}
	}
}
