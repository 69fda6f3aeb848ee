package keys_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

// identityMAC is the specification read literally: HMAC-SHA-256 over a label and
// length-prefixed fields.
func identityMAC(k keys.Key, label string, fields ...[]byte) []byte {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte(label))
	for _, f := range fields {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(f))))
		h.Write(f)
	}
	return h.Sum(nil)
}

func TestFindingIDsFollowTheSpecification(t *testing.T) {
	key := keys.Key{1, 2, 3}
	id := keys.NewIdentityKey(key)
	seen := map[fingerprints.FindingID]string{}
	is := func(name string, got fingerprints.FindingID, sum []byte) {
		t.Helper()
		if want := fingerprints.FindingID("rv1:" + hex.EncodeToString(sum[:16])); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if other, has := seen[got]; has {
			t.Errorf("%s and %s are the same finding", name, other)
		}
		seen[got] = name
	}
	base := fingerprints.PathID{9, 8, 7}
	last := base
	last[15] = 1
	value, other := fingerprints.ValueID{4}, fingerprints.ValueID{15: 4}
	for name, c := range map[string]struct {
		v      fingerprints.ValueID
		source string
		p      fingerprints.PathID
	}{
		"one": {value, "dir:/a", base}, "another path": {value, "dir:/a", last},
		"another source": {value, "dir:/b", base}, "another value": {other, "dir:/a", base},
	} {
		is(name, id.FindingID(c.v, c.source, c.p), identityMAC(key, "finding/v1", c.v[:], []byte(c.source), c.p[:]))
	}
	for name, c := range map[string]struct {
		p       fingerprints.PathID
		rule    string
		ordinal uint32
	}{
		"located": {base, "rule", 0}, "located elsewhere": {last, "rule", 0},
		"another rule": {base, "other", 0}, "the next": {base, "rule", 1},
	} {
		is(name, id.LocatedFindingID("dir:/a", c.p, c.rule, c.ordinal),
			identityMAC(key, "located/v1", []byte("dir:/a"), c.p[:], []byte(c.rule), binary.BigEndian.AppendUint32(nil, c.ordinal)))
	}
}

func TestLocalKeysFollowTheSpecification(t *testing.T) {
	key := keys.Key{1, 2, 3}
	id := keys.NewIdentityKey(key)
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("same/v1a value"))
	if got, want := id.SameID([]byte("a value")), binary.BigEndian.Uint64(h.Sum(nil)); got != want {
		t.Errorf("the number of a value: %x, want %x", got, want)
	}
	if got, want := id.LocalKey("outcomes", []byte{9}), keys.Key(identityMAC(key, "local/v1", []byte("outcomes"), []byte{9})); got != want {
		t.Error("the key that seals is another")
	}
	if id.LocalKey("outcomes", []byte{8}) == id.LocalKey("outcomes", []byte{9}) || id.LocalKey("other", []byte{9}) == id.LocalKey("outcomes", []byte{9}) {
		t.Error("purposes or salts share a key")
	}
	none := keys.IdentityKey{}
	if none.SameID([]byte("a value")) != 0 || none.LocalKey("outcomes", nil) != (keys.Key{}) {
		t.Error("a key that is not held makes something")
	}
}
