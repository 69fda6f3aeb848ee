package keys

import (
	"crypto/ed25519"
	"fmt"

	"revenant/fingerprints"
)

// signs reports whether p is the purpose of a signing key.
func signs(p Purpose) bool {
	return p == PurposeSignPack || p == PurposeSignAudit || p == PurposeSignProof
}

// signers lists the purposes that sign.
func signers() []Purpose { return []Purpose{PurposeSignPack, PurposeSignAudit, PurposeSignProof} }

func (s *ringState) signer(p Purpose, n uint32) (ed25519.PrivateKey, error) {
	if !signs(p) {
		return nil, fmt.Errorf("signing key %s: %w", p, ErrNoKey)
	}
	m, err := s.master(n)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", p, err)
	}
	seed := Derive(m, s.installation, fingerprints.AudienceCore, p, n)
	return ed25519.NewKeyFromSeed(seed[:]), nil
}

// Sign signs with the newest epoch's key. It panics when p is not one of the
// signing purposes: that is a mistake in the program.
func (r *Ring) Sign(p Purpose, msg []byte) []byte {
	s := r.load()
	k, err := s.signer(p, s.newest())
	if err != nil {
		panic("keys: " + string(p) + " signs nothing")
	}
	return ed25519.Sign(k, msg)
}

// Public is the public half of the newest epoch's signing key; nil when p signs
// nothing.
func (r *Ring) Public(p Purpose) ed25519.PublicKey {
	k, err := r.PublicAt(p, r.Epoch())
	if err != nil {
		return nil
	}
	return k
}

// PublicAt is the public half of an epoch's signing key. What a compromised
// epoch signed proves nothing that was not seen before the compromise.
func (r *Ring) PublicAt(p Purpose, n uint32) (ed25519.PublicKey, error) {
	k, err := r.load().signer(p, n)
	if err != nil {
		return nil, err
	}
	return k.Public().(ed25519.PublicKey), nil
}
