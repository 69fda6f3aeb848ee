package objects

import (
	"encoding/binary"
	"errors"
	"math/bits"
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
	f.repeat(n, far)
	return false, nil
}

// repeat copies a match; out has slack.
func (f *inflater) repeat(n, far int) {
	out, at := f.out, f.at
	f.at += n
	from := at - far
	if far >= n {
		copy(out[at:at+n], out[from:])
		return
	}
	for ; n > 0; n-- {
		out[at] = out[from]
		at++
		from++
	}
}

// fast decodes symbols while there is room on both sides for the longest; what
// is left is slow's.
func (f *inflater) fast(lit, dist *codes, size int) (done bool, err error) {
	in, out := f.in, f.out
	pos, at, buf, have := f.pos, f.at, f.buf, f.have
	end := min(f.limit, len(in)-ahead)
	for pos <= end && at <= size {
		buf |= binary.LittleEndian.Uint64(in[pos:]) << (have & 63)
		pos += int((63 - have) >> 3)
		have |= 56

		e := lit.table[buf&(1<<litBits-1)]
		if e&entLiteral != 0 { // up to three of them in one fill
			out[at] = byte(e >> 16)
			at++
			buf >>= e & 63
			have -= uint(e & 63)
			e = lit.table[buf&(1<<litBits-1)]
			if e&entLiteral != 0 {
				out[at] = byte(e >> 16)
				at++
				buf >>= e & 63
				have -= uint(e & 63)
				e = lit.table[buf&(1<<litBits-1)]
				if e&entLiteral != 0 {
					out[at] = byte(e >> 16)
					at++
					buf >>= e & 63
					have -= uint(e & 63)
					continue
				}
			}
			// Two literals took 20 bits, a length takes 20, a distance 28.
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
		if far >= 8 {
			src, dst := out[from:], out[at:at+n+8]
			for i := 0; i < n; i += 8 {
				binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(src[i:]))
			}
		} else {
			for i := range n {
				out[at+i] = out[from+i]
			}
		}
		at += n
	}
	f.pos, f.at, f.buf, f.have = pos, at, buf, have
	if err == nil && at > size {
		err = errLong
	}
	return done, err
}

// tables reads the codes of a dynamic block.
func (f *inflater) tables() error {
	f.fill()
	nlit, ndist, nlen := int(f.buf&31)+257, int(f.buf>>5&31)+1, int(f.buf>>10&15)+4
	f.drop(14)
	if nlit > maxLit || ndist > maxDist {
		return errStream
	}
	var lens [19]uint8
	for i := range nlen {
		if f.have < 3 {
			f.fill()
		}
		lens[lengthOrder[i]] = uint8(f.buf & 7)
		f.drop(3)
	}
	var pre preCodes
	if !pre.build(lens[:]) {
		return errStream
	}
	if err := f.readLengths(&pre, nlit+ndist); err != nil {
		return err
	}
	all := f.lengths[:nlit+ndist]
	if all[256] == 0 || !f.lit.build(all[:nlit]) || !f.dist.build(all[nlit:]) {
		return errStream
	}
	return nil
}

func (f *inflater) readLengths(pre *preCodes, total int) error {
	for i := 0; i < total; {
		if f.have < 14 {
			f.fill()
			if f.pos-int(f.have>>3) > f.limit {
				return errShort
			}
		}
		e := pre.table[f.buf&(1<<preBits-1)]
		if e == 0 {
			return errStream
		}
		f.drop(uint(e & 15))
		sym := e >> 4
		if sym < 16 {
			f.lengths[i] = uint8(sym)
			i++
			continue
		}
		var value uint8
		extra, least := uint(2), 3
		switch sym {
		case 16:
			if i == 0 {
				return errStream
			}
			value = f.lengths[i-1]
		case 17:
			extra = 3
		default:
			extra, least = 7, 11
		}
		n := least + int(f.buf&(1<<extra-1))
		f.drop(extra)
		if i+n > total {
			return errStream
		}
		for range n {
			f.lengths[i] = value
			i++
		}
	}
	return nil
}

func reverse(code uint, n int) uint { return uint(bits.Reverse16(uint16(code)) >> (16 - n)) }
