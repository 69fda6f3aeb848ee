package pack_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/pack/packtest"
)

// Whatever follows the magic, nothing panics or takes memory beyond the file's
// size, and only the untouched pack opens. The header's digest is recomputed,
// so that the parser behind it is reached.
func FuzzHeader(f *testing.F) {
	ring := packtest.Ring(f, 1)
	b := write(f, ring, spec(fingerprints.AudienceCore), register(f, ring, append(tokens(1, 4, 24), tokens(2, 1, 200)...)...)...)
	header := 14 + int(binary.BigEndian.Uint32(b[10:]))
	f.Add(b[14:header])
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, body []byte) {
		bad := append([]byte{}, b[:10]...)
		bad = binary.BigEndian.AppendUint32(bad, uint32(len(body)))
		bad = append(bad, body...)
		sum := sha256.Sum256(bad)
		bad = append(append(bad, sum[:]...), b[header+32:]...)
		same := bytes.Equal(bad, b)
		if _, err := pack.Inspect(bytes.NewReader(bad), int64(len(bad))); same && err != nil {
			t.Fatal(err)
		}
		if _, err := pack.OpenBytes(bad, ring, pack.Options{}); (err == nil) != same {
			t.Fatalf("opened: %v, unchanged: %v", err == nil, same)
		}
	})
}

// Any bytes at all. Labels are read when they are asked for, so Verify, which
// reads all, is what must refuse every change.
func FuzzOpen(f *testing.F) {
	ring := packtest.Ring(f, 1)
	b := write(f, ring, spec(fingerprints.AudienceEdge), register(f, ring, tokens(1, 4, 24)...)...)
	f.Add(b)
	f.Add(b[:200])
	f.Fuzz(func(t *testing.T, bad []byte) {
		if _, err := pack.Verify(bytes.NewReader(bad), int64(len(bad)), ring, pack.Options{}); (err == nil) != bytes.Equal(bad, b) {
			t.Fatalf("verified: %v", err == nil)
		}
	})
}
