package objects

import (
	"math/bits"

	"revenant/scanners/inflate"
)

// buffers keeps what was used and will be used again, in classes of size, so
// that a walk makes next to no garbage. It serves one goroutine.
type buffers struct {
	free [128][][]byte
	size int64 // bytes that are kept
}

// keptMost is how many bytes one reader keeps beyond what is in use.
const keptMost = 16 << 20

// class is the number of a size: four for each power of two, the smallest 2 KiB.
func class(n int) (k, size int) {
	n = max(n, 1<<11)
	shift := bits.Len(uint(n-1)) - 3 // what is left has three bits
	top := (n-1)>>shift + 1
	return shift*4 + top, top << shift
}

// get is a buffer of n bytes with slack behind them. What is in it is not
// zero.
func (b *buffers) get(n int) []byte {
	k, size := class(n + inflate.Slack)
	k %= len(b.free)
	if list := b.free[k]; len(list) > 0 && cap(list[len(list)-1]) >= n+inflate.Slack {
		buf := list[len(list)-1]
		b.free[k] = list[:len(list)-1]
		b.size -= int64(cap(buf))
		return buf[:n]
	}
	return make([]byte, n, size)
}

// put takes a buffer back. Nobody may hold a part of it.
func (b *buffers) put(buf []byte) {
	if cap(buf) < 1<<11 || b.size+int64(cap(buf)) > keptMost {
		return
	}
	k, size := class(cap(buf))
	if size > cap(buf) { // it fills the class below
		k--
	}
	k %= len(b.free)
	b.free[k] = append(b.free[k], buf)
	b.size += int64(cap(buf))
}
