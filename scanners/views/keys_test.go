package views_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"revenant/fingerprints"
)

// TestPrivateKeysInLayers has the bytes and the armour of a registered private
// key in two encodings, or in one that only views undo.
func TestPrivateKeysInLayers(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	armour := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE" + " KEY", Bytes: der})
	k := newKitFor(t, armour)
	b, h, lists := base64Codings(), hexCodings(), append(listCodings(), dumpCodings()...)
	layers := append([]coding{nested(b[0], b[0]), nested(b[3], b[1]), nested(b[2], h[0]), nested(h[2], b[0]), nested(base32Codings()[0], b[0]), nested(b[0], b[3], h[1])}, lists...)
	for _, c := range layers {
		for name, holder := range map[string][]byte{"der": der, "pem": armour} {
			hits, _ := k.scan(t, "key:\n"+c.encode(holder)+"\n", 0)
			if len(hits) != 1 || !strings.HasSuffix(string(hits[0].Form), string(fingerprints.FormPrivateKey)) {
				t.Errorf("%s, %s: %v", c.name, name, len(hits))
			}
		}
	}
	content := "x: " + b[3].encode(gzipped(t, append([]byte("some\x00"), der...)))
	if hits, _ := k.scan(t, content, 0); len(hits) != 1 {
		t.Errorf("gzip in base64: %d hits", len(hits))
	}
}
