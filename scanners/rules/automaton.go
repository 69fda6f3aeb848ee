package rules

import (
	"encoding/binary"
	"math/bits"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

const (
	unknown   = ^uint32(0) // a transition not made yet
	deadState = 0
	// maxAutomaton bounds one automaton's tables in bytes; a full one starts
	// over. An ordinary rule needs a few kilobytes.
	maxAutomaton = 1 << 20
)

// automaton runs a program anchored at one place, by subsets of instructions
// in order of priority, made when they are first met: the same match as
// package regexp's, leftmost-first. Not for concurrent use.
type automaton struct {
	*program
	shift uint // a state has 1<<shift transitions, one for each class and some that are none
	// next holds a state's transitions by class: the next state shifted left
	// by one, with the lowest bit set when a match ends before the rune.
	next   []uint32
	states []state
	ids    map[string]uint32
	starts [4]uint32
	joined map[[2]uint32]uint32 // of two states: that of both
	size   int
	resets int

	made       int // states that were not there yet when they were needed
	joinedRead int // bytes read by together

	// Scratch for making one state.
	seen   []uint32
	stamp  uint32
	stack  []uint32
	closed []uint32
	moved  []uint32
	key    []byte
}

// state is a subset of instructions in order of priority; assertions are
// still to be asked.
type state struct {
	pcs    []uint32
	before side
}

func newAutomaton(p *program) *automaton {
	a := &automaton{program: p, shift: uint(bits.Len(uint(len(p.sample) - 1))), seen: make([]uint32, len(p.inst))}
	a.reset()
	return a
}

func (a *automaton) reset() {
	a.next = a.next[:0]
	a.states = a.states[:0]
	a.ids = map[string]uint32{}
	a.joined = nil
	a.size = 0
	a.resets++
	for i := range a.starts {
		a.starts[i] = unknown
	}
	a.intern(state{}) // the dead one
	for c := range 1 << a.shift {
		a.next[c] = deadState
	}
}

// intern finds or makes a state.
func (a *automaton) intern(s state) uint32 {
	a.key = append(a.key[:0], byte(s.before))
	for _, pc := range s.pcs {
		a.key = binary.LittleEndian.AppendUint32(a.key, pc)
	}
	if len(s.pcs) == 0 {
		a.key = a.key[:0]
	}
	if id, ok := a.ids[string(a.key)]; ok {
		return id
	}
	if a.size > maxAutomaton {
		pcs := slices.Clone(s.pcs)
		a.reset()
		return a.intern(state{pcs: pcs, before: s.before})
	}
	a.made++
	id := uint32(len(a.states))
	a.states = append(a.states, state{pcs: slices.Clone(s.pcs), before: s.before})
	a.ids[string(a.key)] = id
	for range 1 << a.shift {
		a.next = append(a.next, unknown)
	}
	a.size += 4<<a.shift + 9*len(s.pcs) + 64
	return id
}

func (a *automaton) startState(before side) uint32 {
	if !a.asserts {
		before = sideEdge
	}
	if id := a.starts[before]; id != unknown {
		return id
	}
	a.stamp++
	a.moved = a.follow(a.moved[:0], a.program.start)
	id := a.intern(state{pcs: a.moved, before: before})
	a.starts[before] = id
	return id
}

// follow appends what pc leads to without reading: up to assertions, runes
// and the match.
func (a *automaton) follow(dst []uint32, pc uint32) []uint32 {
	a.stack = append(a.stack[:0], pc)
	for len(a.stack) > 0 {
		pc := a.stack[len(a.stack)-1]
		a.stack = a.stack[:len(a.stack)-1]
		if a.seen[pc] == a.stamp {
			continue
		}
		a.seen[pc] = a.stamp
		switch in := &a.inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			a.stack = append(a.stack, in.Arg, in.Out)
		case syntax.InstCapture, syntax.InstNop:
			a.stack = append(a.stack, in.Out)
		case syntax.InstFail:
		default:
			dst = append(dst, pc)
		}
	}
	return dst
}

