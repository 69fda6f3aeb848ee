package scan

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/scanners"
	"revenant/scanners/archives"
)

// OutcomeKey names a content at a path.
type OutcomeKey [sha256.Size]byte

// Outcomes keeps what contents gave, for scans that look with the same eye at
// what has an Item.Identity: they are not opened again. An outcome holds no
// value: where hits are, what they are of, and the line around them as a report
// has it. Whose job it is to keep them says what "the same eye" is; the ring is
// part of it. Calls overlap; outcomes that are handed over are not changed any
// more.
type Outcomes interface {
	Recall(key OutcomeKey) ([]byte, bool)
	Keep(key OutcomeKey, outcome []byte)
}

// Bounds of what is kept of one content; of what gives more nothing is.
const (
	maxOutcome      = 1 << 20
	maxOutcomeMarks = 1 << 10
	maxOutcomeSkips = 1 << 8
)

// recording takes down what an item gives. A nil recording takes down nothing.
type recording struct {
	key   OutcomeKey
	path  string // raw, of the item
	core  *keys.IdentityKey
	marks map[string]string // what stood in for registered hits, by their rows
	skips []fingerprints.Skip
	found outcomeWriter // sightings
	count int
	unfit bool // it is not kept
	weak  bool // also what is too weak for an id
}

// records begins the recording of an item; nil where nothing is to be kept of it.
func (p *pipeline) records(j *job) *recording {
	it := &j.item
	if !p.lasts() || it.Identity == "" || it.Fresh != nil || len(j.path.hits) > 0 {
		return nil
	}
	return &recording{
		key: KeyOf(it.Identity, it.Path), path: it.Path, core: p.o.Identities.Core, marks: map[string]string{},
		found: outcomeWriter{known: map[string]int{}}, weak: it.Recurs,
	}
}

// lasts reports whether outcomes count in this scan: values that are asked for
// by themselves are in none.
func (p *pipeline) lasts() bool {
	return p.o.Outcomes != nil && p.core() != nil && p.o.Secrets == SecretsRedacted && (p.o.Tolerance == nil || !p.o.Tolerance.Values())
}

// core is the key that outcomes tell values apart by; nil: it is not at hand.
func (p *pipeline) core() *keys.IdentityKey {
	if p.o.Identities == nil || p.o.Identities.Core == nil || p.o.Identities.Core.IsZero() {
		return nil
	}
	return p.o.Identities.Core
}

// KeyOf names the content that an Item's Identity names, at a path.
func KeyOf(identity, path string) OutcomeKey {
	b := keys.AppendField(nil, []byte(identity))
	return sha256.Sum256(keys.AppendField(b, []byte(path)))
}

// below is a path as it goes on behind the item's. One with a hit in it is of no
// use: it is redacted anew each time.
func (r *recording) below(t text) string {
	rest, is := strings.CutPrefix(t.raw, r.path)
	r.unfit = r.unfit || !is || len(t.hits) > 0
	return rest
}

// member takes down that there is a content of this path.
func (r *recording) member(t text) {
	if r != nil {
		_ = r.below(t)
	}
}

// shown takes down what stands in for the registered hits of a window.
func (r *recording) shown(ctx context.Context, n *namer, hits []scanners.Hit) {
	if r == nil || r.unfit {
		return
	}
	for _, h := range hits {
		if h.Registered() {
			r.marks[rowsText(h.Rows)] = n.mark(ctx, h)
		}
	}
	r.unfit = len(r.marks) > maxOutcomeMarks
}

// skip takes down what was not read. What could be read another time is looked
// at again.
func (r *recording) skip(t text, s fingerprints.Skip) {
	if r == nil || r.unfit {
		return
	}
	s.Path, s.Locator = r.below(t), ""
	lasting := s.Reason == fingerprints.SkipLongMatch || s.Reason == fingerprints.SkipEncoded || s.Reason == fingerprints.SkipArchive && archives.Lasting(s)
	r.unfit = r.unfit || !lasting || len(r.skips) >= maxOutcomeSkips
	r.skips = append(r.skips, s)
}

// take takes down sightings on their way to the collector. A value that is too
// weak to be known by a hash is in no outcome, unless looking again costs requests.
func (r *recording) take(list []*sighting) {
	if r == nil {
		return
	}
	for _, s := range list {
		if r.unfit = r.unfit || s.ident.key == nil || s.ident.located && !r.weak || len(r.found.b) > maxOutcome; r.unfit {
			return
		}
		r.count++
		r.sighting(s)
	}
}

