package inflate

import (
	"encoding/binary"
	"errors"
)

// What can be wrong with a stream.
var (
	ErrCorrupt  = errors.New("not a valid deflate stream")
	ErrHeader   = errors.New("not a valid header of a compressed stream")
	ErrChecksum = errors.New("the checksum of a compressed stream is wrong")
	ErrLong     = errors.New("the stream holds more than was said")
	ErrLess     = errors.New("the stream holds less than was said")
	ErrShort    = errors.New("the stream ends early")
)

// Slack is how much room a destination needs beyond its size: the fast loop
// writes a whole match, in steps of sixteen bytes, before it looks where it is.
const Slack = 320

// MaxRatio is how many bytes deflate can make of one (258 of two bits, and
// what a header costs): a size beyond it is a lie.
const MaxRatio = 1032

// ahead is how much input the fast loop may look at beyond where it stands.
const ahead = 24

// stage is where in a stream a decoder stands.
type stage uint8

const (
	atBlock  stage = iota // before a block
	inStored              // left bytes of a stored block are to come
	inCoded               // in a block of lit and dist
)

// decoder is the state between two bytes of a stream. Its tables are reused;
// it serves one goroutine.
type decoder struct {
	codes     [2]codes // of the block at hand, if it brought its own
	fixed     *[2]codes
	lit, dist *codes
	lengths   [maxLit + maxDist]uint8

	stage stage
	last  bool // the block at hand ends the stream
	left  int

	in    []byte
	pos   int // next byte of in
	limit int // bytes of in that may be used
	buf   uint64
	have  uint // bits in buf

	out  []byte
	at   int // next byte of out
	size int // of out, without its slack
	most int // more than these is ErrLong
	stop int // decoding pauses from here on

	goOnly bool // without assembly, for tests
}

// begin forgets what was decoded before.
func (f *decoder) begin() {
	f.stage, f.last, f.left, f.buf, f.have = atBlock, false, 0, 0, 0
}

// run decodes until the stream ends (done), what came out reaches stop, or what
// was given to be read does not suffice for the next step: ErrShort, with
// nothing lost. Of buf only what belongs to a byte that was begun is kept then.
func (f *decoder) run() (done bool, err error) {
	for !done && err == nil && f.at < f.stop {
		switch f.stage {
		case atBlock:
			done, err = f.block()
		case inStored:
			err = f.stored()
		case inCoded:
			err = f.coded()
		}
	}
	f.pos -= int(f.have >> 3)
	f.have &= 7
	f.buf &= 1<<f.have - 1
	return done, err
}

// mark is a place to return to when a step lacks input.
type mark struct {
	pos, at int
	buf     uint64
	have    uint
}

func (f *decoder) mark() mark { return mark{f.pos, f.at, f.buf, f.have} }

// over reports whether more was used than there is.
func (f *decoder) over() bool { return f.pos-int(f.have>>3) > f.limit }

func (f *decoder) back(m mark) { f.pos, f.at, f.buf, f.have = m.pos, m.at, m.buf, m.have }

// block reads the head of a block.
func (f *decoder) block() (done bool, err error) {
	if f.last {
		return true, nil
	}
	m := f.mark()
	f.fill()
	last, kind := f.buf&1 == 1, f.buf>>1&3
	f.drop(3)
	switch kind {
	case 0:
		err = f.storedHead()
	case 1:
		f.useFixed()
	case 2:
		err = f.tables()
		f.lit, f.dist, f.stage = &f.codes[0], &f.codes[1], inCoded
	default:
		err = ErrCorrupt
	}
	if f.over() { // whatever it looked like
		err = ErrShort
	}
	if err != nil {
		f.back(m)
		f.stage = atBlock
		return false, err
	}
	f.last = last
	return false, nil
}

