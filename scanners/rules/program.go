package rules

import (
	"regexp/syntax"
	"slices"
	"unicode"
)

// program is a pattern compiled for automaton: regexp/syntax's instructions
// and an alphabet of rune classes that they cannot tell apart. Immutable.
type program struct {
	inst    []syntax.Inst
	start   uint32
	asserts bool       // it looks at the neighbours of a place
	bounds  []rune     // where a class begins, sorted, from 0
	class   []uint8    // of the runes from bounds[i] to bounds[i+1]
	ascii   [128]uint8 // class of each
	sample  []rune     // one rune of each class; the last class is the end of the text
	alike   bool       // all digits are of one class
}

// maxClasses keeps a class in a byte.
const maxClasses = 250

// newProgram compiles a simplified tree. It fails on patterns whose alphabet
// is too rich for a table.
func newProgram(re *syntax.Regexp) (*program, bool) {
	prog, err := syntax.Compile(re)
	if err != nil {
		return nil, false
	}
	p := &program{inst: prog.Inst, start: uint32(prog.Start)}
	asks := p.distinct()
	p.bounds = p.boundaries(asks)
	bySignature := map[string]uint8{}
	signature := make([]byte, len(asks)/8+2)
	for _, r := range p.bounds {
		clear(signature)
		for i, in := range asks {
			if matches(in, r) {
				signature[i/8] |= 1 << (i % 8)
			}
		}
		if p.asserts {
			signature[len(signature)-1] = byte(sideOf(r))
		}
		id, known := bySignature[string(signature)]
		if !known {
			if len(p.sample) == maxClasses {
				return nil, false
			}
			id = uint8(len(p.sample))
			bySignature[string(signature)] = id
			p.sample = append(p.sample, r)
		}
		p.class = append(p.class, id)
	}
	for c := range p.ascii {
		p.ascii[c] = p.classOf(rune(c))
	}
	p.sample = append(p.sample, -1)
	p.alike = true
	for c := '0'; c <= '9'; c++ {
		p.alike = p.alike && p.ascii[c] == p.ascii['0']
	}
	return p, true
}

// distinct are the instructions that consume a rune, each set of runes once: a
// repetition has its instruction many times. It notes whether there are
// assertions.
func (p *program) distinct() []*syntax.Inst {
	type set struct {
		op    syntax.InstOp
		arg   uint32 // folded or not
		first *rune
		one   rune
		runes int
	}
	seen := map[set]bool{}
	var out []*syntax.Inst
	for i := range p.inst {
		in := &p.inst[i]
		if in.Op == syntax.InstEmptyWidth {
			p.asserts = true
		}
		if !consumes(in.Op) {
			continue
		}
		s := set{op: in.Op, arg: in.Arg, runes: len(in.Rune)}
		if s.runes == 1 {
			s.one = in.Rune[0]
		} else if s.runes > 1 { // copies share their runes
			s.first = &in.Rune[0]
		}
		if !seen[s] {
			seen[s] = true
			out = append(out, in)
		}
	}
	return out
}

func consumes(op syntax.InstOp) bool {
	switch op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	default:
		return false
	}
}

func matches(in *syntax.Inst, r rune) bool {
	switch in.Op {
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return r != '\n'
	case syntax.InstRune1:
		return r == in.Rune[0]
	default:
		return in.MatchRune(r)
	}
}

// boundaries are the runes at which some instruction or assertion changes its
// mind.
func (p *program) boundaries(asks []*syntax.Inst) []rune {
	edges := []rune{0}
	between := func(lo, hi rune) { edges = append(edges, lo, hi+1) }
	for _, in := range asks {
		switch in.Op {
		case syntax.InstRuneAnyNotNL:
			between('\n', '\n')
		case syntax.InstRune1:
			between(in.Rune[0], in.Rune[0])
		case syntax.InstRune:
			if len(in.Rune) == 1 {
				between(in.Rune[0], in.Rune[0])
				for f := unicode.SimpleFold(in.Rune[0]); f != in.Rune[0]; f = unicode.SimpleFold(f) {
					between(f, f)
				}
				continue
			}
			for j := 0; j+1 < len(in.Rune); j += 2 {
				between(in.Rune[j], in.Rune[j+1])
			}
		default:
		}
	}
	if p.asserts {
		between('\n', '\n')
		between('0', '9')
		between('A', 'Z')
		between('_', '_')
		between('a', 'z')
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	for len(edges) > 1 && edges[len(edges)-1] > unicode.MaxRune {
		edges = edges[:len(edges)-1]
	}
	return edges
}

// fewBounds is how many classes of other runes than ASCII are looked through one
// by one.
const fewBounds = 16

func (p *program) classOf(r rune) uint8 {
	for n := len(p.bounds) - 1; n >= max(0, len(p.bounds)-fewBounds); n-- {
		if p.bounds[n] <= r {
			return p.class[n]
		}
	}
	i, exact := slices.BinarySearch(p.bounds, r)
	if !exact {
		i--
	}
	return p.class[i]
}

// side is what an assertion can know of a neighbouring rune.
type side uint8

const (
	sideEdge side = iota // there is none
	sideNewline
	sideWord
	sideOther
)

func sideOf(r rune) side {
	switch {
	case r < 0:
		return sideEdge
	case r == '\n':
		return sideNewline
	case syntax.IsWordChar(r):
		return sideWord
	default:
		return sideOther
	}
}

// neighbour is a rune of the kind.
func (c side) neighbour() rune {
	switch c {
	case sideNewline:
		return '\n'
	case sideWord:
		return 'a'
	case sideOther:
		return ' '
	default:
		return -1
	}
}
