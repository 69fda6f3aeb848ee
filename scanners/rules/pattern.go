package rules

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// pattern asks whether an expression matches anywhere in a text.
type pattern struct {
	joined string
	lazy   lazyProgram
	slow   func(string) bool
}

func newPattern(list []*regexp.Regexp, slow func(string) bool) *pattern {
	if len(list) == 0 {
		return nil
	}
	sources := make([]string, len(list))
	for i, re := range list {
		sources[i] = re.String()
	}
	// Joined as gitleaks joins: a flag holds for the patterns behind it too.
	return &pattern{joined: "(?:" + strings.Join(sources, "|") + ")", slow: slow}
}

func oneOf(re *regexp.Regexp) []*regexp.Regexp { return []*regexp.Regexp{re} }

// matchesPattern asks package regexp when the pattern is too rich for an automaton.
func (s *scratch) matchesPattern(p *pattern, text string) bool {
	if p == nil || text == "" {
		return false
	}
	a, known := s.patterns[p]
	if !known {
		program := p.lazy.get(func() *syntax.Regexp {
			tree, err := syntax.Parse("(?s:.*?)"+p.joined, syntax.Perl)
			if err != nil { // each of them compiled before
				return &syntax.Regexp{Op: syntax.OpNoMatch}
			}
			return tree
		})
		if program != nil {
			a = newAutomaton(program)
		}
		s.patterns[p] = a
	}
	if a == nil {
		return p.slow(text)
	}
	end, _ := a.match(text, 0, sideEdge, true)
	return end >= 0
}
