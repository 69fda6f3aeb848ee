package scan

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/scanners"
)

// userinfo is the part of a URL that may hold a password.
var userinfo = regexp.MustCompile(`://[^/?#@\s]*@`)

// producer pulls the source and gives out jobs in its order.
type producer struct {
	p        *pipeline
	redactor *redactor
	reported map[uint64]bool // findings in provenance that were given out
}

func newProducer(p *pipeline) *producer {
	return &producer{
		p:        p,
		redactor: &redactor{matchers: p.o.PathMatchers, namer: p.namer, known: map[string]bool{}},
		reported: map[uint64]bool{},
	}
}

// produce runs until the source ends, ctx does, or the collector gives up. What a
// source has found is still taken when ctx has ended, until late does.
func (d *producer) produce(ctx, late context.Context) {
	for found := false; ctx.Err() == nil || found && late.Err() == nil; {
		batch, err := d.p.o.Source.Next(ctx)
		end := &job{batch: true, cursor: batch.Cursor, notes: batch.Notes}
		found = batch.Found
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			end.last = true
		case ctx.Err() != nil && !found:
			d.p.partly = batch.Read
			return
		case ctx.Err() != nil:
		default:
			s := asSkip(err)
			end.failed = true
			batch.Skipped = append(batch.Skipped, fingerprints.Skip{Reason: s.Reason, Detail: "the source ended early: " + s.Detail, Size: -1})
		}
		at := ctx
		if found {
			at = late
		}
		if !d.give(at, batch, end) || err != nil {
			return
		}
	}
}

// give sends a batch's jobs and its end; false when nobody takes them.
func (d *producer) give(ctx context.Context, b scanners.Batch, end *job) bool {
	if b.SourceID == "" {
		b.SourceID = d.p.o.Source.ID()
	}
	jobs, skips := d.prepare(ctx, b)
	for _, j := range jobs {
		j.late = b.Found
		if d.p.memory.Acquire(ctx, j.weight) != nil {
			return false
		}
		select { // the collector first: it takes results in this order
		case d.p.queue <- j:
		case <-d.p.stopped:
			d.p.memory.Release(j.weight)
			return false
		}
		select {
		case d.p.jobs <- j:
		case <-d.p.stopped:
			d.p.memory.Release(j.weight)
			close(j.out)
			return false
		}
	}
	end.skips, end.found, end.read = skips.skips, skips.found, b.Read
	end.sourceID, end.extent, end.own = skips.sourceID, d.p.o.Extent.Name, true
	select {
	case d.p.queue <- end:
		return true
	case <-d.p.stopped:
		return false
	}
}

// provenance is the texts of an item that are its own: path, URL, locator, source id,
// who brought it in, and whose it is. Those that many items share are sharedOf.
const provenance = 8

// prepare redacts a batch's provenance. The second job carries the skips.
func (d *producer) prepare(ctx context.Context, b scanners.Batch) ([]*job, *job) {
	raws := make([]string, 0, provenance*len(b.Items)+2*len(b.Skipped)+1)
	for _, it := range b.Items {
		raws = append(raws, it.Path, it.URL, it.Locator, it.SourceID, it.Origin.Author, it.Origin.Email, it.Origin.Message, it.Owner)
	}
	for _, s := range b.Skipped {
		raws = append(raws, s.Path, s.Locator)
	}
	raws = append(raws, b.SourceID)
	rest := len(raws)
	shared := sharedOf(b.Items)
	texts := d.redactor.scan(ctx, append(raws, shared...))
	shown := map[string]string{}
	for i, s := range shared {
		shown[s] = texts[rest+i].shown()
	}
	texts = texts[:rest]
	jobs := make([]*job, len(b.Items))
	for i, it := range b.Items {
		t := texts[provenance*i : provenance*(i+1)]
		jobs[i] = &job{
			item: it, path: t[0], url: userinfo.ReplaceAllString(t[1].shown(), "://"), locator: t[2].shown(), sourceID: t[3].shown(),
			own: it.SourceID == b.SourceID, extent: d.p.o.Extent.Name, weight: d.p.weigh(it.Size), out: make(chan []*sighting, 1),
		}
		jobs[i].item.Origin.Author, jobs[i].item.Origin.Email, jobs[i].item.Origin.Message = t[4].shown(), t[5].shown(), t[6].shown()
		jobs[i].item.Owner = t[7].shown()
		if it.Layer != nil {
			layer := *it.Layer
			for _, s := range textsOf(&layer) {
				*s = shown[*s]
			}
			jobs[i].item.Layer = &layer
		}
		if it.Stream != nil {
			stream := *it.Stream
			stream.Name = shown[stream.Name]
			jobs[i].item.Stream = &stream
		}
		jobs[i].item.Refs = nil
		for _, ref := range it.Refs {
			jobs[i].item.Refs = append(jobs[i].item.Refs, shown[ref])
		}
		d.findings(jobs[i], t[0], "@path")
		d.findings(jobs[i], t[1], "@url")
		d.findings(jobs[i], t[3], "@source")
	}
	own := &job{sourceID: texts[len(texts)-1].shown(), extent: d.p.o.Extent.Name}
	own.item.Presence = fingerprints.PresenceTip
	skipped := texts[provenance*len(b.Items):]
	for i, s := range b.Skipped {
		s.Path, s.Locator = skipped[2*i].shown(), skipped[2*i+1].shown()
		own.skips = append(own.skips, s)
		d.findings(own, skipped[2*i], "@path")
	}
	d.findings(own, texts[len(texts)-1], "@source")
	return jobs, own
}

