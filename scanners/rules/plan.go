package rules

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxBefore is how many runes may stand between a match's start and the place
// that the prefilter looks for.
const maxBefore = 512

// rare is a share of places that is small enough not to look for a smaller one.
const rare = 1e-4

// outline is how one pattern is looked for, as data.
type outline struct {
	branches []branchOutline
	reason   string // not empty: the whole content is read, and why
}

// branchOutline is one way that a pattern can match: something of bounded
// length, then a part whose leads are rare.
type branchOutline struct {
	alternative, part int // of the pattern: where the leads begin
	leads             []lead
	before            []rune // ranges of what may stand between the match's start and the leads
	least             int    // runes before
	most              int
}

// plan is how one rule's pattern is looked for. Immutable but for machines
// made when they are first needed.
type plan struct {
	*outline
	branches []*branch
	guarded  bool // it has keywords
	placed   bool // it is for some paths alone
	alone    bool // where its leads stand it mostly matches: no group is asked for it
	// announced plans read nothing unless the prefilter saw a keyword.
	announced bool
	dotted    bool // unless one has an i, which a rune outside ASCII may stand for
	tree      func() *syntax.Regexp
	opening   func() *opening // of one that has no leads
	exact     lazyMachine
}

// branch is a branch of a plan.
type branch struct {
	*branchOutline
	plan   int
	tree   func() *syntax.Regexp // of the whole pattern
	before runeSet
	gate   lazyMachine
}

// lazyMachine is compiled at the first use.
type lazyMachine struct {
	once sync.Once
	m    *machine
}

func (l *lazyMachine) get(tree func() *syntax.Regexp) *machine {
	l.once.Do(func() {
		if p, ok := newProgram(tree().Simplify()); ok {
			l.m = newMachine(p)
		}
	})
	return l.m
}

// runeSet is a set of runes as sorted ranges, with a table for ASCII.
type runeSet struct {
	ascii  [utf8.RuneSelf]bool
	digits bool // it has one of ASCII's
	ranges []rune
}

func newRuneSet(ranges []rune) runeSet {
	s := runeSet{}
	for i := 0; i+1 < len(ranges); i += 2 {
		for c := ranges[i]; c <= ranges[i+1] && c < utf8.RuneSelf; c++ {
			s.ascii[c] = true
			s.digits = s.digits || c >= '0' && c <= '9'
		}
		if ranges[i+1] >= utf8.RuneSelf {
			s.ranges = append(s.ranges, ranges[i], ranges[i+1])
		}
	}
	return s
}

func (s *runeSet) has(r rune) bool {
	if r < utf8.RuneSelf {
		return s.ascii[r]
	}
	for i := 0; i < len(s.ranges); i += 2 {
		if s.ranges[i] <= r && r <= s.ranges[i+1] {
			return true
		}
	}
	return false
}

// newOutline derives how a pattern is looked for.
func newOutline(pattern string) outline {
	var o outline
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil { // it compiled before
		return outline{reason: "the pattern cannot be taken apart"}
	}
	var cost float64
	for i, alternative := range alternatives(tree) {
		b, c := bestBranch(flattened(alternative))
		if b == nil {
			return outline{reason: "it may begin with anything"}
		}
		b.alternative = i
		o.branches = append(o.branches, *b)
		cost += c
	}
	if cost > tolerable {
		return outline{reason: "what it begins with is everywhere"}
	}
	return o
}

func newPlan(index int, d *definition) *plan {
	p := &plan{outline: &d.outline, guarded: len(d.keywords) > 0, placed: d.path != ""}
	p.tree = sync.OnceValue(func() *syntax.Regexp {
		tree, err := syntax.Parse(d.pattern, syntax.Perl)
		if err != nil { // it compiled before
			return &syntax.Regexp{Op: syntax.OpNoMatch}
		}
		return tree
	})
	p.opening = sync.OnceValue(func() *opening { return newOpening(p.tree()) })
	for i := range d.outline.branches {
		b := &d.outline.branches[i]
		p.branches = append(p.branches, &branch{branchOutline: b, plan: index, tree: p.tree, before: newRuneSet(b.before)})
	}
	return p
}

// alternatives are the ways to match that are looked for apart.
func alternatives(re *syntax.Regexp) []*syntax.Regexp {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	if re.Op == syntax.OpAlternate {
		return re.Sub
	}
	return []*syntax.Regexp{re}
}

