package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"revenant/fingerprints"
)

// IdentityKey makes the ids that values, paths and findings are known by. The
// zero IdentityKey is one that its holder was not given: it makes zero ids.
// Safe for concurrent use; it cannot be printed.
type IdentityKey struct {
	unprintable
	key func() Key
}

// NewIdentityKey wraps a derived identity key.
func NewIdentityKey(k Key) IdentityKey {
	return IdentityKey{key: func() Key { return k }}
}

// IsZero reports whether the key is not at hand; every id it makes is zero.
func (i IdentityKey) IsZero() bool { return i.key == nil }

// ValueID is HMAC-SHA-256(key, "value/v1" || canonical value)[:16].
func (i IdentityKey) ValueID(canonical []byte) fingerprints.ValueID {
	if i.IsZero() {
		return fingerprints.ValueID{}
	}
	return fingerprints.ValueID(mac(i.key(), []byte("value/v1"), canonical)[:16])
}

// PathID is HMAC-SHA-256(key, "path/v1" || raw path)[:16].
func (i IdentityKey) PathID(rawPath []byte) fingerprints.PathID {
	if i.IsZero() {
		return fingerprints.PathID{}
	}
	return fingerprints.PathID(mac(i.key(), []byte("path/v1"), rawPath)[:16])
}

// FindingID is "rv1:" and the first 32 hex digits of
// HMAC-SHA-256(key, "finding/v1" || L(value id) || L(source id) || L(path id)).
func (i IdentityKey) FindingID(v fingerprints.ValueID, sourceID string, p fingerprints.PathID) fingerprints.FindingID {
	if i.IsZero() {
		return ""
	}
	var b []byte
	b = AppendField(b, v[:])
	b = AppendField(b, []byte(sourceID))
	b = AppendField(b, p[:])
	return findingID(mac(i.key(), []byte("finding/v1"), b))
}

// LocatedFindingID identifies a hit of a value too weak to hash by its place:
// "rv1:" and the first 32 hex digits of HMAC-SHA-256(key, "located/v1" ||
// L(source id) || L(path id) || L(rule) || L(u32 ordinal)). The ordinal counts
// from 0 the rule's weak hits at this path, in order.
func (i IdentityKey) LocatedFindingID(sourceID string, p fingerprints.PathID, rule string, ordinal uint32) fingerprints.FindingID {
	if i.IsZero() {
		return ""
	}
	var b []byte
	b = AppendField(b, []byte(sourceID))
	b = AppendField(b, p[:])
	b = AppendField(b, []byte(rule))
	b = AppendField(b, binary.BigEndian.AppendUint32(nil, ordinal))
	return findingID(mac(i.key(), []byte("located/v1"), b))
}

// BaselineID is what a finding is called in a baseline, whatever the source is
// called, so that clones and forks share it: "bl1:" and the first 32 hex digits
// of HMAC-SHA-256(key, "baseline/v1" || L(value id) || L(path)). The path is
// relative to the repository.
func (i IdentityKey) BaselineID(v fingerprints.ValueID, path []byte) string {
	if i.IsZero() {
		return ""
	}
	b := AppendField(AppendField(nil, v[:]), path)
	return "bl1:" + hex.EncodeToString(mac(i.key(), []byte("baseline/v1"), b)[:16])
}

// SameID is a number that equal values share, for the machine that has the key:
// the first 8 bytes, big-endian, of HMAC-SHA-256(key, "same/v1" || value). It is
// never shown.
func (i IdentityKey) SameID(value []byte) uint64 {
	if i.IsZero() {
		return 0
	}
	return binary.BigEndian.Uint64(mac(i.key(), []byte("same/v1"), value))
}

// LocalKey seals what stays on the machine that has the key:
// HMAC-SHA-256(key, "local/v1" || L(purpose) || L(salt)). Of the zero IdentityKey
// it is zero, too.
func (i IdentityKey) LocalKey(purpose string, salt []byte) Key {
	if i.IsZero() {
		return Key{}
	}
	return Key(mac(i.key(), []byte("local/v1"), AppendField(AppendField(nil, []byte(purpose)), salt)))
}

func findingID(sum []byte) fingerprints.FindingID {
	return fingerprints.FindingID("rv1:" + hex.EncodeToString(sum)[:32])
}

func mac(k Key, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k[:])
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
