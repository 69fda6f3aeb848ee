package strength

import "bytes"

// Bounds of the search for repetitions.
const (
	tries      = 64 // earlier places looked at
	goodEnough = 32 // bytes; no better place is looked for
)

// copies finds what stood in the value before. Positions are asked for in
// order.
type copies struct {
	raw       []byte
	head      map[[3]byte]int32 // last position of three bytes
	prev      []int32           // the position before with the same three bytes; -1: none
	from      int               // of the last long match
	len       int
	lastAsked int
}

func newCopies(raw []byte) copies {
	return copies{raw: raw, head: map[[3]byte]int32{}, prev: make([]int32, len(raw)), lastAsked: -1}
}

// append appends the cheapest copy of each length class that can stand at i.
func (c *copies) append(dst []step, i int) []step {
	if i+leastCopy > len(c.raw) {
		return dst
	}
	if c.len > goodEnough && i == c.lastAsked+1 {
		c.from, c.len = c.from+1, c.len-1 // the same repetition, one byte on
		dst = append(dst, c.step(i, c.from, c.len))
	} else {
		c.from, c.len = 0, 0
		dst = c.search(dst, i)
	}
	c.lastAsked = i
	k := [3]byte(c.raw[i : i+3])
	c.prev[i] = -1
	if last, ok := c.head[k]; ok {
		c.prev[i] = last
	}
	c.head[k] = int32(i)
	return dst
}

func (c *copies) search(dst []step, i int) []step {
	at, ok := c.head[[3]byte(c.raw[i:i+3])]
	for range tries {
		if !ok || at < 0 {
			break
		}
		from := int(at)
		n := 3
		for i+n < len(c.raw) && c.raw[from+n] == c.raw[i+n] {
			n++
		}
		if n > c.len {
			c.from, c.len = from, n
			dst = append(dst, c.step(i, from, n))
		}
		if n > goodEnough {
			break
		}
		at = c.prev[from]
	}
	return dst
}

// step prices a copy: which place, how long.
func (c *copies) step(i, from, n int) step {
	place := min(log2(uint64(i)+1), gamma(i-from))
	return step{end: i + n, cost: 2*unit + place + gamma(n-leastCopy+1), from: from}
}

// period is the length of the shortest block whose repetition is the whole of
// b; len(b) when there is none.
func period(b []byte) int {
	for p := 1; p < len(b); p++ {
		if bytes.Equal(b[p:], b[:len(b)-p]) {
			return p
		}
	}
	return len(b)
}
