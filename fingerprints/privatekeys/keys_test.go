package privatekeys_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/privatekeys"
)

func b64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rsaJWK(k *rsa.PrivateKey, members ...string) map[string]string {
	p := k.Primes
	one := big.NewInt(1)
	mod := func(p *big.Int) []byte { return new(big.Int).Mod(k.D, new(big.Int).Sub(p, one)).Bytes() }
	all := map[string]string{
		"kty": "RSA", "kid": "k1", "use": "sig", "n": b64url(k.N.Bytes()), "e": b64url(big.NewInt(int64(k.E)).Bytes()),
		"d": b64url(k.D.Bytes()), "p": b64url(p[0].Bytes()), "q": b64url(p[1].Bytes()), "dp": b64url(mod(p[0])),
		"dq": b64url(mod(p[1])), "qi": b64url(new(big.Int).ModInverse(p[1], p[0]).Bytes()),
	}
	if len(members) == 0 {
		return all
	}
	out := map[string]string{}
	for _, m := range members {
		out[m] = all[m]
	}
	return out
}

func text(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRSAWithoutCRTAndWithOtherExponents(t *testing.T) {
	for range 4 {
		k := rsaKey(t)
		want, err := privatekeys.Parse(pkcs8(t, k))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]byte{k.N.Bytes()}, want.Public); diff != "" {
			t.Error(diff)
		}
		one := big.NewInt(1)
		p, q := new(big.Int).Sub(k.Primes[0], one), new(big.Int).Sub(k.Primes[1], one)
		phi := new(big.Int).Mul(p, q)
		e := big.NewInt(int64(k.E))
		lambda := new(big.Int).Div(phi, new(big.Int).GCD(nil, nil, p, q))
		for name, d := range map[string]*big.Int{
			"as made": k.D, "modulo phi": new(big.Int).ModInverse(e, phi), "modulo lambda": new(big.Int).ModInverse(e, lambda),
		} {
			other := &rsa.PrivateKey{PublicKey: k.PublicKey, D: d, Primes: k.Primes}
			for what, in := range map[string][]byte{
				"jwk":      text(t, rsaJWK(other)),
				"n, e, d":  text(t, rsaJWK(other, "kty", "n", "e", "d")),
				"swapped":  text(t, rsaJWK(&rsa.PrivateKey{PublicKey: k.PublicKey, D: d, Primes: []*big.Int{k.Primes[1], k.Primes[0]}})),
				"no crt":   text(t, rsaJWK(other, "kty", "n", "e", "d", "p", "q")),
				"jwk set":  text(t, map[string]any{"keys": []any{rsaJWK(other)}}),
				"xml":      xmlKey(other),
				"in a doc": []byte(`{"client": "a", "jwks": "` + jsonString(string(text(t, rsaJWK(other)))) + `"}`),
				"python":   bytes.ReplaceAll(text(t, rsaJWK(other)), []byte(`"`), []byte(`'`)),
			} {
				got, err := privatekeys.Parse(in)
				if err != nil {
					t.Errorf("%s, %s: %v", name, what, err)
				} else if !bytes.Equal(got.Canonical, want.Canonical) {
					t.Errorf("%s, %s: another canonical form", name, what)
				}
			}
		}
	}
}

func jsonString(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}

func xmlKey(k *rsa.PrivateKey) []byte {
	m := rsaJWK(k)
	out := "<RSAKeyValue>\n"
	for _, f := range [][2]string{
		{"Modulus", "n"}, {"Exponent", "e"}, {"P", "p"}, {"Q", "q"}, {"DP", "dp"}, {"DQ", "dq"}, {"InverseQ", "qi"}, {"D", "d"},
	} {
		b, _ := base64.RawURLEncoding.DecodeString(m[f[1]])
		out += fmt.Sprintf("  <%s>%s</%[1]s>\n", f[0], base64.StdEncoding.EncodeToString(b))
	}
	return []byte(out + "</RSAKeyValue>\n")
}

