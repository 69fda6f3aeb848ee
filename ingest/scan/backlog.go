package scan

import "runtime"

// How many members of an archive are looked at, or wait to be told of, behind one that
// takes long, and how many bytes they have: for each core.
const (
	mostAhead  = 4
	bytesAhead = 512 << 10
)

// backlog is what was read of an archive and is not done with, in its order.
type backlog[T any] struct {
	list  []waitingFor[T]
	bytes int
}

type waitingFor[T any] struct {
	what T
	size int
}

func (b *backlog[T]) add(what T, size int) {
	b.list, b.bytes = append(b.list, waitingFor[T]{what, size}), b.bytes+size
}

// some reports whether there is anything, or else, if all is not asked for, whether there
// is no room for more.
func (b *backlog[T]) some(all bool) bool {
	if all {
		return len(b.list) > 0
	}
	cores := runtime.GOMAXPROCS(0)
	return len(b.list) > mostAhead*cores || b.bytes > bytesAhead*cores
}

// next takes the first.
func (b *backlog[T]) next() T {
	first := b.list[0]
	b.list, b.bytes = b.list[1:], b.bytes-first.size
	return first.what
}
