package registration_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
)

var update = flag.Bool("update", false, "write the golden files anew")

// vectorsFile is never rewritten once rows are registered by it: a change
// means that rows of older installations are no longer found.
var vectorsFile = filepath.Join("..", "..", "testdata", "vectors", "registration.json")

// vector is one value registered under the ring of newRing(1). Bytes are hex.
type vector struct {
	Name     string
	Raw      []string // hex in short pieces: a scan of the file stays quiet
	Row      string
	Field    string
	Strength fingerprints.Strength
	Value    string // value id
	Core     []uint32
	Edge     []uint32
	Plain    string // sha-256 of the plaintext
	Sealed   string
}

func vectorInputs() map[string][]byte {
	return map[string][]byte{
		"a token of 40 characters": token(100, 40), "b 12 characters": token(101, 12), "c 20 characters": token(102, 20),
		"d 300 characters": token(103, 300), "e weak": []byte("abababababababababab"), "f binary": randomBytes(104, 48),
		"g web token": jwt(105), "h punctuation": []byte("%$&'\"/+=!?#@*()[]{}<>|~^`,;:%$&'"), "i line break": append(token(106, 30), '\n'),
	}
}

func computeVectors(t *testing.T) []vector {
	t.Helper()
	ring := newRing(t, 1)
	r := registration.New(ring, seeded(7), nil)
	var out []vector
	for _, name := range sortedNames(vectorInputs()) {
		raw := vectorInputs()[name]
		done, err := r.Register(registration.Input{
			Value: fingerprints.NewValue(raw), Version: fingerprints.VersionID{1, 2, 3}, Field: "password", Revision: 77,
		})
		if err != nil {
			t.Fatal(err)
		}
		plain := openByHand(t, ring, done.Row)
		sum := sha256.Sum256(plain)
		out = append(out, vector{
			Name: name, Raw: pieces(raw), Row: done.Row.ID.String(), Field: "password",
			Strength: done.Row.Strength, Value: done.Entry.ValueID.String(),
			Core: offsets(done.Entry.Core), Edge: offsets(done.Entry.Edge),
			Plain: hex.EncodeToString(sum[:]), Sealed: hex.EncodeToString(done.Row.Sealed),
		})
		checkPlain(t, plain, done.Entry)
	}
	return out
}

func sortedNames(m map[string][]byte) []string {
	var out []string
	for _, c := range "abcdefghi" {
		for name := range m {
			if name[0] == byte(c) {
				out = append(out, name)
			}
		}
	}
	return out
}

func TestVectors(t *testing.T) {
	got := computeVectors(t)
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("the registration format changed (-want +got):\n%s", d)
	}
}

// openByHand opens a row as the package comment says, with the standard
// library alone.
func openByHand(t *testing.T, ring *keys.Ring, row fingerprints.FieldRow) []byte {
	t.Helper()
	epoch := binary.BigEndian.Uint32(row.Sealed)
	master, err := ring.Key(fingerprints.AudienceCore, keys.PurposeSeal, epoch)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hkdf.Expand(sha256.New, master[:], string(binary.BigEndian.AppendUint64(row.ID[:], row.Revision)), 32)
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
	inst := ring.Installation()
	var aad []byte
	field := func(b []byte) {
		aad = binary.BigEndian.AppendUint32(aad, uint32(len(b)))
		aad = append(aad, b...)
	}
	field(inst[:])
	aad = binary.BigEndian.AppendUint32(aad, row.Epoch)
	aad = binary.BigEndian.AppendUint32(aad, row.FilterGen)
	field(row.Version[:])
	field([]byte(row.Field))
	aad = binary.BigEndian.AppendUint16(aad, 1)
	aad = binary.BigEndian.AppendUint64(aad, row.Revision)
	plain, err := aead.Open(nil, row.Sealed[4:16], row.Sealed[16:], aad)
	if err != nil {
		t.Fatal("the row does not open by the specification")
	}
	return plain
}

// checkPlain walks the 480 bytes as the package comment lays them out.
func checkPlain(t *testing.T, b []byte, e registration.Entry) {
	t.Helper()
	if len(b) != 480 {
		t.Fatalf("plaintext of %d bytes", len(b))
	}
	if binary.BigEndian.Uint32(b) != e.Length || b[4] != byte(e.Kind) ||
		fingerprints.ValueID(b[8:24]) != e.ValueID || [32]byte(b[24:56]) != e.Lookup || [32]byte(b[56:88]) != e.Core.MAC {
		t.Fatal("the head of the plaintext differs")
	}
	codes := map[byte]fingerprints.Strength{1: fingerprints.StrengthEdge, 2: fingerprints.StrengthCore, 3: fingerprints.StrengthWeak}
	if codes[b[5]] != e.Strength || int(b[7]&15) != len(e.Core.Regions) || (b[6] == 2) != (e.Core.Geometry.Window == 5) {
		t.Fatal("a code of the plaintext differs")
	}
	rest := walkRegions(t, b[88:], e.Core)
	if e.Edge != nil {
		if int(b[7]>>4) != len(e.Edge.Regions) || [32]byte(rest[:32]) != e.Edge.MAC {
			t.Fatal("the edge MAC differs")
		}
		rest = walkRegions(t, rest[32:], e.Edge)
	}
	for _, c := range rest {
		if c != 0 {
			t.Fatal("the padding is not zero")
		}
	}
}

func walkRegions(t *testing.T, b []byte, a *registration.Anchors) []byte {
	t.Helper()
	for _, r := range a.Regions {
		if binary.BigEndian.Uint32(b) != r.Offset || binary.BigEndian.Uint64(b[4:]) != r.Tag {
			t.Fatal("a region differs")
		}
		b = b[12:]
		for _, w := range r.Windows {
			if binary.BigEndian.Uint64(b) != w {
				t.Fatal("a window differs")
			}
			b = b[8:]
		}
	}
	return b
}

// pieces is b as hex, twelve bytes a piece.
func pieces(b []byte) []string {
	var out []string
	for part := range slices.Chunk(b, 12) {
		out = append(out, hex.EncodeToString(part))
	}
	return out
}
