package registration

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

const (
	sealHead  = 4 + 12 // seal epoch, nonce
	sealedLen = sealHead + plainLen + 16
)

// sealer seals and opens rows; it keeps one hash state for each seal epoch.
type sealer struct {
	ks    Keys
	macs  map[uint32]hash.Hash
	plain [plainLen]byte
}

// rowCipher derives the cipher of one row at one revision.
func (s *sealer) rowCipher(sealEpoch uint32, id fingerprints.RowID, revision uint64) (cipher.AEAD, error) {
	m := s.macs[sealEpoch]
	if m == nil {
		k, err := s.ks.Key(fingerprints.AudienceCore, keys.PurposeSeal, sealEpoch)
		if err != nil {
			return nil, fmt.Errorf("deriving the seal key of epoch %d: %w", sealEpoch, err)
		}
		m = hmac.New(sha256.New, k[:])
		if s.macs == nil {
			s.macs = map[uint32]hash.Hash{}
		}
		s.macs[sealEpoch] = m
	}
	// HKDF-Expand of 32 bytes is one HMAC over info and a counter of 1.
	var info [25]byte
	copy(info[:], id[:])
	binary.BigEndian.PutUint64(info[16:], revision)
	info[24] = 1
	m.Reset()
	m.Write(info[:])
	var key [sha256.Size]byte
	block, err := aes.NewCipher(m.Sum(key[:0]))
	if err != nil {
		return nil, fmt.Errorf("preparing a row's cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// additional is the AAD of a row.
func additional(inst fingerprints.InstallationID, row fingerprints.FieldRow) []byte {
	b := make([]byte, 0, 128)
	b = keys.AppendField(b, inst[:])
	b = binary.BigEndian.AppendUint32(b, row.Epoch)
	b = binary.BigEndian.AppendUint32(b, row.FilterGen)
	b = keys.AppendField(b, row.Version[:])
	b = keys.AppendField(b, []byte(row.Field))
	b = binary.BigEndian.AppendUint16(b, row.Format)
	return binary.BigEndian.AppendUint64(b, row.Revision)
}

// seal fills row.Sealed.
func (s *sealer) seal(rand io.Reader, row *fingerprints.FieldRow, e Entry) error {
	epoch := s.ks.Epoch()
	aead, err := s.rowCipher(epoch, row.ID, row.Revision)
	if err != nil {
		return err
	}
	out := binary.BigEndian.AppendUint32(make([]byte, 0, sealedLen), epoch)
	out = out[:sealHead]
	if _, err := io.ReadFull(rand, out[4:]); err != nil {
		return fmt.Errorf("reading random bytes for a row: %w", err)
	}
	row.Sealed = aead.Seal(out, out[4:sealHead], marshalEntry(e), additional(s.ks.Installation(), *row))
	return nil
}

// open is the reverse of seal. It does not return anything of a row that is
// not whole.
func (s *sealer) open(row fingerprints.FieldRow) (Entry, error) {
	switch {
	case row.Unsearchable != "":
		return Entry{}, fmt.Errorf("opening row %s: %w", row.ID, ErrUnsearchable)
	case row.Format > Format:
		return Entry{}, fmt.Errorf("opening row %s of format %d: %w", row.ID, row.Format, ErrNewer)
	case row.Format != Format || len(row.Sealed) != sealedLen:
		return Entry{}, fmt.Errorf("opening row %s: %w", row.ID, ErrForeignRow)
	}
	aead, err := s.rowCipher(binary.BigEndian.Uint32(row.Sealed), row.ID, row.Revision)
	if err != nil {
		return Entry{}, fmt.Errorf("opening row %s: %w: %w", row.ID, ErrForeignRow, err)
	}
	plain, err := aead.Open(s.plain[:0], row.Sealed[4:sealHead], row.Sealed[sealHead:], additional(s.ks.Installation(), row))
	if err != nil {
		return Entry{}, fmt.Errorf("opening row %s: %w", row.ID, ErrForeignRow)
	}
	e, err := parseEntry(plain)
	clear(s.plain[:])
	if err != nil {
		return Entry{}, fmt.Errorf("opening row %s: %w", row.ID, err)
	}
	if e.Strength != row.Strength {
		return Entry{}, fmt.Errorf("opening row %s: its strength was changed: %w", row.ID, ErrForeignRow)
	}
	e.Row, e.Epoch, e.FilterGen = row.ID, row.Epoch, row.FilterGen
	return e, nil
}
