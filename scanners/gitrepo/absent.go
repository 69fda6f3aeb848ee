package gitrepo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// absent is what in a repository stands for content that is not in it.
type absent struct {
	pointers map[oid]bool // blobs that stand for content in LFS
	links    bool         // trees have commits of other repositories
}

func (a *absent) any() bool { return a.links || len(a.pointers) > 0 }

func (a *absent) recall(m *memory) {
	a.links = m.links
	for _, id := range m.pointers {
		a.pointers[id] = true
	}
}

func (a *absent) remember(m *memory) {
	m.links = a.links
	for id := range a.pointers {
		m.pointers = append(m.pointers, id)
	}
}

// pointerMost is how large a pointer is at most, as LFS itself has it.
const pointerMost = 1024

// isPointer reports whether a blob is a pointer of LFS.
func isPointer(data []byte) bool {
	return len(data) < pointerMost &&
		(bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) || bytes.HasPrefix(data, []byte("version https://hawser.github.com/spec/"))) &&
		bytes.Contains(data, []byte("\noid "))
}

// pointed is how large the content is that a pointer stands for; -1 when it
// does not say.
func pointed(data []byte) int64 {
	_, after, _ := bytes.Cut(data, []byte("\nsize "))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	n, err := strconv.ParseInt(string(line), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// maxFolders is in how many folders of a work tree other repositories are
// looked for: more would take longer than reading the repository does.
const maxFolders = 50_000

// others looks for repositories in the work tree, and for those of submodules,
// while the objects are read.
func (s *Source) others(ctx context.Context) <-chan *finder {
	out := make(chan *finder, 1)
	f := &finder{most: maxFolders, seen: map[string]bool{}}
	go func() {
		defer close(out)
		if s.r.work != "" {
			_ = f.inner(ctx, s.r.work) // what cannot be read is no part of the source
		}
		if s.r.work == "" || filepath.Join(s.r.work, ".git") != s.r.common {
			_ = f.modules(ctx, s.r.common)
		}
		out <- f
	}()
	return out
}

// elsewhere lists what tips only point to: content in LFS, submodules and other
// repositories inside of this one.
func (s *Source) elsewhere(ctx context.Context, h *history, near *finder) {
	places := slices.SortedFunc(maps.Keys(h.absent), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.path, b.path), a.blob.Compare(b.blob))
	})
	own, _ := commonDir(s.r.common)
	listed := map[string]bool{own: true}
	last := ""
	for _, p := range places {
		if !p.link {
			s.inLFS(ctx, p)
			continue
		}
		if p.path == last { // another commit of it, at another tip
			continue
		}
		last = p.path
		common, here := s.submodule(p.path)
		switch {
		case !here:
			s.other(p.path, "a submodule that is not here")
		case !s.reads(common):
			s.other(p.path, "a submodule: --recursive reads it")
		}
		listed[common] = true
	}
	for _, f := range near.found {
		if !listed[f.Common] && !s.reads(f.Common) {
			s.other(s.inside(f.Path), "a repository of its own: --recursive reads it")
		}
	}
	if near.looked > near.most {
		s.notes = append(s.notes, fmt.Sprintf("other repositories were looked for in %d folders of the work tree, which has more: --recursive looks in all", near.most))
	}
}

func (s *Source) reads(common string) bool { return s.o.Reads != nil && s.o.Reads(common) }

func (s *Source) other(path, detail string) {
	s.skip(path, "", fingerprints.SkipRepository, detail)
}

// inLFS lists a pointer.
func (s *Source) inLFS(ctx context.Context, p place) {
	k := fingerprints.Skip{Path: p.path, Locator: "blob:" + p.blob.String(), Reason: fingerprints.SkipLFS, Detail: "the content is in LFS, not in the repository", Size: -1}
	if data, err := s.store.get(ctx, p.blob, objects.Blob); err == nil {
		k.Size = pointed(data)
	}
	s.skipped = append(s.skipped, k)
}

// submodule finds the repository of a submodule: at its path in the work tree,
// or where git keeps it.
func (s *Source) submodule(path string) (common string, here bool) {
	path = filepath.FromSlash(path)
	if !filepath.IsLocal(path) {
		return "", false
	}
	if s.r.work != "" {
		if common, here = commonDir(filepath.Join(s.r.work, path)); here {
			return common, true
		}
	}
	return commonDir(filepath.Join(s.r.common, "modules", path))
}

// inside is a path as seen from the repository.
func (s *Source) inside(path string) string {
	for _, dir := range []string{s.r.work, s.r.home(), s.r.common} {
		if rel, ok := below(dir, path); ok && dir != "" {
			return rel
		}
	}
	return path
}
