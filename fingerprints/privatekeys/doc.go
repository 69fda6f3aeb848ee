// Package privatekeys reads private keys out of the containers that people
// keep them in, and brings every container of one key to the same bytes.
//
// # Canonical form
//
// L(x) is the 4-byte big-endian length of x followed by x. Numbers are
// big-endian without leading zeros. The canonical form of a key is L(type)
// followed by L of each of these fields:
//
//	rsa      n, e, the primes in ascending order. d and the CRT numbers follow
//	         from them, so that d modulo phi and modulo lambda are one key. A
//	         container that holds n, e and d alone is factored
//	dsa      p, q, g, x
//	ec       content of the curve's object identifier; the private number, padded
//	         on the left to the length of the group's order. Explicit parameters
//	         of a curve that has a name are that name; of another, they stand
//	         as their DER in the identifier's place and the number is unpadded
//	ed25519, ed448, x25519, x448
//	         the seed (RFC 8032) or the private key (RFC 7748), as it stands
//
// Encrypted containers and other armoured text have no key that could be read.
// Their canonical form is the decoded body, without any of the above, cut to
// the length that DER or OpenSSH's format gives it, without headers and check
// sums.
//
// # Containers
//
// PKCS #1; PKCS #8 and RFC 5958 with RSA, EC, DSA, Ed25519, Ed448, X25519 and
// X448; SEC 1 and RFC 5915 with named, explicit and missing parameters, with
// and without the public key; the traditional DSA format; OpenSSH; PuTTY 2 and
// 3; JWK and sets of them; RSAKeyValue in XML. The binary ones raw, in PEM, or
// in base64 without armour. Text may have any line width and line ending, be
// folded on one line, be escaped (JSON, percent, HTML), indented, quoted and
// concatenated, or carry a prefix on every line; armour may be wrapped in
// base64 once more.
//
// # Promises and refusals
//
// A key is reported only when all its private fields are there and agree with
// each other and with the public part beside them; half a key never is. The
// public parts of the two curves of 448 bits are taken as they stand, and when
// hostile input holds more keys than a budget proportional to its length
// allows, points and powers are no longer recomputed. Certificates, public
// keys and parameters give no hit. Nothing panics; work is linear in the
// input, with bounds on the size of one container.
//
// Not read, and therefore plain values or armour: symmetric JWK, JWK with more
// than two primes, hardware-backed OpenSSH keys, several keys in one OpenSSH
// container, PKCS #12 outside PEM, keys of algorithms not named above.
package privatekeys
