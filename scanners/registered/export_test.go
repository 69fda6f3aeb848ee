package registered

import "revenant/scanners"

// Count runs AppendHits and returns what it cost.
func Count(m *Matcher, c scanners.Chunk) ([]scanners.Hit, Stats) {
	w := m.newWork()
	w.search(&text{data: c.Data, form: "raw", base: c.Base}, 0)
	return w.hits, w.stats
}
