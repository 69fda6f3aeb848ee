package inflate

import "golang.org/x/sys/cpu"

// state is what the assembly works on.
type state struct {
	in        *byte // all of it
	pos, end  int   // the next byte, and where a step may begin at the latest
	out       *byte
	at, size  int // the same of what comes out
	buf, have uint64
	lit, dist *uint32
	status    int
}

// What decodeBMI2 stopped for.
const (
	paused = iota // behind end or size
	ended         // the block's end mark
	broken
)

// decodeBMI2 decodes symbols of one block until it stands behind end or behind
// size, where it may not begin. From end on ahead bytes can be read, of which a
// step reads 22 at the most; from size on Slack bytes be written, and a step
// writes 275.
//
//go:noescape
func decodeBMI2(s *state)

// vector is fast in assembly; it reports whether there is any for this machine.
// There must be a step to do.
func (f *decoder) vector(done *bool, err *error) bool {
	if !cpu.X86.HasBMI2 || f.goOnly {
		return false
	}
	end := min(f.limit, len(f.in)-ahead)
	_, _ = f.in[:end+ahead], f.out[:f.size+Slack]
	s := state{
		in: &f.in[0], pos: f.pos, end: end, out: &f.out[0], at: f.at, size: f.size,
		buf: f.buf, have: uint64(f.have), lit: &f.lit.table[0], dist: &f.dist.table[0],
	}
	decodeBMI2(&s)
	f.pos, f.at, f.buf, f.have = s.pos, s.at, s.buf, uint(s.have)
	switch s.status {
	case ended:
		*done = true
	case broken:
		*err = ErrCorrupt
	}
	return true
}
