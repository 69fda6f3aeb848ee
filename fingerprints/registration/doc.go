// Package registration turns a value into a sealed row, and a sealed row back
// into what a pack needs. This comment is the specification of format 1.
//
// It promises: only the raw value is registered, so that encodings recognised
// later also find what is registered today; a row alone, and a database of
// rows, tells nothing and tests nothing without the key ring; the same value
// gets the same regions whenever and wherever it is registered. It refuses:
// empty values and values over 256 KiB; to open a row that was moved, changed
// or sealed by another ring; to put a value into an error.
//
// Numbers are big-endian. L(x) is the 4-byte length of x followed by x.
// key(audience, purpose, generation) is as in package keys; where no audience
// is given it is core.
//
// # Canonical value
//
//   - A private key (package privatekeys): its private fields.
//   - Other armoured text: its decoded body.
//   - Anything else: the bytes, without one trailing run of CR and LF unless
//     that is to be kept.
//
// The value id is that of package keys over the canonical value, under
// identity-edge from 72 bits of strength/v1 (package strength) on, else under
// identity-core. Unregistered values under 8 bytes or 28 bits have none.
//
// # What can be searched for
//
// Values under 8 bytes, and common words and passwords, get a row that says why
// it cannot be searched for, without a sealed part. Values of 8 to 14 bytes are
// anchored in the short geometry and are in core packs only. Values of 15 bytes
// and more have the core geometry, and the edge geometry besides when their
// strength class is edge: when strength/v1 leaves 80 bits outside their edge
// regions, 72 when the generator is known, and 8 more for what an attacker knows
// of length, characters and encoding. Private keys are edge. Geometries, windows, and tags are those of package
// anchor, under key(audience, filter, filter generation).
//
// # Regions
//
// A region is R consecutive raw bytes, R = 13 (core), 9 (edge), 8 (short).
//
// A value up to 128 bytes has one, anywhere. A longer one has three, in three
// adjacent segments of 20 bytes, so that their starts are 13 to 47 bytes apart:
// wrapping in lines of 60 bytes or more breaks at most one of them, in lines of
// 30 or more at most two. The 60 bytes lie in what remains after shared
// beginnings and ends; of 64 places at random those with the smallest sum of
// costs come first. A private key has its regions in the longest byte string of
// its public part; where its containers come without a public part it has one
// region there and one in the private string, provided that 80 bits of work
// remain for who knows 9 bytes of that (for a scalar, whose rest follows from
// the public key by the square root of the guesses, half of the bits count).
//
// In the value or segment, the position with the smallest
//
//  1. number of bytes that are a shared prefix, a checksum, the readable part
//     of a JWT, or the head of armour,
//  2. number of bytes that escapes change: all but letters, digits, '-', '_'
//     and '.', in values that are text,
//  3. number of different bytes missing to 6,
//  4. number of bytes that belong to a common window
//
// in this order is taken; equals in an order drawn from ChaCha8 seeded with the
// SHA-256 of the identity-core value id of "region/v1" || canonical value. The
// edge region is placed inside the core region in the same way. A position
// whose core or edge tag 4 or more distinct registered values share is passed
// over; when the first 64 positions, in all places of a long value, are crowded,
// the least crowded is taken. A value that is registered already keeps its regions, also under new
// keys, so that all packs ever issued together give away no more than one.
//
// # Row
//
// Format, epoch, filter generation, version, field, revision and strength class
// stand beside the sealed part. The plaintext of the sealed part is 480 bytes:
//
//	 4  length of the canonical value
//	 1  kind: 1 value, 2 private key
//	 1  strength class: 1 edge, 2 core, 3 weak
//	 1  geometry of the core anchors: 1 core, 2 short
//	 1  number of core regions | number of edge regions << 4
//	16  value id
//	32  HMAC-SHA-256(key(lookup, epoch), canonical value)
//	32  HMAC-SHA-256(key(core, reg-mac, epoch), canonical value)
//	    core regions: each 4 offset, 8 tag, S * 8 window hashes
//	32  HMAC-SHA-256(key(edge, reg-mac, epoch), canonical value)
//	    edge regions: each 4 offset, 8 tag, 4 * 8 window hashes
//	    zeros
//
// The last MAC is left out where there are no edge regions. Offsets count from
// the start of the canonical value, or of the key's byte string. The sealed
// part is
//
//	  4  epoch of the seal key: the newest when it was sealed
//	 12  nonce, random
//	496  AES-256-GCM(HKDF-Expand-SHA-256(key(seal, that epoch), row id || 8 revision, 32), nonce,
//	     plaintext, L(installation) || 4 epoch || 4 filter generation || L(version) || L(field)
//	     || 2 format || 8 revision)
//
// 512 bytes, twice 256, whatever the value: lengths, classes and numbers of
// regions do not show. Each key is used once, for a row is sealed once at a
// revision; the random nonce covers a caller who breaks that.
package registration
