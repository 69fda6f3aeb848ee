package buildcontext

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// ignoring is what one or more ignore files leave out: an entry that all of them
// leave out is sent by no builder.
type ignoring struct {
	sets []*patternmatcher.PatternMatcher
	bad  int // patterns that are none
}

// add takes the patterns of a file; false when it is no ignore file.
func (g *ignoring) add(text []byte) bool {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return false
	}
	m, bad := matcher(patterns)
	g.sets, g.bad = append(g.sets, m), g.bad+bad
	return true
}

// matcher is of the patterns that are some.
func matcher(patterns []string) (*patternmatcher.PatternMatcher, int) {
	good := slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		m, err := patternmatcher.New([]string{p})
		if err == nil {
			_, err = m.MatchesOrParentMatches("a/b") // compiled when it is first used
		}
		return err != nil
	})
	m, err := patternmatcher.New(good)
	if err != nil {
		m, good = &patternmatcher.PatternMatcher{}, nil
	}
	return m, len(patterns) - len(good)
}

// leaves reports whether a file is left out, or a folder with all below it.
func (g *ignoring) leaves(name string, folder bool) bool {
	if len(g.sets) == 0 {
		return false
	}
	for _, m := range g.sets {
		if out, err := m.MatchesOrParentMatches(name); err != nil || !out || folder && mayReturn(m, name) {
			return false
		}
	}
	return true
}

// mayReturn reports whether an exception may take something below a folder back.
func mayReturn(m *patternmatcher.PatternMatcher, folder string) bool {
	if !m.Exclusions() {
		return false
	}
	for _, p := range m.Patterns() {
		if !p.Exclusion() {
			continue
		}
		text := strings.TrimPrefix(p.String(), "!")
		wild := strings.IndexAny(text, `*?[\`)
		if wild < 0 {
			wild = len(text)
		}
		fixed := text[:wild] // what it takes back begins so
		if strings.HasPrefix(fixed, folder+"/") || strings.HasPrefix(folder+"/", fixed) && wild < len(text) {
			return true
		}
	}
	return false
}

// below is a path below the context, whatever it says of folders above; "" is all.
func below(name string) string {
	return strings.Trim(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
}

// takes reports whether an instruction takes a file.
func (u *use) takes(name string) bool {
	return slices.ContainsFunc(u.globs, func(g string) bool {
		n := covers(g, name)
		return n >= 0 && !u.leaves(g, name, n)
	})
}

// leaves reports whether --exclude leaves a file out of what a glob stands for,
// which is so much of its name. It is compared with what is below that; where a
// glob stands for many folders with their names, too: what is not certain is taken.
func (u *use) leaves(glob, name string, n int) bool {
	if u.exclude == nil {
		return false
	}
	out := func(s string) bool {
		m, err := u.exclude.MatchesOrParentMatches(s)
		return err == nil && m
	}
	inner := strings.TrimPrefix(name[n:], "/")
	switch {
	case inner == "":
		return out(path.Base(name))
	case glob != "" && strings.ContainsAny(glob, wildcards):
		return out(inner) && out(path.Base(name[:n])+"/"+inner)
	}
	return out(inner)
}

const wildcards = "*?["

// covers says how much of a file's name a path or glob stands for: all of it, or a
// folder; -1: it is another file's.
func covers(glob, name string) int {
	switch {
	case glob == "":
		return 0
	case glob == name, strings.HasPrefix(name, glob+"/"):
		return len(glob)
	case !strings.ContainsAny(glob, wildcards):
		return -1
	}
	for n := range len(name) + 1 {
		if n < len(name) && name[n] != '/' {
			continue
		}
		if matches(glob, name[:n]) {
			return n
		}
	}
	return -1
}

func matches(glob, name string) bool {
	if strings.Contains(glob, "**") {
		return doublestar.MatchUnvalidated(glob, name)
	}
	ok, err := path.Match(glob, name)
	return err == nil && ok
}
