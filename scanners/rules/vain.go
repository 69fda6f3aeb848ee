package rules

import "encoding/binary"

// no is what a gate says of a place where nothing is: how many bytes from the place on,
// with the one before, say so; unsure if something may be, or if more decided.
type no struct {
	read  int
	alike bool // any other digits would have said so, too
}

// unsure stands for no number of bytes.
const unsure = -1

// vain is where a gram was seen and nothing came of it: the bytes around, and which of
// their bits said so. Wherever these bits are the same nothing comes of it again: not
// of the gram's leads, and what gates say hangs on no more than what they read. The
// zero value is nowhere.
type vain struct {
	words words
	by    words
	gram  uint32
	alike bool // digits count as one; in words they are zeros
}

// vainSlots is how many grams are remembered at a time, of those that share a slot the last
// two: what stays in the nearest caches.
const vainSlots = 512

// words are the bytes around a place.
type words [(vainBefore + vainBehind) / 8]uint64

// vainBefore and vainBehind are how many bytes are looked at.
const vainBefore, vainBehind = 8, 16

// around are the bytes around a place that has enough of them.
func around(text []byte, i int) words {
	near := text[i-vainBefore : i+vainBehind : i+vainBehind]
	return words{binary.LittleEndian.Uint64(near), binary.LittleEndian.Uint64(near[8:]), binary.LittleEndian.Uint64(near[16:])}
}

// covers reports whether nothing comes of its gram among other bytes.
func (v *vain) covers(now *words) bool {
	const halves = 0xf0f0f0f0f0f0f0f0
	d := v.differ(now)
	if d == 0 {
		return v.by != words{}
	}
	if !v.alike || d&halves != 0 { // digits differ from zero in the lower half
		return false
	}
	like := now.likeDigits()
	return v.differ(&like) == 0
}

// differ are the bits that differ and should not.
func (v *vain) differ(now *words) uint64 {
	return (v.words[0]^now[0])&v.by[0] | (v.words[1]^now[1])&v.by[1] | (v.words[2]^now[2])&v.by[2]
}

// likeDigits has zeros for all digits.
func (w *words) likeDigits() (out words) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for k, v := range w {
		x := v ^ '0'*ones
		none := (x&^high + (0x80-10)*ones | x) & high // of bytes that are no digits
		digits := none ^ high
		out[k] = v &^ ((digits - digits>>7) & (0x0f * ones))
	}
	return out
}

// bytesFrom is a word with the bits of the bytes from one on, which may be before the
// first or behind the last.
func bytesFrom(n int) uint64 { return ^uint64(0) << (8 * min(max(n, 0), 8)) }
