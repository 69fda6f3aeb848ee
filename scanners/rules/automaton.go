package rules

import (
	"encoding/binary"
	"math/bits"
	"regexp/syntax"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

const (
	unknown   = 0 // a transition not made yet
	deadState = 1
	// maxAutomaton bounds one machine's tables in bytes; a full one starts
	// over. An ordinary rule needs a few kilobytes.
	maxAutomaton = 1 << 20
	// fewStates is how many states a machine has room for at first.
	fewStates = 8
)

// machine runs a program anchored at one place, by subsets of instructions
// in order of priority, made when they are first met: the same match as
// package regexp's, leftmost-first. All that search share it.
type machine struct {
	*program
	shift uint // a state has 1<<shift transitions, one for each class and some that are none
	now   atomic.Pointer[table]
	size  atomic.Int64 // of the tables, in bytes

	mu sync.Mutex // who makes states
	// Scratch for making one.
	seen   []uint32
	stamp  uint32
	stack  []uint32
	closed []uint32
	moved  []uint32
	key    []byte
}

// table has the transitions of the states there is room for. Another one with
// more room takes its place; what is missing in this one may be there.
type table struct {
	*states
	starts [4]atomic.Uint32 // by what stands before
	// next holds a state's transitions by class: the next state shifted left
	// by one, with the lowest bit set when a match ends before the rune. Read
	// and written atomically.
	next []uint32
}

// states are what tables of more and more room have in common. Guarded by the
// machine.
type states struct {
	all    []state
	ids    map[string]uint32
	joined map[[2]uint32]uint32 // of two states: that of both
}

// state is a subset of instructions in order of priority; assertions are
// still to be asked.
type state struct {
	pcs    []uint32
	before side // unless no assertion asks
	asks   bool // an assertion does
}

// automaton is one searcher's use of a machine. Not for concurrent use.
type automaton struct {
	*machine
	made       int // states that were not there yet when they were needed
	joinedRead int // bytes read by together
}

func newMachine(p *program) *machine {
	m := &machine{program: p, shift: uint(bits.Len(uint(len(p.sample) - 1))), seen: make([]uint32, len(p.inst))}
	m.reset()
	return m
}

func newAutomaton(m *machine) *automaton { return &automaton{machine: m} }

// reset starts over; runs that go on keep the states they have.
func (m *machine) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restart()
}

func (m *machine) restart() *table {
	t := &table{
		states: &states{all: make([]state, deadState+1, fewStates), ids: map[string]uint32{"": deadState}},
		next:   make([]uint32, fewStates<<m.shift),
	}
	clear(t.next)
	for c := range 1 << m.shift {
		t.next[deadState<<m.shift+c] = deadState << 1
	}
	m.size.Store(4 * int64(len(t.next)))
	m.now.Store(t)
	return t
}

// intern finds or makes a state, in the table of now.
func (m *machine) intern(s state) (t *table, id uint32, made bool) {
	t = m.now.Load()
	m.key = append(m.key[:0], byte(s.before))
	for _, pc := range s.pcs {
		m.key = binary.LittleEndian.AppendUint32(m.key, pc)
	}
	if len(s.pcs) == 0 {
		m.key = m.key[:0]
	}
	if id, ok := t.ids[string(m.key)]; ok {
		return t, id, false
	}
	if m.size.Load() > maxAutomaton {
		t = m.restart()
	}
	if room := len(t.next) >> m.shift; room == len(t.all) {
		more := &table{states: t.states, next: make([]uint32, 2*len(t.next))}
		clear(more.next[len(t.next):]) // else pages would be met twice: when they are read, then when they are written
		copy(more.next, t.next)
		for i := range more.starts {
			more.starts[i].Store(t.starts[i].Load())
		}
		m.size.Add(4 * int64(len(t.next)))
		m.now.Store(more)
		t = more
	}
	id = uint32(len(t.all))
	t.all = append(t.all, state{pcs: slices.Clone(s.pcs), before: s.before, asks: s.asks})
	t.ids[string(m.key)] = id
	m.size.Add(int64(9*len(s.pcs) + 64))
	return t, id, true
}

