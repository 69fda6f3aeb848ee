package registration

import (
	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/privatekeys"
	"revenant/fingerprints/strength"
)

// Trailing says what becomes of line breaks at the end of a value.
type Trailing uint8

// What becomes of them. The zero value removes one run of CR and LF: values
// come from files and pipes that end so.
const (
	TrimTrailing Trailing = iota
	KeepTrailing
)

// material is a value as it is registered.
type material struct {
	kind      Kind
	canonical []byte // what the MAC is over
	bodies    []body // what regions are placed in
}

// body is a byte string that stands in the value's containers.
type body struct {
	bytes  []byte
	avoid  []bool // bytes that other values share or that can be computed
	public bool   // no part of the secret: a region in it gives nothing away
}

// Canonical is the form of a value that ids and MACs are computed over: its
// private fields when it is a private key, the normalised body when it is
// other armoured text, else the value without one trailing run of CR and LF.
// The result may share memory with raw.
func Canonical(raw []byte, t Trailing) []byte { return understand(raw, t).canonical }

// understand never fails: what is no key is a plain value.
func understand(raw []byte, t Trailing) material {
	if t == TrimTrailing {
		raw = trimTrailing(raw)
	}
	if len(raw) > maxContainer || !privatekeys.IsContainer(raw) {
		return plain(raw)
	}
	key, err := privatekeys.Parse(raw)
	switch {
	case err != nil:
		return plain(raw)
	case key.Type == privatekeys.Armoured:
		// Armour begins with a header that containers of its kind share.
		avoid := make([]bool, len(key.Canonical))
		for i := range min(len(avoid)/4, armourHead) {
			avoid[i] = true
		}
		return material{kind: KindValue, canonical: key.Canonical, bodies: []body{{bytes: key.Canonical, avoid: avoid}}}
	}
	if bodies := keyBodies(key); len(bodies) > 0 {
		return material{kind: KindPrivateKey, canonical: key.Canonical, bodies: bodies}
	}
	return plain(raw)
}

// plain is a value that stands in text as it is.
func plain(raw []byte) material {
	return material{kind: KindValue, canonical: raw, bodies: []body{{bytes: raw}}}
}

const (
	maxContainer = privatekeys.MaxArmoured
	armourHead   = 64
)

// keyBodies are what a private key is anchored in: the longest string of its
// public part, and, for containers that hold no public part, one region of
// the private part where what stays secret is work enough.
func keyBodies(key privatekeys.Key) []body {
	var out []body
	add := func(list [][]byte, public bool) {
		var longest []byte
		for _, b := range list {
			if len(b) > len(longest) {
				longest = b
			}
		}
		if len(longest) >= anchor.Core.Region() {
			out = append(out, body{bytes: longest, avoid: make([]bool, len(longest)), public: public})
		}
	}
	add(key.Public, true)
	for _, b := range key.Private {
		if residualWork(key.Type, len(b)) < edgeKnownBits+lengthBits {
			return out
		}
	}
	add(key.Private, false)
	return out
}

// residualWork is the bits of work to find a private string of n bytes of
// which an edge region is known: guessing a seed, or half of that for a
// scalar, whose rest follows from the public key by kangaroos.
func residualWork(t privatekeys.Type, n int) float64 {
	left := float64(8 * (n - anchor.Edge.Region()))
	if t == privatekeys.Ed25519 || t == privatekeys.Ed448 {
		return left
	}
	return left / 2
}

// trimTrailing removes one trailing run of CR and LF.
func trimTrailing(b []byte) []byte {
	n := len(b)
	for n > 0 && (b[n-1] == '\n' || b[n-1] == '\r') {
		n--
	}
	return b[:n]
}

// IdentityAudience says which identity key names a canonical value. It is
// false for unregistered values that are too short or too weak to have an id:
// a guess would confirm itself.
func IdentityAudience(canonical []byte) (fingerprints.Audience, bool) {
	bits := strength.Bits(canonical)
	return identityFor(bits), len(canonical) >= MinLength && bits >= strength.IdentityLeast
}

func identityFor(bits float64) fingerprints.Audience {
	if bits >= strength.IdentityEdge {
		return fingerprints.AudienceEdge
	}
	return fingerprints.AudienceCore
}

// Identities gives the identity key of an audience, and false for one that the
// holder lacks: edge holders have no core identity.
type Identities func(fingerprints.Audience) (keys.IdentityKey, bool)

// ValueIDOf returns the id of an unregistered value that was found; false when
// it is too weak to have one, or when the key that would make it is not held.
func ValueIDOf(ids Identities, raw []byte) (fingerprints.ValueID, bool) {
	canonical := Canonical(raw, TrimTrailing)
	aud, ok := IdentityAudience(canonical)
	if !ok {
		return fingerprints.ValueID{}, false
	}
	key, ok := ids(aud)
	if !ok {
		return fingerprints.ValueID{}, false
	}
	return key.ValueID(canonical), true
}
