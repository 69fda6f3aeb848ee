package rules

import (
	"slices"
	"unicode/utf8"
)

// Places that are close together and read far are asked together: one run of a
// gate's automaton that is joined by each place on its way says whether any of
// them can match. Where one can, halves are asked.
const (
	// sharing is how many bytes gates read per byte of text, up to a place, before
	// places wait to be asked together.
	sharing = 2
	// patience is how many bytes of text that is counted from at least.
	patience = 4096
	// alone is how many places are few enough to be asked one by one.
	alone = 4
	// together is how many places are asked together at most.
	together = 64
	// freshStates is one in how many bytes read may need a state that is new
	// before asking together is given up for a branch: patterns that count can
	// need one for each.
	freshStates = 32
)

// wait keeps a place for askTogether when its plan has read much.
func (s *search) wait(target, at int) bool {
	if s.spent[s.branches[target].plan] <= sharing*(at+s.patience) {
		return false
	}
	if len(s.crowds[target]) == 0 {
		s.crowded = append(s.crowded, target)
	}
	s.crowds[target] = append(s.crowds[target], at)
	return true
}

// askTogether asks about the places that were kept.
func (s *search) askTogether() {
	for _, target := range s.crowded {
		places := s.crowds[target]
		slices.Sort(places)
		s.ask(target, slices.Compact(places))
		s.crowds[target] = places[:0]
	}
	s.crowded = s.crowded[:0]
}

// ask asks a branch's gate about sorted places.
func (s *search) ask(target int, places []int) {
	plan := s.branches[target].plan
	for len(places) > 0 && s.spent[plan] >= 0 {
		a := s.joining(target)
		if a == nil || a.made > 1024+a.joinedRead/freshStates {
			for _, at := range places {
				s.askAlone(target, at)
			}
			return
		}
		n, read, open := a.together(s.text, places)
		a.joinedRead += read
		s.spend(plan, read+1)
		switch {
		case !open:
			for _, at := range places[:n] {
				s.answer(target, at, places[0]+read-at, false)
			}
		case n <= alone:
			for _, at := range places[:n] {
				s.askAlone(target, at)
			}
		default:
			s.ask(target, places[:n/2])
			s.ask(target, places[n/2:n])
		}
		places = places[n:]
	}
}

// joining is the automaton that asks about a branch's places together; its
// states are kept apart from the gate's.
func (s *search) joining(target int) *automaton {
	if s.joiners[target] == nil {
		m := s.branches[target].machine()
		if m == nil {
			return nil
		}
		s.joiners[target] = newAutomaton(newMachine(m.program))
	}
	return s.joiners[target]
}

// together runs from the first of some sorted places and is joined by the others
// that it meets. It returns how many those were with the first, how many bytes
// were read, and whether one of them may match: if not, none of them does.
func (a *automaton) together(text string, places []int) (n, read int, open bool) {
	i, last := places[0], places[0]
	table, s := a.startState(sideBefore(text, i))
	n = 1
	for i < len(text) && s != deadState {
		if n < len(places) && n < together && places[n] <= i {
			if places[n] < i { // inside a rune: nobody can join there
				return n, i - places[0], true
			}
			other, start := a.startState(sideBefore(text, i))
			table, s = a.join(table, s, other, start)
			n++
			last = i
		}
		if i-last >= far { // one of them goes on
			return n, i - places[0], true
		}
		var class uint8
		width := 1
		if c := text[i]; c < utf8.RuneSelf {
			class = a.ascii[c]
		} else {
			var r rune
			r, width = utf8.DecodeRuneInString(text[i:])
			class = a.classOf(r)
		}
		var t uint32
		if table, t = a.after(table, s, class); t&1 != 0 {
			return n, i - places[0], true
		}
		s = t >> 1
		i += width
	}
	if s != deadState {
		_, t := a.after(table, s, uint8(len(a.sample)-1))
		open = t&1 != 0
	}
	return n, i - places[0], open
}

// join is the state of two runs at one place, each with its table.
func (a *automaton) join(one *table, s uint32, other *table, t uint32) (*table, uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := [2]uint32{s, t}
	now := a.now.Load()
	lasting := now.states == one.states && now.states == other.states
	if id, has := now.joined[key]; has && lasting {
		return now, id
	}
	from, with := &one.all[s], &other.all[t]
	before := from.before // the same for both, where one asks
	if !from.asks {
		before = with.before
	}
	a.stamp++
	pcs := slices.Clone(from.pcs)
	for _, pc := range pcs {
		a.seen[pc] = a.stamp
	}
	for _, pc := range with.pcs {
		if a.seen[pc] != a.stamp {
			pcs = append(pcs, pc)
		}
	}
	to, id, made := a.intern(a.stateOf(pcs, before))
	if made {
		a.made++
	}
	if lasting && to.states == now.states {
		if to.joined == nil {
			to.joined = map[[2]uint32]uint32{}
		}
		to.joined[key] = id
		a.size.Add(16)
	}
	return to, id
}
