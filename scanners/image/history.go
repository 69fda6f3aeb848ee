package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
)

// history is what was learnt of a generation, and kept of it.
type history struct {
	Format  int
	Look    [32]byte
	Items   []committed
	Skipped []fingerprints.Skip // paths are those in the repository
	// Done are its files, by their number, that need not be looked at by themselves:
	// items stand for them.
	Done []int

	passing bool // it may come out otherwise the next time: it is not kept
}

// committed is a content of a repository.
type committed struct {
	Path, Locator, Identity string // as the repository has it
	Presence                fingerprints.Presence
	Size                    int64
	At                      time.Time
	Commit, Author, Email   string
	Files                   []int // that hold it, by their number in the generation

	data  []byte // nil: the repository is put together for it
	given int    // items of it that were not opened
}

// historyFormat is raised when what was kept before is of no use.
const historyFormat = 1

// unread is a history of nothing but why.
func unread(reason fingerprints.SkipReason, why string, passing bool) *history {
	return &history{passing: passing, Skipped: []fingerprints.Skip{{
		Reason: reason, Detail: why + ": its objects were searched one by one, without commits and paths", Size: -1,
	}}}
}

// repositories looks for git directories in an image's layers, and reads those in
// which an object may hold something.
func (w *work) repositories(ctx context.Context, p picture, chain []int) {
	if w.src.o.Repositories == nil || ctx.Err() != nil {
		return
	}
	folders := map[string]bool{}
	for _, at := range chain {
		st := w.layers[at]
		if st.known == nil { // interrupted
			return
		}
		for folder := range w.gitFolders(st) {
			folders[folder] = true
		}
	}
	var fresh []*generation
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		list, met := w.met(folder, chain)
		if !met {
			fresh = append(fresh, list...)
		}
		for _, g := range list {
			w.src.reached.keeps(p, g.part)
		}
	}
	w.recall(&fresh)
	if w.bound(fresh); len(fresh) == 0 {
		return
	}
	w.cabinet().read(ctx, fresh)
	for _, g := range fresh {
		w.apply(g)
	}
}

// met are the generations of a directory in an image, and whether an image before had
// the same.
func (w *work) met(folder string, chain []int) (list []*generation, has bool) {
	var layers []int
	for _, at := range chain {
		if !slices.Contains(layers, at) && w.gitIndex(w.layers[at]).concerns(folder) {
			layers = append(layers, at)
		}
	}
	key := fmt.Sprintf("%q %d", folder, layers)
	if list, has = w.histories[key]; has {
		return list, true
	}
	for _, g := range w.generations(folder, layers) {
		if known := w.known[g.part]; known != nil { // more layers say the same
			g = known
		} else {
			w.known[g.part] = g
		}
		list = append(list, g)
	}
	w.histories[key] = list
	return list, false
}

// recall takes up what is remembered of generations, and leaves out what no object
// of may hold something, or was taken up before.
func (w *work) recall(list *[]*generation) {
	*list = slices.DeleteFunc(*list, func(g *generation) bool {
		return g.read != nil || !slices.ContainsFunc(g.files, func(f gitFile) bool { return f.object() && w.heldAt(f.gitPlace) >= 0 })
	})
	for _, g := range *list {
		g.read = w.remembered(g)
	}
}

// maxGenerations is how many repositories are read in a scan.
const maxGenerations = 1000

// bound leaves some as they are where there are too many.
func (w *work) bound(list []*generation) {
	for _, g := range list {
		if g.read != nil {
			continue
		}
		if w.read++; w.read > maxGenerations {
			g.read = unread(fingerprints.SkipTooLarge, fmt.Sprintf("one of more than %d git repositories", maxGenerations), true)
		}
	}
}

func (w *work) remembered(g *generation) *history {
	m := w.src.o.Memory
	if m == nil || !w.lasting(g) {
		return nil
	}
	packed, err := m.Load(g.part)
	if err != nil || packed == nil {
		return nil
	}
	var h history
	if unpack(packed, &h) != nil || h.Format != historyFormat || h.Look != w.src.o.Look {
		return nil
	}
	numbers := slices.Clone(h.Done)
	for _, it := range h.Items {
		numbers = append(numbers, it.Files...)
	}
	if slices.ContainsFunc(numbers, func(n int) bool { return n < 0 || n >= len(g.files) }) {
		return nil
	}
	return &h
}

// lasting reports whether its layers are what their names say, now and later.
func (w *work) lasting(g *generation) bool {
	return !slices.ContainsFunc(g.files, func(f gitFile) bool {
		return partOf(w.layers[f.layer].blob.digest) == "" || partOf(w.layers[f.from.layer].blob.digest) == ""
	})
}

func (w *work) remember(g *generation) {
	m := w.src.o.Memory
	if m == nil || g.read.passing || !w.lasting(g) {
		return
	}
	g.read.Format, g.read.Look = historyFormat, w.src.o.Look
	packed, err := pack(g.read)
	if err == nil {
		err = m.Save(g.part, packed)
	}
	if err != nil {
		w.reader.failed.Store(true)
	}
}

// readHistory reads a repository whose files were taken. The items are those of the
// history.
func readHistory(ctx context.Context, g *generation, r GitRepository) (h *history, given []scanners.Item, err error) {
	items, skipped, left, err := r.Read(ctx)
	if err != nil {
		return nil, nil, err
	}
	h = &history{Skipped: skipped}
	tied := map[int]bool{}
	for _, it := range items {
		if it.Size > maxCommitted { // what its file is worth as an archive it is worth
			h.beyond(ctx, g, r, it)
			continue
		}
		c := committed{
			Path: it.Path, Locator: it.Locator, Identity: it.Identity, Presence: it.Presence, Size: it.Size, At: it.At,
			Commit: it.Origin.Commit, Author: it.Origin.Author, Email: it.Origin.Email,
		}
		for _, n := range r.Holding(ctx, it.Locator) {
			tied[g.taken[n]] = true
			c.Files = append(c.Files, g.taken[n])
		}
		h.Items, given = append(h.Items, c), append(given, it)
	}
	packs := false
	for _, n := range left {
		delete(tied, g.taken[n])
		packs = packs || strings.HasSuffix(g.files[g.taken[n]].name, packEnd)
	}
	if packs {
		h.Skipped = append(h.Skipped, unread(fingerprints.SkipArchive, "a pack of a git repository that git cannot read", false).Skipped...)
	}
	h.Done = slices.Sorted(maps.Keys(tied))
	return h, given, nil
}

// maxCommitted is how large an object may be that is given out as one of a repository.
const maxCommitted = 1 << 30

// beyond lists an object that is too large, unless it has a file of its own, which is
// then looked at within the bounds of any archive.
func (h *history) beyond(ctx context.Context, g *generation, r GitRepository, it scanners.Item) {
	for _, n := range r.Holding(ctx, it.Locator) {
		if strings.HasSuffix(g.files[g.taken[n]].name, packEnd) {
			h.Skipped = append(h.Skipped, fingerprints.Skip{Path: it.Path, Reason: fingerprints.SkipTooLarge, Detail: "an object of more than 1 GiB", Size: it.Size})
			return
		}
	}
}

// packEnd ends the names of packs.
const packEnd = ".pack"

// failure says why a repository could not be read.
func failure(err error) *history {
	var passing interface{ Temporary() bool }
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return unread(skip.Reason, skip.Detail, errors.As(err, &passing) && passing.Temporary())
	}
	return unread(fingerprints.SkipArchive, "a git repository that cannot be put together, or read by git, here", true)
}
