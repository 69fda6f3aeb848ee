package rules

import (
	"regexp/syntax"
	"slices"
)

// group is branches whose matches begin with the same lead. Where that stands,
// one automaton for all of them says first whether any may match: mostly none
// does, and is asked no further. Immutable but for the machine.
type group struct {
	members []int // branches, sorted
	gate    lazyMachine
}

// grouped makes the prefilter look for the leads of all branches, and tell of a
// lead that several branches begin with once.
func (f *finder) grouped(builder *prefilterBuilder) {
	type led struct {
		lead
		members []int
	}
	var leads []*led
	byProbe := map[probe]*led{}
	for i, b := range f.branches {
		if b.most > 0 || f.plans[b.plan].alone { // the first begin somewhere before
			builder.add(b.leads, i)
			continue
		}
		for _, l := range b.leads {
			next := l.next
			l.next = byteSet{}
			p := newProbe(l, 0)
			at := byProbe[p]
			if at == nil || len(at.sets) != len(l.sets) || !slices.Equal(at.sets, l.sets) {
				at = &led{lead: l}
				at.next = next
				byProbe[p] = at
				leads = append(leads, at)
			}
			at.next = anyOf(at.next, next)
			if n := len(at.members); n == 0 || at.members[n-1] != i {
				at.members = append(at.members, i)
			}
		}
	}
	for _, l := range leads {
		builder.add([]lead{l.lead}, f.targetOf(l.members))
	}
}

// targetOf is what the prefilter calls some branches: a branch by its number,
// groups by those after.
func (f *finder) targetOf(members []int) int {
	if len(members) == 1 {
		return members[0]
	}
	at := slices.IndexFunc(f.groups, func(g *group) bool { return slices.Equal(g.members, members) })
	if at < 0 {
		at = len(f.groups)
		f.groups = append(f.groups, &group{members: members})
	}
	return len(f.branches) + at
}

// machineOf runs that of all members together.
func (f *finder) machineOf(g *group) *machine {
	return g.gate.get(func() *syntax.Regexp {
		any := &syntax.Regexp{Op: syntax.OpAlternate, Flags: syntax.Perl}
		for _, m := range g.members {
			any.Sub = append(any.Sub, f.branches[m].gated())
		}
		return any
	})
}

// crew is the state of a group in a search.
type crew struct {
	gate  *automaton
	read  int // bytes, of all texts
	spent int // of the text at hand
}

// suspectGroup asks a group's gate about a place, and if it may match there, or
// asking costs much in this text, each of its members. It says what seen does.
func (s *search) suspectGroup(target, at int) no {
	n := target - len(s.branches)
	g, c := s.groups[n], &s.crews[n]
	if c.gate == nil {
		if m := s.machineOf(g); m != nil {
			c.gate = newAutomaton(m)
		}
	}
	costly := c.gate == nil || c.spent > sharing*(at+s.patience) || c.gate.made > 1024+c.read/freshStates
	if !costly {
		read, open := s.asks(c.gate, at)
		s.work += read + 1
		c.read += read + 1
		c.spent += read + 1
		if !open {
			s.answer(target, at, read, false)
			return no{read, c.gate.alike}
		}
	}
	all := no{alike: true}
	for _, m := range g.members {
		n := s.seen(m, at)
		if all.alike = all.alike && n.alike; n.read == unsure || all.read == unsure {
			all.read = unsure
		} else {
			all.read = max(all.read, n.read)
		}
	}
	return all
}
