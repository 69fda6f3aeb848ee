package keystore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
)

func TestSaveLoad(t *testing.T) {
	h := newHome(t)
	if _, err := h.Load(); !errors.Is(err, keystore.ErrNoRing) {
		t.Errorf("nothing there: error %v, want ErrNoRing", err)
	}
	ring := newRing(t, "ring")
	save(t, h, ring)
	got, err := h.Load()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Marshal(), ring.Marshal()) {
		t.Error("another ring was loaded")
	}
	if h.Encrypted() {
		t.Error("encrypted without a passphrase")
	}
	modes := map[string]os.FileMode{}
	for _, name := range h.Private() {
		info, err := os.Stat(name)
		if err != nil {
			continue // no head yet
		}
		modes[filepath.Base(name)] = info.Mode().Perm()
	}
	if d := cmp.Diff(map[string]os.FileMode{"home": 0o700, "keys": 0o700, "ring": 0o600}, modes); d != "" {
		t.Error(d)
	}
	rotate(t, ring, "second", keys.RotateCompromise)
	save(t, h, ring)
	save(t, h, ring) // once more changes nothing
	if got, err = h.Load(); err != nil || got.Epoch() != 2 || got.FilterGen() != 2 {
		t.Errorf("after a rotation: %v", err)
	}
}

func TestSaveRefuses(t *testing.T) {
	older := newRing(t, "ring")
	apart := newRing(t, "ring")
	rotate(t, apart, "apart", keys.RotateRoutine)
	apartNewer := newRing(t, "ring")
	rotate(t, apartNewer, "apart", keys.RotateRoutine)
	rotate(t, apartNewer, "third", keys.RotateRoutine)
	for _, c := range []struct {
		name string
		ring *keys.Ring
		want error
	}{
		{"other", newRing(t, "other"), keystore.ErrOtherRing},
		{"older", older, keystore.ErrOlderRing},
		{"rotated apart", apart, keystore.ErrOlderRing},
		{"rotated apart, longer", apartNewer, keystore.ErrOlderRing},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, ring := newHome(t), newRing(t, "ring")
			rotate(t, ring, "second", keys.RotateRoutine)
			save(t, h, ring)
			before := read(t, ringFile(h))
			if err := h.Save(c.ring); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if !bytes.Equal(before, read(t, ringFile(h))) {
				t.Error("the file was changed")
			}
		})
	}
}

// What cannot be read is not replaced: it may be the only copy.
func TestSaveKeepsWhatItCannotRead(t *testing.T) {
	h := newHome(t)
	write(t, ringFile(h), []byte("something else"), 0o600)
	if err := h.Save(newRing(t, "ring")); !errors.Is(err, keystore.ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged", err)
	}
	if got := string(read(t, ringFile(h))); got != "something else" {
		t.Errorf("the file is now %d bytes", len(got))
	}
}

