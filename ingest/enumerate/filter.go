package enumerate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// filter says what is wanted.
type filter struct {
	o                Options
	include, exclude []string
}

func newFilter(o Options) (*filter, error) {
	f := &filter{o: o}
	for _, set := range []struct {
		name string
		from []string
		to   *[]string
	}{{"include", o.Include, &f.include}, {"exclude", o.Exclude, &f.exclude}} {
		for i, glob := range set.from {
			if glob == "" || len(glob) > 1000 || !doublestar.ValidatePattern(glob) {
				return nil, fmt.Errorf("pattern %d of what to %s is no glob: write it as in team/** or *-archive", i+1, set.name)
			}
			*set.to = append(*set.to, strings.ToLower(glob))
		}
	}
	return f, nil
}

// apply sorts entries into what is wanted and what is not.
func (f *filter) apply(entries []entry) Listing {
	var l Listing
	known := map[string]bool{}
	put := func(r Repository, why Reason) {
		switch {
		case known[r.SourceID]:
		case why != "":
			l.Left = append(l.Left, LeftOut{SourceID: r.SourceID, Reason: why})
		default:
			l.Repositories = append(l.Repositories, r)
		}
		known[r.SourceID] = true
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.SourceID, b.SourceID), cmp.Compare(a.Name, b.Name))
	})
	for _, e := range entries {
		put(e.Repository, f.judge(e))
		if w, has := e.wiki(); has && f.o.Wikis {
			put(w, f.judge(entry{Repository: w}))
		}
	}
	slices.SortFunc(l.Repositories, func(a, b Repository) int { return cmp.Compare(a.SourceID, b.SourceID) })
	slices.SortFunc(l.Left, func(a, b LeftOut) int { return cmp.Compare(a.SourceID, b.SourceID) })
	return l
}

// judge says why an entry is not wanted; empty: it is.
func (f *filter) judge(e entry) Reason {
	switch {
	case e.noCode:
		return NoCode
	case len(f.include) > 0 && !matches(f.include, e.Name):
		return NotIncluded
	case matches(f.exclude, e.Name):
		return Excluded
	case f.o.LeaveArchived && e.Archived:
		return IsArchived
	case f.o.LeaveForks && e.Fork:
		return IsFork
	case f.o.LeaveEmpty && e.Empty:
		return IsEmpty
	}
	return ""
}

func matches(globs []string, name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(globs, func(glob string) bool {
		text := name
		if !strings.Contains(glob, "/") {
			text = path.Base(name)
		}
		return doublestar.MatchUnvalidated(glob, text)
	})
}
