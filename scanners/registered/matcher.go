package registered

import (
	"errors"
	"hash/maphash"
	"sync"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/pack"
	"revenant/scanners"
	"revenant/scanners/byteclass"
)

// ErrNoPack is returned by New for a nil pack.
var ErrNoPack = errors.New("no pack to match with")

// Matcher finds the values of a pack. It is safe for concurrent use.
type Matcher struct {
	pack     *pack.Pack
	tables   []*table
	schemes  []scheme
	seed     maphash.Seed
	signs    [][]byte // of containers of private keys, in text
	runSigns [][]byte // and in base64

	minValue int // raw length of the shortest value
	maxValue int
	keys     bool // the pack has private keys
	longest  int  // longest span of a hit, in bytes
	region   int  // bytes of the widest region

	idle sync.Pool // of *work
}

// Bounds of a hit's span. Escapes take up to six bytes for one, twice that in
// UTF-16; base64 with line breaks and hex take less.
const (
	spanFactor    = 8
	spanSlack     = 512
	longestKey    = 64 << 10 // span of a private key's container
	shortestKey   = 32       // bytes that a key's container has at the least
	defaultLow    = 15       // shortest value of packs that do not say
	regionBits    = 13
	memoBits      = 11
	triedBits     = 12
	maxCandidates = 1 << 16
)

// New returns a matcher for the pack, which it keeps.
func New(p *pack.Pack) (*Matcher, error) {
	if p == nil {
		return nil, ErrNoPack
	}
	m := &Matcher{
		pack: p, schemes: schemes(), signs: keySigns(), runSigns: runSigns(), seed: maphash.MakeSeed(),
		minValue: p.MinLength(), maxValue: p.MaxLength(), keys: p.PrivateKeys() > 0,
	}
	for i, t := range p.Tables() {
		m.tables = append(m.tables, newTable(i, t))
		m.region = max(m.region, t.Key.Geometry().Region())
	}
	if m.minValue == 0 {
		m.minValue = defaultLow
	}
	m.longest = spanFactor*m.maxValue + spanSlack
	if m.keys {
		m.minValue = min(m.minValue, shortestKey)
		m.longest = max(m.longest, longestKey)
	}
	if p.Count() == 0 {
		m.tables, m.longest = nil, 0
	}
	m.idle.New = func() any { return m.newWork() }
	return m, nil
}

// Overlap is the longest span that a hit can have.
func (m *Matcher) Overlap() int { return m.longest }

// AppendHits appends the hits of registered values in c; see scanners.Matcher.
// Neither order nor freedom from duplicates is promised; the engine sees to both.
func (m *Matcher) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	if len(m.tables) == 0 || len(c.Data) == 0 {
		return dst
	}
	w, _ := m.idle.Get().(*work)
	defer m.idle.Put(w)
	x := &text{data: c.Data, form: fingerprints.FormRaw, base: c.Base}
	if c.Plain {
		w.asItStands(x)
	} else {
		w.search(x, 0)
	}
	hits := w.hits
	if m.keys {
		hits = wholeKeys(hits)
	}
	dst = append(dst, scanners.Halves(hits)...)
	w.forget()
	return dst
}

// work is what one goroutine needs to search: hash states, memos and buffers.
// Nothing of a content stays in it when AppendHits returns.
type work struct {
	m         *Matcher
	confirmer *pack.Confirmer
	taggers   []*anchor.Tagger

	hits       []scanners.Hit
	seen       map[found]struct{}
	regions    [1 << regionBits][2]sighted
	candidates []pack.Candidate
	spans      [1 << memoBits][2]hashed
	views      []view
	near       neighbourhood
	tried      [1 << triedBits]attempt
	stretched  layer
	nested     [2]layer // of stretched, what is escaped again
	runs       runBuffer
	bitmaps    byteclass.Marks
	wideRoom   text // memory of the text that is made of UTF-16
	stats      Stats
}

// Stats counts what costs: tags and MACs computed, bytes under MACs, bytes
// unescaped, bytes read as UTF-16.
type Stats struct{ Tags, MACs, Bytes, Unescaped, Wide int64 }

func (m *Matcher) newWork() *work {
	w := &work{m: m, confirmer: m.pack.NewConfirmer(), seen: map[found]struct{}{}}
	for _, t := range m.tables {
		w.taggers = append(w.taggers, t.key.NewTagger())
	}
	w.views = make([]view, len(m.schemes))
	return w
}

// forget drops every trace of the content and of the hits.
func (w *work) forget() {
	clear(w.hits)
	w.hits = w.hits[:0]
	if w.stats.Tags > 0 {
		for _, t := range w.taggers {
			t.Forget()
		}
		clear(w.regions[:])
		w.candidates = w.candidates[:0]
	}
	if w.stats.MACs > 0 {
		w.confirmer.Forget()
		clear(w.spans[:])
		clear(w.seen)
	}
	if w.near.of != nil {
		w.near.of = nil
		clear(w.tried[:])
		for i := range w.views {
			w.views[i].forget()
		}
	}
	for _, l := range []*layer{&w.stretched, &w.nested[0], &w.nested[1]} {
		clear(l.out[:l.high])
		l.high = 0
	}
	if w.stats.Wide > 0 {
		clear(w.wideRoom.data[:cap(w.wideRoom.data)])
	}
	w.runs.forget()
	w.stats = Stats{}
}

// asItStands looks for values that are not encoded.
func (w *work) asItStands(x *text) {
	for from := 0; from < len(x.data); from += tile {
		for _, t := range w.m.tables {
			w.raw(x, t, from, min(from+tile, len(x.data)))
		}
	}
}

// search runs every way of looking over a text; at depth 0 it is a chunk.
func (w *work) search(x *text, depth int) {
	var finder runFinder
	var done [signs]int
	var probed reached
	for from := 0; from < len(x.data); from += tile {
		to := min(from+tile, len(x.data))
		for _, t := range w.m.tables {
			w.raw(x, t, from, to)
		}
		words := w.bitmaps.Classify(x.data[from:to])
		w.findRuns(x, &finder, w.bitmaps.Runs[:words], from, &probed)
		w.marked(x, words, from, &done, &probed)
	}
	if depth == 0 {
		w.wide(x)
	}
	if w.m.keys {
		w.containers(x)
	}
}