func (f *decoder) useFixed() {
	if f.fixed == nil {
		f.fixed = &[2]codes{{kind: literals, bits: litBits}, {kind: distances, bits: distBits}}
		f.fixed[0].build(fixedLengths(f.lengths[:0]))
		f.fixed[1].buildFixedDistances()
	}
	f.lit, f.dist, f.stage = &f.fixed[0], &f.fixed[1], inCoded
}

// fill makes at least 56 bits available. Beyond what there is they are zeros, and
// pos counts them: the caller sees that it went too far.
func (f *decoder) fill() {
	if f.pos+8 <= len(f.in) {
		f.buf |= binary.LittleEndian.Uint64(f.in[f.pos:]) << (f.have & 63)
		f.pos += int((63 - f.have) >> 3)
		f.have |= 56
		return
	}
	f.buf &= 1<<(f.have&63) - 1 // an earlier fill may have left more than it counted
	for f.have < 56 {
		if f.pos < len(f.in) {
			f.buf |= uint64(f.in[f.pos]) << f.have
		}
		f.pos++
		f.have += 8
	}
}

func (f *decoder) drop(n uint) {
	f.buf >>= n & 63
	f.have -= n
}

func (f *decoder) storedHead() error {
	f.drop(f.have & 7)
	f.pos -= int(f.have >> 3)
	f.buf, f.have = 0, 0
	if f.pos+4 > f.limit {
		return ErrShort
	}
	f.left = int(binary.LittleEndian.Uint16(f.in[f.pos:]))
	if f.left != int(^binary.LittleEndian.Uint16(f.in[f.pos+2:])) {
		return ErrCorrupt
	}
	f.pos += 4
	f.stage = inStored
	return nil
}

// stored copies what is left of a stored block, as far as it is there.
func (f *decoder) stored() error {
	n := min(f.left, f.limit-f.pos, f.size-f.at)
	copy(f.out[f.at:], f.in[f.pos:f.pos+n])
	f.at, f.pos, f.left = f.at+n, f.pos+n, f.left-n
	switch {
	case f.left == 0:
		f.stage = atBlock
	case f.pos == f.limit:
		return ErrShort
	case f.at >= f.most:
		return ErrLong
	}
	return nil
}

// coded decodes a block up to its end mark, or to stop.
func (f *decoder) coded() error {
	done, err := f.fast()
	for !done && err == nil && f.at < f.stop {
		done, err = f.slow()
	}
	if done {
		f.stage = atBlock
	}
	return err
}

// slow decodes one symbol, with every check.
func (f *decoder) slow() (done bool, err error) {
	m := f.mark()
	f.fill()
	done, err = f.symbol()
	if f.over() {
		f.back(m)
		return false, ErrShort
	}
	return done, err
}

func (f *decoder) symbol() (done bool, err error) {
	e := f.lit.look(f.buf)
	switch {
	case e&entLiteral != 0:
		f.drop(uint(e & 63))
		if f.at >= f.most {
			return false, ErrLong
		}
		f.out[f.at] = byte(e >> 16)
		f.at++
		return false, nil
	case e&entSpecial != 0 && e&entEnd != 0:
		f.drop(uint(e & 63))
		return true, nil
	case e&entSpecial != 0:
		return false, ErrCorrupt
	}
	n := f.value(e)
	f.fill()
	d := f.dist.look(f.buf)
	if d&entSpecial != 0 {
		return false, ErrCorrupt
	}
	far := f.value(d)
	switch {
	case f.over(): // nothing may be written for what was not there
	case far > f.at:
		return false, ErrCorrupt
	case f.at+n > f.most:
		return false, ErrLong
	default:
		match(f.out, f.at, f.at-far, n)
		f.at += n
	}
	return false, nil
}

// value takes a length or a distance: its code and its extra bits.
func (f *decoder) value(e uint32) int {
	v := int(e>>16) + int(f.buf&(1<<(e&63)-1)>>(e>>8&31))
	f.drop(uint(e & 63))
	return v
}
