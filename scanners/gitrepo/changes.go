package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/objects"
)

// Extent says which changes a Changes source reads.
type Extent int

// The extents.
const (
	// Staged is what the index has and HEAD does not; in a merge, what none of
	// the commits that are merged has.
	Staged Extent = iota
	// Unstaged is what the work tree has and the index does not, of files that
	// git tracks.
	Unstaged
	// Commits are the commits that Log selects.
	Commits
	// Pushed is what Updates bring to a remote that lacks it, as far as the
	// refs say that git keeps of Remote.
	Pushed
	// Received is what Updates bring to this repository, which has not taken it
	// in yet, and what else lies in quarantine.
	Received
	// Message is the text that Message has: that of a commit under way.
	Message
)

// ErrBadRange is wrapped when git does not know the commits that were asked for.
var ErrBadRange = errors.New("git knows no such commits")

// ChangesOptions configures NewChanges.
type ChangesOptions struct {
	Path     string
	Looked   Info   // as in Options
	SourceID string // as in Options
	Extent   Extent
	// Log are arguments of git log that select commits, such as main..topic; for
	// Commits alone. Options that write files or run programs are refused.
	Log []string
	// Updates are the refs of Pushed and Received. Their names are read, too.
	Updates []Update
	// Remote is where Pushed goes, as git's configuration calls it; empty: a place
	// without a name, of which nothing is known but the updates.
	Remote string
	// Message is the text of Message, with what git will leave out of it.
	Message []byte
	// Merging are ids of commits that the next one will have as further parents, for
	// Staged; git's own note of them counts too.
	Merging []string
	// Note is said of how the source is read; empty: nothing.
	Note string
	// Cut says that commits that were asked for are not here.
	Cut bool
	// Index is the index that git has its hooks look at (GIT_INDEX_FILE), which
	// is another one while "git commit -a" or "git commit PATH" is under way. It
	// counts if it lies in the repository. Empty: the repository's own.
	Index string
}

// change is one file that differs.
type change struct {
	commit oid
	old    []oid // of each parent, where it had the file
	blob   oid   // zero: as the work tree has it
	path   string
}

// Changes is a source of what is new in changed files: whole contents, of which
// only what touches lines that are new counts. It is for hooks and pipelines,
// and never all of a repository.
type Changes struct {
	Source
	o       ChangesOptions
	list    []change
	commits []oid
	tags    []oid
	seed    maphash.Seed
}