// startState is where runs begin behind something.
func (a *automaton) startState(before side) (*table, uint32) {
	if !a.asserts {
		before = sideEdge
	}
	t := a.now.Load()
	if id := t.starts[before].Load(); id != unknown {
		return t, id
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stamp++
	a.moved = a.follow(a.moved[:0], a.program.start)
	t, id, made := a.intern(a.stateOf(a.moved, before))
	if made {
		a.made++
	}
	t.starts[before].Store(id)
	return t, id
}

func (m *machine) stateOf(pcs []uint32, before side) state {
	s := state{pcs: pcs, before: sideEdge}
	if m.asserts && slices.ContainsFunc(pcs, func(pc uint32) bool { return m.inst[pc].Op == syntax.InstEmptyWidth }) {
		s.before, s.asks = before, true
	}
	return s
}

// follow appends what pc leads to without reading: up to assertions, runes
// and the match.
func (m *machine) follow(dst []uint32, pc uint32) []uint32 {
	m.stack = append(m.stack[:0], pc)
	for len(m.stack) > 0 {
		pc := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if m.seen[pc] == m.stamp {
			continue
		}
		m.seen[pc] = m.stamp
		switch in := &m.inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			m.stack = append(m.stack, in.Arg, in.Out)
		case syntax.InstCapture, syntax.InstNop:
			m.stack = append(m.stack, in.Out)
		case syntax.InstFail:
		default:
			dst = append(dst, pc)
		}
	}
	return dst
}

// close answers the assertions of a state's instructions and reports whether
// a match ends here; what has lower priority than it is gone.
func (m *machine) close(pcs []uint32, flags syntax.EmptyOp) (closed []uint32, matched bool) {
	m.stamp++
	closed = m.closed[:0]
	for _, pc := range pcs {
		m.stack = append(m.stack[:0], pc)
		for len(m.stack) > 0 {
			pc := m.stack[len(m.stack)-1]
			m.stack = m.stack[:len(m.stack)-1]
			if m.seen[pc] == m.stamp {
				continue
			}
			m.seen[pc] = m.stamp
			switch in := &m.inst[pc]; in.Op {
			case syntax.InstAlt, syntax.InstAltMatch:
				m.stack = append(m.stack, in.Arg, in.Out)
			case syntax.InstCapture, syntax.InstNop:
				m.stack = append(m.stack, in.Out)
			case syntax.InstEmptyWidth:
				if syntax.EmptyOp(in.Arg)&^flags == 0 {
					m.stack = append(m.stack, in.Out)
				}
			case syntax.InstMatch:
				m.closed = closed
				return closed, true
			case syntax.InstFail:
			default:
				closed = append(closed, pc)
			}
		}
	}
	m.closed = closed
	return closed, false
}

// step makes a transition of a state of a table. It returns the table to go
// on with.
func (a *automaton) step(t *table, id uint32, class uint8) (*table, uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := int(id)<<a.shift + int(class)
	if now := a.now.Load(); now.states == t.states && now.next[at] != unknown {
		return now, now.next[at]
	}
	from := &t.all[id]
	r := a.sample[class]
	var flags syntax.EmptyOp
	if from.asks {
		flags = syntax.EmptyOpContext(from.before.neighbour(), r)
	}
	closed, matched := a.close(from.pcs, flags)
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
	now, to, made := a.intern(a.stateOf(a.moved, sideOf(r)))
	if made {
		a.made++
	}
	to <<= 1
	if matched {
		to |= 1
	}
	if now.states == t.states {
		atomic.StoreUint32(&now.next[at], to)
	}
	return now, to
}

// match runs from a place. It returns where the match ends, -1 for none, and
// how many bytes were read. With first it stops at any match.
func (a *automaton) match(text string, from int, before side, first bool) (end, read int) {
	table, s := a.startState(before)
	next, shift, ascii := table.next, a.shift, &a.ascii
	end = -1
	i := from
	for i < len(text) && s != deadState {
		var class uint8
		width := 1
		if c := text[i]; c < utf8.RuneSelf {
			class = ascii[c]
		} else {
			var r rune
			r, width = utf8.DecodeRuneInString(text[i:])
			class = a.classOf(r)
		}
		t := atomic.LoadUint32(&next[int(s)<<(shift&63)+int(class)])
		if t == unknown {
			table, t = a.step(table, s, class)
			next = table.next
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
		if _, t := a.after(table, s, uint8(len(a.sample)-1)); t&1 != 0 {
			end = i
		}
	}
	return end, i - from
}

// after is a transition, made if need be.
func (a *automaton) after(t *table, id uint32, class uint8) (*table, uint32) {
	if to := atomic.LoadUint32(&t.next[int(id)<<a.shift+int(class)]); to != unknown {
		return t, to
	}
	return a.step(t, id, class)
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
