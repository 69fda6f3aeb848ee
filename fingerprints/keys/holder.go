package keys

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	"revenant/fingerprints"
)

// slot names a derived key in a key set.
type slot struct {
	aud fingerprints.Audience
	p   Purpose
	gen uint32
}

// keySet is what a holder of derived keys has.
type keySet struct {
	installation fingerprints.InstallationID
	ring         fingerprints.RingID
	group        string
	keys         map[slot]Key
	public       map[slot]ed25519.PublicKey // slot.aud is core
}

// held implements Source over a key set that printers cannot reach.
type held struct {
	unprintable
	set func() *keySet
}

func hold(s *keySet) held { return held{set: func() *keySet { return s }} }

// get returns an empty set for the zero holder.
func (h held) get() *keySet {
	if h.set == nil {
		return &keySet{}
	}
	return h.set()
}

// ID identifies the ring that the keys were derived from.
func (h held) ID() fingerprints.RingID { return h.get().ring }

// Installation is the installation of the ring.
func (h held) Installation() fingerprints.InstallationID { return h.get().installation }

// Key returns one of the keys that the holder was given.
func (h held) Key(aud fingerprints.Audience, p Purpose, gen uint32) (Key, error) {
	s := h.get()
	if k, ok := s.keys[slot{aud, p, gen}]; ok && p != PurposeIdentity {
		return k, nil
	}
	if p == PurposeFilter && offered(aud, p) {
		var gens []generation
		for _, g := range slices.Backward(h.FilterGens()) {
			gens = append(gens, generation{gen: g})
		}
		if _, err := findGeneration(gens, gen); err != nil {
			return Key{}, err
		}
	}
	if gen > h.Epoch() && p != PurposeFilter {
		return Key{}, fmt.Errorf("key %s of epoch %d, the keys end at %d: %w", p, gen, h.Epoch(), ErrUnknownEpoch)
	}
	return Key{}, fmt.Errorf("key %s of audience %s, generation %d: %w", p, aud, gen, ErrNoKey)
}

// Epoch is the newest epoch.
func (h held) Epoch() uint32 {
	var n uint32
	for k := range h.get().keys {
		if k.p == PurposeRegMAC {
			n = max(n, k.gen)
		}
	}
	return n
}

