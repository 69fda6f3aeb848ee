// Package sealed is files that only who holds the ring can read or make: what is
// kept beside the registry for the next scan.
//
// A file is the head, 32 random bytes, and AES-256-GCM of the content with a
// nonce of zeros. The key is IdentityKey.LocalKey(purpose, the 32 bytes), used
// once; additional data are the head and what the file is bound to.
package sealed

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"slices"

	"revenant/fingerprints/keys"
)

const saltSize = 32

// ErrNoKey is returned for a key that is not at hand.
var ErrNoKey = errors.New("no key to seal with")

// Box makes and opens files of one purpose.
type Box struct {
	Key     keys.IdentityKey
	Purpose string
	Head    string // the file begins with it
	Bound   []byte // a file that was bound to something else does not open
}

// Open returns what a file holds; false when it is damaged, of another ring or
// purpose, or bound to something else.
func (b Box) Open(file []byte) ([]byte, bool) {
	rest, is := bytes.CutPrefix(file, []byte(b.Head))
	if !is || len(rest) < saltSize || b.Key.IsZero() {
		return nil, false
	}
	aead, err := b.cipher(rest[:saltSize])
	if err != nil {
		return nil, false
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), rest[saltSize:], b.additional())
	return plain, err == nil
}

// Seal is a file that holds plain. The error is random's.
func (b Box) Seal(random io.Reader, plain []byte) ([]byte, error) {
	if b.Key.IsZero() {
		return nil, ErrNoKey
	}
	out := make([]byte, len(b.Head)+saltSize, len(b.Head)+saltSize+len(plain)+16)
	copy(out, b.Head)
	if _, err := io.ReadFull(random, out[len(b.Head):]); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	aead, err := b.cipher(out[len(b.Head):])
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, make([]byte, aead.NonceSize()), plain, b.additional()), nil
}

func (b Box) cipher(salt []byte) (cipher.AEAD, error) {
	key := b.Key.LocalKey(b.Purpose, salt)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return cipher.NewGCM(block)
}

func (b Box) additional() []byte { return slices.Concat([]byte(b.Head), b.Bound) }
