package image

import (
	"context"
	"io"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// GitRepositories makes git repositories readable of which layers have the files.
type GitRepositories interface {
	// Wants reports whether a file is of use, by its name in the git directory. It is
	// asked of every name that could be in one.
	Wants(name string) bool
	// New begins one.
	New() (GitRepository, error)
}

// GitRepository is one that is put together and then read.
type GitRepository interface {
	// Take takes a file by its name in the git directory. An error ends it; what it
	// is told as stands in a scanners.SkipError. One that is Temporary is not
	// remembered.
	Take(name string, size int64, content io.Reader) error
	// Read reads it: what may hold something in it, and what of it cannot be read.
	// Left are the files whose objects were not all read from there, by the order in
	// which they were taken, from 0.
	Read(ctx context.Context) (items []scanners.Item, skipped []fingerprints.Skip, left []int, err error)
	// Holding are the files that hold what an item with this locator is about.
	Holding(ctx context.Context, locator string) []int
	// Close removes it, and ends the reading of its items.
	Close() error
}

// defaultSpool is how many bytes of repositories are put together at a time.
const defaultSpool = 2 << 30

// objectsFolder is where git directories keep objects: what begins so in one.
const objectsFolder = "objects/"

// gitIndex is what a layer has of git directories.
type gitIndex struct {
	files  map[string][]gitName // by directory
	gone   []string             // names that are removed, with all below them
	byName map[string]int       // entries of files, the last of a name
}

// gitName is an entry in a git directory.
type gitName struct {
	entry int
	name  string // in the directory
}

// newGitIndex finds what could be of git directories by its names alone.
func newGitIndex(entries []entry, wants func(string) bool) *gitIndex {
	x := &gitIndex{files: map[string][]gitName{}, byName: map[string]int{}}
	for i, e := range entries {
		switch e.kind {
		case kindWhiteout, kindOpaque:
			x.gone = append(x.gone, e.name)
			continue
		case kindFile, kindHardlink:
		case kindDir, kindSymlink, kindOther:
			continue
		}
		if e.kind == kindFile {
			x.byName[e.name] = i
		}
		for from := 0; ; {
			if wants(e.name[from:]) {
				folder := strings.TrimSuffix(e.name[:from], "/")
				x.files[folder] = append(x.files[folder], gitName{i, e.name[from:]})
			}
			next := strings.IndexByte(e.name[from:], '/')
			if next < 0 {
				break
			}
			from += next + 1
		}
	}
	return x
}

// gitFolders are the directories with an object that may hold something, once.
func (w *work) gitFolders(st *standing) map[string]bool {
	if st.folders != nil {
		return st.folders
	}
	st.folders = map[string]bool{}
	if st.blob.path != "" || st.known.noTar {
		return st.folders
	}
	for _, h := range st.known.Held {
		if h.Entry < 0 || h.Part != "" || st.known.Entries[h.Entry].kind != kindFile {
			continue
		}
		name := st.known.Entries[h.Entry].name
		for from := 0; ; {
			next := strings.Index(name[from:], objectsFolder)
			if next < 0 {
				break
			}
			at := from + next
			if (at == 0 || name[at-1] == '/') && w.src.o.Repositories.Wants(name[at:]) {
				st.folders[strings.TrimSuffix(name[:at], "/")] = true
			}
			from = at + 1
		}
	}
	return st.folders
}

// gitIndex is that of a layer, made once.
func (w *work) gitIndex(st *standing) *gitIndex {
	if st.git == nil {
		st.git = newGitIndex(st.known.Entries, w.src.o.Repositories.Wants)
	}
	return st.git
}

// covers reports whether what is removed takes a directory with it.
func covers(gone, folder string) bool {
	return gone == "" || gone == folder || strings.HasPrefix(folder, gone+"/")
}

// concerns reports whether a layer says anything of a directory.
func (x *gitIndex) concerns(folder string) bool {
	if len(x.files[folder]) > 0 {
		return true
	}
	for _, gone := range x.gone {
		if covers(gone, folder) || strings.HasPrefix(gone, folder+"/") {
			return true
		}
	}
	return false
}
