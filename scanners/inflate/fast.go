package inflate

import "encoding/binary"

// fast decodes symbols while there is room on both sides for the longest; what
// is left is slow's.
func (f *decoder) fast() (done bool, err error) {
	if f.pos > min(f.limit, len(f.in)-ahead) || f.at > f.size {
		return false, nil
	}
	if !f.vector(&done, &err) {
		done, err = f.portable()
	}
	if err == nil && f.at > f.most {
		err = ErrLong
	}
	return done, err
}

// portable is fast in Go.
func (f *decoder) portable() (done bool, err error) {
	in, out, lit, dist := f.in, f.out, f.lit, f.dist
	pos, at, buf, have := f.pos, f.at, f.buf, f.have
	end, size := min(f.limit, len(in)-ahead), f.size
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
		if lits > 0 { // they took 22 bits, a length takes 20, a distance 28
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
					err = ErrCorrupt
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
				err = ErrCorrupt
				break
			}
		}
		far := int(d>>16) + int(buf&(1<<(d&63)-1)>>(d>>8&31))
		buf >>= d & 63
		have -= uint(d & 63)
		from := at - far
		if from < 0 {
			err = ErrCorrupt
			break
		}
		match(out, at, from, n)
		at += n
	}
	f.pos, f.at, f.buf, f.have = pos, at, buf, have
	return done, err
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
