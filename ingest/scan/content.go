package scan

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/scanners"
	"revenant/scanners/archives"
)

// maxListed is how many sightings of one finding in one content are listed.
const maxListed = 1000

// outBatch is how many sightings a worker hands over at once.
const outBatch = 256

// sighting is a hit at a place on its way to the collector. The hit's bytes go
// no further than that.
type sighting struct {
	hit   scanners.Hit
	ident identity
	value valueKey
	path  string // raw path of the finding
	obs   store.Observed
	span  wire.Region
	whole wire.Region
	rules []string // of generic hits that overlap a registered one
	match fingerprints.Value
	mark  string    // in its line, that lets it be
	at    time.Time // of its line; zero: the item's
	// section is the part of a log that it stands in, redacted; empty: none.
	section string
}

// content is one item being scanned.
type content struct {
	p       *pipeline
	j       *job
	path    text
	inside  *inside // the archive that it is or is part of; nil: none is opened
	self    archives.Content
	carried []cover // of earlier windows, reaching into the coming one
	listed  map[valueKey]int64
	held    map[valueKey]*sighting // the last that is listed, until the rest is counted
	order   []valueKey             // of held
	out     []*sighting
}

func (p *pipeline) newContent(j *job) *content {
	return &content{p: p, j: j, path: j.path, listed: map[valueKey]int64{}, held: map[valueKey]*sighting{}}
}

// window takes the hits of one chunk.
func (c *content) window(ctx context.Context, w scanners.Window) error {
	for _, s := range w.Skips {
		c.j.skipped(c.path, s)
	}
	carried := c.carried
	if len(w.Hits) == 0 {
		c.carry(w, nil)
		return nil
	}
	hits := sorted(c.fresh(slices.Clone(w.Hits)))
	covers := c.p.namer.covers(ctx, sorted(WholeRows(w.Chunk.Data, w.Chunk.Base, 0, slices.Clone(hits))))
	c.j.record.shown(ctx, c.p.namer, hits)
	c.carry(w, covers)
	pg := newPage(w, covers, carried, c.p.overlap)
	for _, m := range merge(c.unseen(hits)) {
		if err := c.take(ctx, pg, m); err != nil {
			return err
		}
	}
	return nil
}

// sorted puts hits in the order in which they are covered.
func sorted(hits []scanners.Hit) []scanners.Hit {
	slices.SortStableFunc(hits, compareHits)
	return hits
}

// fresh leaves out hits in what does not count.
func (c *content) fresh(hits []scanners.Hit) []scanners.Hit {
	spans := c.j.item.Fresh
	if spans == nil || c.self.Parent > 0 {
		return hits
	}
	return slices.DeleteFunc(hits, func(h scanners.Hit) bool {
		whole := h.Span
		if h.Match.Len() > 0 {
			whole = scanners.Span{Start: min(whole.Start, h.Match.Start), End: max(whole.End, h.Match.End)}
		}
		i, _ := slices.BinarySearchFunc(spans, whole.Start, func(s scanners.Span, at int64) int {
			return cmp.Compare(s.End, at+1)
		})
		return h.PathOnly || i == len(spans) || !spans[i].Overlaps(whole)
	})
}

// carry keeps the covers that may reach into the next window.
func (c *content) carry(w scanners.Window, covers []cover) {
	next := w.Chunk.Base + int64(len(w.Chunk.Data)) - 4*int64(c.p.overlap)
	keep := func(list []cover) (out []cover) {
		for _, k := range list {
			if k.span.End > next {
				out = append(out, k)
			}
		}
		return out
	}
	c.carried = append(keep(c.carried), keep(covers)...)
}

// place makes the item's URL name the sighting's line, where lines have names, and
// its locator the section.
func (j *job) place(s *sighting) {
	if s.section != "" {
		s.obs.Sighting.Locator = strings.TrimPrefix(j.locator+" section "+s.section, " ")
	}
	if j.url != "" && j.item.LineURL != "" && s.path == j.path.raw && s.span.Line > 0 {
		s.obs.Sighting.URL = j.url + j.item.LineURL + strconv.Itoa(s.span.Line)
	}
}

