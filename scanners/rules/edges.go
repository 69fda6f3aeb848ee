package rules

import (
	"context"
	"regexp/syntax"
	"slices"

	"revenant/scanners"
)

// anchored reports whether a pattern may match at the beginning or the end of a text
// and nowhere near when line ends stand around that text. `^` beside `\s` at the
// pattern's own beginning is not: the line end before will do for it.
func anchored(pattern string) bool {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	return err != nil || anchoredIn(tree, true, true)
}

// anchoredIn is anchored for a part; first and last say that everything before and
// behind it in the pattern can be empty.
func anchoredIn(re *syntax.Regexp, first, last bool) bool {
	switch re.Op {
	case syntax.OpBeginText, syntax.OpEndText:
		return true
	case syntax.OpCapture, syntax.OpQuest:
		return anchoredIn(re.Sub[0], first, last)
	case syntax.OpAlternate:
		line := slices.ContainsFunc(re.Sub, takesLineEnd)
		return slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool {
			switch {
			case line && first && sub.Op == syntax.OpBeginText, line && last && sub.Op == syntax.OpEndText:
				return false
			}
			return anchoredIn(sub, first, last)
		})
	case syntax.OpConcat:
		empty := func(sub *syntax.Regexp) bool {
			least, _ := width(sub)
			return least > 0
		}
		for i, sub := range re.Sub {
			first, last := first && !slices.ContainsFunc(re.Sub[:i], empty), last && !slices.ContainsFunc(re.Sub[i+1:], empty)
			if anchoredIn(sub, first, last) {
				return true
			}
		}
		return false
	default:
		return slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return anchoredIn(sub, false, false) })
	}
}

// takesLineEnd reports whether a part of a pattern matches a line end.
func takesLineEnd(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune) == 1 && re.Rune[0] == '\n'
	case syntax.OpAnyChar:
		return true
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i] <= '\n' && '\n' <= re.Rune[i+1] {
				return true
			}
		}
	case syntax.OpCapture:
		return takesLineEnd(re.Sub[0])
	default:
	}
	return false
}

// relaxed is a pattern that line ends satisfy wherever it asks for the beginning or the
// end of the text.
func relaxed(pattern string) string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil { // it compiled before
		return pattern
	}
	return relax(tree).String()
}

func relax(re *syntax.Regexp) *syntax.Regexp {
	if re.Op == syntax.OpBeginText || re.Op == syntax.OpEndText {
		line := &syntax.Regexp{Op: syntax.OpLiteral, Rune: []rune{'\n'}}
		return &syntax.Regexp{Op: syntax.OpAlternate, Sub: []*syntax.Regexp{re, line}}
	}
	for i, sub := range re.Sub {
		re.Sub[i] = relax(sub)
	}
	return re
}

// newJoined is an engine for many texts at once, with line ends around each. What rules
// find at the edges of a text alone it finds too, and more.
func newJoined(e *engine) *engine {
	var set ruleset
	for _, a := range e.allowlists {
		set.allowlists = append(set.allowlists, a.permit)
	}
	at := false
	for _, r := range e.rules {
		d := *r.definition
		if d.pattern != "" && anchored(d.pattern) {
			at = true
			d = definition{id: d.id, pattern: relaxed(d.pattern), keywords: d.keywords}
			d.outline = newOutline(d.pattern)
		}
		set.rules = append(set.rules, d)
	}
	if !at {
		return e
	}
	return newEngine(set, e.options, e.depth)
}

// Alone implements scanners.Joint: a key store is a whole content.
func (m *Matcher) Alone(text []byte) bool {
	if m.engine.stores == nil || len(text) == 0 {
		return false
	}
	switch text[0] {
	case 0xfe, 0xce, kdbx[0], 0, derSequence: // what key stores begin with
		what, _ := storeOf(string(text))
		return what != noStore
	}
	return false
}

// AppendJoinedHits implements scanners.Joint.
func (m *Matcher) AppendJoinedHits(ctx context.Context, dst []scanners.Hit, c scanners.Chunk, on func(from, to int)) (hits []scanners.Hit, local bool) {
	h := &hanging{joined: true}
	dst = (&Matcher{engine: m.engine.joined()}).appendHits(ctx, dst, c, h)
	for _, e := range h.below {
		on(e.start, e.end)
	}
	return dst, !h.all
}
