package scan

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// redacted stands in for a value that no registered secret names.
const redacted = "[redacted]"

// separator stands between texts that are scanned together. A control
// character keeps matches and encoded runs from reaching over it.
const separator = "\n\x01\n"

// maxKnownParts bounds the memory of path components without a hit.
const maxKnownParts = 1 << 16

// text is a piece of provenance with the hits in it.
type text struct {
	raw    string
	hits   []scanners.Hit // spans are offsets in raw; sorted, free of duplicates
	covers []cover
}

// cover is a stretch that must not be shown, and what stands in its place.
type cover struct {
	span scanners.Span
	mark string
}

// redactor scans provenance like content: whole, and each component of a path
// by itself, since rules look for the boundaries of a word. The texts of a
// batch are scanned together, because a call of the rules costs more than what
// it reads, and those in which something seems to be once more alone. One
// goroutine.
type redactor struct {
	matchers []scanners.Matcher
	namer    *namer
	known    map[string]bool // components without a hit
}

// piece is where a part of a text stands in the scanned document.
type piece struct {
	doc, end int64 // in the document
	text     int
	off      int64 // in the text
}

// scan finds the hits in texts.
func (r *redactor) scan(ctx context.Context, raws []string) []text {
	texts := make([]text, len(raws))
	var doc []byte
	var pieces []piece
	add := func(i int, off int, part string) {
		pieces = append(pieces, piece{doc: int64(len(doc)), end: int64(len(doc) + len(part)), text: i, off: int64(off)})
		doc = append(append(doc, part...), separator...)
	}
	var fresh []string
	for i, raw := range raws {
		texts[i].raw = raw
		if raw == "" {
			continue
		}
		add(i, 0, raw)
		for off, part := range components(raw) {
			if !r.known[part] {
				add(i, off, part)
				fresh = append(fresh, part)
			}
		}
	}
	var hits []scanners.Hit
	for _, m := range r.matchers {
		hits = m.AppendHits(hits, scanners.Chunk{Data: doc, Final: true})
	}
	for _, h := range hits {
		place(texts, pieces, h)
	}
	for i := range texts {
		if len(texts[i].hits) > 0 {
			texts[i].hits = r.alone(texts[i].raw)
		}
		r.finish(ctx, &texts[i])
	}
	r.remember(fresh, hits, texts)
	return texts
}

// alone finds the hits in one text. A rule that looks for a word first, and takes
// any id for a token where the word is, must not find the word in another text.
func (r *redactor) alone(raw string) []scanners.Hit {
	var out []scanners.Hit
	add := func(off int, part string) {
		for _, m := range r.matchers {
			for _, h := range m.AppendHits(nil, scanners.Chunk{Data: []byte(part), Final: true}) {
				h.Span.Start, h.Span.End = h.Span.Start+int64(off), h.Span.End+int64(off)
				h.Match = h.Span
				out = append(out, h)
			}
		}
	}
	add(0, raw)
	for off, part := range components(raw) {
		add(off, part)
	}
	return out
}

// place maps a hit in the document to the texts that it touches.
func place(texts []text, pieces []piece, h scanners.Hit) {
	first := sort.Search(len(pieces), func(i int) bool { return pieces[i].end > h.Span.Start })
	for _, p := range pieces[first:] {
		if p.doc >= h.Span.End {
			return
		}
		here := h
		here.Span = scanners.Span{
			Start: max(h.Span.Start, p.doc) - p.doc + p.off,
			End:   min(h.Span.End, p.end) - p.doc + p.off,
		}
		here.Match = here.Span
		texts[p.text].hits = append(texts[p.text].hits, here)
	}
}

// finish sorts a text's hits and says what covers them.
func (r *redactor) finish(ctx context.Context, t *text) {
	t.hits = slices.DeleteFunc(t.hits, func(h scanners.Hit) bool { return ordinary(t.raw, h) })
	if len(t.hits) == 0 {
		return
	}
	t.hits = slices.CompactFunc(sorted(t.hits), func(a, b scanners.Hit) bool { return compareHits(a, b) == 0 })
	t.covers = r.namer.covers(ctx, t.hits)
}

// remember keeps the components that had no hit.
func (r *redactor) remember(fresh []string, hits []scanners.Hit, texts []text) {
	if len(r.known)+len(fresh) > maxKnownParts {
		clear(r.known)
	}
	if len(hits) > 0 { // the next batch looks at them again
		for _, t := range texts {
			if len(t.hits) > 0 {
				return
			}
		}
	}
	for _, part := range fresh {
		r.known[part] = true
	}
}

// components yields the parts of a path with their offsets; none for a single
// part, which is the whole.
func components(raw string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		if !strings.ContainsAny(raw, "/\\!?&=#") {
			return
		}
		start := 0
		for i := 0; i <= len(raw); i++ {
			if i < len(raw) && !strings.ContainsRune("/\\!?&=#", rune(raw[i])) {
				continue
			}
			if i > start && !yield(start, raw[start:i]) {
				return
			}
			start = i + 1
		}
	}
}

func compareHits(a, b scanners.Hit) int {
	return cmp.Or(
		cmp.Compare(a.Span.Start, b.Span.Start),
		cmp.Compare(b.Span.End, a.Span.End),
		cmp.Compare(a.Rule, b.Rule),
		slices.CompareFunc(a.Rows, b.Rows, func(x, y fingerprints.RowID) int { return bytes.Compare(x[:], y[:]) }),
	)
}

// shown is the text with every hit replaced and nothing that a terminal would
// act on.
func (t text) shown() string { return t.prefix(len(t.raw)) }

// prefix is shown of the first n bytes.
func (t text) prefix(n int) string {
	var b strings.Builder
	appendRedacted(&b, t.raw[:n], 0, t.covers, visible)
	return b.String()
}

// appendRedacted writes data, which stands at base, with covers replaced.
// Covers are sorted and do not overlap.
func appendRedacted(b *strings.Builder, data string, base int64, covers []cover, clean func(string) string) {
	at, end := base, base+int64(len(data))
	first := sort.Search(len(covers), func(i int) bool { return covers[i].span.End > base })
	for _, c := range covers[first:] {
		if c.span.Start >= end {
			break
		}
		if c.span.Start > at {
			b.WriteString(clean(data[at-base : c.span.Start-base]))
		}
		b.WriteString(c.mark)
		at = min(c.span.End, end)
	}
	if at < end {
		b.WriteString(clean(data[at-base:]))
	}
}
