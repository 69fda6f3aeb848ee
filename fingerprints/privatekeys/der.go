package privatekeys

import (
	"bytes"
	"math/big"
)

// The tags that private keys are written with.
const (
	tagInteger  = 0x02
	tagBits     = 0x03
	tagOctets   = 0x04
	tagOID      = 0x06
	tagSequence = 0x30
)

// element reads one DER element of definite length; ok is false when it does
// not lie in b whole.
func element(b []byte) (tag byte, body, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	size, head := int(b[1]), 2
	if size >= 0x80 {
		n := size & 0x7f
		if n == 0 || n > 3 || len(b) < 2+n {
			return 0, nil, nil, false
		}
		size, head = 0, 2+n
		for _, c := range b[2:head] {
			size = size<<8 | int(c)
		}
	}
	if size > len(b)-head {
		return 0, nil, nil, false
	}
	return b[0], b[head : head+size], b[head+size:], true
}

// der walks the elements of a body. After the first surprise it yields
// nothing more.
type der struct {
	b   []byte
	bad bool
}

func (d *der) take(tag byte) []byte {
	t, body, rest, ok := element(d.b)
	if d.bad || !ok || t != tag {
		d.bad = true
		return nil
	}
	d.b = rest
	return body
}

// maybe takes an element if it is there with that tag.
func (d *der) maybe(tag byte) ([]byte, bool) {
	if d.bad || len(d.b) == 0 || d.b[0] != tag {
		return nil, false
	}
	body := d.take(tag)
	return body, !d.bad
}

// integer takes a number that is not negative.
func (d *der) integer() *big.Int {
	b := d.take(tagInteger)
	if len(b) == 0 || b[0]&0x80 != 0 || len(b) > MaxBits/8+1 {
		d.bad = true
		return new(big.Int)
	}
	return new(big.Int).SetBytes(b)
}

func (d *der) integers(n int) []*big.Int {
	out := make([]*big.Int, n)
	for i := range out {
		out[i] = d.integer()
	}
	return out
}

// bits takes a BIT STRING of whole bytes.
func bits(b []byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != 0 {
		return nil, false
	}
	return b[1:], true
}

// fromDER reads the container at the start of b and says how long it is.
func (r *reading) fromDER(b []byte) (Key, int, fate) {
	tag, body, rest, ok := element(b)
	if !ok || tag != tagSequence {
		return Key{}, 0, noKey
	}
	size := len(b) - len(rest)
	if len(body) < 8 || size > MaxContainer {
		return Key{}, size, noKey
	}
	d := der{b: body}
	if _, is := d.maybe(tagSequence); is { // EncryptedPrivateKeyInfo
		if d.take(tagOctets); !d.bad && len(d.b) == 0 {
			return Key{}, size, foreign
		}
		return Key{}, size, noKey
	}
	version := d.take(tagInteger)
	if d.bad || len(version) != 1 || len(d.b) == 0 {
		return Key{}, size, noKey
	}
	v, next := version[0], d.b[0]
	var k Key
	f := noKey
	switch {
	case next == tagSequence && v <= 1:
		k, f = r.pkcs8(d)
	case next == tagOctets && v == 1:
		k, f = r.sec1(d, nil)
	case next == tagInteger && v <= 1:
		k, f = r.numbers(d, v)
	case next == tagSequence && v == 3: // PKCS #12
		f = foreign
	}
	return k, size, f
}

// count counts the elements that are left; ok is false when they do not fill
// the rest.
func (d der) count() (n int, ok bool) {
	for rest := d.b; len(rest) > 0; n++ {
		if _, _, rest, ok = element(rest); !ok || n > 16 {
			return 0, false
		}
	}
	return n, !d.bad
}

// numbers reads what PKCS #1 and the traditional DSA format have in common.
func (r *reading) numbers(d der, version byte) (Key, fate) {
	switch count, ok := d.count(); { // cheap, before any number is built
	case !ok:
		return Key{}, noKey
	case count == 5 && version == 0: // p, q, g, y, x
		five := d.integers(5)
		if d.bad {
			return Key{}, noKey
		}
		k, f := r.dsa(dsaFields{five[0], five[1], five[2], five[3], five[4]})
		k.Container = DSAKey
		return k, f
	case count != 8+int(version):
		return Key{}, noKey
	}
	v := d.integers(8)
	fields := rsaFields{n: v[0], e: v[1], d: v[2], primes: v[3:5], exps: v[5:7], coeff: v[7]}
	if version == 1 {
		others := der{b: d.take(tagSequence)}
		for len(others.b) > 0 && !others.bad && len(fields.primes) < 9 {
			one := der{b: others.take(tagSequence)}
			w := one.integers(3)
			if one.bad {
				return Key{}, noKey
			}
			fields.primes = append(fields.primes[:len(fields.primes):len(fields.primes)], w[0])
			fields.exps = append(fields.exps[:len(fields.exps):len(fields.exps)], w[1])
		}
		d.bad = d.bad || others.bad
	}
	if d.bad || len(d.b) != 0 {
		return Key{}, noKey
	}
	k, f := r.rsa(fields)
	k.Container = PKCS1
	return k, f
}

// sec1 reads an ECPrivateKey (RFC 5915) after its version. oid is the curve
// when the outside has named it.
func (r *reading) sec1(d der, oid []byte) (Key, fate) {
	f := ecFields{oid: oid, scalar: d.take(tagOctets)}
	if params, is := d.maybe(0xA0); is {
		inner := curveOf(params)
		if inner == nil || oid != nil && !bytes.Equal(inner, oid) {
			return Key{}, noKey
		}
		f.oid = inner
	}
	if public, is := d.maybe(0xA1); is {
		p := der{b: public}
		point, whole := bits(p.take(tagBits))
		if !whole || p.bad {
			return Key{}, noKey
		}
		f.point = point
	}
	if d.bad || len(d.b) != 0 {
		return Key{}, noKey
	}
	k, fate := r.ecOn(f)
	k.Container = SEC1
	return k, fate
}

// ecOn reads keys whose curve is not named, too: it is the first of that size
// that the point lies on, in the order of the table, which is that of use.
func (r *reading) ecOn(f ecFields) (Key, fate) {
	if f.oid != nil {
		return r.ec(f)
	}
	for _, c := range curves() {
		if c.size != len(f.scalar) {
			continue
		}
		f.oid = c.oidBytes()
		if k, fate := r.ec(f); fate == isKey {
			return k, fate
		}
	}
	return Key{}, noKey
}

// curveOf reads ECParameters (RFC 3279): a named curve, or explicit parameters
// that are a named curve's, or else their whole DER.
func curveOf(params []byte) []byte {
	d := der{b: params}
	if oid, is := d.maybe(tagOID); is {
		return oid
	}
	whole := d.b
	spec := der{b: d.take(tagSequence)}
	spec.take(tagInteger)
	field := der{b: spec.take(tagSequence)}
	field.take(tagOID)
	if d.bad || spec.bad || field.bad {
		return nil
	}
	if p := field.integer(); !field.bad {
		spec.take(tagSequence)
		spec.take(tagOctets)
		order := spec.integer()
		c, ok := curveBy(func(c curve) bool { return number(c.p).Cmp(p) == 0 && number(c.order).Cmp(order) == 0 })
		if ok && !spec.bad {
			return c.oidBytes()
		}
	}
	return whole[:len(whole)-len(d.b)]
}
