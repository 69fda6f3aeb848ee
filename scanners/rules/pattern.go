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

// matchesPattern asks package regexp when the pattern is too rich for an automaton.
func (s *scratch) matchesPattern(p *pattern, text string) bool {
	if p == nil || text == "" {
		return false
	}
	a, known := s.patterns[p]
	if !known {
		if m := p.machine(); m != nil {
			a = newAutomaton(m)
		}
		s.patterns[p] = a
	}
	if a == nil {
		return p.regexp().MatchString(text)
	}
	end, _ := a.match(text, 0, sideEdge, true)
	return end >= 0
}

// expression is one that values and names are held against, compiled when it is first
// asked: a hook that meets nothing asks few.
type expression struct{ pattern *pattern }

// lazily takes an expression that compiles.
func lazily(expr string) expression { return expression{newPattern([]string{expr})} }

// matches reports whether the text has a match. What it is asked is short, and what an
// automaton keeps of it bounded.
func (e expression) matches(text string) bool {
	m := e.pattern.machine()
	if m == nil {
		return e.pattern.regexp().MatchString(text)
	}
	a := automaton{machine: m}
	end, _ := a.match(text, 0, sideEdge, true)
	return end >= 0
}