// NewChanges opens a repository.
func NewChanges(ctx context.Context, o ChangesOptions) (*Changes, error) {
	for _, arg := range o.Log {
		if name, _, _ := strings.Cut(arg, "="); slices.Contains([]string{"--output", "-o", "--ext-diff", "--textconv", "--stdin"}, name) {
			return nil, fmt.Errorf("%w: %s is refused", ErrBadRange, name)
		}
	}
	nothing := func(context.Context, []byte) bool { return false }
	s, err := New(ctx, Options{Path: o.Path, Looked: o.Looked, SourceID: o.SourceID, Screen: nothing})
	if err != nil {
		return nil, err
	}
	c := &Changes{Source: *s, o: o, seed: maphash.MakeSeed()}
	c.r.index = c.r.ownIndex(o.Index)
	if o.Note != "" {
		c.notes = append(c.notes, o.Note)
	}
	if o.Cut {
		c.skip("", "", fingerprints.SkipMissing, "commits of the change are not in this shallow clone")
	}
	if c.r.unasked {
		err = c.asking(ctx)
	} else {
		err = c.find(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return c, nil
}

// asking is find while another git reads the configuration.
func (c *Changes) asking(ctx context.Context) error {
	asked, done := *c.r, make(chan error, 1)
	go func() { done <- asked.configured(ctx) }()
	err := errors.Join(c.find(ctx), <-done)
	c.r.unasked, c.r.origin, c.r.partial = false, asked.origin, asked.partial
	if c.o.SourceID == "" {
		c.id = SourceID(c.r.origin, c.r.home())
	}
	c.link = newForge(c.r.origin)
	for i := range c.items {
		c.items[i].SourceID = c.id
	}
	return err
}

// find lists the changes.
func (c *Changes) find(ctx context.Context) error {
	var err error
	switch c.o.Extent {
	case Staged:
		err = c.staged(ctx)
	case Unstaged:
		err = c.r.lines(ctx, nil, 0, c.parser().token, "diff", "--raw", "-z", "--no-abbrev", "--find-renames", "--no-relative", "--no-ext-diff", "--ignore-submodules=all")
	case Commits:
		err = c.r.lines(ctx, nil, 0, c.parser().token, changesLog(c.o.Log...)...)
	case Pushed, Received:
		return c.updates(ctx)
	case Message:
		c.message(c.o.Message)
	}
	if err != nil && ctx.Err() == nil {
		return ErrBadRange
	}
	return err
}

// parser lists what git says.
func (c *Changes) parser() *changeParser {
	return &changeParser{
		met:  func(commit oid) { c.commits = append(c.commits, commit) },
		each: func(ch change) { c.list = append(c.list, ch) },
	}
}

// ownIndex is an index that lies in the git directory; empty for any other.
func (r *repo) ownIndex(name string) string {
	if name == "" {
		return ""
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return ""
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	own, ownErr := filepath.EvalSymlinks(r.gitDir)
	if err != nil || ownErr != nil || dir != own {
		return ""
	}
	return abs
}

// changeParser reads raw differences and their commits, token by token: a
// commit, or a change and then its path. With -z each ends in a zero byte.
type changeParser struct {
	met  func(commit oid)
	each func(change)

	commit oid
	next   change
	pathed int // so many paths follow; the last one counts
}

func (p *changeParser) token(t []byte) error {
	if p.pathed > 0 {
		if p.pathed--; len(t) > 0 && p.pathed == 0 {
			p.next.commit, p.next.path = p.commit, string(t)
			p.each(p.next)
		}
		return nil
	}
	t = bytes.TrimLeft(t, "\n")
	switch {
	case len(t) > 1 && t[0] == 1:
		p.commit, _ = parseOID(t[1:])
		p.met(p.commit)
	case len(t) > 0 && t[0] == ':':
		p.pathed, p.next = paths(t), parseChange(t)
	}
	return nil
}

// paths is how many paths a change has: a rename has two, but in a merge.
func paths(t []byte) int {
	status := t[bytes.LastIndexByte(t, ' ')+1:]
	if len(status) > 0 && (status[0] == 'R' || status[0] == 'C') && !bytes.HasPrefix(t, []byte("::")) {
		return 2
	}
	return 1
}

// changesLog are git log's arguments for what commits change: a file that was
// moved is compared with what it was.
func changesLog(more ...string) []string {
	args := rawLog(more...)
	args[slices.Index(args, "--no-renames")] = "--find-renames"
	return args
}

// parseChange reads modes, ids and status: of n parents there are n+1 modes, then
// n+1 ids.
func parseChange(t []byte) change {
	parents := len(t) - len(bytes.TrimLeft(t, ":"))
	f := bytes.Fields(t[parents:])
	var c change
	if len(f) < 2*(parents+1) {
		return c
	}
	for _, id := range f[parents+1 : 2*parents+1] {
		if o, ok := parseOID(id); ok {
			c.old = append(c.old, o)
		}
	}
	c.blob, _ = parseOID(f[2*parents+1])
	return c
}

// fewChanges is how many files are read at a time: somebody waits, and what was
// read is looked at meanwhile.
const fewChanges = 2

// Next implements scanners.Source.
func (c *Changes) Next(ctx context.Context) (scanners.Batch, error) {
	if err := ctx.Err(); err != nil {
		return scanners.Batch{}, err
	}
	if !c.began {
		c.began = true
		for _, id := range c.commits {
			c.commit(ctx, id)
		}
		for _, id := range c.tags {
			c.tag(ctx, id)
		}
	}
	for len(c.list) > 0 && len(c.items) < fewChanges {
		c.changed(ctx, c.list[0])
		c.list = c.list[1:]
	}
	b := c.batch(batchSize)
	if len(c.list)+len(c.items) == 0 {
		return b, io.EOF
	}
	return b, nil
}

// commit gives out what a commit says.
func (c *Changes) commit(ctx context.Context, id oid) {
	data, err := c.store.get(ctx, id, objects.Commit)
	if err != nil {
		c.lost(id, "the commit cannot be read")
		return
	}
	it := c.attributed(ctx, scanners.Item{Path: "@commit-message", Locator: "commit:" + id.String(), Presence: fingerprints.PresenceTip}, id, "")
	people, rest := splitCommit(data)
	c.text(rest, it)
	it.Path = "@author"
	c.text(people, it)
}

// changed gives out a changed file, with which of it is new.
func (c *Changes) changed(ctx context.Context, ch change) {
	it := scanners.Item{SourceID: c.id, Path: ch.path, Presence: fingerprints.PresenceTip, Locator: "blob:" + ch.blob.String()}
	it = c.attributed(ctx, it, ch.commit, ch.path)
	var data []byte
	if ch.blob.IsZero() {
		it.Locator = "work tree"
		file := filepath.Join(c.r.work, filepath.FromSlash(ch.path))
		info, err := os.Lstat(file)
		if c.o.Extent != Unstaged || err != nil || !info.Mode().IsRegular() {
			return // removed, or no file
		}
		if data, err = os.ReadFile(file); err != nil {
			c.skip(ch.path, "", fingerprints.SkipUnreadable, "cannot be read")
			return
		}
	} else {
		var err error
		if data, err = c.store.get(ctx, ch.blob, objects.Blob); err != nil {
			c.big(it, ch)
			return
		}
	}
	it.Size = int64(len(data))
	it.Fresh = c.fresh(ctx, data, ch.old)
	if it.Fresh != nil && len(it.Fresh) == 0 {
		return
	}
	it.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	c.items = append(c.items, it)
}

// big gives out a blob that is not held, all of it.
func (c *Changes) big(it scanners.Item, ch change) {
	it.Size = -1
	it.Open = func(ctx context.Context) (io.ReadCloser, error) { return c.store.stream(ctx, ch.blob) }
	c.items = append(c.items, it)
}

// fresh are the stretches of a content whose lines no older version has; nil
// when there is none: all of it is new. Lines that only moved are not new.
func (c *Changes) fresh(ctx context.Context, data []byte, old []oid) []scanners.Span {
	known := map[uint64]struct{}{}
	compared := false
	for _, id := range old {
		before, err := c.store.get(ctx, id, objects.Blob)
		if err != nil {
			continue // all is new, as far as anybody can tell
		}
		compared = true
		for line := range bytes.Lines(before) {
			known[maphash.Bytes(c.seed, bytes.TrimRight(line, "\r\n"))] = struct{}{}
		}
	}
	if !compared {
		return nil
	}
	spans := []scanners.Span{}
	at := int64(0)
	for line := range bytes.Lines(data) {
		end := at + int64(len(line))
		if _, has := known[maphash.Bytes(c.seed, bytes.TrimRight(line, "\r\n"))]; !has {
			if n := len(spans); n > 0 && spans[n-1].End == at {
				spans[n-1].End = end
			} else {
				spans = append(spans, scanners.Span{Start: at, End: end})
			}
		}
		at = end
	}
	return spans
}
