package privatekeys

import (
	"bytes"
	"math/big"
)

// jsonWebKey reads the JWK (RFC 7517) whose "kty" stands at the position. The
// object may be part of a set, escaped in a string, or written with single
// quotes.
func (s *search) jsonWebKey(at int) {
	floor := max(0, at-MaxContainer/2, s.done, s.jwk+1)
	s.jwk = at
	start := bytes.LastIndexAny(s.data[floor:at], "{}")
	if start < 0 || s.data[floor+start] != '{' {
		return
	}
	start += floor
	limit := min(len(s.data), at+MaxContainer/2)
	if next := bytes.Index(s.data[at+len(`"kty`):limit], []byte("kty")); next >= 0 {
		limit = at + next // another key: its object begins behind this one's end
	}
	end := bytes.IndexAny(s.data[at:max(at, limit)], "{}")
	if end < 0 || s.data[at+end] != '}' {
		return
	}
	end += at + 1
	members := membersOf(s.data[start+1 : end-1])
	if k, f := s.jwkFields(members); f == isKey {
		k.Container = JWK
		s.add(start, end, k)
	}
}

// membersOf returns the string members of a flat object; nil when a name
// stands twice.
func membersOf(b []byte) map[string]string {
	out := map[string]string{}
	text := plain(b)
	for i := 0; i < len(text); {
		name, next, ok := quoted(text, i)
		if !ok {
			return out
		}
		i = next
		for i < len(text) && (text[i] == ' ' || text[i] == '\n') {
			i++
		}
		if i >= len(text) || text[i] != ':' {
			continue // an element of an array
		}
		i++
		for i < len(text) && (text[i] == ' ' || text[i] == '\n') {
			i++
		}
		if i >= len(text) || text[i] != '"' && text[i] != '\'' {
			continue
		}
		value, next, ok := quoted(text, i)
		if !ok {
			return out
		}
		if _, twice := out[name]; twice {
			return nil
		}
		out[name] = value
		i = next
	}
	return out
}

// quoted returns the next string in quotes at or behind i.
func quoted(text []byte, i int) (string, int, bool) {
	from := bytes.IndexAny(text[i:], `"'`)
	if from < 0 {
		return "", 0, false
	}
	from += i
	to := bytes.IndexByte(text[from+1:], text[from])
	if to < 0 {
		return "", 0, false
	}
	return string(text[from+1 : from+1+to]), from + to + 2, true
}

func (r *reading) jwkFields(m map[string]string) (Key, fate) {
	octets := func(name string) []byte { return decode(bytes.TrimSpace([]byte(m[name]))) }
	num := func(name string) *big.Int { return new(big.Int).SetBytes(octets(name)) }
	if len(octets("n")) > MaxBits/8+1 || len(octets("d")) == 0 {
		return Key{}, noKey
	}
	switch m["kty"] {
	case "RSA":
		for _, name := range []string{"e", "d", "p", "q", "dp", "dq", "qi"} {
			if len(m[name]) > MaxBits/4 {
				return Key{}, noKey
			}
		}
		return r.rsa(rsaFields{
			n: num("n"), e: num("e"), d: num("d"), primes: []*big.Int{num("p"), num("q")},
			exps: []*big.Int{num("dp"), num("dq")}, coeff: num("qi"),
		})
	case "EC":
		c, ok := curveBy(func(c curve) bool { return c.jwk != "" && c.jwk == m["crv"] })
		x, y := octets("x"), octets("y")
		if !ok || len(x) == 0 || len(x) != len(y) {
			return Key{}, noKey
		}
		return r.ec(ecFields{oid: c.oidBytes(), scalar: octets("d"), point: append(append([]byte{4}, x...), y...)})
	case "OKP":
		switch t := (map[string]Type{"Ed25519": Ed25519, "Ed448": Ed448, "X25519": X25519, "X448": X448})[m["crv"]]; t {
		case Ed25519, Ed448, X25519, X448:
			return r.okp(t, octets("d"), octets("x"))
		case RSA, DSA, EC, Armoured:
		}
	}
	return Key{}, noKey
}
