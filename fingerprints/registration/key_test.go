package registration_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
)

func pkcs8(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der})
}

func openSSH(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}

// A private key is one value in every container, anchored in what is public.
func TestPrivateKeys(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed := ed25519.NewKeyFromSeed(randomBytes(7, 32))
	point := func(k *ecdsa.PrivateKey) []byte {
		b, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	scalar := func(k *ecdsa.PrivateKey) []byte {
		b, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name    string
		forms   [][]byte
		public  []byte
		private []byte // where a second region may stand; nil: there is none
		regions int
	}{
		{"rsa 1024", [][]byte{pkcs8(t, small), openSSH(t, small)}, small.N.Bytes(), nil, 1},
		{"rsa 2048", [][]byte{pkcs8(t, large), openSSH(t, large)}, large.N.Bytes(), nil, 3},
		{"p-256", [][]byte{pkcs8(t, p256), openSSH(t, p256)}, point(p256), scalar(p256), 2},
		{"p-224", [][]byte{pkcs8(t, p224)}, point(p224), nil, 1},
		{"ed25519", [][]byte{pkcs8(t, ed), openSSH(t, ed)}, ed[32:], ed[:32], 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			ring := newRing(t, 1)
			var first registration.Entry
			for i, form := range c.forms {
				e := register(t, registration.New(ring, seeded(uint64(i)), nil), form).Entry
				if i == 0 {
					first = e
				}
				e.Row = first.Row
				if d := cmp.Diff(first, e); d != "" {
					t.Fatalf("container %d is another value: %s", i, d)
				}
			}
			if first.Kind != registration.KindPrivateKey || first.Strength != fingerprints.StrengthEdge || first.Edge == nil {
				t.Fatalf("kind %d, strength %s", first.Kind, first.Strength)
			}
			canonical := registration.Canonical(c.forms[0], registration.TrimTrailing)
			if first.Core.MAC != sumUnder(t, ring, fingerprints.AudienceCore, keys.PurposeRegMAC, 1, canonical) || int(first.Length) != len(canonical) {
				t.Fatal("not the MAC of the private fields")
			}
			inPublic, inPrivate := 0, 0
			k, err := ring.Key(fingerprints.AudienceEdge, keys.PurposeFilter, 1)
			if err != nil {
				t.Fatal(err)
			}
			tagger := anchor.NewKey(k, anchor.Edge).NewTagger()
			for _, r := range first.Edge.Regions {
				inPublic += count(tagger, r.Tag, c.public)
				inPrivate += count(tagger, r.Tag, c.private)
			}
			want := c.regions
			if c.private != nil {
				want--
			}
			if len(first.Edge.Regions) != c.regions || inPublic != want || inPrivate != c.regions-want {
				t.Fatalf("%d regions, %d in the public part, %d in the private part", len(first.Edge.Regions), inPublic, inPrivate)
			}
		})
	}
}

// count is how many regions of b have a tag.
func count(t *anchor.Tagger, tag uint64, b []byte) int {
	n := 0
	for i := 0; i+anchor.Edge.Region() <= len(b); i++ {
		if t.Tag(b[i:i+anchor.Edge.Region()]) == tag {
			n++
		}
	}
	return n
}

// A key under a passphrase is armour: it is confirmed over its body, and
// anchored behind the head that such bodies share.
func TestArmour(t *testing.T) {
	ring := newRing(t, 1)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(ed25519.NewKeyFromSeed(randomBytes(7, 32)), "", randomBytes(8, 12))
	if err != nil {
		t.Fatal(err)
	}
	e := register(t, registration.New(ring, seeded(1), nil), pem.EncodeToMemory(block)).Entry
	if e.Kind != registration.KindValue || int(e.Length) != len(block.Bytes) || len(e.Core.Regions) != 3 {
		t.Fatalf("kind %d, length %d of %d, %d regions", e.Kind, e.Length, len(block.Bytes), len(e.Core.Regions))
	}
	if e.Core.MAC != sumUnder(t, ring, fingerprints.AudienceCore, keys.PurposeRegMAC, 1, block.Bytes) {
		t.Fatal("not the MAC of the body")
	}
	for _, off := range offsets(e.Core) {
		if off < 64 {
			t.Fatalf("a region at %d, in the head", off)
		}
	}
}
