package rules

import (
	"context"

	"github.com/zricethezav/gitleaks/v8/config"
)

// Finder is the search without gitleaks' judgement, for tests.
type Finder struct {
	f  *finder
	sc *scratch
}

// NewFinder plans the rules.
func NewFinder(rules []config.Rule) *Finder {
	f := newFinder(rules)
	return &Finder{f: f, sc: f.newScratch()}
}

// Load reads a configuration.
func Load(o Options) (config.Config, error) { return load(o) }

// Matches are all matches of a rule's pattern, by the fast way.
func (f *Finder) Matches(text string) map[int][][2]int {
	s, err := f.f.newSearch(context.Background(), f.sc, text)
	if err != nil {
		return nil
	}
	out := map[int][][2]int{}
	for _, plan := range s.suspected() {
		if m := s.matches(plan); len(m) > 0 {
			out[plan] = m
		}
	}
	return out
}

// Explain says how a rule is looked for.
func (f *Finder) Explain(rule int) string {
	if f.f.plans[rule] == nil {
		return ""
	}
	return f.f.plans[rule].explain()
}
