package scan

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/scanners"
)

// take makes sightings ready.
func (c *collector) take(ctx context.Context, j *job, found []*sighting) error {
	for _, s := range found {
		r, err := c.ready(ctx, j, s)
		if err != nil {
			return err
		}
		c.pending = append(c.pending, r)
		if len(c.pending) >= flushAt {
			if err := c.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// ready makes a sighting's ids and verdict.
func (c *collector) ready(ctx context.Context, j *job, s *sighting) (*ready, error) {
	now := c.p.o.Now()
	ordinal := c.count(c.ordinals, s)
	if k := s.ident.key; k != nil {
		s.obs.PathID = k.PathID([]byte(s.path))
		s.obs.Value = s.ident.id
		if s.ident.located {
			s.obs.FindingID = k.LocatedFindingID(s.obs.SourceID, s.obs.PathID, s.hit.Rule, c.count(c.located, s))
		} else {
			s.obs.FindingID = k.FindingID(s.ident.id, s.obs.SourceID, s.obs.PathID)
		}
	}
	verdict, err := c.p.namer.judge(ctx, s, j.sourceID, s.path, now)
	if err != nil {
		return nil, fmt.Errorf("naming a registered value: %w", err)
	}
	s.obs.AllowIDs = verdict.homes
	if len(verdict.matches) > 0 {
		s.obs.Owner = verdict.matches[0].Owner
	}
	if s.obs.Owner == "" {
		s.obs.Owner = j.item.Owner
	}
	sg := &s.obs.Sighting
	sg.Finding, sg.FirstSeen, sg.LastSeen = s.obs.FindingID, now, now
	r := &ready{
		obs: Observation{Observed: s.obs, RawPath: fingerprints.NewValue([]byte(s.path))},
		key: c.p.findingKey(s.value, s.obs.SourceID, s.path),
		out: c.finding(j, s, verdict, ordinal),
	}
	for _, rule := range s.rules {
		if rule != sg.Rule {
			r.rules = append(r.rules, rule)
		}
	}
	c.tolerate(j, s, r)
	return r, nil
}

// layerOf is where an item stands in images, as it leaves the process.
func layerOf(it scanners.Item) *wire.Layer {
	l := it.Layer
	if l == nil {
		return nil
	}
	return &wire.Layer{Image: l.Image, Platform: l.Platform, Digest: l.Digest, Index: l.Index, Of: l.Of, HiddenBy: l.HiddenBy, Hiding: l.Hiding, InRepository: string(l.InRepository)}
}

// count counts the hits of a rule at a path, from 0.
func (c *collector) count(m map[uint64]uint32, s *sighting) uint32 {
	var h maphash.Hash
	h.SetSeed(c.p.seed)
	for _, part := range []string{s.obs.SourceID, s.path, s.hit.Rule} {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	n := m[h.Sum64()]
	m[h.Sum64()] = n + 1
	return n
}

// finding is the sighting as it leaves the process.
func (c *collector) finding(j *job, s *sighting, v judged, ordinal uint32) wire.Finding {
	sg := s.obs.Sighting
	f := wire.Finding{
		Schema: wire.FindingV1, ID: s.obs.FindingID,
		SourceID: s.obs.SourceID, Kind: c.kind(s.obs.SourceID), Path: s.obs.Path,
		Locator: sg.Locator, URL: sg.URL, At: sg.At,
		Commit: j.item.Origin.Commit, Author: j.item.Origin.Author, Email: j.item.Origin.Email, Message: j.item.Origin.Message,
		Refs: j.item.Refs, MoreRefs: j.item.MoreRefs, Owner: s.obs.Owner, Layer: layerOf(j.item),
		Rule: sg.Rule, Rules: s.rules, Description: s.hit.Description, Tags: s.hit.Tags, Entropy: s.hit.Entropy,
		Matches: v.matches, Verdict: v.verdict, Severity: v.severity, Status: fingerprints.StatusOpen,
		Presence: sg.Presence, Form: sg.Form, Within: sg.Within,
		Span: s.span, Whole: s.whole, Context: sg.Context, More: s.obs.Overflow, Ordinal: ordinal,
		Same: max(uint64(s.value), 1),
	}
	if outer := j.path.shown(); outer != "" {
		if member, has := strings.CutPrefix(f.Path, outer+"!"); has {
			f.Member = member
		}
	}
	if c.p.o.Secrets == SecretsShown {
		f.Secret, f.Match = s.hit.Value, s.match
		if f.Match.IsEmpty() {
			f.Match = f.Secret
		}
	}
	return f
}

// kind is the source's own where the id is its; records bring their own.
func (c *collector) kind(sourceID string) fingerprints.SourceKind {
	if k := scanners.KindOf(sourceID); k != fingerprints.KindOther || c.p.o.Source.ID() == "" && sourceID != "" {
		return k
	}
	return c.p.o.Source.Kind()
}

// flush records what is pending, source by source, and emits it in order.
func (c *collector) flush(ctx context.Context) error {
	for _, id := range c.touched() {
		if err := c.record(ctx, id); err != nil {
			return err
		}
	}
	c.skips = c.skips[:0]
	standings, err := c.standings(ctx)
	if err != nil {
		return err
	}
	for _, r := range c.pending {
		if st, has := standings[r.out.ID]; has && r.out.ID != "" {
			r.out.Status, r.out.TooCommon = st.Status, st.TooCommon
		}
	}
	c.held = append(c.held, c.pending...)
	c.pending = nil
	if c.late() {
		return nil
	}
	held := c.held
	c.held = nil
	return c.emit(held)
}

// emit counts sightings and hands them out.
func (c *collector) emit(list []*ready) error {
	for _, r := range list {
		c.settle(r)
		c.tally(r)
		if c.p.o.Emit == nil || r.out.Tolerated != nil && !c.p.o.EmitTolerated {
			continue
		}
		if err := c.p.o.Emit(r.out); err != nil {
			return fmt.Errorf("reporting a finding: %w", err)
		}
	}
	return nil
}

// touched are the sources of what is pending, each once.
func (c *collector) touched() []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, r := range c.pending {
		add(r.obs.SourceID)
	}
	for _, s := range c.skips {
		add(s.sourceID)
	}
	return ids
}

// record hands one source's pending sightings and skips to the sink.
func (c *collector) record(ctx context.Context, sourceID string) error {
	run := c.running[sourceID]
	if run == nil {
		return nil
	}
	var obs []Observation
	var from []*ready // of each observation; nil for further rules of the same
	for _, r := range c.pending {
		if r.obs.SourceID != sourceID || r.obs.FindingID == "" {
			continue
		}
		obs, from = append(obs, r.obs), append(from, r)
		for _, rule := range r.rules {
			more := r.obs
			more.Sighting.Rule, more.Overflow = rule, 0
			obs, from = append(obs, more), append(from, nil)
		}
	}
	var skips []fingerprints.Skip
	for _, s := range c.skips {
		if s.sourceID == sourceID {
			skips = append(skips, s.skip)
		}
	}
	if len(obs) == 0 && len(skips) == 0 {
		return nil
	}
	recorded, err := c.p.o.Sink.Record(ctx, run.scan.ID, obs, skips)
	if err != nil {
		return fmt.Errorf("recording sightings: %w", err)
	}
	for i, rec := range recorded {
		if i >= len(from) || from[i] == nil {
			continue
		}
		from[i].out.New = rec.New
		if rec.FindingID != "" { // an alias records under what it became
			from[i].out.ID = rec.FindingID
		}
	}
	return nil
}

func (c *collector) standings(ctx context.Context) (map[fingerprints.FindingID]fingerprints.Standing, error) {
	if c.p.o.Triage == nil || len(c.pending) == 0 {
		return nil, nil
	}
	var ids []fingerprints.FindingID
	for _, r := range c.pending {
		if r.out.ID != "" {
			ids = append(ids, r.out.ID)
		}
	}
	slices.Sort(ids)
	st, err := c.p.o.Triage.Standings(ctx, slices.Compact(ids))
	if err != nil {
		return nil, fmt.Errorf("looking findings up: %w", err)
	}
	return st, nil
}

// counted is how a finding was counted: by its strongest sighting that alerts.
type counted struct {
	alerts   bool
	presence int // its rank
	verdict  fingerprints.Verdict
	severity fingerprints.Severity
}

// tally counts a finding once. A hit inside another registered value's hit is
// kept but alerts only where the value also stands by itself.
func (c *collector) tally(r *ready) {
	c.res.Sightings += 1 + r.out.More
	old, seen := c.distinct[r.key]
	if !seen && r.out.New {
		c.res.New++
	}
	now := counted{
		alerts:   !r.out.Within && fingerprints.Standing{Status: r.out.Status, TooCommon: r.out.TooCommon}.Alerts(),
		presence: slices.Index(fingerprints.Presences(), r.out.Presence), verdict: r.out.Verdict, severity: r.out.Severity,
	}
	if seen && (!now.alerts || old.alerts && old.presence <= now.presence) {
		return
	}
	c.distinct[r.key] = now
	if r.out.Tolerated != nil && !old.alerts {
		c.spared[r.key] = r.out.Tolerated.In
	}
	if old.alerts {
		c.add(old, -1)
	}
	if now.alerts {
		c.add(now, 1)
	}
}

// add counts n findings more of a kind.
func (c *collector) add(f counted, n int) {
	addTo(c.res.Verdicts, f.verdict, n)
	if f.verdict != fingerprints.VerdictAllowed && f.verdict != fingerprints.VerdictCleared {
		addTo(c.res.Severities, f.severity, n)
	}
}

func addTo[K comparable](m map[K]int, key K, n int) {
	if m[key] += n; m[key] == 0 {
		delete(m, key)
	}
}
