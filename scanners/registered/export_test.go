package registered

import "revenant/scanners"

// Count runs AppendHits and returns what it cost.
func Count(m *Matcher, c scanners.Chunk) ([]scanners.Hit, Stats) {
	w := m.newWork()
	w.search(&text{data: c.Data, form: "raw", base: c.Base}, 0)
	return w.hits, w.stats
}

// Classify returns the bitmaps of data as this machine makes them and as any
// machine does.
func Classify(data []byte) (fast, scalar [3]uint64) {
	var b bitmaps
	b.classify(data)
	fast = [3]uint64{b.runs[0], b.marks[0], b.quotes[0]}
	scalar[0], scalar[1], scalar[2] = classifyScalar(data)
	return fast, scalar
}
