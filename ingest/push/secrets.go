package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"revenant/fingerprints"
)

// How long secrets are kept, and how soon a signature that does not fit makes
// them be fetched again: anybody can send one.
const (
	secretsKept  = time.Minute
	secretsAgain = 5 * time.Second
)

var (
	errShort  = fmt.Errorf("it is shorter than %d bytes", MinSecret)
	errNoneOf = errors.New("none of the secrets can be used")
)

// keyring is one provider's secrets as they were fetched last.
type keyring struct {
	fetch []Secret
	now   func() time.Time

	mu      sync.Mutex
	keys    []fingerprints.Value
	at      time.Time
	renewed bool // somebody fetches them right now
}

// current are the secrets, fetched if they are not of late. The error says that
// there is none, and holds no secret.
func (k *keyring) current(ctx context.Context) ([]fingerprints.Value, error) {
	keys, mine := k.claim(secretsKept)
	if mine || len(keys) == 0 {
		keys = k.renew(ctx)
	}
	if len(keys) == 0 {
		return nil, errNoneOf
	}
	return keys, nil
}

// again are the secrets fetched anew; nil: it was asked too soon.
func (k *keyring) again(ctx context.Context) []fingerprints.Value {
	if _, mine := k.claim(secretsAgain); !mine {
		return nil
	}
	return k.renew(ctx)
}

// claim reports whether the caller is to fetch secrets that are older than they
// may be. Whoever comes meanwhile goes on with the old ones.
func (k *keyring) claim(old time.Duration) (keys []fingerprints.Value, mine bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	mine = !k.renewed && (len(k.keys) == 0 || k.now().Sub(k.at) >= old)
	k.renewed = k.renewed || mine
	return k.keys, mine
}

// renew keeps the old secrets where none can be had: a place of secrets that is
// away for a moment loses no post.
func (k *keyring) renew(ctx context.Context) []fingerprints.Value {
	var keys []fingerprints.Value
	for _, fetch := range k.fetch {
		if v, err := usable(fetch(ctx)); err == nil {
			keys = append(keys, v)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at, k.renewed = k.now(), false
	if len(keys) > 0 {
		k.keys = keys
	}
	return k.keys
}

// check says of each secret that cannot be used why.
func (k *keyring) check(ctx context.Context, p Provider) error {
	var wrong []error
	for i, fetch := range k.fetch {
		if _, err := usable(fetch(ctx)); err != nil {
			wrong = append(wrong, fmt.Errorf("secret %d of %s: %w", i+1, p, err))
		}
	}
	return errors.Join(wrong...)
}

func usable(v fingerprints.Value, err error) (fingerprints.Value, error) {
	if err == nil && v.Len() < MinSecret {
		err = errShort
	}
	return v, err
}

// prefix of secrets that Standard Webhooks writes in base64.
const encodedSecret = "whsec_"

// macs are the MACs of a message, one by each secret.
func macs(keys []fingerprints.Value, parts ...[]byte) [][]byte {
	out := make([][]byte, 0, len(keys))
	for _, k := range keys {
		key := k.Reveal() // to be the key of an HMAC
		if text, is := strings.CutPrefix(string(key), encodedSecret); is {
			if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) >= MinSecret {
				key = raw
			}
		}
		h := hmac.New(sha256.New, key)
		for _, p := range parts {
			h.Write(p)
		}
		out = append(out, h.Sum(nil))
	}
	return out
}

// signed reports whether one of the claimed MACs is one of a message's. All are
// compared, each in constant time.
func signed(keys []fingerprints.Value, claimed [][]byte, parts ...[]byte) bool {
	fits := 0
	for _, want := range macs(keys, parts...) {
		for _, got := range claimed {
			fits |= subtle.ConstantTimeCompare(want, got)
		}
	}
	return fits == 1
}

// held reports whether a token is one of the secrets. Their hashes are compared,
// so that not even their length shows in the time that it takes.
func held(keys []fingerprints.Value, token string) bool {
	got := sha256.Sum256([]byte(token))
	fits := 0
	for _, k := range keys {
		want := sha256.Sum256(k.Reveal()) // to be compared with what was sent
		fits |= subtle.ConstantTimeCompare(want[:], got[:])
	}
	return fits == 1
}
