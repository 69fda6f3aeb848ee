package privatekeys

import (
	"bytes"
	"encoding/base64"
)

// sextet reports whether c belongs to either alphabet of base64.
func sextet(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_'
}

func alnum(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// decode decodes base64 of either alphabet up to the first padding. A single
// character left over is dropped.
func decode(chars []byte) []byte {
	if end := bytes.IndexByte(chars, '='); end >= 0 {
		chars = chars[:end]
	}
	if len(chars)%4 == 1 {
		chars = chars[:len(chars)-1]
	}
	std := bytes.Clone(chars)
	for i, c := range std {
		switch c {
		case '-':
			std[i] = '+'
		case '_':
			std[i] = '/'
		}
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(std)))
	n, err := base64.RawStdEncoding.Decode(out, std)
	if err != nil {
		return nil
	}
	return out[:n]
}