// FilterGens lists the filter generations in use, newest first.
func (h held) FilterGens() []uint32 {
	var out []uint32
	for k := range h.get().keys {
		if k.p == PurposeFilter && !slices.Contains(out, k.gen) {
			out = append(out, k.gen)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// FilterGen is the newest filter generation; 0 when there is none.
func (h held) FilterGen() uint32 {
	if g := h.FilterGens(); len(g) > 0 {
		return g[0]
	}
	return 0
}

// Identity returns an identity key, zero when the holder was not given it.
func (h held) Identity(aud fingerprints.Audience) IdentityKey {
	k, ok := h.get().keys[slot{aud, PurposeIdentity, 0}]
	if !ok {
		return IdentityKey{}
	}
	return NewIdentityKey(k)
}

// Public is the public half of the newest epoch's signing key; nil when p signs
// nothing.
func (h held) Public(p Purpose) ed25519.PublicKey {
	k, err := h.PublicAt(p, h.Epoch())
	if err != nil {
		return nil
	}
	return k
}

// PublicAt is the public half of an epoch's signing key. Keys of compromised
// epochs are not among them.
func (h held) PublicAt(p Purpose, n uint32) (ed25519.PublicKey, error) {
	k, ok := h.get().public[slot{fingerprints.AudienceCore, p, n}]
	if !ok {
		return nil, fmt.Errorf("public key %s of epoch %d: %w", p, n, ErrNoKey)
	}
	return slices.Clone(k), nil
}

// EdgeKeys is what the holder of an edge pack gets: for every epoch the edge
// reg-mac key and the lookup key, for every filter generation in use the edge filter
// key, the pack keys of its group, identity-edge, and public halves. No master, and
// of core the lookup keys alone: what they make of a value stands in sealed rows and
// nowhere else, so that a guess can be tested by asking the server only. Files that
// were written before look-ups lack them. It cannot be printed. Safe for concurrent
// use.
type EdgeKeys struct{ held }

// Group is the group of holders that share the pack key; may be empty.
func (e EdgeKeys) Group() string { return e.get().group }

// RegistrarKeys is what somebody gets who may register values but does not hold
// the ring: reg-mac and filter keys of both audiences, lookup and seal keys,
// both identity keys, and public halves. Neither pack nor audit keys, nothing
// that signs. It cannot be printed. Safe for concurrent use.
type RegistrarKeys struct{ held }

// EdgeKeys derives the keys of a group of edge holders. Groups differ in the
// pack key only; keys for opening and for trusting packs begin after the last
// compromise.
func (r *Ring) EdgeKeys(group string) EdgeKeys {
	iss := r.Issuer(group)
	set := r.newSet(group)
	edge := fingerprints.AudienceEdge
	for _, e := range r.Epochs() {
		set.add(iss, slot{edge, PurposeRegMAC, e.Epoch})
		set.add(iss, slot{fingerprints.AudienceCore, PurposeLookup, e.Epoch})
		if !r.Compromised(e.Epoch) {
			set.add(iss, slot{edge, PurposePack, e.Epoch})
		}
	}
	for _, g := range r.FilterGens() {
		set.add(iss, slot{edge, PurposeFilter, g})
	}
	set.keys[slot{edge, PurposeIdentity, 0}] = r.Identity(edge).key()
	return EdgeKeys{hold(set)}
}

// RegistrarKeys derives the registering keys.
func (r *Ring) RegistrarKeys() RegistrarKeys {
	set := r.newSet("")
	auds := []fingerprints.Audience{fingerprints.AudienceCore, fingerprints.AudienceEdge}
	for _, e := range r.Epochs() {
		set.add(r, slot{auds[0], PurposeLookup, e.Epoch})
		set.add(r, slot{auds[0], PurposeSeal, e.Epoch})
		for _, aud := range auds {
			set.add(r, slot{aud, PurposeRegMAC, e.Epoch})
		}
	}
	for _, aud := range auds {
		for _, g := range r.FilterGens() {
			set.add(r, slot{aud, PurposeFilter, g})
		}
		set.keys[slot{aud, PurposeIdentity, 0}] = r.Identity(aud).key()
	}
	return RegistrarKeys{hold(set)}
}

func (r *Ring) newSet(group string) *keySet {
	set := &keySet{
		installation: r.Installation(), ring: r.ID(), group: group,
		keys: map[slot]Key{}, public: map[slot]ed25519.PublicKey{},
	}
	for _, e := range r.Epochs() {
		for _, p := range signers() {
			if k, err := r.PublicAt(p, e.Epoch); err == nil && !r.Compromised(e.Epoch) {
				set.public[slot{fingerprints.AudienceCore, p, e.Epoch}] = k
			}
		}
	}
	return set
}

// add copies a key that is known to exist.
func (s *keySet) add(src Source, at slot) {
	k, err := src.Key(at.aud, at.p, at.gen)
	if err != nil {
		panic("keys: " + err.Error())
	}
	s.keys[at] = k
}

// Issuer is a ring as the builder of packs for one group of edge holders sees
// it: Key(edge, pack, epoch) is the group's.
type Issuer struct {
	*Ring
	group string
}

// Issuer returns the ring for a group; the empty group is that of the ring.
func (r *Ring) Issuer(group string) Issuer { return Issuer{Ring: r, group: group} }

// Key returns the group's pack key, and the ring's for all else.
func (i Issuer) Key(aud fingerprints.Audience, p Purpose, gen uint32) (Key, error) {
	if i.group == "" || p != PurposePack || aud != fingerprints.AudienceEdge {
		return i.Ring.Key(aud, p, gen)
	}
	s := i.load()
	m, err := s.master(gen)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", p, err)
	}
	return Derive(m, s.installation, aud+":"+fingerprints.Audience(i.group), p, gen), nil
}
