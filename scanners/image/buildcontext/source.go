// Package buildcontext is the source of what an image is built from: a Dockerfile
// and the folder that is sent to the builder with it.
//
// It promises: what a builder is sent is read, and nothing else; what
// .dockerignore leaves out is listed; each file says which instruction copies it,
// and whether that is a part of the image or of a stage that the image is built
// with; values of ARG, ENV, LABEL and the like stand where the image will have
// them. It refuses: to build, to ask for what ADD takes from elsewhere, and to
// know what RUN does with a file.
package buildcontext

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/files"
)

// Options configures New.
type Options struct {
	Root string // the context
	// File is the Dockerfile; empty: Dockerfile or Containerfile in the context.
	File     string
	SourceID string // empty: image:context:<absolute path>
	Args     []Arg  // values given for the build
	Target   string // the stage that is built; empty: the last
	Cursor   []byte // of an earlier scan of the same context; nil: from the start
	Batch    int    // items in a batch; 0: 256
}

// Errors of New. That of a root is files.ErrNoRoot.
var (
	ErrNoFile   = errors.New("there is no such Dockerfile")
	ErrNoTarget = errors.New("the Dockerfile has no stage of this name")
)

// maxDockerfile is how long a Dockerfile or an ignore file is that is understood.
const maxDockerfile = 4 << 20

// defaultBatch is how many items a batch has.
const defaultBatch = 256

// Source is a build context. Not safe for concurrent use.
type Source struct {
	id     string
	files  scanners.Source // the folder
	plan   plan
	ignore ignoring
	sent   []extra // beside the folder, or though it is left out
	notes  []string
	batch  int
	began  bool
	resume bool
	told   int // parts that were given out
}

// extra is a file that a builder is given by itself.
type extra struct {
	path    string // below the context, if need be by ..
	abs     string
	outside bool // it lies outside, or leads there
}

var _ scanners.Source = (*Source)(nil)

// New reads the Dockerfile and the ignore file.
func New(o Options) (*Source, error) {
	abs, err := filepath.Abs(o.Root)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return nil, fmt.Errorf("the context %w: there is no such folder", files.ErrNoRoot)
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the context %w: it is no folder", files.ErrNoRoot)
	}
	s := &Source{id: o.SourceID, resume: o.Cursor != nil, batch: o.Batch}
	if s.batch <= 0 {
		s.batch = defaultBatch
	}
	file, err := s.find(abs, o.File)
	if err != nil {
		return nil, err
	}
	if s.id == "" {
		s.id = sourceID(abs, file)
	}
	switch text, known := s.document(file); {
	case known:
		s.plan, err = newPlan(parseDockerfile(text), o.Args, o.Target)
	case o.Target != "":
		err = ErrNoTarget
	default:
		s.plan = unknownPlan(o.Args)
	}
	if err != nil {
		return nil, err
	}
	s.resolve(abs)
	s.rules(abs, file)
	s.say()
	s.files, err = files.NewDir(files.DirOptions{Root: abs, SourceID: s.id, Ignored: s.leaves, Cursor: o.Cursor, Batch: o.Batch})
	return s, err
}

// ID implements scanners.Source.
func (s *Source) ID() string { return s.id }

// Kind implements scanners.Source.
func (s *Source) Kind() fingerprints.SourceKind { return fingerprints.KindImage }

// Close implements scanners.Source.
func (s *Source) Close() error { return s.files.Close() }

// leaves is what the walk asks. Names of what is always sent are not left out by
// themselves; below a folder that is left out they are given out by extras.
func (s *Source) leaves(name string, folder bool) bool {
	if !folder && s.isSent(name) {
		return false
	}
	return s.ignore.leaves(name, folder)
}

func (s *Source) isSent(name string) bool {
	for _, e := range s.sent {
		if e.path == name {
			return true
		}
	}
	return false
}

// Next implements scanners.Source.
func (s *Source) Next(ctx context.Context) (scanners.Batch, error) {
	if err := ctx.Err(); err != nil {
		return scanners.Batch{}, err
	}
	if !s.resume && (!s.began || s.told < len(s.plan.parts)) {
		return s.first(), nil
	}
	b, err := s.files.Next(ctx)
	for i := range b.Items {
		s.stands(&b.Items[i])
	}
	return b, err
}

// first are the batches before those of the folder.
func (s *Source) first() (b scanners.Batch) {
	if !s.began {
		s.began = true
		b = scanners.Batch{Items: s.extras(), Skipped: s.elsewhere(), Notes: s.notes}
	}
	for ; s.told < len(s.plan.parts) && len(b.Items) < s.batch; s.told++ {
		b.Items = append(b.Items, s.said(s.plan.parts[s.told]))
	}
	return b
}

// stands says what becomes of a file in the image.
func (s *Source) stands(it *scanners.Item) {
	it.Presence = fingerprints.PresenceShadowed
	if s.ignore.leaves(it.Path, false) {
		return // sent for the builder alone
	}
	if u := s.plan.takenBy(it.Path); u != nil {
		it.Origin.Message = u.step
		if u.kept && !u.mounted {
			it.Presence = fingerprints.PresenceVisible
		}
	}
}

// takenBy is the instruction that takes a file: one that copies it into the image
// before one that copies it elsewhere, and that before one that only sees it.
func (p *plan) takenBy(name string) *use {
	var best *use
	rank := func(u *use) int {
		switch {
		case u == nil:
			return 0
		case u.mounted:
			return 1
		case !u.kept:
			return 2
		}
		return 3
	}
	for i := range p.uses {
		if u := &p.uses[i]; rank(u) > rank(best) && u.takes(name) {
			best = u
		}
	}
	return best
}

// extras are files that a builder is given by themselves: the Dockerfile and its
// ignore file, outside the context or below a folder that is left out.
func (s *Source) extras() (out []scanners.Item) {
	for _, e := range s.sent {
		if !e.outside && !s.hidden(e.path) {
			continue
		}
		it := scanners.Item{SourceID: s.id, Path: e.path, Presence: fingerprints.PresenceShadowed, Size: -1, Open: func(context.Context) (io.ReadCloser, error) {
			return files.Open(e.abs)
		}}
		if info, err := os.Stat(e.abs); err == nil {
			it.Size, it.At = info.Size(), info.ModTime()
		}
		out = append(out, it)
	}
	return out
}

// hidden reports whether the walk enters no folder that leads to a file.
func (s *Source) hidden(name string) bool {
	for i, c := range name {
		if c == '/' && s.ignore.leaves(name[:i], true) {
			return true
		}
	}
	return false
}

// said is a text that a build puts into the image, or is given.
func (s *Source) said(p part) scanners.Item {
	it := scanners.Item{
		SourceID: s.id, Path: p.path, Presence: fingerprints.PresenceShadowed, Size: int64(len(p.text)), Origin: scanners.Origin{Message: p.step},
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(p.text)), nil },
	}
	if p.line > 0 {
		it.Locator = fmt.Sprintf("line %d", p.line)
	}
	switch {
	case p.kept && p.path == copyPath:
		it.Presence = fingerprints.PresenceVisible
	case p.kept:
		it.Presence = fingerprints.PresenceMetadata
	}
	return it
}

// elsewhere lists what ADD takes from addresses.
func (s *Source) elsewhere() (out []fingerprints.Skip) {
	for _, line := range s.plan.remote {
		out = append(out, fingerprints.Skip{
			Path: "@add", Locator: fmt.Sprintf("line %d", line), Reason: fingerprints.SkipMissing, Detail: "ADD takes it from an address, which is not asked for it", Size: -1,
		})
	}
	return out
}
