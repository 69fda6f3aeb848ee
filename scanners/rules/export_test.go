package rules

import (
	"context"
	"regexp"

	"github.com/zricethezav/gitleaks/v8/config"
)

// Load reads a configuration and compiles all of it, for gitleaks' detector.
func Load(o Options) (config.Config, error) {
	l, err := load(o)
	if err != nil {
		return config.Config{}, err
	}
	for id, source := range l.sources {
		r := l.cfg.Rules[id]
		r.Regex = regexp.MustCompile(source)
		l.cfg.Rules[id] = r
	}
	return l.cfg, nil
}

// Work is how many bytes the matcher's automata and fallbacks have read in one
// goroutine.
func (m *Matcher) Work() int {
	sc := m.engine.take()
	defer m.engine.give(sc)
	return sc.work
}

// Matches are all matches of one pattern, by the way that its plan says.
func Matches(re *regexp.Regexp, text string) (matches [][]int, whole bool) {
	source := re.String()
	r := &rule{Rule: config.Rule{RuleID: "one", Regex: re}, source: source, regexp: func() *regexp.Regexp { return re }}
	f := newFinder([]*rule{r})
	s, err := f.newSearch(context.Background(), f.newScratch(), text)
	if err != nil {
		return nil, false
	}
	for _, m := range s.matches(0) {
		matches = append(matches, []int{m[0], m[1]})
	}
	return matches, f.plans[0].reason != ""
}