// textsOf are the texts of a layer. Who made the image chose all of them: saved
// images call layers by the names of files.
func textsOf(l *scanners.ImageLayer) []*string {
	return []*string{&l.Image, &l.Platform, &l.Digest, &l.HiddenBy, &l.Hiding}
}

// sharedOf are the refs, streams and layers of items, each once.
func sharedOf(items []scanners.Item) []string {
	var shared []string
	seen := map[string]bool{}
	add := func(s string) {
		if s != "" && !seen[s] {
			seen[s] = true
			shared = append(shared, s)
		}
	}
	for _, it := range items {
		for _, ref := range it.Refs {
			add(ref)
		}
		if it.Stream != nil {
			add(it.Stream.Name)
		}
		if it.Layer != nil {
			for _, s := range textsOf(it.Layer) {
				add(*s)
			}
		}
	}
	return shared
}

// findings makes the sightings of a text's hits, each given out once.
func (d *producer) findings(j *job, t text, where string) {
	j.found = append(j.found, d.p.mentions(j, t, where, 0, d.reported)...)
}

// mentions are the sightings of the hits in a text that reach beyond its first
// bytes. A hit in a directory's name, or in an archive's, is a finding of that
// directory, given out once and not for each file below.
func (p *pipeline) mentions(j *job, t text, where string, from int, reported map[uint64]bool) []*sighting {
	var found []*sighting
	for _, m := range merge(t.hits) {
		if from > 0 && m.hit.Span.End <= int64(from) {
			continue
		}
		path, shown := where, where
		if where == "@path" {
			ends := "/"
			if from > 0 {
				ends = "/!"
			}
			end := len(t.raw)
			if i := strings.IndexAny(t.raw[m.hit.Span.End:], ends); i >= 0 {
				end = int(m.hit.Span.End) + i
			}
			path, shown = t.raw[:end], t.prefix(end)
		}
		key := p.valueKey(m.hit)
		once := p.findingKey(key, j.sourceID+where, path)
		if reported[once] {
			continue
		}
		reported[once] = true
		s := &sighting{hit: m.hit, value: key, path: path, ident: p.identify(key, m.hit)}
		s.obs = j.observed(shown, where)
		s.obs.Sighting.Within = m.within
		s.obs.Sighting.Context = shown
		s.span.Start, s.span.End = m.hit.Span.Start, m.hit.Span.End
		s.whole = s.span
		(&content{p: p, j: j}).describe(s, m)
		found = append(found, s)
	}
	return found
}

// streamOf is where an item stands in a stream, as it is stored.
func streamOf(it scanners.Item) *store.StreamAt {
	if it.Stream == nil {
		return nil
	}
	return &store.StreamAt{Name: it.Stream.Name, Offset: it.Stream.Offset, Since: it.Stream.Since}
}

// cutName bounds a name, in bytes: commits say what they like.
func cutName(name string) string {
	const most = 200
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// observed is what all sightings of an item share.
func (j *job) observed(path, locator string) store.Observed {
	return store.Observed{
		SourceID: j.sourceID, Path: path, Extent: j.extent, Stream: streamOf(j.item),
		Sighting: fingerprints.Sighting{
			Locator: locator, Presence: j.item.Presence, URL: j.url, At: j.item.At, Commit: j.item.Origin.Commit, Author: cutName(j.item.Origin.Author),
		},
	}
}