// take turns a hit into a sighting, or counts it when enough are listed.
func (c *content) take(ctx context.Context, pg *page, m merged) error {
	key := c.p.valueKey(m.hit)
	c.inside.saw(key, c.self)
	c.listed[key]++
	if c.listed[key] > maxListed {
		c.held[key].obs.Overflow++
		return nil
	}
	s := &sighting{hit: m.hit, value: key, path: c.path.raw, ident: c.p.identify(key, m.hit)}
	s.obs = c.j.observed(c.path.shown(), c.j.locator)
	s.obs.Sighting.Within = m.within
	if !m.hit.PathOnly {
		s.span = pg.region(m.hit.Span)
		s.obs.Sighting.Context = pg.context(m.hit.Span)
		s.whole = s.span
		if read := c.j.item.LineTime; read != nil {
			if at, has := read(pg.line(m.hit.Span.Start)); has {
				s.at, s.obs.Sighting.At = at, at
			}
		}
		if section := c.j.item.Section; section != nil {
			if name := section(pg.before(m.hit.Span.Start)); name != "" {
				s.section = c.p.members.text(ctx, name).shown()
			}
		}
		c.j.place(s)
		if g := m.generic(); g != nil && g.Match.Len() > 0 {
			s.whole = pg.region(g.Match)
			s.match = c.p.reveal(pg, g.Match)
		}
		if !m.hit.Certain() && !c.p.o.IgnoreMarks {
			s.mark = pg.inline(m.hit)
		}
	}
	c.describe(s, m)
	if c.listed[key] == maxListed {
		c.held[key] = s
		c.order = append(c.order, key)
		return nil
	}
	c.out = append(c.out, s)
	if len(c.out) >= outBatch {
		return c.flush()
	}
	return nil
}

// describe fills in what does not depend on the window.
func (c *content) describe(s *sighting, m merged) {
	sg := &s.obs.Sighting
	sg.Start, sg.End, sg.Form = m.hit.Span.Start, m.hit.Span.End, m.hit.Form
	sg.Line, sg.Column, sg.EndLine, sg.EndColumn = s.span.Line, s.span.Column, s.span.EndLine, s.span.EndColumn
	if m.hit.Registered() {
		s.obs.Rows = slices.Clone(m.hit.Rows)
		sg.Row = m.hit.Rows[0]
	}
	if g := m.generic(); g != nil {
		s.hit.Rule, s.hit.Description, s.hit.Tags, s.hit.Entropy = g.Rule, g.Description, g.Tags, g.Entropy
		sg.Rule = g.Rule
	}
	for _, g := range m.rules {
		if !slices.Contains(s.rules, g.Rule) {
			s.rules = append(s.rules, g.Rule)
		}
	}
	slices.Sort(s.rules)
}

// end hands over what was held back.
func (c *content) end() error {
	for _, key := range c.order {
		c.out = append(c.out, c.held[key])
	}
	c.order = nil
	return c.flush()
}

// flush hands sightings to the collector, waiting until it takes them.
func (c *content) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	out := c.out
	c.out = nil
	c.j.record.take(out)
	select {
	case c.j.out <- out:
		return nil
	case <-c.p.stopped:
		return errStopped
	}
}

// reveal keeps the bytes of a span where the user asked to see them.
func (p *pipeline) reveal(pg *page, s scanners.Span) fingerprints.Value {
	if p.o.Secrets != SecretsShown {
		return fingerprints.Value{}
	}
	base, data := pg.w.Chunk.Base, pg.w.Chunk.Data
	return fingerprints.NewValue(data[max(s.Start-base, 0):min(s.End-base, int64(len(data)))])
}
