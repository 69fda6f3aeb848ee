package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/objects"
)

// Options configures New.
type Options struct {
	Path     string // of the repository: a work tree, a git directory, a bare repository
	Looked   Info   // what Look said of Path, so that git is not asked again; zero: it is
	SourceID string // empty: from the remote named origin, else git:file:<path>
	// Screen says whether a content may hold something at some path; only what
	// may is attributed and given out. Required. It is called concurrently.
	Screen func(ctx context.Context, data []byte) bool
	// Named says whether there may be a hit at a path whatever stands there. It is
	// asked for names without folders, concurrently; nil: there is none.
	Named func(name string) bool
	// Workers is how many contents are screened at once; at least 1.
	Workers int
	// Memory keeps what was read, so that only what is new is read again; nil:
	// everything is read.
	Memory Memory
	// KeepEvery is how many bytes are read between two savings of the memory; 0:
	// 1 GiB. What was read since the last one is read again after a kill.
	KeepEvery int64
	// Placing is how long the places of what was found are looked for when a scan
	// is interrupted; 0: 2 s, negative: not at all.
	Placing time.Duration
	// Knows is what Screen looks for. Where it differs from what the memory has in
	// all but Generic, objects that were read before are shown to what ScreenFor
	// makes, which looks for what has changed alone; nil: to Screen.
	Knows     Knowledge
	ScreenFor func(Change) func(ctx context.Context, data []byte) bool
	// Reads says of the repository whose objects lie in a folder that it is read
	// by itself, so that it need not be listed as one that is not; nil: none is.
	Reads func(common string) bool
	// Progress is told how far the reading is, after each object; nil: nobody is.
	// Calls overlap.
	Progress func(Progress)
}

// ErrNoScreen is returned by New when Options.Screen is nil.
var ErrNoScreen = errors.New("no screen")

// defaultKeepEvery is how many bytes are read between two savings of the memory.
const defaultKeepEvery = 1 << 30

// batchSize is how many items a batch has.
const batchSize = 256

// Source is a repository as a source. Not safe for concurrent use.
type Source struct {
	o     Options
	r     *repo
	id    string
	link  forge
	store *store

	began   bool
	refs    []ref
	lostRef bool // one leads to nothing
	items   []scanners.Item
	skipped []fingerprints.Skip
	notes   []string
	read    scanners.Counts
	commits map[oid]commit // that items name
	clean   []uint64       // see memory
	failed  error          // why not all was read, told when what was found is given out
}

var _ scanners.Source = (*Source)(nil)

// New opens a repository.
func New(ctx context.Context, o Options) (*Source, error) {
	if o.Screen == nil {
		return nil, ErrNoScreen
	}
	if o.KeepEvery <= 0 {
		o.KeepEvery = defaultKeepEvery
	}
	r, err := o.Looked.repo, error(nil)
	if r == nil {
		if r, err = open(ctx, o.Path); err != nil {
			return nil, err
		}
	}
	s := &Source{o: o, r: r, id: o.SourceID, link: newForge(r.origin), commits: map[oid]commit{}}
	if s.id == "" {
		s.id = SourceID(r.origin, r.home())
	}
	if s.store, err = openStore(ctx, r); err != nil {
		return nil, err
	}
	return s, nil
}

// ID implements scanners.Source.
func (s *Source) ID() string { return s.id }

// Kind implements scanners.Source.
func (s *Source) Kind() fingerprints.SourceKind { return fingerprints.KindGit }

// Close implements scanners.Source.
func (s *Source) Close() error { return s.store.close() }

// Next implements scanners.Source. The first call reads the whole store; what it
// found before ctx ended is given out all the same.
func (s *Source) Next(ctx context.Context) (scanners.Batch, error) {
	if !s.began {
		s.began = true
		s.failed = s.survey(ctx)
		if s.failed != nil && ctx.Err() == nil {
			s.items = nil
		}
	}
	b := s.batch(batchSize)
	switch {
	case len(s.items) > 0:
		return b, nil
	case s.failed != nil:
		return b, s.failed
	}
	return b, io.EOF
}

func (s *Source) batch(n int) scanners.Batch {
	n = min(n, len(s.items))
	b := scanners.Batch{Items: s.items[:n:n], Found: true, Skipped: s.skipped, Notes: s.notes, Read: s.read}
	s.items, s.skipped, s.notes, s.read = s.items[n:], nil, nil, scanners.Counts{}
	return b
}

