package registration

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

// LookupTag is what a value is asked for by: the first half of its MAC under an
// epoch's lookup key. Rows keep the MAC sealed, so a tag tests a guess only where
// somebody opens rows.
type LookupTag [16]byte

// Tag is the entry's, under its epoch's key.
func (e Entry) Tag() LookupTag { return LookupTag(e.Lookup[:16]) }

// Asking makes the tags of values, to ask a server by. It is not safe for concurrent
// use.
type Asking struct{ keys []keys.Key }

// AskingKeys are where the lookup keys of every epoch are; keys.EdgeKeys has them.
type AskingKeys interface {
	keys.Source
	Epoch() uint32
}

// NewAsking takes the lookup keys of every epoch that ks has; keys.ErrNoKey where
// there are none.
func NewAsking(ks AskingKeys) (*Asking, error) {
	a := &Asking{}
	for n := uint32(1); n <= ks.Epoch(); n++ {
		k, err := ks.Key(fingerprints.AudienceCore, keys.PurposeLookup, n)
		if errors.Is(err, keys.ErrNoKey) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("taking the lookup keys: %w", err)
		}
		a.keys = append(a.keys, k)
	}
	if len(a.keys) == 0 {
		return nil, fmt.Errorf("taking the lookup keys: %w", keys.ErrNoKey)
	}
	return a, nil
}

// Tags are a value's, one for each epoch.
func (a *Asking) Tags(v fingerprints.Value) []LookupTag {
	canonical := Canonical(v.Reveal(), TrimTrailing)
	out := make([]LookupTag, len(a.keys))
	for i, k := range a.keys {
		h := hmac.New(sha256.New, k[:])
		h.Write(canonical)
		out[i] = LookupTag(h.Sum(nil))
	}
	return out
}
