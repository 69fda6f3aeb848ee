package registered_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"revenant/fingerprints"
	"revenant/scanners"
)

// keyPair is a private key with what must and must not be found of it.
type keyPair struct {
	name       string
	registered []byte            // as it is registered
	holders    map[string][]byte // containers with the private part
	public     map[string][]byte // certificates and public keys
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func armour(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func newKeyPair(name string, k crypto.Signer) keyPair {
	pkcs8 := must(x509.MarshalPKCS8PrivateKey(k))
	spki := must(x509.MarshalPKIXPublicKey(k.Public()))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Unix(1_700_000_000, 0), NotAfter: time.Unix(1_800_000_000, 0),
	}
	cert := must(x509.CreateCertificate(rand.Reader, template, template, k.Public(), k))
	openssh := must(ssh.MarshalPrivateKey(k, "comment"))
	p := keyPair{
		name: name, registered: armour("PRIVATE"+" KEY", pkcs8),
		holders: map[string][]byte{
			"pkcs8 pem": armour("PRIVATE"+" KEY", pkcs8), "pkcs8 der": pkcs8, "openssh": pem.EncodeToMemory(openssh), "openssh bytes": openssh.Bytes,
		},
		public: map[string][]byte{
			"public key": armour("PUBLIC KEY", spki), "certificate": armour("CERTIFICATE", cert), "certificate der": cert,
			"ssh public": ssh.MarshalAuthorizedKey(must(ssh.NewPublicKey(k.Public()))),
		},
	}
	switch k := k.(type) {
	case *rsa.PrivateKey:
		der := x509.MarshalPKCS1PrivateKey(k)
		p.holders["pkcs1 pem"], p.holders["pkcs1 der"] = armour("RSA PRIVATE"+" KEY", der), der
	case *ecdsa.PrivateKey:
		der := must(x509.MarshalECPrivateKey(k))
		p.holders["sec1 pem"], p.holders["sec1 der"] = armour("EC PRIVATE"+" KEY", der), der
	}
	for _, n := range []string{"pkcs8 pem", "openssh"} {
		text := string(p.holders[n])
		quoted := must(json.Marshal(map[string]string{"key": text}))
		p.holders[n+" crlf"] = []byte(strings.ReplaceAll(text, "\n", "\r\n"))
		p.holders[n+" indented"] = []byte("key: |\n  " + strings.ReplaceAll(text, "\n", "\n  "))
		p.holders[n+" json"] = quoted
		p.holders[n+" json in json"] = must(json.Marshal(string(quoted)))
		p.holders[n+" utf-16"] = []byte(wide("le")(text))
		p.holders[n+" base64"] = []byte("key: " + base64.StdEncoding.EncodeToString([]byte("#\n"+text)) + "\n")
		body := strings.Join(strings.Split(strings.TrimSpace(text), "\n")[1:], "")
		p.holders[n+" one line"] = []byte("KEY=" + body[:strings.Index(body, "-")])
	}
	p.holders["pkcs8 hex"] = []byte(hex.EncodeToString(pkcs8))
	p.holders["pkcs8 base64 at 1"] = []byte(base64.StdEncoding.EncodeToString(append([]byte{9}, pkcs8...)))
	p.holders["pkcs8 base64 wrapped"] = []byte(wrapAt(76, "\n")(base64.StdEncoding.EncodeToString(pkcs8)))
	return p
}

func keyPairs() []keyPair {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return []keyPair{
		newKeyPair("rsa", must(rsa.GenerateKey(rand.Reader, 2048))),
		newKeyPair("p256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))),
		newKeyPair("p384", must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))),
		newKeyPair("ed25519", ed),
	}
}

func TestPrivateKeys(t *testing.T) {
	pairs := keyPairs()
	var vals [][]byte
	for _, p := range pairs {
		vals = append(vals, p.registered)
	}
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	for i, p := range pairs {
		for name, holder := range p.holders {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				for off := range 3 {
					content := append(append(noise(uint64(off), 40+off), '\n'), holder...)
					content = append(append(content, '\n'), noise(5, 40)...)
					hits := scan(t, m, content, 0)
					if len(hits) != 1 || hits[0].Form != fingerprints.FormPrivateKey || hits[0].Rows[0] != built.Rows[i] ||
						hits[0].Span.Start < int64(39+off) || hits[0].Span.End > int64(43+off+len(holder)) {
						t.Fatalf("at %d of %d bytes: %+v", off, len(holder), hits)
					}
				}
			})
		}
		for name, public := range p.public {
			for form, content := range map[string][]byte{"": public, "base64": []byte(base64.StdEncoding.EncodeToString(public))} {
				if hits := scan(t, m, content, 0); len(hits) > 0 {
					t.Errorf("%s/%s %s: %+v", p.name, name, form, hits)
				}
			}
		}
		// The same container with one byte of the private part changed, or
		// without its end, is another key or none.
		der := bytes.Clone(p.holders["pkcs8 der"])
		if hits := scan(t, m, der[:len(der)*2/3], 0); len(hits) > 0 {
			t.Errorf("%s: two thirds: %+v", p.name, hits)
		}
	}
}

// TestPrivateKeyCuts cuts a content with keys in many places.
func TestPrivateKeyCuts(t *testing.T) {
	p := keyPairs()[1]
	m, _ := matcher(t, fingerprints.AudienceCore, p.registered)
	content := noise(1, 3*m.Overlap())
	content = append(content, p.holders["pkcs8 pem"]...)
	content = append(content, noise(2, m.Overlap())...)
	content = append(content, p.holders["sec1 der"]...)
	content = append(content, noise(3, 3*m.Overlap())...)
	want := scan(t, m, content, 0)
	if len(want) != 2 {
		t.Fatalf("%d hits, want 2", len(want))
	}
	for chunk := 20_011; chunk < len(content); chunk += 20_011 {
		got := scan(t, m, content, chunk)
		if len(got) != 2 || got[0].Span != want[0].Span || got[1].Span != want[1].Span {
			t.Errorf("chunks of %d: %+v, want %+v", chunk, got, want)
		}
	}
	var _ scanners.Matcher = m
}