// keepOutcome keeps what an item gave that was read wholly.
func (p *pipeline) keepOutcome(ctx context.Context, j *job) {
	r := j.record
	if r == nil || r.unfit || ctx.Err() != nil {
		return
	}
	if b := r.outcome(j.bytes); len(b) <= maxOutcome {
		p.o.Outcomes.Keep(r.key, b)
	}
}

// recall gives out what an item gave before; false where that is not known, or
// where hits in the lines around would be named otherwise now.
func (p *pipeline) recall(ctx context.Context, j *job) bool {
	if j.record == nil {
		return false
	}
	b, has := p.o.Outcomes.Recall(j.record.key)
	if !has {
		return false
	}
	o, ok := decodeOutcome(b)
	if !ok || !p.namedAlike(ctx, o) {
		return false
	}
	c := p.newContent(j)
	found := make([]*sighting, len(o.found))
	for i := range o.found {
		found[i] = p.again(j, &o.found[i])
	}
	for _, s := range o.skips {
		s.Path, s.Locator = j.below(s.Path).shown(), j.locator
		j.skips = append(j.skips, s)
	}
	j.bytes, j.record = o.bytes, nil
	for list := range slices.Chunk(found, outBatch) {
		c.out = list
		if c.flush() != nil {
			return true // nobody takes it
		}
	}
	return true
}

// Gave reports whether a content gave anything that is a finding.
func Gave(b []byte) bool {
	o, ok := decodeOutcome(b)
	return ok && len(o.found) > 0
}

// namedAlike reports whether what stands in for registered hits is as it was.
func (p *pipeline) namedAlike(ctx context.Context, o outcome) bool {
	for _, m := range o.marks {
		if p.namer.mark(ctx, scanners.Hit{Rows: m.rows}) != m.mark {
			return false
		}
	}
	return true
}

// below is the path of the item or of something in it; no part of it is a hit.
func (j *job) below(rest string) text {
	if rest == "" {
		return j.path
	}
	return text{raw: j.path.raw + rest}
}

// again is a sighting that was seen before, with all that the item says now.
func (p *pipeline) again(j *job, k *kept) *sighting {
	t := j.below(k.path)
	s := &sighting{path: t.raw, span: k.span, whole: k.whole, rules: k.rules, mark: k.mark}
	s.hit = scanners.Hit{
		Span: scanners.Span{Start: k.start, End: k.end}, Form: k.form, Rows: k.rows,
		Rule: k.rule, Description: k.description, Tags: k.tags, Entropy: k.entropy, PathOnly: k.pathOnly, Low: k.low,
	}
	s.ident = identity{key: &p.o.Identities.Edge, id: k.id, located: k.located}
	if k.core {
		s.ident.key = p.o.Identities.Core
	}
	s.value = p.alike(k.same)
	if len(k.rows) > 0 {
		s.value = p.valueKey(s.hit)
	}
	s.obs = j.observed(t.shown(), j.locator)
	s.obs.Overflow = k.overflow
	sg := &s.obs.Sighting
	sg.Within, sg.Context = k.within, k.context
	sg.Start, sg.End, sg.Form, sg.Rule = k.start, k.end, k.form, k.rule
	sg.Line, sg.Column, sg.EndLine, sg.EndColumn = s.span.Line, s.span.Column, s.span.EndLine, s.span.EndColumn
	if len(k.rows) > 0 {
		s.obs.Rows = slices.Clone(k.rows)
		sg.Row = k.rows[0]
	}
	if s.at = k.at; !k.at.IsZero() {
		sg.At = k.at
	}
	if s.section = k.section; !k.pathOnly {
		j.place(s)
	}
	return s
}

// kept is a sighting in an outcome.
type kept struct {
	path                        string // behind the item's
	start, end                  int64
	form                        fingerprints.Form
	rule, description           string
	tags                        []string
	entropy                     float32
	rows                        []fingerprints.RowID
	rules                       []string
	within, pathOnly, core, low bool
	located                     bool
	id                          fingerprints.ValueID
	same                        uint64
	context, mark               string
	overflow                    int64
	span, whole                 wire.Region
	at                          time.Time
	section                     string
}
