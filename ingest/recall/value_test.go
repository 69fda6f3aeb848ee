package recall_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"

	"golang.org/x/crypto/ssh"
)

// value is a registered value.
type value struct {
	kind   string
	bytes  []byte
	key    bool     // a private key
	misses [][]byte // values that differ from it by little
}

const (
	alnum  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	symbol = "\"'\\&%/<>$ !#*+,-.:;=?@[]^_`{|}~()"
)

func seeded(words ...string) *mathrand.Rand {
	var seed [32]byte
	copy(seed[:], "recall")
	for _, w := range words {
		for i := range len(w) {
			k := 8 + i%24
			seed[k] = seed[k]*131 + w[i] + byte(i)
		}
		seed[7] += 11
	}
	return mathrand.New(mathrand.NewChaCha8(seed))
}

func random(r *mathrand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// from is n characters of a set.
func from(r *mathrand.Rand, set string, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(len(set))]
	}
	return b
}

// perKind is how many values of each kind are registered.
const perKind = 6

// values are what is registered, a few of every kind.
func values(t *testing.T) []value {
	r := seeded("values")
	kinds := []struct {
		name string
		make func() []byte
	}{
		{"20 letters and digits", func() []byte { return from(r, alnum, 20) }},
		{"32 hex digits", func() []byte { return []byte(hex.EncodeToString(random(r, 16))) }},
		{"UUID", func() []byte {
			h := hex.EncodeToString(random(r, 16))
			return []byte(h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:])
		}},
		{"40 base64 characters", func() []byte { return awkwardKey(r) }},
		{"base64 with padding", func() []byte { return []byte(base64.StdEncoding.EncodeToString(random(r, 31))) }},
		{"password with punctuation", func() []byte { return punctuated(r, 24) }},
		{"password of punctuation", func() []byte { return from(r, symbol[:len(symbol)-2]+"Zq7", 18) }},
		{"password in Unicode", func() []byte { return foreign(r) }},
		{"pass phrase", func() []byte { return phrase(r) }},
		{"10 characters", func() []byte { return from(r, alnum[26:], 10) }},
		{"password of a connection string", func() []byte { return append(from(r, alnum, 12), "@:/#?%"[r.IntN(6)], '!', alnum[r.IntN(62)], '$') }},
		{"300 characters", func() []byte { return from(r, alnum+"-_", 300) }},
		{"JWT", func() []byte { return token(r) }},
		{"service account, 4 KB", func() []byte { return account(r) }},
		{"32 random bytes", func() []byte { return random(r, 32) }},
	}
	var out []value
	for _, k := range kinds {
		for range perKind {
			v := value{kind: k.name, bytes: k.make()}
			v.misses = misses(v.bytes)
			out = append(out, v)
		}
	}
	return append(out, privateKeys(t)...)
}

// awkwardKey is 40 characters as cloud providers make them, with those that
// escaping changes.
func awkwardKey(r *mathrand.Rand) []byte {
	b := from(r, alnum+"+/", 40)
	b[5+r.IntN(5)], b[20+r.IntN(5)] = '+', '/'
	if r.IntN(2) == 0 {
		b[39] = '='
	}
	return b
}

// punctuated is a password with characters that escaping changes between
// letters.
func punctuated(r *mathrand.Rand, n int) []byte {
	b := from(r, alnum, n)
	for range n / 2 {
		b[r.IntN(n)] = symbol[r.IntN(len(symbol))]
	}
	if b[0] == ' ' || b[n-1] == ' ' {
		b[0], b[n-1] = '"', '\\'
	}
	return b
}

func foreign(r *mathrand.Rand) []byte {
	words := []string{"schlüssel", "groß", "ключ", "пароль", "été", "鍵", "秘密の", "🔑", "naïve", "łódź", "Ω", "señal"}
	var b strings.Builder
	for b.Len() < 24 {
		b.WriteString(words[r.IntN(len(words))])
		b.Write(from(r, alnum+"'\"&/", 1+r.IntN(3)))
	}
	return []byte(b.String())
}

