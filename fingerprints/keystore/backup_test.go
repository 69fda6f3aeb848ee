package keystore_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
)

func TestBackupByPassphrase(t *testing.T) {
	t.Parallel()
	ring := newRing(t, "ring")
	file, err := keystore.Backup(ring, phrase("backup"))
	if err != nil {
		t.Fatal(err)
	}
	if holdsPlain(file, ring.Marshal()) {
		t.Error("the backup holds the keys in the clear")
	}
	got, err := keystore.OpenBackup(file, phrase("backup"))
	if err != nil || !bytes.Equal(got.Marshal(), ring.Marshal()) {
		t.Errorf("not the same ring (error %v)", err)
	}
	if _, err := keystore.OpenBackup(file, phrase("nobody")); !errors.Is(err, keystore.ErrPassphrase) {
		t.Errorf("wrong passphrase: error %v", err)
	}
	_, by := pair(t)
	if _, err := keystore.OpenBackup(file, by); !errors.Is(err, keystore.ErrIdentity) {
		t.Errorf("an identity in place of the passphrase: error %v", err)
	}
}

func TestBackupByIdentity(t *testing.T) {
	t.Parallel()
	ring := newRing(t, "ring")
	rotate(t, ring, "second", keys.RotateCompromise)
	to, by := pair(t)
	file, err := keystore.Backup(ring, to)
	if err != nil {
		t.Fatal(err)
	}
	if holdsPlain(file, ring.Marshal()) {
		t.Error("the backup holds the keys in the clear")
	}
	got, err := keystore.OpenBackup(file, by)
	if err != nil || !bytes.Equal(got.Marshal(), ring.Marshal()) {
		t.Fatalf("not the same ring (error %v)", err)
	}
	h := newHome(t)
	save(t, h, got) // lost and restored
	if back, err := h.Load(); err != nil || keys.Compare(back, ring) != keys.RelationSame {
		t.Errorf("restored: %v", err)
	}
	_, stranger := pair(t)
	for _, c := range []struct {
		name string
		p    keystore.Protection
		want error
	}{
		{"another identity", stranger, keystore.ErrIdentity},
		{"nothing", keystore.Protection{}, keystore.ErrNeedsSecret},
		{"only the recipient", to, keystore.ErrNeedsSecret},
		{"a passphrase", phrase("backup"), keystore.ErrPassphrase},
	} {
		if _, err := keystore.OpenBackup(file, c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := keystore.Backup(ring, keystore.Protection{}); !errors.Is(err, keystore.ErrNoProtector) {
		t.Errorf("unprotected: error %v, want ErrNoProtector", err)
	}
}

// A restore never takes keys away: what Save refuses is refused for backups.
func TestRestoreRefused(t *testing.T) {
	ring := newRing(t, "ring")
	to, by := pair(t)
	file, err := keystore.Backup(ring, to)
	if err != nil {
		t.Fatal(err)
	}
	old, err := keystore.OpenBackup(file, by)
	if err != nil {
		t.Fatal(err)
	}
	rotated, foreign := newHome(t), newHome(t)
	rotate(t, ring, "second", keys.RotateRoutine)
	save(t, rotated, ring)
	save(t, foreign, newRing(t, "other"))
	if err := rotated.Save(old); !errors.Is(err, keystore.ErrOlderRing) {
		t.Errorf("an older backup: error %v", err)
	}
	if err := foreign.Save(old); !errors.Is(err, keystore.ErrOtherRing) {
		t.Errorf("another ring's backup: error %v", err)
	}
}

func TestBackupDamaged(t *testing.T) {
	ring := newRing(t, "ring")
	to, by := pair(t)
	file, err := keystore.Backup(ring, to)
	if err != nil {
		t.Fatal(err)
	}
	newer := ring.Marshal()
	newer[9]++
	type damage struct {
		name string
		file []byte
		p    keystore.Protection
		want error
	}
	cases := []damage{
		{"empty", nil, by, keystore.ErrDamaged},
		{"a clear ring", ring.Marshal(), by, keystore.ErrDamaged},
		{"half", file[:len(file)/2], by, keystore.ErrDamaged},
		{"no last line", file[:len(file)-10], by, keystore.ErrDamaged},
		{"only the head", file[:strings.Index(string(file), "\n")+1], by, keystore.ErrDamaged},
	}
	for _, at := range []int{50, len(file) / 2, len(file) - 60} {
		b := bytes.Clone(file)
		if b[at]++; b[at] == '\n'+1 {
			b[at] = '!'
		}
		cases = append(cases, damage{"changed", b, by, keystore.ErrDamaged})
	}
	add := func(name string, content []byte, want error) {
		for _, form := range []string{"binary", "armoured"} {
			b, p := wrap(t, content, form)
			cases = append(cases, damage{name + ", " + form, b, p, want})
		}
	}
	add("newer inside", newer, keystore.ErrNewer)
	add("something else inside", []byte("hello"), keystore.ErrDamaged)
	add("registering keys inside", ring.RegistrarKeys().Marshal(), keystore.ErrDamaged)
	add("the ring inside", ring.Marshal(), nil)
	for _, c := range cases {
		if _, err := keystore.OpenBackup(c.file, c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
}

func TestRegistrar(t *testing.T) {
	ring := newRing(t, "ring")
	to, by := pair(t)
	file, err := keystore.ExportRegistrar(ring, to)
	if err != nil {
		t.Fatal(err)
	}
	if holdsPlain(file, ring.RegistrarKeys().Marshal()) {
		t.Error("the export holds the keys in the clear")
	}
	got, err := keystore.OpenRegistrar(file, by)
	if err != nil || !bytes.Equal(got.Marshal(), ring.RegistrarKeys().Marshal()) {
		t.Errorf("not the same keys (error %v)", err)
	}
	if _, err := keystore.OpenBackup(file, by); !errors.Is(err, keystore.ErrDamaged) {
		t.Errorf("it opens as a backup: %v", err)
	}
	backup, err := keystore.Backup(ring, to)
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := pair(t)
	for _, c := range []struct {
		name string
		file []byte
		p    keystore.Protection
		want error
	}{
		{"stranger", file, stranger, keystore.ErrIdentity},
		{"nothing", file, keystore.Protection{}, keystore.ErrNeedsSecret},
		{"cut", file[:len(file)-40], by, keystore.ErrDamaged},
		{"clear", ring.RegistrarKeys().Marshal(), by, keystore.ErrDamaged},
		{"a backup", backup, by, keystore.ErrDamaged},
	} {
		if _, err := keystore.OpenRegistrar(c.file, c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := keystore.ExportRegistrar(ring, keystore.Protection{}); !errors.Is(err, keystore.ErrNoProtector) {
		t.Errorf("unprotected: error %v", err)
	}
}

func TestEdge(t *testing.T) {
	ring := newRing(t, "ring")
	rotate(t, ring, "second", keys.RotateCompromise)
	want := ring.EdgeKeys("laptops")
	line := keystore.MarshalEdge(want)
	if bytes.Count(line, []byte("\n")) != 1 || !bytes.HasSuffix(line, []byte("\n")) {
		t.Error("it is not one line")
	}
	armoured, byA := wrap(t, line, "armoured")
	binary, byB := wrap(t, line, "binary")
	for _, c := range []struct {
		name string
		in   []byte
		p    keystore.Protection
	}{
		{"line", line, keystore.Protection{}},
		{"line, although there is a passphrase", line, phrase("none")},
		{"pasted with space around", []byte(" \r\n" + strings.TrimSpace(string(line)) + " \r\n\n"), keystore.Protection{}},
		{"armoured", armoured, byA},
		{"armoured behind an empty line", append([]byte("\n"), armoured...), byA},
		{"age", binary, byB},
	} {
		got, err := keystore.ParseEdge(c.in, c.p)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !bytes.Equal(got.Marshal(), want.Marshal()) || got.Group() != "laptops" {
			t.Errorf("%s: other keys", c.name)
		}
	}
	got, err := keystore.ParseEdge(line, keystore.Protection{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := got.Key(fingerprints.AudienceCore, keys.PurposeRegMAC, 1); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("an edge holder has a core key: %v", err)
	}
}

func TestEdgeRefused(t *testing.T) {
	ring := newRing(t, "ring")
	line := keystore.MarshalEdge(ring.EdgeKeys(""))
	sealed, by := wrap(t, line, "armoured")
	other, byOther := wrap(t, []byte("hello"), "armoured")
	_, stranger := pair(t)
	body := strings.TrimPrefix(string(line), "revenant-edge-key/1 ")
	for _, c := range []struct {
		name string
		in   string
		p    keystore.Protection
		want error
	}{
		{"empty", "", by, keystore.ErrDamaged},
		{"no head", body, by, keystore.ErrDamaged},
		{"head only", "revenant-edge-key/1 ", by, keystore.ErrDamaged},
		{"newer", "revenant-edge-key/2 " + body, by, keystore.ErrNewer},
		{"no base64", "revenant-edge-key/1 *" + body, by, keystore.ErrDamaged},
		{"cut", string(line[:len(line)-9]), by, keystore.ErrDamaged},
		{"changed", strings.Replace(string(line), body[200:204], "AAAA", 1), by, keystore.ErrDamaged},
		{"a ring inside", "revenant-edge-key/1 " + base64of(ring.Marshal()), by, keystore.ErrDamaged},
		{"wrapped, no identity", string(sealed), keystore.Protection{}, keystore.ErrNeedsSecret},
		{"wrapped, stranger", string(sealed), stranger, keystore.ErrIdentity},
		{"wrapped, cut", string(sealed[:len(sealed)/2]), by, keystore.ErrDamaged},
		{"wrapped, something else", string(other), byOther, keystore.ErrDamaged},
	} {
		_, err := keystore.ParseEdge([]byte(c.in), c.p)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), body[20:40]) {
			t.Errorf("%s: the error repeats the keys", c.name)
		}
	}
}

func TestReadEdge(t *testing.T) {
	ring, name := newRing(t, "ring"), filepath.Join(t.TempDir(), "edge.key")
	if _, err := keystore.ReadEdge(name, keystore.Protection{}); err == nil {
		t.Error("a missing file was read")
	}
	write(t, name, keystore.MarshalEdge(ring.EdgeKeys("")), 0o600)
	got, err := keystore.ReadEdge(name, keystore.Protection{})
	if err != nil || got.ID() != ring.ID() {
		t.Errorf("error %v", err)
	}
}
