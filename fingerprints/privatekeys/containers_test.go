package privatekeys_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"revenant/fingerprints/privatekeys"
)

// Every container of one key has the same canonical form.
func TestContainersOfOneKeyAgree(t *testing.T) {
	canonical := map[string]string{}
	from := map[string]string{}
	for _, s := range samples(t) {
		if s.public() || s.locked() {
			continue
		}
		k, err := privatekeys.Parse(s.data)
		if err != nil {
			t.Errorf("%s: %v", s.name(), err)
			continue
		}
		if k.Type == privatekeys.Armoured {
			t.Errorf("%s: read as other armoured text", s.name())
		}
		if len(k.Public) == 0 && s.key != "ed448" && s.key != "x448" {
			t.Errorf("%s: no public part", s.name())
		}
		if was, seen := canonical[s.key]; seen && was != string(k.Canonical) {
			t.Errorf("%s: canonical form differs from %s:\n%s\n%s", s.name(), from[s.key],
				hex.EncodeToString(k.Canonical), hex.EncodeToString([]byte(was)))
		}
		canonical[s.key], from[s.key] = string(k.Canonical), s.name()
		if !privatekeys.IsContainer(s.data) {
			t.Errorf("%s: not taken for a container", s.name())
		}
	}
	other := map[string]string{}
	for key, c := range canonical {
		if o, seen := other[c]; seen {
			t.Errorf("%s and %s have the same canonical form", key, o)
		}
		other[c] = key
	}
	if len(canonical) < 18 {
		t.Errorf("only %d keys", len(canonical))
	}
}

func TestPublicPartsGiveNoHit(t *testing.T) {
	n := 0
	for _, s := range samples(t) {
		if !s.public() {
			continue
		}
		n++
		if found := privatekeys.Find(s.data); len(found) != 0 {
			t.Errorf("%s: found %v", s.name(), found[0].Key.Type)
		}
		if _, err := privatekeys.Parse(s.data); !errors.Is(err, privatekeys.ErrNoKey) {
			t.Errorf("%s: Parse: %v", s.name(), err)
		}
	}
	if n < 8 {
		t.Errorf("only %d public samples", n)
	}
}

func TestEncryptedContainersAreArmoured(t *testing.T) {
	for _, s := range samples(t) {
		if !s.locked() || !s.text() {
			continue
		}
		k, err := privatekeys.Parse(s.data)
		if err != nil || k.Type != privatekeys.Armoured || len(k.Canonical) < 32 {
			t.Errorf("%s: %v, type %s, %d bytes", s.name(), err, k.Type, len(k.Canonical))
		}
		if strings.Contains(string(s.data), string(k.Canonical)) {
			t.Errorf("%s: the body was not decoded", s.name())
		}
		if !privatekeys.IsContainer(s.data) {
			t.Errorf("%s: not taken for a container", s.name())
		}
	}
}
