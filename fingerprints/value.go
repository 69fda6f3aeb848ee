package fingerprints

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
)

// hidden is what every printer, encoder and logger sees in place of a value.
const hidden = "[secret]"

// ErrPlaintext is returned by encoders that would have written a value.
var ErrPlaintext = errors.New("a secret value cannot be encoded")

// Value is plaintext that cannot be printed, logged or encoded by accident.
//
// The bytes live in a closure, not in a field, so that no fmt verb, slog
// handler or JSON encoder can reach them by reflection, even from an
// unexported field of another struct. Reveal is the one way out.
//
// The zero Value is empty. Values are immutable and safe for concurrent use.
type Value struct {
	reveal func() []byte
}

// NewValue copies b into a Value.
func NewValue(b []byte) Value {
	c := bytes.Clone(b)
	if c == nil {
		c = []byte{}
	}
	return Value{reveal: func() []byte { return c }}
}

// Reveal returns the plaintext. The slice is owned by the Value: callers read
// it, do not change it, and do not keep it longer than they must.
func (v Value) Reveal() []byte {
	if v.reveal == nil {
		return nil
	}
	return v.reveal()
}

// Len is the number of bytes of the plaintext.
func (v Value) Len() int { return len(v.Reveal()) }

// IsEmpty reports whether there is no plaintext.
func (v Value) IsEmpty() bool { return v.Len() == 0 }

// Equal reports whether two values hold the same bytes. It is for tests and
// for decisions about a person's own input; it is not constant-time.
func (v Value) Equal(w Value) bool { return bytes.Equal(v.Reveal(), w.Reveal()) }

// String returns a placeholder.
func (v Value) String() string { return hidden }

// GoString returns a placeholder.
func (v Value) GoString() string { return hidden }

// Format writes a placeholder for every verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue returns a placeholder.
func (v Value) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes a placeholder string.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText writes a placeholder.
func (v Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalBinary refuses: a binary encoding has no placeholder.
func (v Value) MarshalBinary() ([]byte, error) { return nil, ErrPlaintext }

// GobEncode refuses, as MarshalBinary does.
func (v Value) GobEncode() ([]byte, error) { return nil, ErrPlaintext }

// UnmarshalJSON refuses: values enter through NewValue only, where a reader
// can see where the plaintext came from.
func (v *Value) UnmarshalJSON([]byte) error { return ErrPlaintext }
