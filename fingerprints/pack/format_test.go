package pack_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registration"
)

var update = flag.Bool("update", false, "write the golden files anew")

// formats holds files of format 1, which every later version must open. They
// are never written anew; a later format gets files beside them.
var formats = filepath.Join("..", "..", "testdata", "formats", "v1")

// fixture says what is in the files.
type fixture struct {
	Values []string // hex
	Labels []pack.Label
	Rows   []string
	Core   pack.Header
	Edge   pack.Header
}

func fixtureValues() [][]byte {
	return append(tokens(70, 3, 24), append(tokens(71, 1, 9), tokens(72, 1, 200)...)...)
}

func fixtureLabel(i int, e registration.Entry) pack.Label {
	return pack.Label{
		Secret: "billing/db-password", Version: i + 1, VersionID: fingerprints.VersionID{byte(i + 1)}, Field: "password",
		State: fingerprints.States()[i%5], Owner: "team-billing", Class: fingerprints.Classes()[i%4], Strength: e.Strength,
		ValueID: e.ValueID, Compromised: i%2 == 1, WindowEnds: day.AddDate(0, 0, i),
	}
}

func writeFixture(t *testing.T) {
	t.Helper()
	ring, err := keys.NewRing(seed(60), day)
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{}
	files := map[string][]byte{"packs-ring": ring.Marshal()}
	for _, aud := range []fingerprints.Audience{fingerprints.AudienceCore, fingerprints.AudienceEdge} {
		b, err := pack.NewBuilder(ring, seed(61), spec(aud))
		if err != nil {
			t.Fatal(err)
		}
		f.Values, f.Labels, f.Rows = nil, nil, nil
		for i, e := range register(t, ring, fixtureValues()...) {
			l := fixtureLabel(i, e)
			f.Values, f.Labels = append(f.Values, hexOf(fixtureValues()[i])), append(f.Labels, l)
			f.Rows = append(f.Rows, e.Row.String())
			if e.Anchors(aud) == nil {
				continue
			}
			if err := b.Add(e, l); err != nil {
				t.Fatal(err)
			}
		}
		var buf bytes.Buffer
		if _, err := b.WriteTo(&buf); err != nil {
			t.Fatal(err)
		}
		files[string(aud)+".pack"] = buf.Bytes()
		h, err := pack.Inspect(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if aud == fingerprints.AudienceCore {
			f.Core = h
		} else {
			f.Edge = h
		}
	}
	meta, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	files["packs.json"] = append(meta, '\n')
	if err := os.MkdirAll(formats, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		path := filepath.Join(formats, name)
		if _, err := os.Stat(path); err == nil {
			continue // kept for ever
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readFixture(t *testing.T) (fixture, *keys.Ring) {
	t.Helper()
	var f fixture
	if err := json.Unmarshal(file(t, "packs.json"), &f); err != nil {
		t.Fatal(err)
	}
	ring, err := keys.ParseRing(file(t, "packs-ring"))
	if err != nil {
		t.Fatal(err)
	}
	return f, ring
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(formats, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Packs of format 1 open for ever.
func TestFormat1(t *testing.T) {
	if *update {
		writeFixture(t)
	}
	f, ring := readFixture(t)
	for _, c := range []struct {
		aud  fingerprints.Audience
		want pack.Header
	}{{fingerprints.AudienceCore, f.Core}, {fingerprints.AudienceEdge, f.Edge}} {
		b := file(t, string(c.aud)+".pack")
		if _, err := pack.Verify(bytes.NewReader(b), int64(len(b)), ring, pack.Options{}); err != nil {
			t.Fatal(err)
		}
		p, err := pack.OpenBytes(b, ring, pack.Options{MinRevision: 12, Now: day})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, p.Header(), cmpopts.IgnoreUnexported(pack.Header{})); d != "" {
			t.Fatal(d)
		}
		conf := p.NewConfirmer()
		found := 0
		for i, v := range fixtureValues() {
			rows := conf.Lookup(1, v)
			if len(rows) == 0 {
				continue
			}
			found++
			if rows[0].String() != f.Rows[i] || hexOf(v) != f.Values[i] {
				t.Fatalf("%s: value %d has row %s", c.aud, i, rows[0])
			}
			l, err := conf.Label(rows[0], v)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(f.Labels[i], l); d != "" {
				t.Fatalf("%s: label %d: %s", c.aud, i, d)
			}
		}
		if found != c.want.Count {
			t.Fatalf("%s: %d of %d values found", c.aud, found, c.want.Count)
		}
	}
}

// byHand reads a pack as the package comment says, with the standard library.
type byHand struct {
	t      *testing.T
	b      []byte
	header []byte
	at     int // of the first segment
}

func (p *byHand) u32(at int) int { return int(binary.BigEndian.Uint32(p.b[at:])) }

// segment decrypts a segment of n plain bytes.
func (p *byHand) segment(ring *keys.Ring, aud string, at, n, number int, last byte) []byte {
	p.t.Helper()
	packKey, err := ring.Key(fingerprints.Audience(aud), keys.PurposePack, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	g := 14 + 33 // ring, installation, audience
	g += 4 + p.u32(g)
	revision, salt := p.b[g:g+8], p.b[g+36:g+68]
	key, err := hkdf.Key(sha256.New, packKey[:], salt, "pack/v1", 32)
	if err != nil {
		p.t.Fatal(err)
	}
	aad := binary.BigEndian.AppendUint32(nil, uint32(len(aud)))
	aad = append(append(aad, aud...), revision...)
	aad = append(binary.BigEndian.AppendUint32(aad, uint32(number)), last)
	nonce := binary.BigEndian.AppendUint32(make([]byte, 8), uint32(number))
	out, err := gcm(p.t, key).Open(nil, nonce, p.b[at:at+n+16], aad)
	if err != nil {
		p.t.Fatalf("segment %d does not open by the specification", number)
	}
	return out
}

func gcm(t *testing.T, key []byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The edge pack of the fixture, byte by byte.
func TestSpecification(t *testing.T) {
	f, ring := readFixture(t)
	p := &byHand{t: t, b: file(t, "edge.pack")}
	if string(p.b[:8]) != "RVNTPACK" || binary.BigEndian.Uint16(p.b[8:]) != 1 {
		t.Fatal("magic or format")
	}
	p.at = 14 + p.u32(10) + 32
	p.header = p.b[:p.at-32]
	if sum := sha256.Sum256(p.header); !bytes.Equal(sum[:], p.b[p.at-32:p.at]) {
		t.Fatal("the header's digest")
	}
	// Four values of 32 and 267 characters: one table, one epoch, two segments.
	n := f.Edge.Count
	const single, spread, rows = 3, 3, 4
	tables := 8*512 + (8 + single*15) + (8 + spread*21) + (8 + rows*36)
	if n != rows {
		t.Fatalf("%d entries in the fixture", n)
	}
	labelBytes := int(binary.BigEndian.Uint64(p.header[len(p.header)-8:]))
	end := p.at + tables + 16 + labelBytes + 16
	if len(p.b) != end+2*32+64 {
		t.Fatalf("%d bytes, want %d", len(p.b), end+2*32+64)
	}
	digests := p.b[end : end+64]
	first, second := sha256.Sum256(p.b[p.at:p.at+tables+16]), sha256.Sum256(p.b[p.at+tables+16:end])
	if !bytes.Equal(digests, append(first[:], second[:]...)) {
		t.Fatal("the digests")
	}
	msg := []byte("revenant pack/v1\n")
	for _, part := range [][]byte{p.header, digests} {
		msg = append(binary.BigEndian.AppendUint32(msg, uint32(len(part))), part...)
	}
	if !ed25519.Verify(ring.Public(keys.PurposeSignPack), msg, p.b[end+64:]) {
		t.Fatal("the signature")
	}
	hot := p.segment(ring, "edge", p.at, tables, 0, 0)
	labels := p.segment(ring, "edge", p.at+tables+16, labelBytes, 1, 1)
	checkTables(t, ring, hot, single, spread)
	checkRows(t, ring, p, hot[len(hot)-rows*36:], labels)
}

// checkTables looks the fixture's regions up in filter and lists.
func checkTables(t *testing.T, ring *keys.Ring, hot []byte, single, spread int) {
	t.Helper()
	k, err := ring.Key(fingerprints.AudienceEdge, keys.PurposeFilter, 1)
	if err != nil {
		t.Fatal(err)
	}
	key := anchor.NewKey(k, anchor.Edge)
	at := 8*512 + 8
	lists := [][]byte{hot[at : at+single*15], hot[at+single*15+8:][:spread*21]}
	for i, size := range []int{15, 21} {
		for b := lists[i]; len(b) > 0; b = b[size:] {
			off := int(b[8])<<16 | int(b[9])<<8 | int(b[10])
			length := int(b[11])<<16 | int(b[12])<<8 | int(b[13])
			if b[14] != 0 {
				t.Fatal("flags of a value of the first epoch")
			}
			for _, v := range fixtureValues() {
				if len(v) != length || key.NewTagger().Tag(v[off:off+9]) != binary.BigEndian.Uint64(b) {
					continue
				}
				for _, h := range key.AppendWindows(nil, v[off:off+9]) {
					word, mask := anchor.Place(h, 9)
					if binary.LittleEndian.Uint64(hot[8*word:])&mask != mask {
						t.Fatal("a window is not in the filter")
					}
				}
				off = -1
				break
			}
			if off >= 0 {
				t.Fatal("a record is of no value")
			}
		}
	}
}

// checkRows opens every label by hand.
func checkRows(t *testing.T, ring *keys.Ring, p *byHand, rows, labels []byte) {
	t.Helper()
	salt := p.header[14+33+4+36:][:32]
	opened := 0
	for _, v := range fixtureValues() {
		sum := hmacSum(t, ring, fingerprints.AudienceEdge, 1, v)
		for b := rows; len(b) > 0; b = b[36:] {
			if !bytes.Equal(b[:16], sum[:16]) {
				continue
			}
			m := hmac.New(sha256.New, sum[16:])
			m.Write([]byte("label/v1"))
			m.Write(salt)
			m.Write(b[16:32])
			at := 64 * int(binary.BigEndian.Uint32(b[32:]))
			sealed := labels[at+2:][:binary.BigEndian.Uint16(labels[at:])]
			if (len(sealed)+2)%64 != 0 {
				t.Fatal("a label's padding")
			}
			plain, err := gcm(t, m.Sum(nil)).Open(nil, make([]byte, 12), sealed, nil)
			if err != nil || !bytes.Contains(plain, []byte("\x00\x13billing/db-password\x00\x08password\x00\x0cteam-billing")) {
				t.Fatal("a label does not open by the specification")
			}
			opened++
		}
	}
	if opened != len(rows)/36 {
		t.Fatalf("%d labels of %d rows", opened, len(rows)/36)
	}
}