func phrase(r *mathrand.Rand) []byte {
	var words []string
	for range 6 {
		words = append(words, string(from(r, "bdfgklmnprstv", 1))+string(from(r, "aeiou", 1))+string(from(r, "bdfgklmnprstv", 1))+string(from(r, "aeiouy", 2)))
	}
	return []byte(strings.Join(words, " "))
}

func token(r *mathrand.Rand) []byte {
	e := base64.RawURLEncoding.EncodeToString
	return []byte(e([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + e(fmt.Appendf(nil, `{"sub":"%x","iat":%d}`, random(r, 12), r.IntN(1e9))) + "." + e(random(r, 64)))
}

// account is a document that is a credential as a whole.
func account(r *mathrand.Rand) []byte {
	doc := map[string]any{"type": "service_account", "project_id": prose(r, 9), "private_key_id": hex.EncodeToString(random(r, 20))}
	for i := range 20 {
		doc[fmt.Sprintf("field_%d", i)] = base64.StdEncoding.EncodeToString(random(r, 110)) + "\n<&>\"" + prose(r, 20)
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic(err)
	}
	return b
}

// misses are values with one character changed, case changed, or cut short.
func misses(v []byte) [][]byte {
	var out [][]byte
	change := func(i int) []byte {
		b := slices.Clone(v)
		switch c := b[i]; {
		case c == 'z' || c == 'Z' || c == '9' || c >= 0x7f || c < ' ':
			b[i] = c - 1
		case letterOrDigit(c):
			b[i] = c + 1
		default:
			b[i] = 'x'
		}
		return b
	}
	for _, i := range []int{0, len(v) / 2, len(v) - 1} {
		if v[i] < 0x80 || v[0] != v[i] && !isText(v) { // a part of a character would make it no text
			out = append(out, change(i))
		}
	}
	for i, c := range v {
		if c|0x20 >= 'a' && c|0x20 <= 'z' {
			b := slices.Clone(v)
			b[i] ^= 0x20
			out = append(out, b)
			break
		}
	}
	// Not of signs: what stands around could be the same sign.
	if n := len(v) - 1; letterOrDigit(v[n]) {
		out = append(out, v[:n])
	}
	if letterOrDigit(v[0]) {
		out = append(out, v[1:])
	}
	return out
}

// privateKeys are keys in the files that tools write, with the same files
// around a secret part of which one bit is another.
func privateKeys(t *testing.T) []value {
	cryptotest.SetGlobalRandom(t, 11)
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	add := func(kind, label string, der, secret []byte) value {
		at := bytes.Index(der, secret)
		if at < 0 {
			t.Fatalf("%s: the secret part is not in the file", kind)
		}
		var misses [][]byte
		for _, i := range []int{1, len(secret) / 2, len(secret) - 1} {
			b := slices.Clone(der)
			b[at+i] ^= 4
			misses = append(misses, armoured(label, b))
		}
		return value{kind: kind, bytes: armoured(label, der), key: true, misses: misses}
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, sshKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	scalar := must(ecKey.Bytes())
	block, err := ssh.MarshalPrivateKey(crypto.PrivateKey(sshKey), "deploy@build")
	if err != nil {
		t.Fatal(err)
	}
	return []value{
		add("RSA key, 2048 bits", "RSA ", x509.MarshalPKCS1PrivateKey(rsaKey), rsaKey.D.Bytes()),
		add("EC key, P-256", "EC ", must(x509.MarshalECPrivateKey(ecKey)), scalar),
		add("Ed25519 key", "", must(x509.MarshalPKCS8PrivateKey(edKey)), edKey.Seed()),
		add("OpenSSH key", "OPENSSH ", block.Bytes, sshKey.Seed()),
	}
}

func armoured(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label + "PRIVATE" + " KEY", Bytes: der})
}
