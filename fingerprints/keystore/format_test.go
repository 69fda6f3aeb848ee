package keystore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
)

var update = flag.Bool("update", false, "write fixtures that are missing")

// formats holds key files of format 1, made from throw-away keys, which every
// later version must open. They are never written anew; a later format gets
// files beside them.
var formats = filepath.Join("..", "..", "testdata", "formats", "v1", "keys")

// facts says what is in the files.
type facts struct {
	Identity     []string // the age identity in parts, so that no scanner takes it for a live one
	Passphrase   string
	Ring         string
	Installation string
	Epochs       []keys.EpochInfo
	FilterGens   []uint32
	Group        string
	Sums         map[string]string // SHA-256 of each holder's keys as they are marshalled
	Public       string            // sign-audit, hex
	Head         keystore.Head
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func factsOf(ring *keys.Ring) facts {
	return facts{
		Passphrase: "phrase of the fixture", Group: "laptops",
		Ring: ring.ID().String(), Installation: ring.Installation().String(),
		Epochs: ring.Epochs(), FilterGens: ring.FilterGens(), Public: hex.EncodeToString(ring.Public(keys.PurposeSignAudit)),
		Sums: map[string]string{
			"ring": sum(ring.Marshal()), "edge": sum(ring.EdgeKeys("laptops").Marshal()),
			"registrar": sum(ring.RegistrarKeys().Marshal()),
		},
		Head: keystore.Head{Installation: ring.Installation().String(), Sequence: 42, MAC: strings.Repeat("0a1b", 18)},
	}
}

func writeFixtures(t *testing.T) {
	t.Helper()
	ring := newRing(t, "fixture of format 1")
	rotate(t, ring, "its second epoch", keys.RotateRoutine)
	rotate(t, ring, "its third epoch", keys.RotateCompromise)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	f := factsOf(ring)
	text := id.String()
	f.Identity = []string{text[:10], text[10:40], text[40:]}
	to, err := keystore.ToRecipients([]string{id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	by := keystore.WithPassphrase([]byte(f.Passphrase))
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	homes := []keystore.Home{newHome(t), newHome(t)}
	homes[1].Protection = by
	for _, h := range homes {
		save(t, h, ring)
	}
	if err := homes[0].RememberHead(f.Head); err != nil {
		t.Fatal(err)
	}
	line := keystore.MarshalEdge(ring.EdgeKeys(f.Group))
	var wrapped bytes.Buffer
	w, err := age.Encrypt(&wrapped, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(line); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	meta := must(json.MarshalIndent(f, "", "  "))
	for name, b := range map[string][]byte{
		"facts.json": append(meta, '\n'), "ring": read(t, ringFile(homes[0])), "ring-passphrase": read(t, ringFile(homes[1])),
		"audit-head":    read(t, filepath.Join(homes[0].Dir, "keys", "audit-head")),
		"backup":        must(keystore.Backup(ring, to)),
		"backup-phrase": must(keystore.Backup(ring, by)),
		"registrar":     must(keystore.ExportRegistrar(ring, to)),
		"edge":          line, "edge-wrapped": wrapped.Bytes(),
	} {
		path := filepath.Join(formats, name)
		if _, err := os.Stat(path); err == nil {
			t.Fatalf("%s is there: fixtures belong together and are kept for ever", path)
		}
		if err := os.MkdirAll(formats, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fixture returns a file of format 1.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	return read(t, filepath.Join(formats, name))
}

// TestFormat1 opens every kind of key file of format 1.
func TestFormat1(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(formats); *update && errors.Is(err, os.ErrNotExist) {
		writeFixtures(t)
	}
	var want facts
	if err := json.Unmarshal(fixture(t, "facts.json"), &want); err != nil {
		t.Fatal(err)
	}
	by, phrase := identity(t, strings.Join(want.Identity, "")), keystore.WithPassphrase([]byte(want.Passphrase))
	check := func(name string, ring *keys.Ring, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		got := factsOf(ring)
		got.Identity = want.Identity
		got.Sums["edge"] = want.Sums["edge"] // a ring gives lookup keys since, too: sameEdge compares
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	for name, p := range map[string]keystore.Protection{"ring": {}, "ring-passphrase": phrase} {
		h := newHome(t)
		h.Protection = p
		write(t, ringFile(h), fixture(t, name), 0o600)
		ring, err := h.Load()
		check(name, ring, err)
	}
	for name, p := range map[string]keystore.Protection{"backup": by, "backup-phrase": phrase} {
		ring, err := keystore.OpenBackup(fixture(t, name), p)
		check(name, ring, err)
	}
	reg, err := keystore.OpenRegistrar(fixture(t, "registrar"), by)
	if err != nil || sum(reg.Marshal()) != want.Sums["registrar"] || reg.Epoch() != uint32(len(want.Epochs)) {
		t.Errorf("registrar: other keys, or error %v", err)
	}
	for name, p := range map[string]keystore.Protection{"edge": {}, "edge-wrapped": by} {
		edge, err := keystore.ParseEdge(fixture(t, name), p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if sum(edge.Marshal()) != want.Sums["edge"] || edge.Group() != want.Group || !slices.Equal(edge.FilterGens(), want.FilterGens) {
			t.Errorf("%s: other keys", name)
		}
		if edge.Identity(fingerprints.AudienceEdge).IsZero() {
			t.Errorf("%s: no identity key", name)
		}
		sameEdge(t, edge, want.Group)
	}
	h := newHome(t)
	write(t, filepath.Join(h.Dir, "keys", "audit-head"), fixture(t, "audit-head"), 0o600)
	if got, err := h.Head(); err != nil || got != want.Head {
		t.Errorf("audit-head: %+v, error %v", got, err)
	}
}

// sameEdge: what a file gave its holders is what the ring gives today, but for the
// lookup keys, which came later.
func sameEdge(t *testing.T, edge keys.EdgeKeys, group string) {
	t.Helper()
	h := newHome(t)
	write(t, ringFile(h), fixture(t, "ring"), 0o600)
	ring, err := h.Load()
	if err != nil {
		t.Fatal(err)
	}
	today, compared := ring.EdgeKeys(group), 0
	for _, aud := range []fingerprints.Audience{fingerprints.AudienceCore, fingerprints.AudienceEdge} {
		for _, p := range []keys.Purpose{keys.PurposeRegMAC, keys.PurposePack, keys.PurposeFilter, keys.PurposeSeal, keys.PurposeAudit} {
			for gen := range uint32(5) {
				a, errA := edge.Key(aud, p, gen)
				b, errB := today.Key(aud, p, gen)
				if a != b || (errA == nil) != (errB == nil) {
					t.Errorf("%s %s %d is another key: %v, %v", aud, p, gen, errA, errB)
				}
				if errA == nil {
					compared++
				}
			}
		}
	}
	if compared < 5 {
		t.Errorf("%d keys", compared)
	}
}
