// Package keys derives every key of an installation from its key ring.
//
// Derivation, byte for byte. L(x) is the 4-byte big-endian length of x followed
// by x; u32 is 4 bytes big-endian.
//
//	key = HKDF-SHA-256(secret = master of the epoch, salt = "revenant/1",
//	      info = L(installation id) || L(audience) || L(purpose) || L(u32 generation), 32 bytes)
//
// The two identity keys use the ring's root in place of an epoch's master,
// generation 0, and never change. Purposes are never shared.
package keys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"revenant/fingerprints"
)

// Key is a derived key of 32 bytes.
type Key = [32]byte

// Purpose separates derived keys from each other.
type Purpose string

// The purposes.
const (
	PurposeRegMAC    Purpose = "reg-mac"
	PurposeLookup    Purpose = "lookup"
	PurposeSeal      Purpose = "seal"
	PurposePack      Purpose = "pack"
	PurposeFilter    Purpose = "filter"
	PurposeAudit     Purpose = "audit"
	PurposeKeyID     Purpose = "key-id"
	PurposeSignPack  Purpose = "sign-pack"  // seed of an Ed25519 key
	PurposeSignAudit Purpose = "sign-audit" // seed of an Ed25519 key
	PurposeSignProof Purpose = "sign-proof" // seed of an Ed25519 key
	PurposeIdentity  Purpose = "identity"
)

// Derive computes one derived key; see the package comment.
func Derive(master Key, inst fingerprints.InstallationID, aud fingerprints.Audience, p Purpose, gen uint32) Key {
	var info []byte
	info = AppendField(info, inst[:])
	info = AppendField(info, []byte(aud))
	info = AppendField(info, []byte(p))
	info = AppendField(info, binary.BigEndian.AppendUint32(nil, gen))
	out, err := hkdf.Key(sha256.New, master[:], []byte("revenant/1"), string(info), 32)
	if err != nil {
		panic("keys: HKDF refused 32 bytes: " + err.Error())
	}
	return Key(out)
}

// AppendField appends L(b): the 4-byte big-endian length of b, then b.
func AppendField(dst, b []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...)
}

func mac(k Key, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k[:])
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// IdentityKey makes the ids that findings are known by.
type IdentityKey struct{ k Key }

// NewIdentityKey wraps a derived identity key.
func NewIdentityKey(k Key) IdentityKey { return IdentityKey{k: k} }

// ValueID is HMAC-SHA-256(key, "value/v1" || canonical value)[:16].
func (i IdentityKey) ValueID(canonical []byte) fingerprints.ValueID {
	return fingerprints.ValueID(mac(i.k, []byte("value/v1"), canonical)[:16])
}

// PathID is HMAC-SHA-256(key, "path/v1" || raw path)[:16].
func (i IdentityKey) PathID(rawPath []byte) fingerprints.PathID {
	return fingerprints.PathID(mac(i.k, []byte("path/v1"), rawPath)[:16])
}

// FindingID is "rv1:" and the first 32 hex digits of
// HMAC-SHA-256(key, "finding/v1" || L(value id) || L(source id) || L(path id)).
func (i IdentityKey) FindingID(v fingerprints.ValueID, sourceID string, p fingerprints.PathID) fingerprints.FindingID {
	var b []byte
	b = AppendField(b, v[:])
	b = AppendField(b, []byte(sourceID))
	b = AppendField(b, p[:])
	return findingID(mac(i.k, []byte("finding/v1"), b))
}

// LocatedFindingID identifies a hit of a value too weak to hash by its place:
// "rv1:" and the first 32 hex digits of HMAC-SHA-256(key, "located/v1" ||
// L(source id) || L(path id) || L(rule) || L(u32 ordinal)). The ordinal counts
// from 0 the rule's weak hits at this path, in order.
func (i IdentityKey) LocatedFindingID(sourceID string, p fingerprints.PathID, rule string, ordinal uint32) fingerprints.FindingID {
	var b []byte
	b = AppendField(b, []byte(sourceID))
	b = AppendField(b, p[:])
	b = AppendField(b, []byte(rule))
	b = AppendField(b, binary.BigEndian.AppendUint32(nil, ordinal))
	return findingID(mac(i.k, []byte("located/v1"), b))
}

func findingID(sum []byte) fingerprints.FindingID {
	return fingerprints.FindingID("rv1:" + hex.EncodeToString(sum)[:32])
}
