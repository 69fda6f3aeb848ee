package rules

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
)

// asKeyText grades base64 that is said to be a key: not one character again
// and again, nor words.
func asKeyText(c candidate) grade {
	v := c.value()
	if distinct(v) < 12 || entropy(v) < 3.5 {
		return noSecret
	}
	return strongSecret
}

// asDERText grades base64 that begins as a private key in DER would.
func asDERText(c candidate) grade {
	head := c.value()
	head = head[:min(len(head), 64)&^3]
	raw, err := base64.StdEncoding.DecodeString(head)
	if err != nil || !privateDER(raw) {
		return noSecret
	}
	return asKeyText(c)
}

// DER tags.
const (
	derInteger  = 0x02
	derOctets   = 0x04
	derOID      = 0x06
	derSequence = 0x30
)

// pkcs begins the object identifiers of all PKCS.
const pkcs = "\x2a\x86\x48\x86\xf7\x0d\x01"

// der reads the beginning of a DER element; the body may be cut off.
func der(raw []byte) (tag byte, body []byte, length int, ok bool) {
	if len(raw) < 2 {
		return 0, nil, 0, false
	}
	tag, length, raw = raw[0], int(raw[1]), raw[2:]
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 3 || len(raw) < n {
			return 0, nil, 0, false
		}
		length = 0
		for _, b := range raw[:n] {
			length = length<<8 | int(b)
		}
		raw = raw[n:]
	}
	return tag, raw, length, true
}

// privateDER reports whether raw begins as PKCS #1, PKCS #8 or SEC 1 prescribe
// for private keys (RFC 8017, 5958, 5915), or as an encrypted PKCS #8 key does.
func privateDER(raw []byte) bool {
	tag, body, length, ok := der(raw)
	if !ok || tag != derSequence || length < 32 {
		return false
	}
	tag, rest, n, ok := der(body)
	if !ok {
		return false
	}
	if tag == derSequence { // encrypted: an algorithm of PKCS #5 or #12, then octets
		return len(rest) > 9 && rest[0] == derOID && string(rest[2:9]) == pkcs && (rest[9] == 5 || rest[9] == 12)
	}
	return tag == derInteger && n == 1 && len(rest) >= 2 && privateAfter(rest[0], rest[1:], length)
}

// privateAfter reports whether a private key of so many bytes goes on so after
// its version.
func privateAfter(version byte, raw []byte, length int) bool {
	tag, rest, n, ok := der(raw)
	switch {
	case !ok:
		return false
	case version <= 1 && tag == derSequence: // PKCS #8
		return len(rest) > 1 && rest[0] == derOID && n < 64
	case version == 0 && tag == derInteger: // PKCS #1: the modulus is nearly as long as a quarter of all
		return n >= 64 && n*3 < length
	case version == 1 && tag == derOctets: // SEC 1
		return n >= 20 && n <= 66
	}
	return false
}

// asSeed grades a NATS seed: base32 of a prefix, a key and its CRC-16.
func asSeed(c candidate) grade {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(c.value())
	if err != nil || len(raw) < 4 {
		return noSecret
	}
	body := raw[:len(raw)-2]
	if crc16(body) != binary.LittleEndian.Uint16(raw[len(raw)-2:]) {
		return noSecret
	}
	return strongSecret
}

// crc16 is the checksum of XMODEM.
func crc16(data []byte) (sum uint16) {
	for _, b := range data {
		sum ^= uint16(b) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}
