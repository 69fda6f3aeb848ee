package keys_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorsFile = "../../testdata/vectors/keys.json"

// counting is a stream of bytes that says how much of it was drawn.
type counting struct{ next byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.next
		c.next++
	}
	return len(p), nil
}

var epochZero = time.UnixMilli(1_750_000_000_123).UTC()

func newRing(t testing.TB) *keys.Ring {
	t.Helper()
	r, err := keys.NewRing(&counting{}, epochZero)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rotate(t testing.TB, r *keys.Ring, reasons ...keys.Rotation) *keys.Ring {
	t.Helper()
	for i, why := range reasons {
		if err := r.Rotate(&counting{next: byte(100 + i)}, epochZero.Add(time.Duration(i+1)*time.Hour), why); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// independent is the derivation of the package comment, with HKDF written out
// (RFC 5869) on the standard library's HMAC alone.
func independent(secret, inst []byte, aud, purpose string, gen uint32) []byte {
	mac := func(k []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, k)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	field := func(b []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	}
	info := bytes.Join([][]byte{field(inst), field([]byte(aud)), field([]byte(purpose)), field(binary.BigEndian.AppendUint32(nil, gen))}, nil)
	return mac(mac([]byte("revenant/1"), secret), info, []byte{1})
}

// vector is one derived key of the test's ring.
type vector struct {
	Audience string
	Purpose  string
	Gen      uint32
	Derived  string
}

func derivations() []vector {
	master := keys.Key(bytes.Repeat([]byte{0x42}, 32))
	inst := fingerprints.InstallationID(bytes.Repeat([]byte{0x17}, 16))
	var out []vector
	for _, p := range []keys.Purpose{
		keys.PurposeRegMAC, keys.PurposeLookup, keys.PurposeSeal, keys.PurposePack, keys.PurposeFilter, keys.PurposeAudit,
		keys.PurposeKeyID, keys.PurposeSignPack, keys.PurposeSignAudit, keys.PurposeSignProof, keys.PurposeIdentity,
	} {
		for _, aud := range []fingerprints.Audience{fingerprints.AudienceCore, fingerprints.AudienceEdge, "edge:laptops"} {
			for _, gen := range []uint32{0, 1, 70000} {
				k := keys.Derive(master, inst, aud, p, gen)
				out = append(out, vector{string(aud), string(p), gen, hex.EncodeToString(k[:])})
			}
		}
	}
	return out
}

func TestDerivationVectors(t *testing.T) {
	got := derivations()
	if *update {
		b, err := json.MarshalIndent(got, "", " ")
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
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("derived keys changed: everything that is registered would be lost (-committed +now):\n%s", diff)
	}
	seen := map[string]bool{}
	for _, v := range got {
		other := hex.EncodeToString(independent(bytes.Repeat([]byte{0x42}, 32), bytes.Repeat([]byte{0x17}, 16), v.Audience, v.Purpose, v.Gen))
		if other != v.Derived {
			t.Errorf("%s %s %d: not what the package comment says", v.Audience, v.Purpose, v.Gen)
		}
		if seen[v.Derived] {
			t.Errorf("%s %s %d: two keys are equal", v.Audience, v.Purpose, v.Gen)
		}
		seen[v.Derived] = true
	}
}

func TestIdentities(t *testing.T) {
	r := newRing(t)
	edge, core := r.Identity(fingerprints.AudienceEdge), r.Identity(fingerprints.AudienceCore)
	v, p := edge.ValueID([]byte("value")), edge.PathID([]byte("path"))
	if v == core.ValueID([]byte("value")) {
		t.Error("both identity keys give one id")
	}
	if fingerprints.PathID(edge.ValueID([]byte("x"))) == edge.PathID([]byte("x")) {
		t.Error("a value and a path of the same bytes have one id")
	}
	id := edge.FindingID(v, "dir:/a", p)
	if !strings.HasPrefix(string(id), "rv1:") || len(id) != 36 {
		t.Errorf("finding id %q", id)
	}
	// Lengths are part of what is hashed: moving a border changes the id.
	if edge.LocatedFindingID("a", p, "bc", 1) == edge.LocatedFindingID("a", p, "b", 1) ||
		edge.LocatedFindingID("a", p, "b", 0) == edge.LocatedFindingID("a", p, "b", 1) ||
		edge.FindingID(v, "dir:/a", p) == edge.FindingID(v, "dir:/b", p) {
		t.Error("different places have one id")
	}
	rotate(t, r, keys.RotateRoutine, keys.RotateCompromise, keys.RotateCompromise)
	if r.Identity(fingerprints.AudienceEdge).ValueID([]byte("value")) != v {
		t.Error("a rotation changed the identity keys: every finding would get a new id")
	}
	if !(keys.IdentityKey{}).IsZero() || !(keys.IdentityKey{}).ValueID([]byte("value")).IsZero() {
		t.Error("a key that its holder was not given makes ids")
	}
}

func TestRotation(t *testing.T) {
	r := newRing(t)
	id, inst := r.ID(), r.Installation()
	mac1 := mustKey(t, r, fingerprints.AudienceCore, keys.PurposeRegMAC, 1)
	filter1 := mustKey(t, r, fingerprints.AudienceCore, keys.PurposeFilter, 1)

	rotate(t, r, keys.RotateRoutine)
	if r.Epoch() != 2 || r.FilterGen() != 1 || r.ID() != id || r.Installation() != inst {
		t.Errorf("after a routine rotation: epoch %d, filter %d", r.Epoch(), r.FilterGen())
	}
	if mustKey(t, r, fingerprints.AudienceCore, keys.PurposeRegMAC, 1) != mac1 {
		t.Error("the old epoch's key changed")
	}
	if mustKey(t, r, fingerprints.AudienceCore, keys.PurposeRegMAC, 2) == mac1 {
		t.Error("the new epoch has the old key")
	}
	if r.Drops(keys.RotateCompromise) != 0 {
		t.Error("a second generation drops nothing")
	}
	rotate(t, r, keys.RotateCompromise)
	if diff := cmp.Diff([]uint32{2, 1}, r.FilterGens()); diff != "" {
		t.Errorf("generations: %s", diff)
	}
	if !r.Compromised(1) || !r.Compromised(2) || r.Compromised(3) {
		t.Error("epochs before a compromise are compromised, the one it began is not")
	}
	if r.Drops(keys.RotateCompromise) != 1 || r.Drops(keys.RotateRoutine) != 0 {
		t.Error("a third generation drops the first, a routine rotation none")
	}
	rotate(t, r, keys.RotateCompromise)
	if _, err := r.Key(fingerprints.AudienceCore, keys.PurposeFilter, 1); !errors.Is(err, keys.ErrDroppedGeneration) {
		t.Errorf("the dropped generation's key: %v", err)
	}
	if mustKey(t, r, fingerprints.AudienceCore, keys.PurposeFilter, 2) == filter1 {
		t.Error("a compromise kept the filter's key")
	}
	if _, err := r.Key(fingerprints.AudienceCore, keys.PurposeRegMAC, 9); !errors.Is(err, keys.ErrUnknownEpoch) {
		t.Errorf("an epoch to come: %v", err)
	}
	if err := r.Rotate(&counting{}, epochZero, "because"); err == nil {
		t.Error("an unknown reason was accepted")
	}
	if err := r.Rotate(strings.NewReader("short"), epochZero, keys.RotateRoutine); err == nil || r.Epoch() != 4 {
		t.Errorf("without randomness: %v, epoch %d", err, r.Epoch())
	}
}

func mustKey(t *testing.T, s keys.Source, aud fingerprints.Audience, p keys.Purpose, gen uint32) keys.Key {
	t.Helper()
	k, err := s.Key(aud, p, gen)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Edge and registrar keys hold what their holder needs and nothing beyond.
func TestHoldersHaveNoMore(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateRoutine, keys.RotateCompromise)
	edge := r.EdgeKeys("laptops")
	for _, p := range []keys.Purpose{keys.PurposeRegMAC, keys.PurposePack, keys.PurposeFilter, keys.PurposeSeal, keys.PurposeAudit, keys.PurposeIdentity, keys.PurposeKeyID, keys.PurposeSignPack} {
		if _, err := edge.Key(fingerprints.AudienceCore, p, 1); !errors.Is(err, keys.ErrNoKey) {
			t.Errorf("an edge holder asks for core %s: %v", p, err)
		}
	}
	if !edge.Identity(fingerprints.AudienceCore).IsZero() {
		t.Error("an edge holder has identity-core")
	}
	if edge.Identity(fingerprints.AudienceEdge).ValueID([]byte("v")) != r.Identity(fingerprints.AudienceEdge).ValueID([]byte("v")) {
		t.Error("an edge holder makes other ids")
	}
	raw := edge.Marshal()
	for _, p := range []keys.Purpose{keys.PurposeRegMAC, keys.PurposePack, keys.PurposeFilter} {
		if k := mustKey(t, r, fingerprints.AudienceCore, p, 1); bytes.Contains(raw, k[:]) {
			t.Errorf("the core %s key stands in the edge keys", p)
		}
	}
	if own, other := mustKey(t, edge, fingerprints.AudienceEdge, keys.PurposePack, edge.Epoch()), mustKey(t, r.EdgeKeys("ci"), fingerprints.AudienceEdge, keys.PurposePack, edge.Epoch()); own == other {
		t.Error("two groups share a pack key")
	}
	if mustKey(t, edge, fingerprints.AudienceEdge, keys.PurposeRegMAC, 2) != mustKey(t, r, fingerprints.AudienceEdge, keys.PurposeRegMAC, 2) {
		t.Error("an edge holder computes other MACs")
	}
	registrar := r.RegistrarKeys()
	if _, err := registrar.Key(fingerprints.AudienceCore, keys.PurposeAudit, 1); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("a registrar asks for the audit key: %v", err)
	}
	mustKey(t, registrar, fingerprints.AudienceCore, keys.PurposeRegMAC, registrar.Epoch())
	mustKey(t, registrar, fingerprints.AudienceCore, keys.PurposeSeal, registrar.Epoch())
}

func TestSigning(t *testing.T) {
	r := newRing(t)
	msg := []byte("message")
	for _, p := range []keys.Purpose{keys.PurposeSignPack, keys.PurposeSignAudit, keys.PurposeSignProof} {
		sig := r.Sign(p, msg)
		for _, q := range []keys.Purpose{keys.PurposeSignPack, keys.PurposeSignAudit, keys.PurposeSignProof} {
			if ok := ed25519.Verify(r.Public(q), msg, sig); ok != (p == q) {
				t.Errorf("signed as %s, checked as %s: %v", p, q, ok)
			}
		}
	}
	if r.Public(keys.PurposeSeal) != nil {
		t.Error("a purpose that signs nothing has a public key")
	}
}

func TestMarshalRoundTrip(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateRoutine, keys.RotateCompromise, keys.RotateCompromise)
	again, err := keys.ParseRing(r.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != r.ID() || keys.Compare(r, again) != keys.RelationSame {
		t.Error("another ring came back")
	}
	if diff := cmp.Diff(r.Epochs(), again.Epochs()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(r.FilterGens(), again.FilterGens()); diff != "" {
		t.Error(diff)
	}
	older := rotate(t, newRing(t), keys.RotateRoutine)
	if keys.Compare(older, r) != keys.RelationOlder || keys.Compare(r, older) != keys.RelationNewer {
		t.Error("older and newer copies of a ring are mixed up")
	}
	apart := newRing(t)
	if err := apart.Rotate(&counting{next: 7}, epochZero, keys.RotateRoutine); err != nil {
		t.Fatal(err)
	}
	if keys.Compare(apart, r) != keys.RelationDiverged {
		t.Error("a ring that was rotated apart is not noticed")
	}
	if foreign, err := keys.NewRing(&counting{next: 99}, epochZero); err != nil || keys.Compare(foreign, r) != keys.RelationForeign {
		t.Error("a foreign ring is not noticed")
	}
}

// Every cut and every changed byte of every format is noticed.
func TestDamage(t *testing.T) {
	r := rotate(t, newRing(t), keys.RotateCompromise)
	for name, f := range map[string]struct {
		raw   []byte
		parse func([]byte) error
	}{
		"ring":      {r.Marshal(), func(b []byte) error { _, err := keys.ParseRing(b); return err }},
		"edge":      {r.EdgeKeys("g").Marshal(), func(b []byte) error { _, err := keys.ParseEdgeKeys(b); return err }},
		"registrar": {r.RegistrarKeys().Marshal(), func(b []byte) error { _, err := keys.ParseRegistrarKeys(b); return err }},
	} {
		if err := f.parse(f.raw); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range f.raw {
			if err := f.parse(f.raw[:i]); !errors.Is(err, keys.ErrDamaged) {
				t.Fatalf("%s cut at %d: %v", name, i, err)
			}
			bad := bytes.Clone(f.raw)
			bad[i] ^= 0x40
			if err := f.parse(bad); !errors.Is(err, keys.ErrDamaged) && !errors.Is(err, keys.ErrNewer) {
				t.Fatalf("%s changed at %d: %v", name, i, err)
			}
		}
		if err := f.parse(append(bytes.Clone(f.raw), 0)); err == nil {
			t.Errorf("%s with a byte too many was accepted", name)
		}
		newer := bytes.Clone(f.raw)
		newer[9] = 2
		sum := sha256.Sum256(newer[:len(newer)-32])
		if err := f.parse(append(newer[:len(newer)-32], sum[:]...)); !errors.Is(err, keys.ErrNewer) {
			t.Errorf("%s of a newer version: %v", name, err)
		}
	}
}

func TestUnprintable(t *testing.T) {
	r := newRing(t)
	secrets := [][]byte{}
	for i := byte(16); i < 80; i += 32 { // root and first master, as the stream gave them
		b := make([]byte, 32)
		for j := range b {
			b[j] = i + byte(j)
		}
		secrets = append(secrets, b)
	}
	if !bytes.Contains(r.Marshal(), secrets[0]) || !bytes.Contains(r.Marshal(), secrets[1]) {
		t.Fatal("the test looks for the wrong bytes")
	}
	holder := struct {
		ring *keys.Ring
		edge keys.EdgeKeys
		id   keys.IdentityKey
	}{r, r.EdgeKeys(""), r.Identity(fingerprints.AudienceEdge)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
		for _, v := range []any{r, *r, holder, &holder, r.RegistrarKeys(), r.Issuer("g"), []any{holder}} { // a copy is what somebody prints
			out := fmt.Sprintf(verb, v)
			for _, s := range secrets {
				for _, form := range []string{string(s), hex.EncodeToString(s), strings.ToUpper(hex.EncodeToString(s)), strings.Trim(fmt.Sprint(s), "[]")} {
					if strings.Contains(out, form) {
						t.Errorf("%s prints a key", verb)
					}
				}
			}
		}
	}
	if b, err := json.Marshal(r); err == nil && len(b) > 40 {
		t.Errorf("JSON of a ring has %d bytes", len(b))
	}
}

func FuzzParse(f *testing.F) {
	r, err := keys.NewRing(&counting{}, epochZero)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.Marshal())
	f.Add(r.EdgeKeys("g").Marshal())
	f.Add(r.RegistrarKeys().Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		// The checksum would stop the fuzzer at once: give it a right one.
		if len(b) > 32 {
			sum := sha256.Sum256(b[:len(b)-32])
			copy(b[len(b)-32:], sum[:])
		}
		if r, err := keys.ParseRing(b); err == nil && !bytes.Equal(r.Marshal(), b) {
			t.Error("a ring is not written as it was read")
		}
		if k, err := keys.ParseEdgeKeys(b); err == nil && !bytes.Equal(k.Marshal(), b) {
			t.Error("edge keys are not written as they were read")
		}
		if k, err := keys.ParseRegistrarKeys(b); err == nil && !bytes.Equal(k.Marshal(), b) {
			t.Error("registering keys are not written as they were read")
		}
	})
}
