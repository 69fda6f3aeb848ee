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

// matchesPattern asks package regexp when the pattern is too rich for an automaton.
func (s *scratch) matchesPattern(p *pattern, text string) bool {
	if p == nil || text == "" {
		return false
	}
	a, known := s.patterns[p]
	if !known {
		m := p.lazy.get(func() *syntax.Regexp {
			tree, err := syntax.Parse("(?s:.*?)"+p.joined, syntax.Perl)
			if err != nil { // each of them compiled before
				return &syntax.Regexp{Op: syntax.OpNoMatch}
			}
			return tree
		})
		if m != nil {
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

// lazyRegexp is an expression that is compiled when it is first asked: a hook that
// meets nothing asks few.
type lazyRegexp func() *regexp.Regexp

func lazily(expr string) lazyRegexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// MatchString reports whether the text has a match.
func (l lazyRegexp) MatchString(s string) bool { return l().MatchString(s) }
