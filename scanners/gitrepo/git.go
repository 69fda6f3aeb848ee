package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"revenant/scanners/gitrepo/catfile"
	"revenant/scanners/gitrepo/objects"
)

// Errors that callers branch on.
var (
	// ErrNoRepository says that no repository is at a path.
	ErrNoRepository = errors.New("no git repository here")
	// ErrGit is wrapped when git itself fails; its words are not repeated,
	// because they repeat paths and messages.
	ErrGit = errors.New("git failed")
)

// repo is a repository on disk.
type repo struct {
	path   string // as it was given, absolute
	gitDir string
	common string // where objects and refs lie: gitDir but for worktrees
	work   string // empty: bare
	origin string // URL of the remote that the clone came from; empty: none
	// shallow histories end early; partial ones lack objects on purpose.
	shallow, partial bool
	refused          bool   // git does not take it for a repository
	told             bool   // gitDir is not what git would find in path
	unasked          bool   // the configuration was not read
	index            string // in place of its own; empty: that
	quarantine       string // objects that are not taken in yet; empty: none
	alone            bool   // git sees those in quarantine and no other
}

// layout is where its parts are.
func (r *repo) layout() objects.Layout {
	return objects.Layout{GitDir: r.gitDir, CommonDir: r.common, Quarantine: r.quarantine}
}

// home is where the repository lives, the same from each of its work trees and
// folders: the main work tree, or the git directory of one without.
func (r *repo) home() string {
	if dir, name := filepath.Split(r.common); name == ".git" {
		return filepath.Clean(dir)
	}
	return r.common
}

// guards are options that keep a repository from running programs of its choice
// or reaching the network.
func guards() []string {
	return []string{
		"-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull,
		"-c", "log.showSignature=false", "-c", "protocol.allow=never", "-c", "log.showRoot=true", "-c", "core.quotePath=false",
		"-c", "color.ui=false", "-c", "log.follow=false",
	}
}

// command is git about to run in the repository.
func (r *repo) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "git", append(guards(), args...)...)
	c.Dir, c.Env = r.path, catfile.Environment(os.Environ(), r.layout())
	if r.alone {
		c.Env = append(c.Env, "GIT_ALTERNATE_OBJECT_DIRECTORIES=")
	}
	if r.told {
		c.Env = append(c.Env, "GIT_DIR="+r.gitDir)
	}
	if r.index != "" {
		c.Env = append(c.Env, "GIT_INDEX_FILE="+r.index)
	}
	return c
}

// output runs git and returns what it printed.
func (r *repo) output(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	c := r.command(ctx, args...)
	c.Stdin = in
	out, err := c.Output()
	if err != nil {
		return out, fmt.Errorf("git %s: %w", args[0], gitError(ctx, err))
	}
	return out, nil
}

func gitError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: it is not installed", ErrGit)
	}
	return ErrGit
}

// lines runs git and hands out its records, which end in sep.
func (r *repo) lines(ctx context.Context, in io.Reader, sep byte, each func(record []byte) error, args ...string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := r.command(ctx, args...)
	c.Stdin = in
	out, err := c.StdoutPipe()
	if err != nil {
		return fmt.Errorf("git %s: %w", args[0], err)
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("git %s: %w", args[0], gitError(ctx, err))
	}
	eachErr := records(out, sep, each)
	if eachErr != nil {
		cancel()
	}
	if err := c.Wait(); err != nil && eachErr == nil {
		return fmt.Errorf("git %s: %w", args[0], gitError(ctx, err))
	}
	return eachErr
}

// records hands out what stands before each sep, and what stands behind the
// last.
func records(in io.Reader, sep byte, each func([]byte) error) error {
	b := bufio.NewReaderSize(in, 256<<10)
	var long []byte
	for {
		part, err := b.ReadSlice(sep)
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if len(long) > 0 {
			part = append(long, part...)
			long = long[:0]
		}
		if err == nil {
			part = part[:len(part)-1]
		}
		if len(part) > 0 || err == nil {
			if err := each(part); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading git's output: %w", err)
		}
	}
}

// open looks at the repository at a path.
func open(ctx context.Context, path string) (*repo, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%w: no working directory", ErrNoRepository)
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return nil, ErrNoRepository
	}
	r := &repo{path: abs}
	ask := []string{"rev-parse", "--path-format=absolute", "--absolute-git-dir", "--git-common-dir", "--is-shallow-repository"}
	out, err := r.output(ctx, nil, append(ask, "--show-toplevel")...)
	fields := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if errors.Is(err, ErrGit) && len(fields) == 3 { // bare: it answered all but the last
		err = nil
	}
	switch {
	case ctx.Err() != nil, errors.Is(err, exec.ErrNotFound):
		return nil, err
	case err != nil, len(fields) < 3:
		if !r.located() {
			return nil, ErrNoRepository
		}
	default:
		r.gitDir, r.common, r.shallow = fields[0], fields[1], fields[2] == "true"
		if len(fields) > 3 {
			r.work = fields[3]
		}
	}
	return r, r.configured(ctx)
}

// located finds a repository that git refuses: its configuration or its HEAD is
// damaged, say. The objects can be read all the same.
func (r *repo) located() bool {
	l, err := objects.Locate(r.path)
	if err != nil {
		return false
	}
	r.gitDir, r.common, r.refused = l.GitDir, l.CommonDir, true
	if _, err := os.Stat(filepath.Join(l.CommonDir, "shallow")); err == nil {
		r.shallow = true
	}
	if dir, name := filepath.Split(l.GitDir); name == ".git" {
		r.work = filepath.Clean(dir)
	}
	return true
}

// configured reads what the configuration says of remotes.
func (r *repo) configured(ctx context.Context) error {
	r.unasked = false
	err := r.lines(ctx, nil, 0, func(kv []byte) error {
		key, value, _ := bytes.Cut(kv, []byte{'\n'})
		k := strings.ToLower(string(key))
		switch {
		case k == "remote.origin.url" && r.origin == "":
			r.origin = string(value)
		case k == "extensions.partialclone", strings.HasPrefix(k, "remote.") && strings.HasSuffix(k, ".promisor") && string(value) == "true":
			r.partial = true
		}
		return nil
	}, "config", "--list", "-z")
	if err != nil && ctx.Err() == nil {
		return nil //nolint:nilerr // without a configuration there are no remotes
	}
	return err
}
