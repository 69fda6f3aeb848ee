package registration

import (
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
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
	canonical []byte   // what the MAC is over
	public    [][]byte // of a private key: byte strings that it can be anchored in
	checksum  int      // characters at the end that follow from the others
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
	return material{kind: KindValue, canonical: raw}
}

// trimTrailing removes one trailing run of CR and LF.
func trimTrailing(b []byte) []byte {
	n := len(b)
	for n > 0 && (b[n-1] == '\n' || b[n-1] == '\r') {
		n--
	}
	return b[:n]
}

// Bounds below which an unregistered value has no id: a guess would confirm
// itself.
const (
	minGenericLen  = 8
	minGenericBits = 28
	edgeIDBits     = 72
)

// IdentityAudience says which identity key names a canonical value. It is
// false for unregistered values that are too short or too weak to have an id.
func IdentityAudience(canonical []byte) (fingerprints.Audience, bool) {
	bits := totalBits(canonical)
	return identityFor(bits), len(canonical) >= minGenericLen && bits >= minGenericBits
}

func identityFor(bits float64) fingerprints.Audience {
	if bits >= edgeIDBits {
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