func TestPermissions(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o606, 0o644, 0o610, 0o601, 0o777} {
		t.Run(mode.String(), func(t *testing.T) {
			h, ring := newHome(t), newRing(t, "ring")
			save(t, h, ring)
			if err := h.RememberHead(head(1)); err != nil {
				t.Fatal(err)
			}
			edge := filepath.Join(h.Dir, "edge.key")
			write(t, edge, keystore.MarshalEdge(ring.EdgeKeys("")), mode)
			for _, name := range h.Private()[2:] {
				if err := os.Chmod(name, mode); err != nil {
					t.Fatal(err)
				}
			}
			_, load := h.Load()
			_, seen := h.Head()
			_, edgeErr := keystore.ReadEdge(edge, keystore.Protection{})
			// The administrator may hand edge keys out, for reading alone.
			handedOut := os.Getuid() == 0 && mode&0o022 == 0
			if (edgeErr == nil) != handedOut {
				t.Errorf("edge: error %v", edgeErr)
			}
			for what, err := range map[string]error{
				"load": load, "save": h.Save(ring), "head": seen, "remember": h.RememberHead(head(2)),
			} {
				if !errors.Is(err, keystore.ErrPermissions) {
					t.Errorf("%s: error %v, want ErrPermissions", what, err)
				}
			}
		})
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		h := newHome(t)
		save(t, h, newRing(t, "ring"))
		if err := os.Chmod(ringFile(h), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Load(); err != nil {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	whole := newRing(t, "ring").Marshal()
	newer := bytes.Clone(whole)
	newer[9]++
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty", nil, keystore.ErrDamaged},
		{"text", []byte("no key ring at all\n"), keystore.ErrDamaged},
		{"magic", flip(0), keystore.ErrDamaged},
		{"installation", flip(12), keystore.ErrDamaged},
		{"root", flip(30), keystore.ErrDamaged},
		{"checksum", flip(len(whole) - 1), keystore.ErrDamaged},
		{"cut by one", whole[:len(whole)-1], keystore.ErrDamaged},
		{"half", whole[:len(whole)/2], keystore.ErrDamaged},
		{"magic only", whole[:8], keystore.ErrDamaged},
		{"longer", append(bytes.Clone(whole), 0), keystore.ErrDamaged},
		{"newer", newer, keystore.ErrNewer},
		{"edge keys in its place", newRing(t, "ring").EdgeKeys("").Marshal(), keystore.ErrDamaged},
		{"huge", make([]byte, 5<<20), keystore.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHome(t)
			write(t, ringFile(h), c.file, 0o600)
			_, err := h.Load()
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if n := strings.Count(err.Error(), ringFile(h)); n != 1 {
				t.Errorf("the error names the file %d times: %v", n, err)
			}
		})
	}
	h := newHome(t)
	if err := os.MkdirAll(ringFile(h), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Load(); !errors.Is(err, keystore.ErrDamaged) {
		t.Errorf("a folder: error %v, want ErrDamaged", err)
	}
}

// A file is replaced, never written over: who has the old one open reads it to
// its end, and nothing else is left behind.
func TestReplacedWhole(t *testing.T) {
	h, ring := newHome(t), newRing(t, "ring")
	save(t, h, ring)
	before := read(t, ringFile(h))
	open, err := os.Open(ringFile(h))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	rotate(t, ring, "second", keys.RotateRoutine)
	save(t, h, ring)
	var old bytes.Buffer
	if _, err := old.ReadFrom(open); err != nil || !bytes.Equal(old.Bytes(), before) {
		t.Errorf("the old file was written over (%v)", err)
	}
	var names []string
	entries, err := os.ReadDir(filepath.Dir(ringFile(h)))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if d := cmp.Diff([]string{"ring"}, names); d != "" {
		t.Error(d)
	}
}

// Readers beside a writer see one head or the next, whole.
func TestReadersBesideWriter(t *testing.T) {
	h := newHome(t)
	save(t, h, newRing(t, "ring"))
	const last = 40
	done := make(chan error, 1)
	go func() {
		for n := uint64(1); n <= last; n++ {
			if err := h.RememberHead(head(n)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	var seen uint64
	for seen < last {
		got, err := h.Head()
		if err != nil {
			t.Fatal(err)
		}
		if got.Sequence < seen {
			t.Fatalf("head %d after %d", got.Sequence, seen)
		}
		if got.Sequence > 0 && got != head(got.Sequence) {
			t.Fatalf("half a head: %+v", got)
		}
		seen = got.Sequence
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			done <- nil
		default:
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestEdgeKeysOfOthers: what anybody but the administrator lets others read is
// refused.
func TestEdgeKeysOfOthers(t *testing.T) {
	h, ring := newHome(t), newRing(t, "ring")
	save(t, h, ring)
	edge := filepath.Join(h.Dir, "edge.key")
	write(t, edge, keystore.MarshalEdge(ring.EdgeKeys("")), 0o644)
	if os.Getuid() == 0 {
		if err := os.Chown(edge, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keystore.ReadEdge(edge, keystore.Protection{}); !errors.Is(err, keystore.ErrPermissions) {
		t.Errorf("error %v, want ErrPermissions", err)
	}
}
