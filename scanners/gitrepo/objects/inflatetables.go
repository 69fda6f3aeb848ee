package objects

import (
	"math/bits"
)

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
