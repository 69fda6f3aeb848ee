package privatekeys

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"math/big"
)

// fate says what became of bytes that were read as a private key.
type fate int

const (
	noKey   fate = iota // no key, or half of one, or fields that contradict
	isKey               // a key, whole
	foreign             // a whole container whose content is not read here
)

// reading is one call's work. Checks that cost more than some microseconds are
// paid from its budget, in units of about ten; when it is used up they are
// left out, so that hostile input stays linear.
type reading struct {
	budget int
	derive bool // compute public parts that the container lacks
}

func (r *reading) afford(units int) bool {
	if r.budget < units {
		return false
	}
	r.budget -= units
	return true
}

// canonical is L(type) followed by L(field) for every field.
func canonical(t Type, fields ...[]byte) []byte {
	out := appendField(nil, []byte(t))
	for _, f := range fields {
		out = appendField(out, f)
	}
	return out
}

func appendField(dst, b []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...)
}

// dsaFields are the numbers of a DSA key; y may be nil.
type dsaFields struct{ p, q, g, y, x *big.Int }

func (r *reading) dsa(f dsaFields) (Key, fate) {
	for _, v := range []*big.Int{f.p, f.q, f.g, f.x} {
		if v == nil || v.Sign() <= 0 {
			return Key{}, noKey
		}
	}
	bits, order := f.p.BitLen(), f.q.BitLen()
	if bits < 256 || bits > 8192 || order < 64 || order > 512 || f.p.Bit(0) == 0 ||
		f.x.Cmp(f.q) >= 0 || f.g.Cmp(f.p) >= 0 {
		return Key{}, noKey
	}
	y := f.y
	if (y != nil || r.derive) && r.afford(1+bits*bits/50000) {
		want := new(big.Int).Exp(f.g, f.x, f.p)
		if y != nil && y.Cmp(want) != 0 {
			return Key{}, noKey
		}
		y = want
	}
	k := Key{Type: DSA, Canonical: canonical(DSA, f.p.Bytes(), f.q.Bytes(), f.g.Bytes(), f.x.Bytes())}
	if y != nil {
		k.Public = append(k.Public, y.Bytes())
	}
	k.Public = append(k.Public, f.p.Bytes())
	return k, isKey
}

// okp builds a key of an Edwards or Montgomery curve; pub may be nil.
func (r *reading) okp(t Type, seed, pub []byte) (Key, fate) {
	size := map[Type]int{Ed25519: 32, X25519: 32, Ed448: 57, X448: 56}[t]
	if size == 0 || len(seed) != size || pub != nil && len(pub) != size || constant(seed) {
		return Key{}, noKey
	}
	if (pub != nil || r.derive) && r.afford(5) {
		want := publicOf(t, seed)
		if want != nil && pub != nil && !bytes.Equal(want, pub) {
			return Key{}, noKey
		}
		if want != nil {
			pub = want
		}
	}
	k := Key{Type: t, Canonical: canonical(t, seed), Private: [][]byte{bytes.Clone(seed)}}
	if pub != nil {
		k.Public = [][]byte{bytes.Clone(pub)}
	}
	return k, isKey
}

// publicOf is nil for the curves of 448 bits: their public part is taken as
// it stands.
func publicOf(t Type, seed []byte) []byte {
	switch t {
	case Ed25519:
		return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	case X25519:
		if k, err := ecdh.X25519().NewPrivateKey(seed); err == nil {
			return k.PublicKey().Bytes()
		}
	case RSA, DSA, EC, Ed448, X448, Armoured:
	}
	return nil
}

// constant reports whether b repeats one byte: a template, not a key.
func constant(b []byte) bool { return len(b) == 0 || bytes.Count(b, b[:1]) == len(b) }

// armoured is a container that stays as it is.
func armoured(body []byte) Key {
	return Key{Type: Armoured, Container: ArmourText, Canonical: bytes.Clone(body)}
}
