package gitrepo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// beside gives out what lies beside the objects: reflogs, configuration, and
// names of refs. What holds nothing is not given out, nor looked at again while
// it stays as it is.
func (v *survey) beside(ctx context.Context) {
	for _, name := range v.s.r.reflogs() {
		if v.suspect(ctx, name) {
			v.s.file(name, "@reflog", fingerprints.PresenceUnreachable)
		}
	}
	for _, name := range v.s.r.settings() {
		if v.suspect(ctx, name) {
			v.s.file(name, "@config", fingerprints.PresenceTip)
		}
	}
	var tips, others []string
	for i := range v.s.refs {
		if r := &v.s.refs[i]; r.tip {
			tips = append(tips, r.name)
		} else {
			others = append(others, r.name)
		}
	}
	v.refNames(ctx, tips, scanners.Item{Locator: "refs", Presence: fingerprints.PresenceTip})
	v.refNames(ctx, others, scanners.Item{Locator: "other refs", Presence: fingerprints.PresenceUnreachable})
	v.s.read = v.read
}

// refNames gives out names of refs, as one content.
func (v *survey) refNames(ctx context.Context, names []string, like scanners.Item) {
	text := strings.Join(names, "\n")
	if like.Path = "@ref"; v.holds(ctx, []byte(text)) {
		v.s.text(text, like)
	}
}

// largestBeside is how large a file may be that is looked at before it is given
// out.
const largestBeside = 16 << 20

// suspect reports whether a file may hold something.
func (v *survey) suspect(ctx context.Context, name string) bool {
	if info, err := os.Stat(name); err != nil || info.Size() > largestBeside {
		return true
	}
	data, err := os.ReadFile(name)
	return err != nil || v.holds(ctx, data)
}

// holds reports whether a content may hold something.
func (v *survey) holds(ctx context.Context, data []byte) bool {
	if len(data) == 0 {
		return false
	}
	mark := v.known.content(data)
	if _, clean := slices.BinarySearch(v.before.clean, mark); !clean || v.again {
		v.read.Items++
		v.read.Bytes += int64(len(data))
		if v.screen(clean)(ctx, data) || ctx.Err() != nil {
			return true
		}
	}
	v.s.clean = append(v.s.clean, mark)
	return false
}

// content is a keyed hash of a content.
func (k *known) content(data []byte) uint64 {
	h := sha256.New()
	h.Write([]byte("content\x00"))
	h.Write(k.salt[:])
	h.Write(data)
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// gitDirs are the directories of all work trees, the common one first.
func (r *repo) gitDirs() []string {
	dirs := []string{r.common}
	linked, err := os.ReadDir(filepath.Join(r.common, "worktrees"))
	if err == nil {
		for _, d := range linked {
			dirs = append(dirs, filepath.Join(r.common, "worktrees", d.Name()))
		}
	}
	if !slices.Contains(dirs, r.gitDir) {
		dirs = append(dirs, r.gitDir)
	}
	return dirs
}

// reflogs are the files that remember where refs pointed. Their commits are
// objects like all others.
func (r *repo) reflogs() (files []string) {
	for _, dir := range r.gitDirs() {
		files = append(files, regular(filepath.Join(dir, "logs"))...)
	}
	return files
}

// settings are the files in which people and git keep what is no object: the
// configuration, packed refs, hooks, messages, what a merge or rebase is at. The
// index is left out: what it names are objects.
func (r *repo) settings() (files []string) {
	for _, dir := range r.gitDirs() {
		list, err := os.ReadDir(dir)
		if err != nil {
			continue // it is gone
		}
		for _, e := range list {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), "index") && !strings.HasSuffix(e.Name(), ".lock") {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
		for _, below := range []string{"hooks", "info", "rebase-merge", "rebase-apply", "sequencer", "branches", "remotes"} {
			files = append(files, regular(filepath.Join(dir, below))...)
		}
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, ".sample") })
}

// regular are the files below a folder.
func regular(root string) (files []string) {
	_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, name)
		}
		return nil
	})
	return files
}
