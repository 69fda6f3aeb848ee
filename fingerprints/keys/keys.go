// Package keys derives every key of an installation from its key ring.
//
// Derivation, byte for byte. L(x) is the 4-byte big-endian length of x followed
// by x; u32 is 4 bytes big-endian.
//
//	key = HKDF-SHA-256(secret = master, salt = "revenant/1",
//	      info = L(installation id) || L(audience) || L(purpose) || L(u32 generation), 32 bytes)
//
//	purpose                                  audiences   master of         generation
//	reg-mac                                  core edge   the epoch         the epoch
//	pack                                     core edge   the epoch         the epoch
//	pack, of a named group of edge holders   edge:GROUP  the epoch         the epoch
//	lookup, seal, audit                      core        the epoch         the epoch
//	sign-pack, sign-audit, sign-proof        core        the epoch         the epoch
//	filter                                   core edge   the epoch that    the filter
//	                                                     began it          generation
//	identity                                 core edge   the ring's root   0
//	key-id                                   core        the ring's root   0
//
// What sign-* derives is the seed of an Ed25519 key. The ring id is the first
// 16 bytes of the key-id key. Root and installation id are drawn with the ring
// and never change; so do not the identity keys, or every finding would get a
// new id. Purposes are never shared.
//
// An epoch has a master of its own. A routine rotation begins an epoch; one
// after a compromise begins an epoch and a generation of the filter. At most two
// generations are in use: a third drops the oldest, whose keys are then refused
// and whose values are not searchable until they are registered again.
//
// The package promises that rings, key sets and keys print as a placeholder
// from fmt, slog and the encoders. It refuses keys that its holder must not
// have: EdgeKeys and RegistrarKeys hold derived keys, never a master.
package keys

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"

	"revenant/fingerprints"
)

// Key is a derived key of 32 bytes. It cannot be printed, logged or encoded by
// itself, but by %p, which asks no method. A struct that keeps one in an
// unexported field can still be dumped by reflection, so keep keys in closures
// or let them go.
type Key [32]byte

// String returns a placeholder.
func (Key) String() string { return hidden }

// GoString returns a placeholder.
func (Key) GoString() string { return hidden }

// Format writes a placeholder for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue returns a placeholder.
func (Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes a placeholder string.
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText writes a placeholder.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalBinary refuses: a binary encoding has no placeholder.
func (Key) MarshalBinary() ([]byte, error) { return nil, fingerprints.ErrPlaintext }

// GobEncode refuses, as MarshalBinary does.
func (Key) GobEncode() ([]byte, error) { return nil, fingerprints.ErrPlaintext }

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
