package keystore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
)

// phrase is a passphrase for tests, with little work.
func phrase(name string) keystore.Protection {
	return keystore.Lightly(keystore.WithPassphrase([]byte("phrase of " + name + "\r\n")))
}

// TestPassphraseWork: what a passphrase protects costs who guesses it a second a
// try, as age means it to.
func TestPassphraseWork(t *testing.T) {
	t.Parallel()
	ring, by := newRing(t, "ring"), keystore.WithPassphrase([]byte("phrase of home"))
	file, err := keystore.Backup(ring, by)
	if err != nil {
		t.Fatal(err)
	}
	head, err := io.ReadAll(io.LimitReader(armor.NewReader(bytes.NewReader(file)), 80))
	if err != nil {
		t.Fatal(err)
	}
	stanza := strings.Fields(strings.Split(string(head), "\n")[1])
	if work, err := strconv.Atoi(stanza[len(stanza)-1]); err != nil || stanza[1] != "scrypt" || work < 18 {
		t.Errorf("protected by %q, want scrypt with a work of 18 or more", stanza)
	}
	if got, err := keystore.OpenBackup(file, by); err != nil || got.ID() != ring.ID() {
		t.Errorf("not the same ring (error %v)", err)
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	h, ring := newHome(t), newRing(t, "ring")
	h.Protection = phrase("home")
	save(t, h, ring)
	if !h.Encrypted() {
		t.Error("not encrypted")
	}
	if holdsPlain(read(t, ringFile(h)), ring.Marshal()) {
		t.Error("the file holds the keys in the clear")
	}
	for _, c := range []struct {
		name string
		p    keystore.Protection
		want error
	}{
		{"right", phrase("home"), nil},
		{"without line break", keystore.WithPassphrase([]byte("phrase of home")), nil},
		{"wrong", phrase("nobody"), keystore.ErrPassphrase},
		{"missing", keystore.Protection{}, keystore.ErrNeedsSecret},
		{"empty", keystore.WithPassphrase([]byte("\n")), keystore.ErrNeedsSecret},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := keystore.Home{Dir: h.Dir, Protection: c.p}
			got, err := h.Load()
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err == nil && got.ID() != ring.ID() {
				t.Error("another ring")
			}
		})
	}
}

// Without its passphrase a ring is neither opened nor replaced by a clear one.
func TestSaveWithoutPassphrase(t *testing.T) {
	t.Parallel()
	h, ring := newHome(t), newRing(t, "ring")
	h.Protection = phrase("home")
	save(t, h, ring)
	rotate(t, ring, "second", keys.RotateRoutine)
	if err := (keystore.Home{Dir: h.Dir}).Save(ring); !errors.Is(err, keystore.ErrNeedsSecret) {
		t.Errorf("error %v, want ErrNeedsSecret", err)
	}
	if !h.Encrypted() {
		t.Error("written in the clear")
	}
}

// A protection that can only open must not end in a clear file.
func TestSaveNeverInTheClear(t *testing.T) {
	h := newHome(t)
	_, h.Protection = pair(t)
	if err := h.Save(newRing(t, "ring")); !errors.Is(err, keystore.ErrNoProtector) {
		t.Errorf("error %v, want ErrNoProtector", err)
	}
	h.Protection = keystore.Protection{}
	if _, err := h.Load(); !errors.Is(err, keystore.ErrNoRing) {
		t.Errorf("a file was written: %v", err)
	}
}

// A clear ring becomes an encrypted one when it is saved with a passphrase.
func TestPassphraseAddedLater(t *testing.T) {
	t.Parallel()
	h, ring := newHome(t), newRing(t, "ring")
	save(t, h, ring)
	h.Protection = phrase("later")
	save(t, h, ring)
	if !h.Encrypted() || holdsPlain(read(t, ringFile(h)), ring.Marshal()) {
		t.Error("still in the clear")
	}
}

func TestRecipientsRefused(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	private := id.String() // typed where the public half belongs
	for _, in := range [][]string{nil, {""}, {"age1"}, {private}, {id.Recipient().String(), "more"}} {
		p, err := keystore.ToRecipients(in)
		if err == nil || !p.IsZero() {
			t.Errorf("%d words were accepted", len(in))
			continue
		}
		if strings.Contains(err.Error(), private) || strings.Contains(err.Error(), "more") {
			t.Error("the error repeats the input")
		}
	}
	for _, text := range []string{"", "# only a comment\n", private[:40], id.Recipient().String(), "sec" + "ret"} {
		_, err := keystore.ByIdentities(strings.NewReader(text))
		if err == nil {
			t.Errorf("%d characters were accepted as an identity file", len(text))
			continue
		}
		if len(text) > 0 && strings.Contains(err.Error(), text) {
			t.Error("the error repeats the input")
		}
	}
}

func TestProtectionUnprintable(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	const words = "correct horse"
	for name, p := range map[string]keystore.Protection{
		"passphrase": keystore.WithPassphrase([]byte(words)),
		"identity":   identity(t, id.String()),
	} {
		home := keystore.Home{Dir: "home", Protection: p}
		encoded, err := json.Marshal(home)
		if err != nil {
			t.Fatal(err)
		}
		printed := []string{string(encoded)}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t"} {
			for _, arg := range []any{p, &p, home, &home, []any{p}, map[string]keystore.Protection{"p": p}} {
				printed = append(printed, fmt.Sprintf(verb, arg))
			}
		}
		for _, s := range printed {
			low := strings.ToLower(s)
			for _, secret := range []string{words, fmt.Sprintf("%x", words), "horse", id.String()[10:30], fmt.Sprintf("%d", []byte(words))} {
				if strings.Contains(low, strings.Trim(strings.ToLower(secret), "[]")) {
					t.Errorf("%s: printed by fmt or json", name)
				}
			}
		}
	}
	if keystore.WithPassphrase([]byte(words)).IsZero() || !(keystore.Protection{}).IsZero() {
		t.Error("IsZero")
	}
}
