package rules

import (
	"encoding/base64"
	"strings"
)

// idle reports whether what a rule of the configuration found is likely of no
// consequence. Nothing is left out for it: it ranks low.
func (j *judge) idle(f *finding) bool {
	a := j.around()
	switch {
	case f.rule.generic:
		return a.example || a.made || a.vendored || identifier.matches(f.secret) || kept.matches(f.secret)
	case f.rule.id == "private-key":
		return a.vendored || !keyed(f.match)
	case f.rule.id == "jwt", f.rule.id == "jwt-base64":
		return sampleToken(f.secret)
	case f.rule.loose:
		return a.made || a.vendored || a.example && identifier.matches(f.secret)
	}
	return false
}

// identifier finds what names a thing far more often than it opens one: a UUID,
// alone or behind a word; and all digits in their order.
var identifier = lazily(`^(?:[A-Za-z]{1,16}[-_.:])?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$|(?i)0123456789(?:abcdef)?`)

// kept finds names under which build logs tell of what they keep: of files, and of
// caches, which are a word and a digest.
var kept = lazily(`^[A-Za-z][A-Za-z_.-]{2,40}-(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$|(?i)^[\w.-]*[a-z][\w.-]*\.(?:js|css|html?|dylib|so|dll|jar|wav|webm|mp[34]|ogg)$`)

// looseStart is how gitleaks begins the expressions that know of a value only the
// word before it.
const looseStart = `(?i)[\w.-]{0,50}?(?:`

// keyed reports whether there is a key in armour, and not only a program that
// writes one or a text about it.
func keyed(armour string) bool {
	const line = 32 // hardly a line of a key is shorter, and hardly a word is longer
	run := 0
	for _, c := range []byte(armour) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '/', c == '=':
			if run++; run >= line {
				return true
			}
		default:
			run = 0
		}
	}
	return false
}

// sampleToken reports whether a JSON Web Token has the claims of the one that
// everybody tries, that of jwt.io.
func sampleToken(token string) bool {
	_, claims, _ := strings.Cut(token, ".")
	claims, _, _ = strings.Cut(claims, ".")
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(claims, "="))
	return err == nil && (strings.Contains(string(raw), `"1234567890"`) || strings.Contains(string(raw), "John Doe"))
}
