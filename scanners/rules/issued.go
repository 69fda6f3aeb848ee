package rules

import (
	"encoding/base64"
	"strings"
)

// standIn finds what stands for a token in texts about it. Such words are looked for as
// people write them, all small or all capitals: what is random has each of them, in any
// case, far more often.
var standIn = lazily(`example|EXAMPLE|[Xx]{4}|placeholder|PLACEHOLDER|redacted|REDACTED|your[_-]|YOUR[_-]|[_-]here|[_-]HERE|dummy|DUMMY|sample[_-]|SAMPLE[_-]|fake[_-]|FAKE[_-]|\.\.\.|\*\*\*`)

// ordered finds what was typed along the alphabet, as in tests.
var ordered = lazily(`(?i)123456789|abcdefgh|deadbeefdeadbeef`)

// asIssued grades a token that says who issued it: characters of more than one kind, as
// chance deals them.
func asIssued(c candidate) grade {
	v := c.value()
	kinds := classesOf(v)
	switch {
	case distinct(v) < 10, monotonous(v), !kinds.digit && !(kinds.lower && kinds.upper), entropy(v) < 3, standIn.matches(v):
		return noSecret
	case ordered.matches(v):
		return weakSecret
	}
	return strongSecret
}

// asWebToken grades a JSON Web Token (RFC 7519): its header names an algorithm.
func asWebToken(c candidate) grade {
	header, _, _ := strings.Cut(c.value(), ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	switch {
	case err != nil, !strings.Contains(string(raw), `"alg"`):
		return noSecret
	case sampleToken(c.value()):
		return weakSecret
	}
	return strongSecret
}
