package rules

import (
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
