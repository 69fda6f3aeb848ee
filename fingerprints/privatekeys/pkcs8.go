package privatekeys

import "encoding/hex"

// algorithm names the object identifiers of PKCS #8.
func algorithm(oid []byte) Type {
	switch hex.EncodeToString(oid) {
	case "2a864886f70d010101", "2a864886f70d010107", "2a864886f70d01010a": // also OAEP and PSS
		return RSA
	case "2a8648ce3d0201":
		return EC
	case "2a8648ce380401":
		return DSA
	case "2b656e":
		return X25519
	case "2b656f":
		return X448
	case "2b6570":
		return Ed25519
	case "2b6571":
		return Ed448
	}
	return ""
}

// pkcs8 reads PrivateKeyInfo and OneAsymmetricKey (RFC 5958) after the
// version.
func (r *reading) pkcs8(d der) (Key, fate) {
	alg := der{b: d.take(tagSequence)}
	kind := algorithm(alg.take(tagOID))
	private := d.take(tagOctets)
	d.maybe(0xA0) // attributes
	var public []byte
	for _, tag := range []byte{0x81, 0xA1} {
		if b, is := d.maybe(tag); is {
			if tag == 0xA1 {
				inner := der{b: b}
				b = inner.take(tagBits)
			}
			var whole bool
			if public, whole = bits(b); !whole {
				return Key{}, noKey
			}
		}
	}
	if d.bad || alg.bad || len(d.b) != 0 || len(private) == 0 {
		return Key{}, noKey
	}
	k, f := r.inside(kind, alg, private, public)
	k.Container = PKCS8
	return k, f
}

// params reports whether the parameters of an RSA algorithm are absent, NULL,
// or those of PSS and OAEP.
func params(b []byte) bool {
	return len(b) == 0 || b[0] == tagSequence || len(b) == 2 && b[0] == 5 && b[1] == 0
}

// versioned takes a sequence that begins with a version of one byte.
func (d *der) versioned() (rest der, version byte, ok bool) {
	rest = der{b: d.take(tagSequence)}
	v := rest.take(tagInteger)
	if d.bad || rest.bad || len(v) != 1 {
		return rest, 0, false
	}
	return rest, v[0], true
}

// inside reads the private key of a PKCS #8 container.
func (r *reading) inside(kind Type, alg der, private, public []byte) (Key, fate) {
	in := der{b: private}
	switch kind {
	case RSA:
		d, version, ok := in.versioned()
		if !ok || version > 1 || !params(alg.b) {
			return Key{}, noKey
		}
		return r.numbers(d, version)
	case EC:
		d, version, ok := in.versioned()
		curve := curveOf(alg.b)
		if !ok || version != 1 || curve == nil && len(alg.b) > 0 {
			return Key{}, noKey
		}
		return r.sec1(d, curve)
	case DSA:
		group := der{b: alg.take(tagSequence)}
		v := group.integers(3)
		x := in.integer()
		if alg.bad || group.bad || in.bad {
			return Key{}, noKey
		}
		return r.dsa(dsaFields{p: v[0], q: v[1], g: v[2], x: x})
	case Ed25519, Ed448, X25519, X448:
		seed := in.take(tagOctets)
		if in.bad || len(in.b) != 0 {
			return Key{}, noKey
		}
		return r.okp(kind, seed, public)
	case Armoured:
	}
	return Key{}, foreign
}
