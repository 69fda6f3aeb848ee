package objects

import (
	"encoding/binary"
	"errors"
)

// What can be wrong with a stream. Callers see them as a Reason.
var (
	errStream = errors.New("not a valid zlib stream")
	errShort  = errors.New("the stream ends early")
	errLong   = errors.New("the stream holds more than was said")
	errLess   = errors.New("the stream holds less than was said")
)

// slack is how much room a destination needs beyond its size: the fast loop
// writes a whole match, in steps of eight bytes, before it looks where it is.
const slack = 272

// maxRatio is how many bytes deflate can make of one (258 of two bits, and
// what a header costs): a size beyond it is a lie.
const maxRatio = 1032

// ahead is how much input the fast loop may look at beyond where it stands.
const ahead = 16

// inflater decodes zlib streams (RFC 1950, 1951) from one slice into another:
// the sizes of git's objects are known, so no window is kept and nothing is
// copied twice. Its tables are reused; it serves one goroutine.
type inflater struct {
	lit, dist         codes
	fixedLit, fixDist codes
	lengths           [maxLit + maxDist]uint8

	in    []byte
	pos   int // next byte of in
	limit int // bytes of in that belong to the stream
	buf   uint64
	have  uint // bits in buf
	out   []byte
	at    int // next byte of out
}

func newInflater() *inflater {
	f := &inflater{}
	f.lit.kind, f.lit.bits = literals, litBits
	f.dist.kind, f.dist.bits = distances, distBits
	f.fixedLit, f.fixDist = f.lit, f.dist
	f.fixedLit.build(fixedLengths(f.lengths[:0]))
	var five [30]uint8
	for i := range five {
		five[i] = 5
	}
	f.fixDist.buildFixedDistances(five[:])
	return f
}

// inflate decodes the zlib stream at the start of in, which must fill dst to
// its length; dst has slack bytes of capacity beyond. It returns how many bytes
// the stream has, its checksum included. Bytes of in beyond limit may be looked
// at, but are no part of the stream.
func (f *inflater) inflate(dst, in []byte, limit int) (int, error) {
	n, used, err := f.decode(dst, in, limit)
	if err == nil && n < len(dst) {
		err = errLess
	}
	return used, err
}

// decode is inflate for a stream that makes dst full or less: it returns how
// much it made. With an error that many bytes are right.
func (f *inflater) decode(dst, in []byte, limit int) (n, used int, err error) {
	limit = min(limit, len(in))
	if limit < 6 {
		return 0, 0, errShort
	}
	head := uint(in[0])<<8 | uint(in[1])
	if in[0]&0xf != 8 || in[0]>>4 > 7 || head%31 != 0 || in[1]&0x20 != 0 {
		return 0, 0, errStream
	}
	size := len(dst)
	f.in, f.pos, f.limit, f.buf, f.have = in, 2, limit-4, 0, 0
	f.out, f.at = dst[:size+slack], 0
	err = f.blocks(size)
	f.in, f.out = nil, nil
	used = f.pos - int(f.have>>3)
	if err == nil && used > f.limit {
		err = errShort
	}
	return min(f.at, size), used + 4, err
}

func (f *inflater) blocks(size int) error {
	for {
		f.fill()
		final, kind := f.buf&1, f.buf>>1&3
		f.drop(3)
		var err error
		switch kind {
		case 0:
			err = f.stored(size)
		case 1:
			err = f.coded(&f.fixedLit, &f.fixDist, size)
		case 2:
			if err = f.tables(); err == nil {
				err = f.coded(&f.lit, &f.dist, size)
			}
		default:
			err = errStream
		}
		if err != nil {
			return err
		}
		if f.pos-int(f.have>>3) > f.limit {
			return errShort
		}
		if final == 1 {
			return nil
		}
	}
}

