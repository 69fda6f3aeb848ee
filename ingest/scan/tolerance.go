package scan

import (
	"hash/maphash"
	"slices"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// Tolerance says which findings people agreed to live with: baselines, files of
// what is to be ignored, decisions of a registry. Calls come from one goroutine, in order.
type Tolerance interface {
	// Tolerate says whether a sighting is tolerated, and by whose word.
	Tolerate(k Known) (wire.Tolerated, Tolerated)
	// Late reports whether one sighting may tolerate others of its finding that
	// came before it. They are then handed out at the end.
	Late() bool
	// Values reports whether Known.Value is looked at.
	Values() bool
}

// Tolerated is how much of a finding is tolerated.
type Tolerated int

// From nothing to all of it.
const (
	TolerateNone     Tolerated = iota
	TolerateSighting           // this copy
	TolerateFinding            // the value at this path, wherever it stands there
)

// Known is a sighting as it is before anything is redacted. It is lent: nothing
// of it may be kept or shown.
type Known struct {
	// BaselineID is what the finding is called in every clone of its source;
	// empty where its value is too weak to be hashed or no key is at hand.
	BaselineID string
	// ValueID is zero where the value is too weak to be hashed or no key is at hand.
	ValueID  fingerprints.ValueID
	SourceID string // redacted
	Verdict  fingerprints.Verdict
	Path     string
	Shown    string // the path as it may be shown
	Commit   string
	Rules    []string // generic ones that matched
	Secret   string   // registered; empty: a generic finding
	Span     wire.Region
	Whole    wire.Region
	Ordinal  uint32 // of the value, among those of the first rule, or of the secret, at the path
	Value    fingerprints.Value
}

// tolerate asks whether a sighting is tolerated.
func (c *collector) tolerate(j *job, s *sighting, r *ready) {
	if s.mark != "" {
		r.out.Tolerated = &wire.Tolerated{By: s.mark, In: wire.ToleratedInSource}
	}
	if c.p.o.Tolerance == nil {
		return
	}
	var rules []string
	for _, rule := range append([]string{s.obs.Sighting.Rule}, s.rules...) {
		if rule != "" && !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	k := Known{
		ValueID: s.obs.Value, SourceID: s.obs.SourceID, Verdict: r.out.Verdict, Path: s.path, Shown: s.obs.Path, Commit: j.item.Origin.Commit, Rules: rules, Span: s.span, Whole: s.whole, Value: s.hit.Value,
	}
	if len(r.out.Matches) > 0 {
		k.Secret = r.out.Matches[0].Secret
	}
	k.Ordinal = c.valueOrdinal(r.key, s.path, k)
	if key := s.ident.key; key != nil && !s.ident.located {
		k.BaselineID = key.BaselineID(s.ident.id, []byte(s.path))
	}
	t, how := c.p.o.Tolerance.Tolerate(k)
	switch how {
	case TolerateFinding:
		c.tolerated[r.key] = t
	case TolerateSighting:
		r.out.Tolerated = &t
	case TolerateNone:
	}
}

// valueOrdinal counts the values of a rule or secret at a path, from 0: further
// copies and versions of a file do not change what a value is called.
func (c *collector) valueOrdinal(key uint64, path string, k Known) uint32 {
	if n, has := c.values[key]; has {
		return n
	}
	var h maphash.Hash
	h.SetSeed(c.p.seed)
	what := k.Secret
	if what == "" && len(k.Rules) > 0 {
		what = k.Rules[0]
	}
	for _, part := range []string{path, k.Secret, what} {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	n := c.valuesAt[h.Sum64()]
	c.values[key], c.valuesAt[h.Sum64()] = n, n+1
	return n
}

// settle says of a sighting that goes out what is tolerated.
func (c *collector) settle(r *ready) {
	if t, has := c.tolerated[r.key]; has && r.out.Tolerated == nil {
		r.out.Tolerated = &t
	}
	if t := r.out.Tolerated; t != nil && (r.out.Status == "" || r.out.Status == fingerprints.StatusOpen) {
		if r.out.Status = t.Status; t.Status == "" {
			r.out.Status = fingerprints.StatusAccepted
		}
	}
}

// maxHeldBack bounds the sightings that wait for the end.
const maxHeldBack = 100_000

// late reports whether what is ready has to wait.
func (c *collector) late() bool {
	return c.p.o.Tolerance != nil && c.p.o.Tolerance.Late() && !c.ending && len(c.held) < maxHeldBack
}
