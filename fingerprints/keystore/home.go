package keystore

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"revenant/fingerprints/keys"
)

// Home is the folder that holds an installation's keys. Protection opens the
// ring's file when it is encrypted, and encrypts it when it is saved; zero
// means that the file's permissions protect it.
type Home struct {
	Dir        string // REVENANT_HOME
	Protection Protection
}

func (h Home) keysDir() string  { return filepath.Join(h.Dir, "keys") }
func (h Home) ringFile() string { return filepath.Join(h.keysDir(), "ring") }
func (h Home) headFile() string { return filepath.Join(h.keysDir(), "audit-head") }

// Private lists the files and folders that only their owner may read.
func (h Home) Private() []string {
	return []string{h.Dir, h.keysDir(), h.ringFile(), h.headFile()}
}

// Encrypted reports whether the ring's file is protected by a passphrase.
func (h Home) Encrypted() bool {
	b, err := os.ReadFile(h.ringFile())
	return err == nil && isSealed(b)
}

// Load reads the ring. It returns ErrNoRing when there is none.
func (h Home) Load() (*keys.Ring, error) {
	b, err := readPrivate(h.ringFile())
	if missing(err) {
		return nil, ErrNoRing
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key ring: %w", denied(err))
	}
	ring, err := h.parse(b)
	if err != nil {
		return nil, fmt.Errorf("reading the key ring: %s: %w", h.ringFile(), err)
	}
	return ring, nil
}

func (h Home) parse(b []byte) (*keys.Ring, error) {
	if isSealed(b) {
		var err error
		if b, err = h.Protection.open(b); err != nil {
			return nil, err
		}
	}
	ring, err := keys.ParseRing(b)
	return ring, taught(err)
}

// Save writes the ring, over an older state of the same ring only: over another
// ring it returns ErrOtherRing, over keys that ring lacks ErrOlderRing.
func (h Home) Save(ring *keys.Ring) error {
	if err := os.MkdirAll(h.keysDir(), 0o700); err != nil {
		return fmt.Errorf("making the folder of the keys: %w", denied(err))
	}
	old, err := h.Load()
	if err == nil {
		if err = replaces(ring, old); err != nil {
			err = fmt.Errorf("%s: %w", h.ringFile(), err)
		}
	}
	if err != nil && !errors.Is(err, ErrNoRing) {
		return fmt.Errorf("saving the key ring: %w", err)
	}
	b := ring.Marshal()
	defer clear(b)
	if !h.Protection.IsZero() {
		if b, err = h.Protection.seal(b); err != nil {
			return fmt.Errorf("protecting the key ring: %w", err)
		}
	}
	if err := writePrivate(h.ringFile(), b); err != nil {
		return fmt.Errorf("saving the key ring: %w", denied(err))
	}
	return nil
}

// replaces says why ring may not take the place of old.
func replaces(ring, old *keys.Ring) error {
	switch keys.Compare(ring, old) {
	case keys.RelationForeign:
		return ErrOtherRing
	case keys.RelationOlder, keys.RelationDiverged:
		return ErrOlderRing
	case keys.RelationSame, keys.RelationNewer:
	}
	return nil
}

// Head is the newest audit record that this machine has seen.
type Head struct {
	Installation string `json:"installation"`
	Sequence     uint64 `json:"sequence"`
	MAC          string `json:"mac"`
}

// Head returns what RememberHead stored; zero when there is nothing.
func (h Home) Head() (Head, error) {
	b, err := readPrivate(h.headFile())
	if missing(err) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("reading the newest audit record seen: %w", denied(err))
	}
	var head Head
	if err := json.Unmarshal(b, &head); err != nil || head.Sequence == 0 {
		return Head{}, fmt.Errorf("reading the newest audit record seen: %s: %w", h.headFile(), ErrDamaged)
	}
	return head, nil
}

// RememberHead stores the newest audit record, beside the keys and not in the
// store, so that a log that is cut off later is noticed. An installation's head
// never goes back: an older one is not written.
func (h Home) RememberHead(head Head) error {
	seen, err := h.Head()
	if err != nil {
		return err
	}
	if seen.Installation == head.Installation && head.Sequence <= seen.Sequence {
		return nil
	}
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if err := writePrivate(h.headFile(), append(b, '\n')); err != nil {
		return fmt.Errorf("remembering the newest audit record: %w", denied(err))
	}
	return nil
}
