package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/scanners/gitrepo"
)

// keptClone is a mirror of a remote repository that stays beside the registry,
// so that the next scan fetches what is new. It is used by one process at a
// time. What a scan of it reports is what a scan of a new clone would.
type keptClone struct {
	dir    string // of all of them
	name   string // of this one
	unlock func()
}

// sourceFile names the files that are kept for a source.
func sourceFile(sourceID string) string {
	name := sha256.Sum256([]byte(sourceID))
	return hex.EncodeToString(name[:16])
}

func clonesDir(home string) string { return filepath.Join(home, "clones") }

// keptClone is where the clone of a source is kept; nil where it is not, or
// another process uses it.
func (a *app) keptClone(fl *gitFlags, sourceID string) *keptClone {
	home, err := a.homeDir()
	if err != nil || fl.noStore || fl.noCache || fl.pack != "" {
		return nil
	}
	if place, err := a.storePlace(home); err != nil || !haveStore(place) {
		return nil
	}
	return holdClone(clonesDir(home), sourceID)
}

// holdClone takes the clone of a source for this process; nil where that cannot
// be.
func holdClone(dir, sourceID string) *keptClone {
	k := &keptClone{dir: dir, name: sourceFile(sourceID)}
	if os.MkdirAll(dir, 0o700) != nil {
		return nil
	}
	var err error
	if k.unlock, err = lockFile(k.file(".lock")); err != nil {
		return nil
	}
	return k
}

func (k *keptClone) file(suffix string) string { return filepath.Join(k.dir, k.name+suffix) }

func (k *keptClone) path() string { return k.file(".git") }

// whole is a file that lists the packs of a clone that is whole. It is gone
// while anything is done to the clone, so that what was broken off is not taken
// for one.
func (k *keptClone) whole() string { return k.file(".whole") }

// open brings the clone up to date, or makes it.
func (k *keptClone) open(ctx context.Context, remote string) (*clone, error) {
	err := k.tidy()
	if err == nil {
		err = k.renew(ctx, remote)
	}
	if err != nil {
		k.unlock()
		return nil, err
	}
	return &clone{path: k.path(), kept: k}, nil
}

// tidy removes what killed processes left behind.
func (k *keptClone) tidy() error {
	left, err := filepath.Glob(k.file(".new-*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// renew fetches into a clone that is whole; one that is not, or cannot be
// fetched into, is replaced.
func (k *keptClone) renew(ctx context.Context, remote string) error {
	list, err := os.ReadFile(k.whole())
	if err != nil || !bytes.Equal(list, k.packs()) {
		return k.replace(ctx, remote)
	}
	if err := os.Remove(k.whole()); err != nil {
		return fmt.Errorf("the kept clone: %w", err)
	}
	err = k.fetch(ctx, remote)
	switch {
	case err == nil:
		return k.keep()
	case ctx.Err() != nil:
		return err
	}
	if again := k.replace(ctx, remote); again != nil {
		// The remote is out of reach, and the clone is what it was.
		return errors.Join(again, os.WriteFile(k.whole(), list, 0o600))
	}
	return nil
}

// replace clones anew and puts that in the place of what was there.
func (k *keptClone) replace(ctx context.Context, remote string) error {
	temp, err := os.MkdirTemp(k.dir, k.name+".new-*")
	if err != nil {
		return fmt.Errorf("making room for a clone: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	made := filepath.Join(temp, "clone.git")
	if err := mirror(ctx, remote, made); err != nil {
		return err
	}
	err = errors.Join(os.RemoveAll(k.whole()), os.RemoveAll(k.path()))
	if err == nil {
		err = errors.Join(os.Chmod(made, 0o700), os.Rename(made, k.path()))
	}
	if err != nil {
		return fmt.Errorf("keeping a clone: %w", err)
	}
	return k.keep()
}

// keep says that the clone is whole.
func (k *keptClone) keep() error {
	if err := os.WriteFile(k.whole(), k.packs(), 0o600); err != nil {
		return fmt.Errorf("keeping a clone: %w", err)
	}
	return nil
}

// packs lists the packs of the clone with their sizes.
func (k *keptClone) packs() []byte {
	var b bytes.Buffer
	list, err := os.ReadDir(filepath.Join(k.path(), "objects", "pack"))
	if err != nil {
		return []byte("none")
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && (strings.HasSuffix(e.Name(), ".pack") || strings.HasSuffix(e.Name(), ".idx")) {
			fmt.Fprintf(&b, "%s %d\n", e.Name(), info.Size())
		}
	}
	return b.Bytes()
}

// fetch brings refs and objects up to date, and drops what no ref reaches any
// more: a new clone would not have it.
func (k *keptClone) fetch(ctx context.Context, remote string) error {
	before, err := k.tips(ctx)
	if err != nil {
		return err
	}
	err = transfer(ctx, remote, "fetching from", "--git-dir="+k.path(), "-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false",
		"-c", "gc.pruneExpire=now", "fetch", "--quiet", "--prune", "--no-write-fetch-head", "--", plainURL(remote), "+refs/*:refs/*")
	if err != nil {
		return err
	}
	now, err := k.tips(ctx)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(before, func(id string) bool {
		_, has := slices.BinarySearch(now, id)
		return has
	})
	if len(left) == 0 {
		return nil
	}
	var in strings.Builder
	for _, id := range left {
		in.WriteString(id + "\n")
	}
	for _, id := range now {
		in.WriteString("^" + id + "\n")
	}
	out, err := k.git(ctx, in.String(), "rev-list", "--objects", "--max-count=1", "--stdin")
	if err == nil && len(out) > 0 {
		_, err = k.git(ctx, "", "gc", "--quiet", "--prune=now")
	}
	return err
}

// tips are the objects that refs lead to, sorted.
func (k *keptClone) tips(ctx context.Context) ([]string, error) {
	out, err := k.git(ctx, "", "for-each-ref", "--format=%(objectname)")
	tips := strings.Fields(string(out))
	slices.Sort(tips)
	return slices.Compact(tips), err
}

// git runs git in the clone.
func (k *keptClone) git(ctx context.Context, in string, args ...string) ([]byte, error) {
	c := gitFor(ctx, append([]string{"--git-dir=" + k.path()}, args...)...)
	c.Stdin = strings.NewReader(in)
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("the kept clone: git %s: %w", args[0], gitrepo.ErrGit)
	}
	return out, nil
}

// close lets other processes have the clone; one in which something could not
// be read, or whose HEAD is a commit that no fetch moves, is made anew then.
func (k *keptClone) close(bad bool) error {
	defer k.unlock()
	head, err := os.ReadFile(filepath.Join(k.path(), "HEAD"))
	if bad || err != nil || !bytes.HasPrefix(head, []byte("ref:")) {
		return os.RemoveAll(k.whole())
	}
	return nil
}

// forget removes the clone.
func (k *keptClone) forget() error {
	defer k.unlock()
	return errors.Join(os.RemoveAll(k.whole()), os.RemoveAll(k.path()), k.tidy())
}

// forgetClone removes what is kept of a source that is no more.
func forgetClone(home, sourceID string) error {
	dir := clonesDir(home)
	if !exists(dir) {
		return nil
	}
	k := holdClone(dir, sourceID)
	if k == nil {
		return errors.New("the clone that is kept of it is in use: run the command again later")
	}
	return k.forget()
}
