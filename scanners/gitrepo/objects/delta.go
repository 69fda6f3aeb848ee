package objects

// Piece is a stretch of an object that was made from a delta. Pieces come in
// order and cover the object without gaps.
type Piece struct {
	At, Len int
	// From is where in the base the stretch was copied from; -1: it was
	// inserted, and is in the delta itself.
	From int
}

// Inserted reports whether the stretch is not from the base.
func (p Piece) Inserted() bool { return p.From < 0 }

// deltaSizes reads the head of a delta: the sizes of base and result, and
// where the instructions begin.
func deltaSizes(delta []byte) (base, result int64, n int, err error) {
	base, k := deltaSize(delta)
	result, m := deltaSize(delta[k:])
	if k == 0 || m == 0 {
		return 0, 0, 0, broken(ReasonDelta)
	}
	return base, result, k + m, nil
}

func deltaSize(data []byte) (v int64, n int) {
	for i, b := range data {
		if i > 8 {
			return 0, 0
		}
		v |= int64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// applyDelta follows instructions (delta without its head) to fill dst, and
// appends what it did to pieces, unless they are nil.
func applyDelta(dst, base, delta []byte, pieces []Piece) ([]Piece, error) {
	at := 0
	keep := pieces != nil
	for i := 0; i < len(delta); {
		op := delta[i]
		i++
		if op&0x80 == 0 {
			n := int(op)
			if n == 0 || n > len(delta)-i || n > len(dst)-at {
				return pieces, broken(ReasonDelta)
			}
			copy(dst[at:at+n], delta[i:i+n])
			if keep {
				pieces = append(pieces, Piece{At: at, Len: n, From: -1})
			}
			i += n
			at += n
			continue
		}
		from, n, used := copyOperands(op, delta[i:])
		if used < 0 {
			return pieces, broken(ReasonDelta)
		}
		i += used
		if int64(from) > int64(len(base)) || n > len(base)-int(from) || n > len(dst)-at {
			return pieces, broken(ReasonDelta)
		}
		copy(dst[at:at+n], base[from:int(from)+n])
		if keep {
			pieces = append(pieces, Piece{At: at, Len: n, From: int(from)})
		}
		at += n
	}
	if at != len(dst) {
		return pieces, broken(ReasonDelta)
	}
	return pieces, nil
}

// copyOperands reads offset and length of a copy; used is -1 where they are cut.
func copyOperands(op byte, data []byte) (from uint32, n, used int) {
	var words [7]byte
	i := 0
	for bit := range 7 {
		if op>>bit&1 == 0 {
			continue
		}
		if i >= len(data) {
			return 0, 0, -1
		}
		words[bit] = data[i]
		i++
	}
	from = uint32(words[0]) | uint32(words[1])<<8 | uint32(words[2])<<16 | uint32(words[3])<<24
	n = int(words[4]) | int(words[5])<<8 | int(words[6])<<16
	if n == 0 {
		n = 0x10000
	}
	return from, n, i
}
