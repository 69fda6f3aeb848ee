package pack_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/pack/packtest"
)

// Whoever holds the pack key can open and seal segments, as the package comment
// says how. That must not be enough to change a pack that others use: the
// digests are signed.
func TestSealedAgainByAHolder(t *testing.T) {
	ring := packtest.Ring(t, 1)
	aud := fingerprints.AudienceEdge
	b := write(t, ring, spec(aud), register(t, ring, tokens(1, 3, 24)...)...)
	packKey, err := ring.Key(aud, keys.PurposePack, ring.Epoch())
	if err != nil {
		t.Fatal(err)
	}

	const prefix, saltAt, digest = 8 + 2 + 4, 16 + 16 + 1 + 4 + 4*8 + 4, 32
	header := int(binary.BigEndian.Uint32(b[10:]))
	salt := b[prefix+saltAt:][:32] // the group is empty
	start := prefix + header + digest
	end := len(b) - 64 - 2*digest // one segment of tables, one of labels
	revision := binary.BigEndian.AppendUint64(keys.AppendField(nil, []byte(aud)), 12)

	aead := segmentCipher(t, packKey, salt)
	for _, number := range []uint32{0, 1} {
		nonce := binary.BigEndian.AppendUint32(make([]byte, 8), number)
		aad := append(binary.BigEndian.AppendUint32(bytes.Clone(revision), number), byte(number))
		// The first segment ends where the second begins: find the cut.
		from, to := start, end
		plain, at := openSomewhere(aead, nonce, aad, b, from, to, number)
		if plain == nil {
			t.Fatalf("segment %d does not open by the specification", number)
		}
		plain[len(plain)/2] ^= 1
		forged := bytes.Clone(b)
		copy(forged[at:], aead.Seal(nil, nonce, plain, aad))
		if _, err := pack.Verify(bytes.NewReader(forged), int64(len(forged)), ring, pack.Options{}); !errors.Is(err, pack.ErrTampered) {
			t.Errorf("segment %d was sealed again with another content: %v", number, err)
		}
	}
}

func segmentCipher(t *testing.T, packKey keys.Key, salt []byte) cipher.AEAD {
	t.Helper()
	key, err := hkdf.Key(sha256.New, packKey[:], salt, "pack/v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

// openSomewhere opens segment 0, which starts at from, or segment 1, which ends
// at to, without knowing where one ends and the other begins.
func openSomewhere(aead cipher.AEAD, nonce, aad, b []byte, from, to int, number uint32) (plain []byte, at int) {
	for cut := from + aead.Overhead(); cut < to; cut++ {
		sealed, at := b[from:cut], from
		if number == 1 {
			sealed, at = b[cut:to], cut
		}
		if plain, err := aead.Open(nil, nonce, sealed, aad); err == nil {
			return plain, at
		}
	}
	return nil, 0
}
