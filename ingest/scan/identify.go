package scan

import (
	"hash/maphash"
	"sync"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/scanners"
)

// identity is what a hit's value is known by.
type identity struct {
	key *keys.IdentityKey // nil: no finding id can be made
	id  fingerprints.ValueID
	// located: too weak to hash; the finding is known by path, rule and ordinal.
	located bool
}

// identify finds the value id of a hit and the key that made it. Registered
// values always have one; the core key makes those of the weaker ones, and
// where it is not at hand there is none.
func (ids *Identities) identify(h scanners.Hit) identity {
	if ids == nil {
		return identity{}
	}
	canonical := h.Value.Reveal()
	if !h.Registered() {
		canonical = registration.Canonical(canonical, registration.TrimTrailing)
	}
	aud, ok := registration.IdentityAudience(canonical)
	if !ok && !h.Registered() {
		return identity{key: &ids.Edge, located: true}
	}
	key := &ids.Edge
	if aud != fingerprints.AudienceEdge {
		key = ids.Core
	}
	if key == nil {
		return identity{}
	}
	return identity{key: key, id: key.ValueID(canonical)}
}

// maxIdentities bounds the memory of identities.
const maxIdentities = 1 << 15

// known remembers identities: estimating a value's strength costs more than
// finding it, and a value that is found is often found again.
type known struct {
	mu  sync.Mutex
	ids map[valueKey]identity
}

func (p *pipeline) identify(key valueKey, h scanners.Hit) identity {
	p.known.mu.Lock()
	id, has := p.known.ids[key]
	p.known.mu.Unlock()
	if has {
		return id
	}
	id = p.o.Identities.identify(h)
	p.known.mu.Lock()
	defer p.known.mu.Unlock()
	if len(p.known.ids) >= maxIdentities {
		clear(p.known.ids)
	}
	p.known.ids[key] = id
	return id
}

// valueKey tells values apart within one scan, in memory only.
type valueKey uint64

func (p *pipeline) valueKey(h scanners.Hit) valueKey {
	var m maphash.Hash
	m.SetSeed(p.seed)
	if h.Registered() {
		_ = m.WriteByte('r')
		for _, r := range h.Rows {
			_, _ = m.Write(r[:])
		}
		return valueKey(m.Sum64())
	}
	if core := p.core(); core != nil { // as what was kept of an earlier scan has it
		return p.alike(core.SameID(h.Value.Reveal()))
	}
	_ = m.WriteByte('g')
	_, _ = m.Write(h.Value.Reveal())
	return valueKey(m.Sum64())
}

// alike is the key of the generic values with this number.
func (p *pipeline) alike(same uint64) valueKey {
	return valueKey(maphash.Comparable(p.seed, same))
}

// findingKey tells findings apart within one scan: value, source and path.
func (p *pipeline) findingKey(v valueKey, sourceID, path string) uint64 {
	var m maphash.Hash
	m.SetSeed(p.seed)
	maphash.WriteComparable(&m, uint64(v))
	_, _ = m.WriteString(sourceID)
	_ = m.WriteByte(0)
	_, _ = m.WriteString(path)
	return m.Sum64()
}
