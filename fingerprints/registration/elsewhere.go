package registration

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
)

// ErrOtherKeys says that a row was made under keys or a format that new rows no
// longer get.
var ErrOtherKeys = errors.New("the row was made with older keys, or by another version: take the registering keys anew, and the same version of revenant")

// TakeOver takes a row that a registrar elsewhere made, and seals what is in it anew,
// as the row of a version at a revision. The id of the row is to's, or a new one. It
// returns ErrForeignRow for what this ring did not seal, and ErrOtherKeys.
func (r *Registrar) TakeOver(row, to fingerprints.FieldRow) (Registered, error) {
	if row.Format != Format || row.Epoch != r.ks.Epoch() || row.FilterGen != r.ks.FilterGen() {
		return Registered{}, fmt.Errorf("taking a row over: %w", ErrOtherKeys)
	}
	out := row
	out.ID, out.Version, out.Revision, out.Sealed = to.ID, to.Version, to.Revision, nil
	if out.ID == (fingerprints.RowID{}) {
		if _, err := io.ReadFull(r.rand, out.ID[:]); err != nil {
			return Registered{}, fmt.Errorf("making a row id: %w", err)
		}
	}
	if row.Unsearchable != "" {
		if row.Unsearchable != ReasonShort && row.Unsearchable != ReasonCommon || row.Strength != fingerprints.StrengthUnsearchable || len(row.Sealed) > 0 {
			return Registered{}, fmt.Errorf("taking a row over: %w", ErrForeignRow)
		}
		return Registered{Row: out}, nil
	}
	e, err := r.open(row)
	if err != nil {
		return Registered{}, fmt.Errorf("taking a row over: %w", err)
	}
	e.Row = out.ID
	if err := r.seal(r.rand, &out, e); err != nil {
		return Registered{}, fmt.Errorf("taking a row over: %w", err)
	}
	return Registered{Row: out, Entry: e}, nil
}

// Nameless is a row's fingerprint sealed as a row of nothing: under an id and a version
// that are drawn, a field's name that is given, and no revision. It tells a registrar
// what a value's regions are, and nothing of who has it.
func (r *Registrar) Nameless(row fingerprints.FieldRow, field string) (fingerprints.FieldRow, error) {
	e, err := r.open(row)
	if err != nil {
		return fingerprints.FieldRow{}, fmt.Errorf("taking the name off a row: %w", err)
	}
	out := row
	out.Field, out.Revision, out.Sealed = field, 0, nil
	for _, id := range [][]byte{out.ID[:], out.Version[:]} {
		if _, err := io.ReadFull(r.rand, id); err != nil {
			return fingerprints.FieldRow{}, fmt.Errorf("taking the name off a row: %w", err)
		}
	}
	e.Row = out.ID
	if err := r.seal(r.rand, &out, e); err != nil {
		return fingerprints.FieldRow{}, fmt.Errorf("taking the name off a row: %w", err)
	}
	return out, nil
}

// Contains reports whether a registered value stands inside raw, and is not all of it.
// The plaintext of the registered one is not at hand: its region's tag says where
// it could stand, its MAC whether it does.
func Contains(ks Keys, raw []byte, e Entry) (bool, error) {
	length := int(e.Length)
	if e.Kind != KindValue || length >= len(raw) {
		return false, nil
	}
	filter, err := ks.Key(fingerprints.AudienceCore, keys.PurposeFilter, e.FilterGen)
	if err != nil {
		return false, nil //nolint:nilerr // its generation is out of use: packs do not find it either
	}
	key, err := ks.Key(fingerprints.AudienceCore, keys.PurposeRegMAC, e.Epoch)
	if err != nil {
		return false, fmt.Errorf("comparing with older values: %w", err)
	}
	tagger := anchor.NewKey(filter, e.Core.Geometry).NewTagger()
	size := e.Core.Geometry.Region()
	mac := hmac.New(sha256.New, key[:])
	region := e.Core.Regions[0]
	for p := 0; p+length <= len(raw); p++ {
		at := p + int(region.Offset)
		if at+size > len(raw) || tagger.Tag(raw[at:at+size]) != region.Tag {
			continue
		}
		mac.Reset()
		mac.Write(raw[p : p+length])
		if hmac.Equal(mac.Sum(nil), e.Core.MAC[:]) {
			return true, nil
		}
	}
	return false, nil
}
