package registration

import (
	"slices"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
)

// entry computes everything that a row holds of a searchable value.
func (r *Registrar) entry(m material) (Entry, error) {
	bits := totalBits(m.canonical)
	e := Entry{
		Kind:    m.kind,
		Length:  uint32(len(m.canonical)),
		ValueID: r.ks.Identity(identityFor(bits)).ValueID(m.canonical),
	}
	var err error
	if e.Lookup, err = r.mac(fingerprints.AudienceCore, keys.PurposeLookup, m.canonical); err != nil {
		return Entry{}, err
	}
	body, avoid := m.body()
	sites, core, edge, err := r.sites(m, body, avoid, e.ValueID)
	if err != nil {
		return Entry{}, err
	}
	e.Core = &Anchors{Geometry: core.key.Geometry()}
	if e.Core.MAC, err = r.mac(fingerprints.AudienceCore, keys.PurposeRegMAC, m.canonical); err != nil {
		return Entry{}, err
	}
	for _, s := range sites {
		e.Core.Regions = append(e.Core.Regions, core.at(body, s.core))
	}
	e.Strength = classify(m, bits, avoid, sites)
	if e.Strength != fingerprints.StrengthEdge || edge == nil {
		return e, nil
	}
	e.Edge = &Anchors{Geometry: edge.key.Geometry()}
	if e.Edge.MAC, err = r.mac(fingerprints.AudienceEdge, keys.PurposeRegMAC, m.canonical); err != nil {
		return Entry{}, err
	}
	for _, s := range sites {
		e.Edge.Regions = append(e.Edge.Regions, edge.at(body, s.edge))
	}
	return e, nil
}

// body is what the value is anchored in, and the bytes of it to avoid.
func (m material) body() ([]byte, []bool) {
	if m.kind == KindValue {
		return m.canonical, avoided(m.canonical, m.checksum)
	}
	longest := slices.MaxFunc(m.public, func(a, b []byte) int { return len(a) - len(b) })
	return longest, make([]bool, len(longest))
}

// sites places the regions: where the value's regions are already when it is
// known, else where the chooser finds best.
func (r *Registrar) sites(m material, body []byte, avoid []bool, id fingerprints.ValueID) ([]site, *tagger, *tagger, error) {
	geo := anchor.Core
	if len(body) <= maxShort {
		geo = anchor.Short
	}
	core, err := r.tagger(fingerprints.AudienceCore, geo)
	if err != nil {
		return nil, nil, nil, err
	}
	var edge *tagger
	if geo == anchor.Core {
		if edge, err = r.tagger(fingerprints.AudienceEdge, anchor.Edge); err != nil {
			return nil, nil, nil, err
		}
	}
	c := chooser{body: body, avoid: avoid, core: core, edge: edge, index: r.index}
	seed := r.ks.Identity(fingerprints.AudienceCore).ValueID(append([]byte("region/v1"), m.canonical...))
	c.rng = newRNG(seed[:])
	if prior, ok := r.index.Known(id); ok {
		if s := c.keep(prior); s != nil {
			return s, core, edge, nil
		}
	}
	return c.choose(), core, edge, nil
}

// keep takes over the regions of an entry of the same value; nil when they do
// not fit, as for an entry that is not of this value.
func (c *chooser) keep(prior Entry) []site {
	if prior.Core == nil || prior.Core.Geometry != c.core.key.Geometry() {
		return nil
	}
	size := c.core.key.Geometry().Region()
	c.cost = byteCosts(c.body, c.avoid)
	var out []site
	for i, r := range prior.Core.Regions {
		s := site{core: int(r.Offset), edge: int(r.Offset)}
		if s.core+size > len(c.body) {
			return nil
		}
		switch {
		case c.edge == nil:
		case prior.Edge != nil && i < len(prior.Edge.Regions):
			s.edge = int(prior.Edge.Regions[i].Offset)
			if s.edge < s.core || s.edge+c.edge.key.Geometry().Region() > s.core+size {
				return nil
			}
		default:
			s.edge, _ = c.placeEdge(s.core, size)
		}
		out = append(out, s)
	}
	return out
}
