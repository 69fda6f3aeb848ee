package privatekeys

import (
	"math/big"
	"slices"
)

// rsaFields are the numbers of an RSA key. Only n, e and d must be there;
// what is nil or zero is not checked. exps and coeffs belong to primes in the
// order of PKCS#1: exps[i] is d mod primes[i]-1, coeff is q^-1 mod p.
type rsaFields struct {
	n, e, d *big.Int
	primes  []*big.Int
	exps    []*big.Int
	coeff   *big.Int
}

func (r *reading) rsa(f rsaFields) (Key, fate) {
	for _, v := range []*big.Int{f.n, f.e, f.d} {
		if v == nil || v.Sign() <= 0 {
			return Key{}, noKey
		}
	}
	bits := f.n.BitLen()
	if bits < 256 || bits > MaxBits || f.n.Bit(0) == 0 || f.e.Bit(0) == 0 ||
		f.e.BitLen() < 2 || f.e.BitLen() > bits || f.d.BitLen() > bits {
		return Key{}, noKey
	}
	if absent(f.primes) {
		f.primes, f.exps, f.coeff = r.factor(f.n, f.e, f.d), nil, nil
	}
	if !f.consistent() {
		return Key{}, noKey
	}
	primes := slices.Clone(f.primes)
	slices.SortFunc(primes, (*big.Int).Cmp)
	fields := [][]byte{f.n.Bytes(), f.e.Bytes()}
	for _, p := range primes {
		fields = append(fields, p.Bytes())
	}
	return Key{Type: RSA, Canonical: canonical(RSA, fields...), Public: [][]byte{f.n.Bytes()}}, isKey
}

func absent(primes []*big.Int) bool {
	for _, p := range primes {
		if p != nil && p.Sign() != 0 {
			return false
		}
	}
	return true
}

// consistent reports whether the primes make n, d inverts e, and every given
// CRT number follows from them.
func (f rsaFields) consistent() bool {
	if len(f.primes) < 2 || len(f.primes) > 8 {
		return false
	}
	sum := 0
	for _, p := range f.primes {
		if p == nil || p.Sign() <= 0 || p.Bit(0) == 0 || p.BitLen() < 16 {
			return false
		}
		sum += p.BitLen()
	}
	if n := f.n.BitLen(); sum < n || sum > n+len(f.primes) {
		return false
	}
	low := big.Word(1)
	for _, p := range f.primes {
		low *= p.Bits()[0]
	}
	if low != f.n.Bits()[0] { // cheap, and nearly always enough
		return false
	}
	product := big.NewInt(1)
	for _, p := range f.primes {
		product.Mul(product, p)
	}
	if product.Cmp(f.n) != 0 {
		return false
	}
	one, less, rest := big.NewInt(1), new(big.Int), new(big.Int)
	for i, p := range f.primes {
		less.Sub(p, one)
		rest.Mod(f.d, less)
		if i < len(f.exps) && given(f.exps[i]) && rest.Cmp(f.exps[i]) != 0 {
			return false
		}
		if rest.Mul(rest, f.e).Mod(rest, less).Cmp(one) != 0 {
			return false
		}
	}
	if given(f.coeff) {
		rest.Mul(f.coeff, f.primes[1])
		return rest.Mod(rest, f.primes[0]).Cmp(one) == 0
	}
	return true
}

func given(v *big.Int) bool { return v != nil && v.Sign() != 0 }

// factor finds the two primes of n from e and d. ed-1 = k*phi/g, where g is 1
// or the part of gcd(p-1, q-1) that was divided out of d's modulus; phi is so
// near to n that k follows from g, and p+q = n+1-phi.
func (r *reading) factor(n, e, d *big.Int) []*big.Int {
	one := big.NewInt(1)
	multiple := new(big.Int).Mul(e, d)
	multiple.Sub(multiple, one)
	if multiple.Sign() <= 0 {
		return nil
	}
	num, k, phi, rem := new(big.Int), new(big.Int), new(big.Int), new(big.Int)
	for g := int64(1); g <= 24 && r.afford(1); g++ {
		num.Mul(multiple, big.NewInt(g))
		k.Div(num, n)
		phi.QuoRem(num, k.Add(k, one), rem)
		if rem.Sign() != 0 {
			continue
		}
		if p, q := roots(n, phi); p != nil {
			return []*big.Int{p, q}
		}
	}
	return r.factorByRoots(n, multiple)
}

// roots solves x^2 - (n+1-phi)x + n = 0 in integers.
func roots(n, phi *big.Int) (*big.Int, *big.Int) {
	sum := new(big.Int).Sub(n, phi)
	sum.Add(sum, big.NewInt(1))
	disc := new(big.Int).Mul(sum, sum)
	disc.Sub(disc, new(big.Int).Lsh(n, 2))
	if disc.Sign() <= 0 {
		return nil, nil
	}
	root := new(big.Int).Sqrt(disc)
	if new(big.Int).Mul(root, root).Cmp(disc) != 0 {
		return nil, nil
	}
	p := new(big.Int).Sub(sum, root)
	p.Rsh(p, 1)
	q := new(big.Int).Add(sum, root)
	q.Rsh(q, 1)
	if p.Sign() <= 0 || new(big.Int).Mul(p, q).Cmp(n) != 0 {
		return nil, nil
	}
	return p, q
}

// factorByRoots finds a square root of one other than 1 and -1 (NIST SP
// 800-56B, appendix C), for keys whose gcd is out of the ordinary.
func (r *reading) factorByRoots(n, multiple *big.Int) []*big.Int {
	one := big.NewInt(1)
	last := new(big.Int).Sub(n, one)
	twos := multiple.TrailingZeroBits()
	odd := new(big.Int).Rsh(multiple, twos)
	words := n.BitLen() / 64
	for _, base := range []int64{2, 3, 5, 7, 11, 13, 17, 19} {
		if twos == 0 || twos > 256 || !r.afford(1+words*words*words/60) {
			return nil
		}
		x := new(big.Int).Exp(big.NewInt(base), odd, n)
		for range twos {
			if x.Cmp(one) == 0 || x.Cmp(last) == 0 {
				break
			}
			y := new(big.Int).Mul(x, x)
			if y.Mod(y, n).Cmp(one) == 0 {
				p := new(big.Int).GCD(nil, nil, x.Sub(x, one), n)
				return []*big.Int{p, new(big.Int).Div(n, p)}
			}
			x = y
		}
	}
	return nil
}