// close answers the assertions of a state's instructions and reports whether
// a match ends here; what has lower priority than it is gone.
func (a *automaton) close(pcs []uint32, flags syntax.EmptyOp) (closed []uint32, matched bool) {
	a.stamp++
	closed = a.closed[:0]
	for _, pc := range pcs {
		a.stack = append(a.stack[:0], pc)
		for len(a.stack) > 0 {
			pc := a.stack[len(a.stack)-1]
			a.stack = a.stack[:len(a.stack)-1]
			if a.seen[pc] == a.stamp {
				continue
			}
			a.seen[pc] = a.stamp
			switch in := &a.inst[pc]; in.Op {
			case syntax.InstAlt, syntax.InstAltMatch:
				a.stack = append(a.stack, in.Arg, in.Out)
			case syntax.InstCapture, syntax.InstNop:
				a.stack = append(a.stack, in.Out)
			case syntax.InstEmptyWidth:
				if syntax.EmptyOp(in.Arg)&^flags == 0 {
					a.stack = append(a.stack, in.Out)
				}
			case syntax.InstMatch:
				a.closed = closed
				return closed, true
			case syntax.InstFail:
			default:
				closed = append(closed, pc)
			}
		}
	}
	a.closed = closed
	return closed, false
}

// step makes the transition of state id on a class.
func (a *automaton) step(id uint32, class uint8) uint32 {
	from := a.states[id]
	r := a.sample[class]
	var flags syntax.EmptyOp
	if a.asserts {
		flags = syntax.EmptyOpContext(from.before.neighbour(), r)
	}
	closed, matched := a.close(from.pcs, flags)
	to := state{before: sideEdge}
	a.moved = a.moved[:0]
	if r >= 0 {
		a.stamp++
		for _, pc := range closed {
			if in := &a.inst[pc]; matches(in, r) {
				a.moved = a.follow(a.moved, in.Out)
			}
		}
	}
	for i, pc := range a.moved { // nothing comes after a certain match
		if a.inst[pc].Op == syntax.InstMatch {
			a.moved = a.moved[:i+1]
			break
		}
	}
	if a.asserts {
		to.before = sideOf(r)
	}
	to.pcs = a.moved
	resets := a.resets
	t := a.intern(to) << 1
	if matched {
		t |= 1
	}
	if resets == a.resets {
		a.next[int(id)<<a.shift+int(class)] = t
	}
	return t
}

// match runs from a place. It returns where the match ends, -1 for none, and
// how many bytes were read. With first it stops at any match.
func (a *automaton) match(text string, from int, before side, first bool) (end, read int) {
	s := a.startState(before)
	next, shift := a.next, a.shift
	end = -1
	i := from
	for i < len(text) && s != deadState {
		var class uint8
		width := 1
		if c := text[i]; c < utf8.RuneSelf {
			class = a.ascii[c]
		} else {
			var r rune
			r, width = utf8.DecodeRuneInString(text[i:])
			class = a.classOf(r)
		}
		t := next[int(s)<<(shift&63)+int(class)]
		if t == unknown {
			t = a.step(s, class)
			next = a.next
		}
		if t&1 != 0 {
			end = i
			if first {
				return end, i - from
			}
		}
		s = t >> 1
		i += width
	}
	if s != deadState {
		class := uint8(len(a.sample) - 1)
		t := a.next[int(s)<<a.shift+int(class)]
		if t == unknown {
			t = a.step(s, class)
		}
		if t&1 != 0 {
			end = i
		}
	}
	return end, i - from
}

// sideBefore is what an assertion sees before a place.
func sideBefore(text string, at int) side {
	if at == 0 {
		return sideEdge
	}
	if c := text[at-1]; c < utf8.RuneSelf {
		return sideOf(rune(c))
	}
	return sideOther // no other rune is a newline or a word's
}
