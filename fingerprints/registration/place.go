package registration

import (
	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
)

// moment is the keys that one registration uses, read once: the ring may be
// rotated meanwhile.
type moment struct{ epoch, filterGen uint32 }

// entry computes everything that a row holds of a searchable value.
func (r *Registrar) entry(m material, a assessment, now moment) (Entry, error) {
	e := Entry{
		Epoch: now.epoch, FilterGen: now.filterGen, Kind: m.kind, Length: uint32(len(m.canonical)),
		ValueID: r.ks.Identity(identityFor(a.bits)).ValueID(m.canonical),
	}
	var err error
	if e.Lookup, err = r.mac(fingerprints.AudienceCore, keys.PurposeLookup, now.epoch, m.canonical); err != nil {
		return Entry{}, err
	}
	sites, core, edge, err := r.sites(m, e.ValueID, now.filterGen)
	if err != nil {
		return Entry{}, err
	}
	if e.Core, err = r.anchors(fingerprints.AudienceCore, m, core, sites, now); err != nil {
		return Entry{}, err
	}
	e.Strength = admit(m, a, sites)
	if e.Strength == fingerprints.StrengthEdge {
		e.Edge, err = r.anchors(fingerprints.AudienceEdge, m, edge, sites, now)
	}
	return e, err
}

// anchors computes what one audience's packs hold.
func (r *Registrar) anchors(aud fingerprints.Audience, m material, t *tagger, sites []site, now moment) (*Anchors, error) {
	sum, err := r.mac(aud, keys.PurposeRegMAC, now.epoch, m.canonical)
	if err != nil {
		return nil, err
	}
	a := &Anchors{Geometry: t.key.Geometry(), MAC: sum}
	for _, s := range sites {
		off := s.core
		if aud == fingerprints.AudienceEdge {
			off = s.edge
		}
		a.Regions = append(a.Regions, t.at(m.bodies[s.body].bytes, off))
	}
	return a, nil
}

// sites places the regions: where they are already when the value is known,
// else where the chooser finds best.
func (r *Registrar) sites(m material, id fingerprints.ValueID, gen uint32) (sites []site, core, edge *tagger, err error) {
	geo := anchor.Core
	if m.kind == KindValue && len(m.canonical) <= maxShort {
		geo = anchor.Short
	}
	if core, err = r.tagger(fingerprints.AudienceCore, geo, gen); err != nil {
		return nil, nil, nil, err
	}
	if geo == anchor.Core {
		if edge, err = r.tagger(fingerprints.AudienceEdge, anchor.Edge, gen); err != nil {
			return nil, nil, nil, err
		}
	}
	seed := r.ks.Identity(fingerprints.AudienceCore).ValueID(append([]byte("region/v1"), m.canonical...))
	rng := newRNG(seed[:])
	prior, known := r.index.Known(id)
	for i, b := range m.bodies {
		c := chooser{
			number: i, body: b.bytes, avoid: b.avoid, core: core, edge: edge, index: r.index, rng: rng,
			limit: maxRegions - len(m.bodies) + 1,
		}
		c.cost = byteCosts(c.body, c.avoid)
		if known {
			if kept := c.keep(prior, len(m.bodies)); kept != nil {
				sites = append(sites, kept...)
				continue
			}
		}
		sites = append(sites, c.choose()...)
	}
	return sites, core, edge, nil
}

// keep takes over the regions of an entry of the same value; nil when they do
// not fit, as those of an entry that is not of this value.
func (c *chooser) keep(prior Entry, bodies int) []site {
	if prior.Core == nil || prior.Core.Geometry != c.core.key.Geometry() {
		return nil
	}
	from, to := 0, len(prior.Core.Regions)
	if bodies > 1 { // one region each
		if to != bodies {
			return nil
		}
		from, to = c.number, c.number+1
	}
	var out []site
	for i := from; i < to; i++ {
		s := site{body: c.number, core: int(prior.Core.Regions[i].Offset)}
		s.edge = s.core
		if s.core+c.core.size() > len(c.body) {
			return nil
		}
		switch {
		case c.edge == nil:
		case prior.Edge != nil && i < len(prior.Edge.Regions):
			s.edge = int(prior.Edge.Regions[i].Offset)
			if s.edge < s.core || s.edge+c.edge.size() > s.core+c.core.size() {
				return nil
			}
		default:
			s.edge, _ = c.placeEdge(s.core)
		}
		out = append(out, s)
	}
	return out
}