// fill makes at least 56 bits available. Beyond the stream they are zeros, and
// pos counts them: the caller sees that it went too far.
func (f *inflater) fill() {
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

func (f *inflater) drop(n uint) {
	f.buf >>= n & 63
	f.have -= n
}

func (f *inflater) stored(size int) error {
	f.drop(f.have & 7)
	f.pos -= int(f.have >> 3)
	f.buf, f.have = 0, 0
	if f.pos+4 > f.limit {
		return errShort
	}
	n := int(binary.LittleEndian.Uint16(f.in[f.pos:]))
	if n != int(^binary.LittleEndian.Uint16(f.in[f.pos+2:])) {
		return errStream
	}
	f.pos += 4
	var err error
	if left := f.limit - f.pos; n > left { // what is there is still right
		n, err = left, errShort
	}
	if left := size - f.at; n > left {
		n, err = left, errLong
	}
	copy(f.out[f.at:], f.in[f.pos:f.pos+n])
	f.at += n
	f.pos += n
	return err
}

// coded decodes a block up to its end mark.
func (f *inflater) coded(lit, dist *codes, size int) error {
	done, err := f.fast(lit, dist, size)
	for !done && err == nil {
		done, err = f.slow(lit, dist, size)
	}
	return err
}

// slow decodes one symbol, with every check.
func (f *inflater) slow(lit, dist *codes, size int) (done bool, err error) {
	f.fill()
	if f.pos-int(f.have>>3) > f.limit {
		return false, errShort
	}
	e := lit.look(f.buf)
	if e&entLiteral != 0 {
		if f.at >= size {
			return false, errLong
		}
		f.out[f.at] = byte(e >> 16)
		f.at++
		f.drop(uint(e & 63))
		return false, nil
	}
	if e&entSpecial != 0 {
		f.drop(uint(e & 63))
		if e&entEnd == 0 {
			return false, errStream
		}
		return true, nil
	}
	n := int(e>>16&0x3fff) + int(f.buf&(1<<(e&63)-1)>>(e>>8&31))
	f.drop(uint(e & 63))
	f.fill()
	d := dist.look(f.buf)
	if d&entSpecial != 0 {
		return false, errStream
	}
	far := int(d>>16) + int(f.buf&(1<<(d&63)-1)>>(d>>8&31))
	f.drop(uint(d & 63))
	switch {
	case far > f.at:
		return false, errStream
	case f.at+n > size:
		return false, errLong
	}
	match(f.out, f.at, f.at-far, n)
	f.at += n
	return false, nil
}

// match copies n bytes within out, in steps of eight where they do not overlap
// within one: there is slack behind them.
func match(out []byte, at, from, n int) {
	if at-from >= 8 {
		src, dst := out[from:], out[at:at+n+8]
		for i := 0; i < n; i += 8 {
			binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(src[i:]))
		}
		return
	}
	for i := range n {
		out[at+i] = out[from+i]
	}
}

// fast decodes symbols while there is room on both sides for the longest; what
// is left is slow's.
func (f *inflater) fast(lit, dist *codes, size int) (done bool, err error) { //nolint:funlen // one hot loop that keeps its state in registers
	in, out := f.in, f.out
	pos, at, buf, have := f.pos, f.at, f.buf, f.have
	end := min(f.limit, len(in)-ahead)
	for pos <= end && at <= size {
		buf |= binary.LittleEndian.Uint64(in[pos:]) << (have & 63)
		pos += int((63 - have) >> 3)
		have |= 56

		e := lit.table[buf&(1<<litBits-1)]
		lits := 0
		for e&entLiteral != 0 && lits < 3 { // as many as one fill has bits for
			out[at] = byte(e >> 16)
			at++
			lits++
			buf >>= e & 63
			have -= uint(e & 63)
			e = lit.table[buf&(1<<litBits-1)]
		}
		if lits == 3 {
			continue
		}
		if lits > 0 { // they took 20 bits, a length takes 20, a distance 28
			buf |= binary.LittleEndian.Uint64(in[pos:]) << (have & 63)
			pos += int((63 - have) >> 3)
			have |= 56
		}
		if e&entSpecial != 0 {
			if e&entSub != 0 {
				e = lit.sub(e, buf)
			}
			if e&entLiteral != 0 {
				out[at] = byte(e >> 16)
				at++
				buf >>= e & 63
				have -= uint(e & 63)
				continue
			}
			if e&entSpecial != 0 {
				buf >>= e & 63
				have -= uint(e & 63)
				done = e&entEnd != 0
				if !done {
					err = errStream
				}
				break
			}
		}
		n := int(e>>16&0x3fff) + int(buf&(1<<(e&63)-1)>>(e>>8&31))
		buf >>= e & 63
		have -= uint(e & 63)

		d := dist.table[buf&(1<<distBits-1)]
		if d&entSpecial != 0 {
			if d&entSub != 0 {
				d = dist.sub(d, buf)
			}
			if d&entSpecial != 0 {
				err = errStream
				break
			}
		}
		far := int(d>>16) + int(buf&(1<<(d&63)-1)>>(d>>8&31))
		buf >>= d & 63
		have -= uint(d & 63)
		from := at - far
		if from < 0 || at > size {
			err = errStream
			break
		}
		match(out, at, from, n)
		at += n
	}
	f.pos, f.at, f.buf, f.have = pos, at, buf, have
	if err == nil && at > size {
		err = errLong
	}
	return done, err
}
