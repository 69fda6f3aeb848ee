package inflate

import (
	"math/bits"
)

// tables reads the codes of a dynamic block.
func (f *decoder) tables() error {
	f.fill()
	nlit, ndist, nlen := int(f.buf&31)+257, int(f.buf>>5&31)+1, int(f.buf>>10&15)+4
	f.drop(14)
	if nlit > maxLit || ndist > maxDist {
		return ErrCorrupt
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
		return ErrCorrupt
	}
	if err := f.readLengths(&pre, nlit+ndist); err != nil {
		return err
	}
	all := f.lengths[:nlit+ndist]
	// A block without an end mark ends in an error; what it holds until then is wanted.
	if !f.codes[0].build(all[:nlit]) || !f.codes[1].build(all[nlit:]) {
		return ErrCorrupt
	}
	return nil
}

func (f *decoder) readLengths(pre *preCodes, total int) error {
	for i := 0; i < total; {
		if f.have < 14 {
			f.fill()
			if f.over() {
				return ErrShort
			}
		}
		e := pre.table[f.buf&(1<<preBits-1)]
		if e == 0 {
			return ErrCorrupt
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
				return ErrCorrupt
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
			return ErrCorrupt
		}
		for range n {
			f.lengths[i] = value
			i++
		}
	}
	return nil
}

func reverse(code uint, n int) uint { return uint(bits.Reverse16(uint16(code)) >> (16 - n)) }