func TestCurveKeysFromGo(t *testing.T) {
	for _, c := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		sec1, err := x509.MarshalECPrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		point, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		d, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		jwk := text(t, map[string]string{
			"kty": "EC", "crv": c.Params().Name, "x": b64url(point[1 : 1+half]), "y": b64url(point[1+half:]), "d": b64url(d),
		})
		same(t, c.Params().Name, [][]byte{point[1 : 1+half], point[1+half:]}, pkcs8(t, k), sec1, jwk)
	}
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v1 := pkcs8(t, priv)
	same(t, "ed25519", [][]byte{pub}, v1, withPublic(v1, pub), text(t, map[string]string{
		"kty": "OKP", "crv": "Ed25519", "x": b64url(pub), "d": b64url(priv.Seed()),
	}))
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v1 = pkcs8(t, x)
	same(t, "x25519", [][]byte{x.PublicKey().Bytes()}, v1, withPublic(v1, x.PublicKey().Bytes()), text(t, map[string]string{
		"kty": "OKP", "crv": "X25519", "x": b64url(x.PublicKey().Bytes()), "d": b64url(x.Bytes()),
	}))
}

// withPublic makes version 2 of RFC 5958 out of version 1.
func withPublic(v1, pub []byte) []byte {
	out := append(bytes.Clone(v1), 0x81, byte(len(pub)+1), 0)
	out = append(out, pub...)
	out[1] = byte(len(out) - 2)
	out[4] = 1
	return out
}

func same(t *testing.T, name string, public [][]byte, inputs ...[]byte) {
	t.Helper()
	var first []byte
	for i, in := range inputs {
		k, err := privatekeys.Parse(in)
		if err != nil {
			t.Errorf("%s, container %d: %v", name, i, err)
			continue
		}
		if diff := cmp.Diff(public, k.Public); diff != "" {
			t.Errorf("%s, container %d: %s", name, i, diff)
		}
		if first == nil {
			first = k.Canonical
		}
		if !bytes.Equal(first, k.Canonical) {
			t.Errorf("%s, container %d: another canonical form", name, i)
		}
	}
}

func TestSeveralKeysInOneInput(t *testing.T) {
	a, b := pkcs8(t, rsaKey(t)), pkcs8(t, rsaKey(t))
	two := append(pem("PRIVATE KEY", a, 64, "\n"), pem("PRIVATE KEY", b, 64, "\n")...)
	if _, err := privatekeys.Parse(two); !errors.Is(err, privatekeys.ErrSeveral) {
		t.Errorf("two keys: %v", err)
	}
	if all, err := privatekeys.ParseAll(two); err != nil || len(all) != 2 {
		t.Errorf("two keys: %d, %v", len(all), err)
	}
	if privatekeys.IsContainer(two) {
		t.Error("two keys are one container")
	}
	twice := append(pem("PRIVATE KEY", a, 64, "\n"), pem("PRIVATE KEY", a, 70, "\r\n")...)
	if _, err := privatekeys.Parse(twice); err != nil {
		t.Errorf("one key twice: %v", err)
	}
}

func TestIsContainer(t *testing.T) {
	key := pem("PRIVATE KEY", pkcs8(t, rsaKey(t)), 64, "\n")
	cert := pem("CERTIFICATE", bytes.Repeat([]byte{0x30, 1}, 60), 64, "\n")
	join := func(parts ...any) []byte {
		var out []byte
		for _, p := range parts {
			switch p := p.(type) {
			case string:
				out = append(out, p...)
			case []byte:
				out = append(out, p...)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		in   []byte
		want bool
	}{
		"key":                  {key, true},
		"space":                {join("\n\n", key, "\n  "), true},
		"chain":                {join(key, cert, cert), true},
		"chain first":          {join(cert, "\n", key), true},
		"bag":                  {join("Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n", key), true},
		"quoted":               {join(`"`, bytes.ReplaceAll(key, []byte("\n"), []byte(`\n`)), `"`), true},
		"document":             {join(`{"type": "service_account", "private_key": "`, bytes.ReplaceAll(key, []byte("\n"), []byte(`\n`)), `"}`), false},
		"assignment":           {join("KEY=", key), false},
		"certificate":          {cert, false},
		"nothing":              {nil, false},
		"password before":      {join("hunter2 ", key), false},
		"password and its key": {join(key, "\nhunter2"), false},
	} {
		if got := privatekeys.IsContainer(c.in); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
