package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"revenant/fingerprints/keys"
)

// Protection says how a file is encrypted and opened: by a passphrase, or to
// recipients and by identities. The zero Protection has neither. It cannot be
// printed: the passphrase lies behind a closure, where no verb of fmt and no
// encoder reaches it.
type Protection struct{ get func() secrets }

type secrets struct {
	passphrase string
	recipients []age.Recipient
	identities []age.Identity
	work       int // of a passphrase; 0: age's own, which takes a second
}

func protect(s secrets) Protection { return Protection{get: func() secrets { return s }} }

func (p Protection) secrets() secrets {
	if p.get == nil {
		return secrets{}
	}
	return p.get()
}

// WithPassphrase protects by a passphrase; trailing line breaks are no part of
// it.
func WithPassphrase(p []byte) Protection {
	return protect(secrets{passphrase: strings.TrimRight(string(p), "\r\n")})
}

// ToRecipients encrypts to age recipients ("age1..."), one a line or word. The
// error does not repeat the input.
func ToRecipients(list []string) (Protection, error) {
	rs, err := age.ParseRecipients(strings.NewReader(strings.Join(list, "\n")))
	if err != nil {
		return Protection{}, errors.New("not an age recipient: it looks like age1... and is printed by age-keygen")
	}
	return protect(secrets{recipients: rs}), nil
}

// ByIdentities opens with the identities in an age key file.
func ByIdentities(r io.Reader) (Protection, error) {
	ids, err := age.ParseIdentities(r)
	if err != nil {
		return Protection{}, errors.New("not an age identity file, as age-keygen writes it")
	}
	return protect(secrets{identities: ids}), nil
}

// IsZero reports whether there is nothing to protect with.
func (p Protection) IsZero() bool {
	s := p.secrets()
	return s.passphrase == "" && len(s.recipients) == 0 && len(s.identities) == 0
}

// Format writes a placeholder for every verb.
func (Protection) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[protection]") }

// seal encrypts b as an armoured age file.
func (p Protection) seal(b []byte) ([]byte, error) {
	s := p.secrets()
	to := s.recipients
	if s.passphrase != "" {
		r, err := age.NewScryptRecipient(s.passphrase)
		if err != nil {
			return nil, err
		}
		if s.work > 0 {
			r.SetWorkFactor(s.work)
		}
		to = []age.Recipient{r}
	}
	if len(to) == 0 {
		return nil, ErrNoProtector
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, to...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func isSealed(b []byte) bool {
	return bytes.HasPrefix(b, []byte(armor.Header)) || bytes.HasPrefix(b, []byte("age-encryption.org/"))
}

// open decrypts what seal wrote, or any age file.
func (p Protection) open(b []byte) ([]byte, error) {
	s := p.secrets()
	ids := s.identities
	if s.passphrase != "" {
		id, err := age.NewScryptIdentity(s.passphrase)
		if err != nil {
			return nil, err
		}
		ids = append([]age.Identity{id}, ids...)
	}
	if len(ids) == 0 {
		return nil, ErrNeedsSecret
	}
	var in io.Reader = bytes.NewReader(b)
	if bytes.HasPrefix(b, []byte(armor.Header)) {
		in = armor.NewReader(in)
	}
	r, err := age.Decrypt(in, ids...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none) && s.passphrase != "":
		return nil, ErrPassphrase
	case errors.As(err, &none):
		return nil, ErrIdentity
	case err != nil:
		return nil, ErrDamaged
	}
	out, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return nil, ErrDamaged
	}
	return out, nil
}

// taught turns the key parsers' errors into this package's.
func taught(err error) error {
	switch {
	case errors.Is(err, keys.ErrNewer):
		return ErrNewer
	case err != nil:
		return ErrDamaged
	}
	return nil
}
