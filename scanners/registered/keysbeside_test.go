package registered_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"testing"

	"revenant/fingerprints"
)

// Runs are worth a look from the shortest thing that the pack holds: long
// values beside a short key must not hide it.
func TestKeysBesideLongValues(t *testing.T) {
	pair := newKeyPair("p256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
	long := noise(77, 3000)
	m, built := matcher(t, fingerprints.AudienceCore, long, pair.registered)
	for name, holder := range pair.holders {
		hits := scan(t, m, holder, 0)
		if len(hits) != 1 || hits[0].Rows[0] != built.Rows[1] {
			t.Errorf("%s: %d hits", name, len(hits))
		}
	}
	if hits := scan(t, m, []byte(base64.StdEncoding.EncodeToString(long)), 0); len(hits) != 1 {
		t.Errorf("the long value: %d hits", len(hits))
	}
}
