package gitrepo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"revenant/scanners/gitrepo/catfile"
)

// Base is what a change starts from: a commit by its id, or else a branch of the
// remote.
type Base struct{ Commit, Branch string }

// Span asks for the commits of a change.
type Span struct {
	Head  string // of the change; empty: HEAD
	Bases []Base // the first that is to be had counts
	// Merged says that the head may be a merge with what the change is for: then
	// what its first parent has does not count.
	Merged bool
	Remote string // empty: origin
	// Offline keeps git from fetching what a shallow clone lacks.
	Offline bool
}

// Reached is what came of it.
type Reached struct {
	// Log are arguments of git log that select the change's commits.
	Log []string
	// Base is the commit that the change starts from; empty: none of the bases is
	// to be had, and all commits of the head were taken.
	Base string
	// Cut says that commits of the change are missing: the clone is shallow and
	// could not be deepened.
	Cut bool
}

// deeper is how many commits a clone is deepened by, one try after another; then
// all of the history is fetched.
func deeper() []int { return []int{64, 512, 4096} }

// Reach finds the commits of a change, and fetches what a shallow clone lacks of
// them, with the user's own settings and credentials.
func Reach(ctx context.Context, path string, s Span) (Reached, error) {
	r, err := open(ctx, path)
	if err != nil {
		return Reached{}, err
	}
	if s.Head == "" {
		s.Head = "HEAD"
	}
	if s.Remote == "" {
		s.Remote = "origin"
	}
	q := &reaching{r: r, s: s}
	if q.head = q.commit(ctx, s.Head); q.head == "" {
		return Reached{}, fmt.Errorf("%w: the head of the change", ErrBadRange)
	}
	var out Reached
	base := q.base(ctx)
	for _, n := range append(deeper(), 0) {
		if out.Cut = q.cut(ctx, base); !out.Cut || !q.deepen(ctx, base, n) {
			break
		}
	}
	out.Cut = q.cut(ctx, base)
	out.Base = base.Commit
	out.Log = append([]string{q.head}, q.without(ctx, base)...)
	return out, ctx.Err()
}

// reaching is Reach under way.
type reaching struct {
	r    *repo
	s    Span
	head string
}

// commit is the id of a commit that is here; empty: it is not.
func (q *reaching) commit(ctx context.Context, name string) string {
	if name == "" || strings.HasPrefix(name, "-") {
		return ""
	}
	out, err := q.r.output(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// base is the first base that is to be had, with its commit.
func (q *reaching) base(ctx context.Context) Base {
	for _, b := range q.s.Bases {
		id := q.here(ctx, b)
		if id == "" && q.fetch(ctx, b, 1) {
			id = q.here(ctx, b)
		}
		if id != "" {
			return Base{Commit: id, Branch: b.Branch}
		}
	}
	return Base{}
}

// here is the commit of a base as far as this repository knows; empty: it does
// not.
func (q *reaching) here(ctx context.Context, b Base) string {
	names := []string{b.Commit}
	if b.Branch != "" {
		names = append(names, q.tracking(b.Branch))
		if q.r.origin == "" { // nobody knows better than this repository
			names = append(names, "refs/heads/"+b.Branch)
		}
	}
	for _, name := range names {
		if id := q.commit(ctx, name); id != "" {
			return id
		}
	}
	return ""
}

func (q *reaching) tracking(branch string) string {
	return "refs/remotes/" + q.s.Remote + "/" + branch
}

// without are git log's arguments that leave out what is no part of the change.
func (q *reaching) without(ctx context.Context, base Base) []string {
	var out []string
	if base.Commit != "" {
		out = append(out, "^"+base.Commit)
	}
	if q.s.Merged {
		// One parent is the target's, where the head is a merge.
		if q.commit(ctx, q.head+"^2") != "" {
			if first := q.commit(ctx, q.head+"^1"); first != "" {
				out = append(out, "^"+first)
			}
		}
	}
	return out
}

// cut reports whether the clone ends inside of the change, or before its commits
// can be told from those of the base.
func (q *reaching) cut(ctx context.Context, base Base) bool {
	ends := q.ends()
	if len(ends) == 0 {
		return false
	}
	if base.Commit != "" {
		if _, err := q.r.output(ctx, nil, "merge-base", q.head, base.Commit); err != nil {
			return true
		}
	}
	cut := false
	args := append([]string{"rev-list", q.head}, q.without(ctx, base)...)
	err := q.r.lines(ctx, nil, '\n', func(line []byte) error {
		cut = cut || ends[string(bytes.TrimSpace(line))]
		return nil
	}, args...)
	return cut || err != nil
}

// ends are the commits whose parents a shallow clone left out.
func (q *reaching) ends() map[string]bool {
	text, err := os.ReadFile(filepath.Join(q.r.common, "shallow"))
	if err != nil {
		return nil
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		out[strings.TrimSpace(line)] = true
	}
	return out
}

// deepen fetches n commits more of both sides' history; 0: all of it.
func (q *reaching) deepen(ctx context.Context, base Base, n int) bool {
	depth := "--unshallow"
	if n > 0 {
		depth = "--deepen=" + strconv.Itoa(n)
	}
	wants := []string{q.head}
	if base.Commit != "" {
		wants = append(wants, base.Commit)
	}
	return q.run(ctx, append([]string{depth, q.s.Remote}, wants...)...) || q.run(ctx, depth, q.s.Remote)
}

// fetch brings a base here, so much of its history.
func (q *reaching) fetch(ctx context.Context, b Base, depth int) bool {
	var how []string
	if q.r.shallow {
		how = []string{"--depth=" + strconv.Itoa(depth)}
	}
	if _, is := parseOID([]byte(b.Commit)); is && q.run(ctx, append(how, q.s.Remote, b.Commit)...) {
		return true
	}
	return b.Branch != "" && q.run(ctx, append(how, q.s.Remote, "+refs/heads/"+b.Branch+":"+q.tracking(b.Branch))...)
}

// run fetches. It is the one thing here that reaches the network: the remote that
// the repository was cloned from.
func (q *reaching) run(ctx context.Context, args ...string) bool {
	if q.s.Offline {
		return false
	}
	args = append([]string{"-c", "safe.directory=*", "-c", "protocol.ext.allow=never", "-c", "core.hooksPath=" + os.DevNull, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"}, args...)
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir, c.Env = q.r.path, catfile.OwnEnvironment(os.Environ())
	return c.Run() == nil
}
