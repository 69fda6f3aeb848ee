package privatekeys

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"math/big"
)

// ecFields are the parts of a key on a Weierstrass curve. oid is the content
// of the curve's object identifier, or the whole DER of explicit parameters;
// point is in SEC 1 form and may be nil.
type ecFields struct {
	oid, scalar, point []byte
}

func (r *reading) ec(f ecFields) (Key, fate) {
	scalar := bytes.TrimLeft(f.scalar, "\x00")
	if len(f.oid) == 0 || len(scalar) == 0 || len(f.scalar) > 256 || f.point != nil && len(f.point) < 2 {
		return Key{}, noKey
	}
	c, known := curveBy(func(c curve) bool { return c.oid == hex.EncodeToString(f.oid) })
	if known {
		if d := new(big.Int).SetBytes(scalar); d.Cmp(number(c.order)) >= 0 {
			return Key{}, noKey
		}
		scalar = append(make([]byte, c.size-len(scalar)), scalar...)
	}
	point := f.point
	if known && (point != nil || r.derive) && r.afford(c.cost()) {
		want := c.multiple(scalar)
		if point != nil && !samePoint(want, point) {
			return Key{}, noKey
		}
		point = want
	}
	k := Key{Type: EC, Canonical: canonical(EC, f.oid, scalar), Private: [][]byte{scalar}}
	if point != nil {
		if k.Public = coordinates(point); k.Public == nil {
			return Key{}, noKey
		}
	}
	return k, isKey
}

// coordinates are x and y of a point in SEC 1 form, x alone of a compressed
// one; nil when it is neither.
func coordinates(point []byte) [][]byte {
	switch {
	case len(point) <= 2:
	case point[0] == 4 && len(point)%2 == 1:
		half := len(point) / 2
		return [][]byte{bytes.Clone(point[1 : 1+half]), bytes.Clone(point[1+half:])}
	case point[0] == 2 || point[0] == 3:
		return [][]byte{bytes.Clone(point[1:])}
	}
	return nil
}

// samePoint compares an uncompressed point with one in any SEC 1 form.
func samePoint(full, point []byte) bool {
	half := len(full) / 2
	switch point[0] {
	case 4:
		return bytes.Equal(full, point)
	case 6, 7:
		return bytes.Equal(full[1:], point[1:]) && point[0]&1 == full[len(full)-1]&1
	case 2, 3:
		return bytes.Equal(full[1:1+half], point[1:]) && point[0]&1 == full[len(full)-1]&1
	}
	return false
}

func curveBy(is func(curve) bool) (curve, bool) {
	for _, c := range curves() {
		if is(c) {
			return c, true
		}
	}
	return curve{}, false
}

func number(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("privatekeys: the table of curves is broken")
	}
	return v
}

func (c curve) oidBytes() []byte {
	b, err := hex.DecodeString(c.oid)
	if err != nil {
		panic("privatekeys: the table of curves is broken")
	}
	return b
}

// cost is what multiple costs, in units of reading.
func (c curve) cost() int {
	switch c.name {
	case "prime256v1":
		return 3
	case "secp384r1", "secp521r1":
		return 40
	}
	return c.size * 8
}

// multiple is the public point of a scalar of the curve's size, uncompressed.
func (c curve) multiple(scalar []byte) []byte {
	var native ecdh.Curve
	switch c.name {
	case "prime256v1":
		native = ecdh.P256()
	case "secp384r1":
		native = ecdh.P384()
	case "secp521r1":
		native = ecdh.P521()
	default:
		return c.ladder(scalar)
	}
	k, err := native.NewPrivateKey(scalar)
	if err != nil {
		return nil
	}
	return k.PublicKey().Bytes()
}

// ladder multiplies by doubling and adding in Jacobian coordinates. It is not
// constant-time: it runs over text that already holds the key.
func (c curve) ladder(scalar []byte) []byte {
	p, a := number(c.p), number(c.a)
	acc := jacobian{new(big.Int), big.NewInt(1), new(big.Int)}
	base := jacobian{number(c.gx), number(c.gy), big.NewInt(1)}
	for _, b := range scalar {
		for i := 7; i >= 0; i-- {
			acc = acc.double(a, p)
			if b>>i&1 == 1 {
				acc = acc.add(base, a, p)
			}
		}
	}
	if acc.z.Sign() == 0 {
		return nil
	}
	inv := new(big.Int).ModInverse(acc.z, p)
	inv2 := mulMod(inv, inv, p)
	size := (p.BitLen() + 7) / 8
	out := make([]byte, 1+2*size)
	out[0] = 4
	mulMod(acc.x, inv2, p).FillBytes(out[1 : 1+size])
	mulMod(acc.y, mulMod(inv2, inv, p), p).FillBytes(out[1+size:])
	return out
}

// jacobian is the point (x/z^2, y/z^3); z = 0 is the point at infinity.
type jacobian struct{ x, y, z *big.Int }

func mulMod(a, b, p *big.Int) *big.Int {
	v := new(big.Int).Mul(a, b)
	return v.Mod(v, p)
}

func (j jacobian) double(a, p *big.Int) jacobian {
	yy := mulMod(j.y, j.y, p)
	s := mulMod(j.x, yy, p)
	s.Lsh(s, 2)
	zz := mulMod(j.z, j.z, p)
	m := mulMod(j.x, j.x, p)
	m.Mul(m, big.NewInt(3)).Add(m, mulMod(a, mulMod(zz, zz, p), p)).Mod(m, p)
	x := mulMod(m, m, p)
	x.Sub(x, s).Sub(x, s).Mod(x, p)
	y := new(big.Int).Sub(s, x)
	y.Mul(y, m)
	yyyy := mulMod(yy, yy, p)
	y.Sub(y, yyyy.Lsh(yyyy, 3)).Mod(y, p)
	z := mulMod(j.y, j.z, p)
	return jacobian{x, y, z.Lsh(z, 1).Mod(z, p)}
}

func (j jacobian) add(k jacobian, a, p *big.Int) jacobian {
	if j.z.Sign() == 0 {
		return k
	}
	jzz, kzz := mulMod(j.z, j.z, p), mulMod(k.z, k.z, p)
	u1, u2 := mulMod(j.x, kzz, p), mulMod(k.x, jzz, p)
	s1 := mulMod(j.y, mulMod(kzz, k.z, p), p)
	s2 := mulMod(k.y, mulMod(jzz, j.z, p), p)
	h, r := new(big.Int).Sub(u2, u1), new(big.Int).Sub(s2, s1)
	if h.Sign() == 0 {
		if r.Sign() == 0 {
			return j.double(a, p)
		}
		return jacobian{big.NewInt(0), big.NewInt(1), new(big.Int)}
	}
	h.Mod(h, p)
	hh := mulMod(h, h, p)
	hhh, v := mulMod(h, hh, p), mulMod(u1, hh, p)
	x := mulMod(r, r, p)
	x.Sub(x, hhh).Sub(x, v).Sub(x, v).Mod(x, p)
	y := new(big.Int).Sub(v, x)
	y.Mul(y, r).Sub(y, mulMod(s1, hhh, p)).Mod(y, p)
	return jacobian{x, y, mulMod(mulMod(j.z, k.z, p), h, p)}
}
