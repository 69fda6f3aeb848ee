package rules

import (
	"context"
	"regexp"

	"github.com/zricethezav/gitleaks/v8/config"
)

// Load reads a configuration for gitleaks' detector.
func Load(o Options) (config.Config, error) { return translate(o) }

// Work is how many bytes the matcher's automata and fallbacks have read in one
// goroutine.
func (m *Matcher) Work() int {
	sc := m.engine.take()
	defer m.engine.give(sc)
	return sc.work
}

// Matches are all matches of one pattern, by the way that its plan says; each
// place asked alone, and again with all of them asked together.
func Matches(re *regexp.Regexp, text string) (alone, together [][]int, whole bool) {
	source := re.String()
	if source == "" {
		source = "(?:)"
	}
	d := &definition{id: "one", pattern: source, outline: newOutline(source)}
	f := newFinder([]*rule{newRule(0, d, nil)})
	find := func(patience int) (matches [][]int) {
		f.patience = patience
		s, err := f.newSearch(context.Background(), f.newScratch(), text)
		if err != nil {
			return nil
		}
		for _, m := range s.matches(0) {
			matches = append(matches, []int{m[0], m[1]})
		}
		return matches
	}
	return find(1 << 30), find(-1 << 30), f.plans[0].reason != ""
}

// AtEdges reports whether a pattern asks for the beginning or the end of a text, and
// what it is with line ends in their place.
func AtEdges(pattern string) (anchors bool, without string) {
	return anchored(pattern), relaxed(pattern)
}

// PlacedRules are those that are asked in files of some names alone.
var PlacedRules = placedRules
