package keys

import (
	"fmt"
	"log/slog"

	"revenant/fingerprints"
)

// hidden is what every printer, encoder and logger sees in place of a key.
const hidden = "[keys]"

// unprintable is embedded by what holds keys. The keys themselves lie behind a
// closure, so that reflection over an outer struct cannot reach them either.
type unprintable struct{}

// String returns a placeholder.
func (unprintable) String() string { return hidden }

// GoString returns a placeholder.
func (unprintable) GoString() string { return hidden }

// Format writes a placeholder for every verb.
func (unprintable) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue returns a placeholder.
func (unprintable) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes a placeholder string.
func (unprintable) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText writes a placeholder.
func (unprintable) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalBinary refuses: a binary encoding has no placeholder.
func (unprintable) MarshalBinary() ([]byte, error) { return nil, fingerprints.ErrPlaintext }

// GobEncode refuses, as MarshalBinary does.
func (unprintable) GobEncode() ([]byte, error) { return nil, fingerprints.ErrPlaintext }
