package keystore_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// stream is seeded randomness.
func stream(name string) *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], name)
	return rand.NewChaCha8(seed)
}

func newRing(t *testing.T, name string) *keys.Ring {
	t.Helper()
	ring, err := keys.NewRing(stream(name), day)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func rotate(t *testing.T, ring *keys.Ring, name string, why keys.Rotation) {
	t.Helper()
	if err := ring.Rotate(stream(name), day.AddDate(0, 1, 0), why); err != nil {
		t.Fatal(err)
	}
}

func newHome(t *testing.T) keystore.Home {
	t.Helper()
	return keystore.Home{Dir: filepath.Join(t.TempDir(), "home")}
}

func save(t *testing.T, h keystore.Home, ring *keys.Ring) {
	t.Helper()
	if err := h.Save(ring); err != nil {
		t.Fatal(err)
	}
}

func ringFile(h keystore.Home) string { return filepath.Join(h.Dir, "keys", "ring") }

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, name string, b []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// pair is a fresh age identity: what encrypts to it, and what opens.
func pair(t *testing.T) (to, by keystore.Protection) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if to, err = keystore.ToRecipients([]string{id.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	return to, identity(t, id.String())
}

func identity(t *testing.T, text string) keystore.Protection {
	t.Helper()
	by, err := keystore.ByIdentities(strings.NewReader("# a comment\n" + text + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return by
}

// wrap encrypts anything to a fresh identity; form says how the file is written.
func wrap(t *testing.T, content []byte, form string) ([]byte, keystore.Protection) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if form == "binary" {
		return out.Bytes(), identity(t, id.String())
	}
	var text bytes.Buffer
	a := armor.NewWriter(&text)
	if _, err := a.Write(out.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes(), identity(t, id.String())
}

// holdsPlain reports whether a file holds a stretch of the plain bytes, as they are
// or inside base64.
func holdsPlain(file, plain []byte) bool {
	var body strings.Builder
	for line := range strings.Lines(string(file)) {
		if !strings.HasPrefix(line, "-----") {
			body.WriteString(strings.TrimSpace(line))
		}
	}
	decoded, _ := base64.StdEncoding.DecodeString(body.String())
	const part = 12
	for i := 0; i+part <= len(plain); i++ {
		w := plain[i : i+part]
		if len(bytes.Trim(w, "\x00")) > part/2 && (bytes.Contains(file, w) || bytes.Contains(decoded, w)) {
			return true
		}
	}
	return false
}

func base64of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
