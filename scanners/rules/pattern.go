package rules

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// pattern asks whether one of some expressions matches anywhere in a text.
type pattern struct {
	joined string
	lazy   lazyMachine
	regexp func() *regexp.Regexp // compiled when first needed
}

// newPattern joins expressions that compile as gitleaks joins them: a flag
// holds for the patterns behind it too. Nil for none.
func newPattern(sources []string) *pattern {
	if len(sources) == 0 {
		return nil
	}
	joined := "(?:" + strings.Join(sources, "|") + ")"
	return &pattern{joined: joined, regexp: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(joined) })}
}

// machine runs the pattern from wherever in a text; nil for one that is too rich for an
// automaton.
func (p *pattern) machine() *machine {
	return p.lazy.get(func() *syntax.Regexp {
		tree, err := syntax.Parse("(?s:.*?)"+p.joined, syntax.Perl)
		if err != nil { // each of them compiled before
			return &syntax.Regexp{Op: syntax.OpNoMatch}
		}
		return tree
	})
}

// matchesPattern asks a pattern of the configuration, if there is one.
func (s *scratch) matchesPattern(p *pattern, text string) bool {
	if p == nil || text == "" {
		return false
	}
	if _, known := s.patterns[p]; !known { // its tables are looked at
		if m := p.machine(); m != nil {
			s.patterns[p] = newAutomaton(m)
		} else {
			s.patterns[p] = nil
		}
	}
	return p.matches(text)
}

// lazily is a pattern that values and names are held against, of an expression that
// compiles. It is made when it is first asked: a hook that meets nothing asks few.
func lazily(expr string) *pattern { return newPattern([]string{expr}) }

// matches reports whether the text has a match. What an automaton keeps of it is bounded.
func (p *pattern) matches(text string) bool {
	m := p.machine()
	if m == nil {
		return p.regexp().MatchString(text)
	}
	a := automaton{machine: m}
	end, _ := a.match(text, 0, sideEdge, true)
	return end >= 0
}
