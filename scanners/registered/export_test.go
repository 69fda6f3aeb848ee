package registered

import (
	"hash/maphash"

	"revenant/scanners"
)

// Count runs AppendHits and returns what it cost.
func Count(m *Matcher, c scanners.Chunk) ([]scanners.Hit, Stats) {
	w := m.newWork()
	w.search(&text{data: c.Data, form: "raw", base: c.Base}, 0)
	return w.hits, w.stats
}

// MeetInMemo looks two spans up in turn, n times each, after making them share
// a pair of the memo's places, and counts the MACs.
func MeetInMemo(m *Matcher, a, b []byte, n int) int64 {
	w := m.newWork()
	m.seed = maphash.MakeSeed()
	for w.sum(a, 1)>>(64-memoBits) != w.sum(b, 1)>>(64-memoBits) {
		m.seed = maphash.MakeSeed()
	}
	for range n {
		w.check(a, 1)
		w.check(b, 1)
	}
	return w.stats.MACs
}
