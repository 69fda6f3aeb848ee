package inflate

// Sizes of deflate's alphabets (RFC 1951, section 3.2).
const (
	maxLit  = 286
	maxDist = 30
	longest = 15 // bits of a code

	litBits  = 11 // of the first table
	distBits = 8
	preBits  = 7
)

// A table entry: the number of bits it takes (code and extra bits) in the low
// byte; for lengths and distances the bits of the code alone in the next, and
// the base in the high half; for a literal its byte in the high half.
const (
	entLiteral = 1 << 31
	entSpecial = 1 << 15 // the end mark, a second table, or no code at all
	entEnd     = 1 << 14
	entSub     = 1 << 13
)

var (
	lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	lengthBase  = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distExtra   = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

type alphabet uint8

const (
	literals alphabet = iota
	distances
)

// codes decodes one prefix code: a first table of bits bits, and behind it a
// second table for each prefix that begins longer codes.
type codes struct {
	kind  alphabet
	bits  int
	used  int
	table [2400]uint32
}

// entry is what a table holds for a symbol whose code has n bits in that table
// and take bits in all that are to be dropped before the extra ones.
func (c *codes) entry(sym, take int) uint32 {
	if c.kind == distances {
		return uint32(distBase[sym])<<16 | uint32(take)<<8 | uint32(take+int(distExtra[sym]))
	}
	switch {
	case sym < 256:
		return entLiteral | uint32(sym)<<16 | uint32(take)
	case sym == 256:
		return entSpecial | entEnd | uint32(take)
	case sym < maxLit:
		return uint32(lengthBase[sym-257])<<16 | uint32(take)<<8 | uint32(take+int(lengthExtra[sym-257]))
	}
	return entSpecial
}

// look finds the entry for the next bits, in either table.
func (c *codes) look(buf uint64) uint32 {
	e := c.table[buf&(1<<c.bits-1)]
	if e&(entSpecial|entSub) == entSpecial|entSub && e&entLiteral == 0 {
		return c.sub(e, buf)
	}
	return e
}

// sub follows an entry to its second table.
func (c *codes) sub(e uint32, buf uint64) uint32 {
	at := uint64(e>>16) + buf>>(c.bits&63)&(1<<(e>>8&15)-1)
	return c.table[min(at, uint64(len(c.table)-1))]
}

// build makes the tables of a code given by the length of each symbol's word.
// It reports whether the code is complete, or one that is allowed not to be:
// no word at all, or one of one bit.
func (c *codes) build(lengths []uint8) bool {
	var count [longest + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	left, most := 1, 0
	for n := 1; n <= longest; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		if count[n] > 0 {
			most = n
		}
	}
	if left > 0 && most > 1 {
		return false
	}
	c.used = 1 << c.bits
	if left > 0 { // what no word begins with leads nowhere
		for i := range c.used {
			c.table[i] = entSpecial
		}
	}
	c.fillTables(lengths, count)
	return true
}

func (c *codes) fillTables(lengths []uint8, count [longest + 1]int) {
	var sorted [maxLit + 2]uint16
	var start, next [longest + 2]int
	code := 0
	for n := 1; n <= longest; n++ {
		code = (code + count[n-1]) << 1
		next[n] = code
		start[n+1] = start[n] + count[n]
	}
	place := start
	for sym, n := range lengths {
		if n > 0 {
			sorted[place[n]] = uint16(sym)
			place[n]++
		}
	}
	size := uint(1) << c.bits
	for n := 1; n <= min(c.bits, longest); n++ {
		for _, sym := range sorted[start[n]:start[n+1]] {
			e := c.entry(int(sym), n)
			step := uint(1) << n
			for i := reverse(uint(next[n]), n); i < size; i += step {
				c.table[i] = e
			}
			next[n]++
		}
	}
	c.fillLong(sorted[:], start, next, count)
}

// fillLong makes second tables. Words come in order, so those with one prefix
// follow each other.
func (c *codes) fillLong(sorted []uint16, start, next [longest + 2]int, count [longest + 1]int) {
	mask := uint(1)<<c.bits - 1
	prefix, width := ^uint(0), 0
	for n := c.bits + 1; n <= longest; n++ {
		for k, sym := range sorted[start[n]:start[n+1]] {
			word := reverse(uint(next[n]), n)
			next[n]++
			if word&mask != prefix {
				prefix = word & mask
				width = n - c.bits
				for room := 1<<width - (count[n] - k); room > 0 && width < longest-c.bits; {
					width++
					room = room<<1 - count[c.bits+width]
				}
				c.table[prefix] = entSpecial | entSub | uint32(c.used)<<16 | uint32(width)<<8
				c.used += 1 << width
			}
			e := c.entry(int(sym), n)
			base := c.used - 1<<width
			for i := word >> c.bits; i < 1<<width; i += 1 << (n - c.bits) {
				c.table[base+int(i)] = e
			}
		}
	}
}

// buildFixedDistances is build for deflate's own distances: thirty words of
// five bits, and two more that mean nothing.
func (c *codes) buildFixedDistances() {
	for i := range c.table {
		c.table[i] = entSpecial
	}
	c.used = 1 << c.bits
	var lengths [maxDist]uint8
	for i := range lengths {
		lengths[i] = 5
	}
	var count [longest + 1]int
	count[5] = len(lengths)
	c.fillTables(lengths[:], count)
}

// fixedLengths are deflate's own literal and length words; the last two have
// words and no meaning.
func fixedLengths(dst []uint8) []uint8 {
	for sym := range 288 {
		n := uint8(8)
		switch {
		case sym >= 144 && sym < 256:
			n = 9
		case sym >= 256 && sym < 280:
			n = 7
		}
		dst = append(dst, n)
	}
	return dst
}

// preCodes decodes the lengths of the other codes: the symbol above four bits
// of length; 0 is no word.
type preCodes struct {
	table [1 << preBits]uint16
}

func (p *preCodes) build(lengths []uint8) bool {
	var count [preBits + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	var next [preBits + 1]int
	code, left, most := 0, 1, 0
	for n := 1; n <= preBits; n++ {
		code = (code + count[n-1]) << 1
		next[n] = code
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		if count[n] > 0 {
			most = n
		}
	}
	if most == 0 || left > 0 && most > 1 {
		return false
	}
	for sym, n := range lengths {
		if n == 0 {
			continue
		}
		for i := reverse(uint(next[n]), int(n)); i < 1<<preBits; i += 1 << n {
			p.table[i] = uint16(sym)<<4 | uint16(n)
		}
		next[n]++
	}
	return true
}