// survey reads every object that is new, and attributes what may hold something.
func (s *Source) survey(ctx context.Context) (err error) {
	v, err := newSurvey(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.known.close()) }()
	if err = s.findRefs(ctx, v.before); err != nil {
		return err
	}
	err = v.whole(ctx)
	if ctx.Err() != nil {
		v.stopped(context.WithoutCancel(ctx))
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// whole reads and gives out everything.
func (v *survey) whole(ctx context.Context) error {
	s := v.s
	others := s.others(ctx)
	if err := v.all(ctx); err != nil {
		<-others
		v.listed = len(s.skipped)
		return errors.Join(err, v.remember(nil))
	}
	near := <-others
	s.limits()
	v.beside(ctx)
	v.besides, v.listed = len(s.items), len(s.skipped)
	h, err := v.attributed(ctx)
	if err != nil {
		if len(v.known.read.fresh) > 0 { // else more is remembered than this
			err = errors.Join(err, v.remember(nil))
		}
		return err
	}
	v.placed = h
	v.texts(ctx)
	v.give(ctx, h)
	s.elsewhere(ctx, h, near)
	s.fallbacks()
	return errors.Join(ctx.Err(), v.remember(h))
}

// fallbacks tells what git itself had to read, and why.
func (s *Source) fallbacks() {
	counts := s.store.Fallbacks()
	var total int64
	var why []string
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		total += counts[reason]
		why = append(why, fmt.Sprintf("%s %d", reason, counts[reason]))
	}
	if total > 0 {
		s.notes = append(s.notes, fmt.Sprintf("git cat-file was asked %d times for what could not be read here (%s)", total, strings.Join(why, ", ")))
	}
}

// limits says what a repository cannot give, by its own word.
func (s *Source) limits() {
	if s.r.shallow {
		s.skip("", "", fingerprints.SkipMissing, "the history is cut off here: a shallow clone")
	}
	if s.r.partial {
		s.skip("", "", fingerprints.SkipMissing, "objects that a partial clone left out were not read")
	}
}

func (s *Source) skip(path, locator string, reason fingerprints.SkipReason, detail string) {
	s.skipped = append(s.skipped, fingerprints.Skip{Path: path, Locator: locator, Reason: reason, Detail: detail, Size: -1})
}

// lost lists an object that cannot be read.
func (s *Source) lost(id oid, why string) {
	reason := fingerprints.SkipUnreadable
	if s.r.partial || s.r.shallow {
		reason = fingerprints.SkipMissing
	}
	s.skip("", "object:"+id.String(), reason, why)
}

// file gives out a file of the git directory. Its name is the locator.
func (s *Source) file(name, path string, presence fingerprints.Presence) {
	rel, err := filepath.Rel(s.r.common, name)
	if err != nil {
		rel = filepath.Base(name)
	}
	s.items = append(s.items, scanners.Item{
		SourceID: s.id, Path: path, Locator: filepath.ToSlash(rel), Presence: presence, Size: -1,
		Open: func(context.Context) (io.ReadCloser, error) { return os.Open(name) },
	})
}

// text gives out a short content.
func (s *Source) text(text string, like scanners.Item) {
	if text == "" {
		return
	}
	like.SourceID, like.Size = s.id, int64(len(text))
	like.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	s.items = append(s.items, like)
}

// commit is what attribution says of one.
type commit struct {
	author, email, subject string
	at                     time.Time
}

// attributed fills in what is known of the commit that brought something.
func (s *Source) attributed(ctx context.Context, it scanners.Item, id oid, path string) scanners.Item {
	if id.IsZero() {
		return it
	}
	c, has := s.commits[id]
	if !has {
		if data, err := s.store.get(ctx, id, objects.Commit); err == nil {
			c = parseCommit(data)
		}
		s.commits[id] = c
	}
	it.At, it.URL = c.at, s.link.blob(id, path)
	it.Origin = scanners.Origin{Commit: id.String(), Author: c.author, Email: c.email, Message: c.subject}
	return it
}

// parseCommit reads author, date and subject.
func parseCommit(data []byte) commit {
	var c commit
	author, body := header(data, "author")
	who, stamp, _ := bytes.Cut(author, []byte("> "))
	name, mail, _ := bytes.Cut(who, []byte(" <"))
	c.author, c.email = string(name), string(mail)
	var seconds int64
	var zone string
	if n, _ := fmt.Sscanf(string(stamp), "%d %s", &seconds, &zone); n >= 1 {
		c.at = time.Unix(seconds, 0).UTC()
	}
	c.subject = strings.TrimSpace(strings.SplitN(strings.TrimLeft(string(body), "\n"), "\n", 2)[0])
	return c
}

// Info is what is known of a repository before it is read.
type Info struct {
	SourceID string
	Root     string // the work tree, or the git directory of a bare repository
	Common   string // where objects and refs lie, without links: one for all work trees

	repo *repo
}

// Look finds the repository at a path.
func Look(ctx context.Context, path string) (Info, error) {
	r, err := open(ctx, path)
	if err != nil {
		return Info{}, err
	}
	return r.info(), nil
}

func (r *repo) info() Info {
	info := Info{SourceID: SourceID(r.origin, r.home()), Root: r.gitDir, Common: r.common, repo: r}
	if r.work != "" {
		info.Root = r.work
	}
	if real, err := filepath.EvalSymlinks(r.common); err == nil {
		info.Common = real
	}
	return info
}
