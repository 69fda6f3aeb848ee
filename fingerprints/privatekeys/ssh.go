package privatekeys

import (
	"bytes"
	"encoding/binary"
	"math/big"
)

// sshMagic begins the binary form of OpenSSH's own format (PROTOCOL.key).
const sshMagic = "openssh-key-v1\x00"

// wire walks the strings of RFC 4251. After the first surprise it yields
// nothing more.
type wire struct {
	b   []byte
	bad bool
}

func (w *wire) uint32() uint32 {
	if w.bad || len(w.b) < 4 {
		w.bad = true
		return 0
	}
	v := binary.BigEndian.Uint32(w.b)
	w.b = w.b[4:]
	return v
}

func (w *wire) string() []byte {
	n := w.uint32()
	if w.bad || uint64(n) > uint64(len(w.b)) || n > MaxContainer {
		w.bad = true
		return nil
	}
	s := w.b[:n]
	w.b = w.b[n:]
	return s
}

func (w *wire) mpint() *big.Int {
	b := w.string()
	if len(b) > MaxBits/8+1 || len(b) > 0 && b[0]&0x80 != 0 {
		w.bad = true
		return new(big.Int)
	}
	return new(big.Int).SetBytes(b)
}

// fromOpenSSH reads the container at the start of b and says how long it is.
func (r *reading) fromOpenSSH(b []byte) (Key, int, fate) {
	if !bytes.HasPrefix(b, []byte(sshMagic)) {
		return Key{}, 0, noKey
	}
	w := wire{b: b[len(sshMagic):]}
	cipher := w.string()
	w.string() // key derivation function
	w.string() // and its options
	count := w.uint32()
	if w.bad || count == 0 || count > 16 {
		return Key{}, 0, noKey
	}
	var public []byte
	for range count {
		public = w.string()
	}
	private := w.string()
	if w.bad {
		return Key{}, 0, noKey
	}
	if string(cipher) != "none" {
		if len(w.b) >= 16 && bytes.HasSuffix(cipher, []byte("@openssh.com")) {
			w.b = w.b[16:] // the tag of an AEAD stands behind the string
		}
		return Key{}, len(b) - len(w.b), foreign
	}
	size := len(b) - len(w.b)
	if count != 1 {
		return Key{}, size, foreign
	}
	in := wire{b: private}
	if a, c := in.uint32(), in.uint32(); in.bad || a != c {
		return Key{}, size, noKey
	}
	name := in.string()
	pub := wire{b: public}
	if outer := pub.string(); in.bad || pub.bad || !bytes.Equal(name, outer) {
		return Key{}, size, noKey
	}
	k, f := r.sshFields(string(name), &in, &pub)
	if in.string(); in.bad { // comment
		return Key{}, size, noKey
	}
	k.Container = OpenSSH
	return k, size, f
}

// sshFields reads the private fields, and holds them against the public key.
func (r *reading) sshFields(name string, in, pub *wire) (Key, fate) {
	switch name {
	case "ssh-rsa":
		return r.sshRSA(in, pub)
	case "ssh-dss":
		return r.sshDSA(in, pub)
	case "ssh-ed25519", "ssh-ed448":
		public, both, outer := in.string(), in.string(), pub.string()
		half := len(both) / 2
		if in.bad || pub.bad || len(both) != 2*len(public) || !bytes.Equal(both[half:], public) || !bytes.Equal(public, outer) {
			return Key{}, noKey
		}
		return r.okp(edwards(name), both[:half], public)
	}
	return r.sshEC(name, in, pub)
}

func (r *reading) sshRSA(in, pub *wire) (Key, fate) {
	n, e, d, coeff, p, q := in.mpint(), in.mpint(), in.mpint(), in.mpint(), in.mpint(), in.mpint()
	e2, n2 := pub.mpint(), pub.mpint()
	if in.bad || pub.bad || n.Cmp(n2) != 0 || e.Cmp(e2) != 0 {
		return Key{}, noKey
	}
	return r.rsa(rsaFields{n: n, e: e, d: d, primes: []*big.Int{p, q}, coeff: coeff})
}

func (r *reading) sshDSA(in, pub *wire) (Key, fate) {
	f := dsaFields{in.mpint(), in.mpint(), in.mpint(), in.mpint(), in.mpint()}
	p, q, g, y := pub.mpint(), pub.mpint(), pub.mpint(), pub.mpint()
	if in.bad || pub.bad || p.Cmp(f.p) != 0 || q.Cmp(f.q) != 0 || g.Cmp(f.g) != 0 || y.Cmp(f.y) != 0 {
		return Key{}, noKey
	}
	return r.dsa(f)
}

func (r *reading) sshEC(name string, in, pub *wire) (Key, fate) {
	c, ok := curveBy(func(c curve) bool { return c.ssh != "" && name == "ecdsa-sha2-"+c.ssh })
	if !ok {
		return Key{}, noKey // security keys hold a handle, not a key
	}
	curve, point, d := in.string(), in.string(), in.mpint()
	curve2, point2 := pub.string(), pub.string()
	if in.bad || pub.bad || string(curve) != c.ssh || !bytes.Equal(curve, curve2) || !bytes.Equal(point, point2) {
		return Key{}, noKey
	}
	return r.ec(ecFields{oid: c.oidBytes(), scalar: d.Bytes(), point: point})
}

func edwards(name string) Type {
	if name == "ssh-ed448" {
		return Ed448
	}
	return Ed25519
}

// fromPuTTY reads the two blobs of an unencrypted PPK.
func (r *reading) fromPuTTY(name string, public, private []byte) (Key, fate) {
	in, pub := wire{b: private}, wire{b: public}
	if outer := pub.string(); pub.bad || string(outer) != name {
		return Key{}, noKey
	}
	k, f := r.puttyFields(name, &in, &pub)
	k.Container = PuTTY
	return k, f
}

func (r *reading) puttyFields(name string, in, pub *wire) (Key, fate) {
	switch name {
	case "ssh-rsa":
		e, n := pub.mpint(), pub.mpint()
		d, p, q, coeff := in.mpint(), in.mpint(), in.mpint(), in.mpint()
		if in.bad || pub.bad {
			return Key{}, noKey
		}
		return r.rsa(rsaFields{n: n, e: e, d: d, primes: []*big.Int{p, q}, coeff: coeff})
	case "ssh-dss":
		f := dsaFields{p: pub.mpint(), q: pub.mpint(), g: pub.mpint(), y: pub.mpint(), x: in.mpint()}
		if in.bad || pub.bad {
			return Key{}, noKey
		}
		return r.dsa(f)
	case "ssh-ed25519", "ssh-ed448":
		public, seed := pub.string(), in.string()
		if in.bad || pub.bad {
			return Key{}, noKey
		}
		// The number is little-endian and may have lost zeros at its end.
		if len(seed) > len(public) {
			return Key{}, noKey
		}
		return r.okp(edwards(name), append(bytes.Clone(seed), make([]byte, len(public)-len(seed))...), public)
	}
	c, ok := curveBy(func(c curve) bool { return c.ssh != "" && name == "ecdsa-sha2-"+c.ssh })
	if !ok {
		return Key{}, foreign
	}
	pub.string()
	point, d := pub.string(), in.mpint()
	if in.bad || pub.bad {
		return Key{}, noKey
	}
	return r.ec(ecFields{oid: c.oidBytes(), scalar: d.Bytes(), point: point})
}
