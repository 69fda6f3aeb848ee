package pack

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"revenant/fingerprints"
)

// Label is what a pack says of a registered field.
type Label struct {
	Secret      string
	Version     int
	VersionID   fingerprints.VersionID
	Field       string
	State       fingerprints.State
	Owner       string
	Class       fingerprints.Class
	Strength    fingerprints.Strength
	ValueID     fingerprints.ValueID
	Compromised bool
	WindowEnds  time.Time // zero: no deadline; to the second
}

// labelUnit is what sealed labels are padded to, and placed by.
const labelUnit = 64

// maxLabelText bounds each text of a label.
const maxLabelText = 1 << 10

func strengths() []fingerprints.Strength {
	return []fingerprints.Strength{fingerprints.StrengthEdge, fingerprints.StrengthCore, fingerprints.StrengthWeak}
}

// appendLabel writes a label; see the package comment.
func appendLabel(b []byte, l Label) ([]byte, error) {
	state := slices.Index(fingerprints.States(), l.State)
	class := slices.Index(fingerprints.Classes(), l.Class)
	strength := slices.Index(strengths(), l.Strength)
	if state < 0 || class < 0 || strength < 0 || l.Version < 0 {
		return nil, fmt.Errorf("a label's state, class, strength or version is not known")
	}
	flags := byte(0)
	if l.Compromised {
		flags = 1
	}
	var ends int64
	if !l.WindowEnds.IsZero() {
		ends = l.WindowEnds.Unix()
	}
	b = append(b, byte(state), byte(class), byte(strength), flags)
	b = binary.BigEndian.AppendUint32(b, uint32(l.Version))
	b = binary.BigEndian.AppendUint64(b, uint64(ends))
	b = append(b, l.VersionID[:]...)
	b = append(b, l.ValueID[:]...)
	for _, s := range []string{l.Secret, l.Field, l.Owner} {
		if len(s) > maxLabelText {
			return nil, fmt.Errorf("a label's text is longer than %d bytes", maxLabelText)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return b, nil
}

func parseLabel(b []byte) (Label, error) {
	r := reader{b: b}
	state, class, strength, flags := r.u8(), r.u8(), r.u8(), r.u8()
	l := Label{Version: int(r.u32())}
	ends := int64(r.u64())
	r.bytes(l.VersionID[:])
	r.bytes(l.ValueID[:])
	l.Secret, l.Field, l.Owner = r.text16(), r.text16(), r.text16()
	if r.failed || int(state) >= len(fingerprints.States()) || int(class) >= len(fingerprints.Classes()) ||
		int(strength) >= len(strengths()) || flags > 1 {
		return Label{}, ErrTampered
	}
	l.State, l.Class, l.Strength = fingerprints.States()[state], fingerprints.Classes()[class], strengths()[strength]
	l.Compromised = flags == 1
	if ends != 0 {
		l.WindowEnds = time.Unix(ends, 0).UTC()
	}
	return l, nil
}

// labelCipher is keyed by the half of the MAC that no table holds.
func labelCipher(salt [32]byte, row fingerprints.RowID, sum []byte) (cipher.AEAD, error) {
	m := hmac.New(sha256.New, sum[macLen:sha256.Size])
	m.Write([]byte("label/v1"))
	m.Write(salt[:])
	m.Write(row[:])
	block, err := aes.NewCipher(m.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("preparing a label's cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// appendSealedLabel appends a record of whole units: 2 bytes of sealed length,
// then the sealed label, then zeros. Each key is used once, so the nonce is 0.
func appendSealedLabel(dst []byte, salt [32]byte, row fingerprints.RowID, sum []byte, l Label) ([]byte, error) {
	plain, err := appendLabel(make([]byte, 0, 2*labelUnit), l)
	if err != nil {
		return nil, err
	}
	aead, err := labelCipher(salt, row, sum)
	if err != nil {
		return nil, err
	}
	const around = 2 + 16
	units := (len(plain) + around + labelUnit - 1) / labelUnit
	plain = append(plain, make([]byte, units*labelUnit-around-len(plain))...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(plain)+16))
	return aead.Seal(dst, make([]byte, aead.NonceSize()), plain, nil), nil
}

// labelReader reads labels from the sealed segments that hold them.
type labelReader struct {
	salt     [32]byte
	size     int64
	segments *segments
	first    int // number of the first segment with labels
}

func (r *labelReader) open(unit uint32, row fingerprints.RowID, sum []byte) (Label, error) {
	at := int64(unit) * labelUnit
	var head [2]byte
	if err := r.read(head[:], at); err != nil {
		return Label{}, err
	}
	sealed := make([]byte, binary.BigEndian.Uint16(head[:]))
	if err := r.read(sealed, at+2); err != nil {
		return Label{}, err
	}
	aead, err := labelCipher(r.salt, row, sum)
	if err != nil {
		return Label{}, err
	}
	plain, err := aead.Open(sealed[:0], make([]byte, aead.NonceSize()), sealed, nil)
	if err != nil {
		return Label{}, ErrTampered
	}
	return parseLabel(plain)
}

// read reads bytes of the labels' plain stream; they may lie in two segments.
func (r *labelReader) read(dst []byte, at int64) error {
	if at+int64(len(dst)) > r.size {
		return ErrTampered
	}
	for len(dst) > 0 {
		plain, err := r.segments.get(r.first + int(at/segmentLen))
		if err != nil {
			return err
		}
		n := copy(dst, plain[at%segmentLen:])
		dst, at = dst[n:], at+int64(n)
	}
	return nil
}
