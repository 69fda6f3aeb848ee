package keystore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"revenant/fingerprints/keystore"
)

func head(n uint64) keystore.Head {
	return keystore.Head{Installation: "here", Sequence: n, MAC: fmt.Sprintf("%072x", n)}
}

func TestHeadNeverBack(t *testing.T) {
	h := newHome(t)
	save(t, h, newRing(t, "ring"))
	if got, err := h.Head(); err != nil || got != (keystore.Head{}) {
		t.Errorf("at first: %+v, error %v", got, err)
	}
	rewritten := head(5)
	rewritten.MAC = "another"
	other := head(2)
	other.Installation = "elsewhere"
	for i, step := range []struct{ give, want keystore.Head }{
		{head(3), head(3)},
		{head(5), head(5)},
		{head(4), head(5)},
		{head(1), head(5)},
		{rewritten, head(5)},
		{head(6), head(6)},
		{other, other}, // another registry lives here now
		{head(1), head(1)},
	} {
		if err := h.RememberHead(step.give); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Head(); err != nil || got != step.want {
			t.Errorf("step %d: %+v, want %+v (error %v)", i, got, step.want, err)
		}
	}
}

func TestHeadDamaged(t *testing.T) {
	for _, text := range []string{"", "{", "{}", "null", "[]", `{"sequence":-1}`, `{"installation":"here","sequence":0,"mac":""}`} {
		h := newHome(t)
		write(t, filepath.Join(h.Dir, "keys", "audit-head"), []byte(text), 0o600)
		if _, err := h.Head(); !errors.Is(err, keystore.ErrDamaged) {
			t.Errorf("%q: error %v, want ErrDamaged", text, err)
		}
		if err := h.RememberHead(head(1)); !errors.Is(err, keystore.ErrDamaged) {
			t.Errorf("%q: remembering over it: error %v, want ErrDamaged", text, err)
		}
	}
	if err := newHome(t).RememberHead(head(1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: error %v", err)
	}
}