// bestBranch chooses from which part on the leads are rarest.
func bestBranch(parts []*syntax.Regexp) (best *branchOutline, cost float64) {
	least, most, first := 0, 0, 0
	var before []rune
	for i := range parts {
		ls := leads(&syntax.Regexp{Op: syntax.OpConcat, Sub: parts[i:]})
		if c := leadsCost(ls); c < 1 && (best == nil || c < 0.5*cost) {
			best, cost, first = &branchOutline{part: i, leads: ls, least: least, most: most}, c, i
		}
		lo, hi := width(parts[i])
		least, most = least+lo, most+hi
		if most > maxBefore || best != nil && cost < rare {
			break
		}
	}
	if best == nil {
		return nil, 1
	}
	for _, part := range parts[:first] {
		before = addRunes(before, part)
	}
	best.before = joinedRanges(before)
	return best, cost
}

// alien reports whether no match goes on to the leads that stand behind a byte. All
// digits are alike.
func (b *branch) alien(c byte) bool {
	return b.least > 0 && c < utf8.RuneSelf && !b.before.ascii[c] && !(c >= '0' && c <= '9' && b.before.digits)
}

// machine runs the whole pattern.
func (p *plan) machine() *machine { return p.exact.get(p.tree) }

// machine runs the part from the leads on.
func (b *branch) machine() *machine {
	return b.gate.get(b.gated)
}

// gated is the part of the pattern from the leads on, eased.
func (b *branch) gated() *syntax.Regexp {
	parts := flattened(alternatives(b.tree())[b.alternative])[b.part:]
	return eased(&syntax.Regexp{Op: syntax.OpConcat, Sub: parts, Flags: syntax.Perl})
}

// Bounds of what gates count.
const (
	countedTo = 24 // a rune may repeat so often at most, or as often as it likes
	insistsOn = 8  // then it has to repeat so often
)

// eased is a pattern that matches wherever the given one does, with a program that
// is smaller by far: a rune that may repeat hundreds of times makes hundreds of
// instructions. A gate may say yes too often; the pattern itself decides.
func eased(re *syntax.Regexp) *syntax.Regexp {
	if len(re.Sub) == 0 {
		return re
	}
	out := *re
	if re.Op == syntax.OpRepeat && re.Max > countedTo && len(re.Sub[0].Sub) == 0 {
		out.Min, out.Max = min(re.Min, insistsOn), -1
		return &out
	}
	out.Sub = make([]*syntax.Regexp, len(re.Sub))
	for i, sub := range re.Sub {
		out.Sub[i] = eased(sub)
	}
	return &out
}

// starts are the first and the last place where a match can start whose
// leads stand at a place. None is left out; some may be no starts.
func (b *branch) starts(text string, at int) (first, last int) {
	if b.most == 0 {
		return at, at
	}
	first = at
	for range b.most {
		r, width := utf8.DecodeLastRuneInString(text[:first])
		if width == 0 || !b.before.has(r) {
			break
		}
		first -= width
	}
	return first, at - b.least
}

// explain says in a line how the rule is looked for.
func (p *plan) explain() string {
	if p.reason != "" {
		when := ""
		if p.guarded {
			when = " when it has a keyword"
		}
		if o := p.opening(); o != nil {
			return fmt.Sprintf("looks in the whole content%s for at least %d characters of those that it begins with", when, o.least)
		}
		return fmt.Sprintf("reads the whole content%s: %s", when, p.reason)
	}
	var b strings.Builder
	for i, br := range p.branches {
		if i > 0 {
			b.WriteString("; or ")
		}
		fmt.Fprintf(&b, "looks for %s", describe(br.leads))
		if br.most > 0 {
			fmt.Fprintf(&b, " after %d to %d characters", br.least, br.most)
		}
	}
	return b.String()
}

// describe writes leads down, at most four.
func describe(ls []lead) string {
	var out []string
	for _, l := range ls {
		var b strings.Builder
		for i := range l.sets {
			b.WriteString(describeSet(&l.sets[i]))
		}
		if s := b.String(); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > 4 {
		out = append(out[:4], fmt.Sprintf("%d more", len(out)-4))
	}
	return strings.Join(out, ", ")
}

func describeSet(set *byteSet) string {
	if c, _, ok := set.letter(); ok {
		return string(rune(c))
	}
	return "?"
}
