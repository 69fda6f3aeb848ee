package registry

import (
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"revenant/fingerprints"
	"revenant/fingerprints/strength"
)

// A generated value is
//
//	PREFIX "_" 40 base62 characters, 6 base62 characters
//
// The 40 are drawn uniformly: 40 * log2(62) = 238.2 bits. The 6 are the
// CRC-32 (IEEE) of everything before them, big-endian in base 62, so that a
// reader can tell such a value from one that only looks like it.
const (
	defaultPrefix = "rvn"
	base62        = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	randomChars   = 40
	checksumChars = 6
)

func checkPrefix(p string) (string, error) {
	if p == "" {
		return defaultPrefix, nil
	}
	ok := len(p) >= 2 && len(p) <= 12
	for i := range len(p) {
		c := p[i]
		ok = ok && (c >= 'a' && c <= 'z' || i > 0 && c >= '0' && c <= '9')
	}
	if !ok {
		return "", badInput("prefix", "use 2 to 12 of a-z and 0-9, a letter first")
	}
	return p, nil
}

// Generate draws a traceable value; prefix is as in IssueRequest.
func Generate(rand io.Reader, prefix string) (Field, error) {
	prefix, err := checkPrefix(prefix)
	if err != nil {
		return Field{}, err
	}
	return generate(rand, prefix)
}

func generate(rand io.Reader, prefix string) (Field, error) {
	b := append([]byte(prefix), '_')
	buf := make([]byte, 64)
	for n := 0; n < randomChars; {
		if _, err := io.ReadFull(rand, buf); err != nil {
			return Field{}, fmt.Errorf("drawing a value: %w", err)
		}
		for _, x := range buf {
			if x < 62*4 && n < randomChars { // else the first characters were likelier
				b = append(b, base62[x%62])
				n++
			}
		}
	}
	clear(buf)
	b = append(b, checksum(b)...)
	return Field{
		Name:  "value",
		Value: fingerprints.NewValue(b),
		hint:  strength.Hint{Bits: randomChars * math.Log2(62), Prefix: len(prefix) + 1, Checksum: checksumChars},
	}, nil
}

func checksum(b []byte) []byte {
	sum := crc32.ChecksumIEEE(b)
	out := make([]byte, checksumChars)
	for i := checksumChars - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return out
}

// Generated reports whether raw has the form and the checksum of a value that
// Issue or Rotate generated.
func Generated(raw []byte) bool {
	const tail = randomChars + checksumChars
	if len(raw) < 3+tail || raw[len(raw)-tail-1] != '_' {
		return false
	}
	if _, err := checkPrefix(string(raw[:len(raw)-tail-1])); err != nil {
		return false
	}
	cut := len(raw) - checksumChars
	return string(checksum(raw[:cut])) == string(raw[cut:])
}
