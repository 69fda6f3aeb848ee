// Package credential names where a credential lies, and fetches it when it is
// needed.
//
// A configuration holds references, never credentials:
//
//	env:NAME         the variable NAME of the environment
//	file:PATH        the content of a file, as Docker, Kubernetes and systemd give them
//	command:ARG ...  what a program prints, such as "command:pass show ci/token"
//
// A command is started without a shell: words are separated by spaces, and
// quotes of either kind hold one together. Nothing is expanded.
//
// What was resolved is a fingerprints.Value, which no printer shows. An error
// never holds a credential: neither what was resolved, nor what somebody wrote
// in place of a reference, nor what a program wrote to its error stream.
package credential

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a Ref is refused or not resolved for.
var (
	// ErrNotARef: the text is no reference. It may be the credential itself, so
	// the error does not hold it.
	ErrNotARef = errors.New("not a reference to a credential: write env:NAME, file:PATH or command:PROGRAM ARGUMENT..., never the credential itself")
	// ErrUnresolved: the reference is one, but led to nothing usable.
	ErrUnresolved = errors.New("credential not available")
)

// kind is where a reference leads.
type kind string

const (
	fromEnv     kind = "env"
	fromFile    kind = "file"
	fromCommand kind = "command"
)

// maxRef bounds the length of a reference.
const maxRef = 4096

// Ref says where a credential lies. It is no secret and may be printed. The
// zero Ref leads nowhere. Refs can be compared with ==.
type Ref struct {
	kind kind
	rest string
}

// Parse reads a reference. It looks at its form only: whether something lies
// there shows when it is resolved.
func Parse(text string) (Ref, error) {
	prefix, rest, found := strings.Cut(text, ":")
	r := Ref{kind(prefix), rest}
	if !found || len(text) > maxRef || !plain(text) {
		return Ref{}, ErrNotARef
	}
	switch r.kind {
	case fromEnv:
		if !variable(rest) {
			return Ref{}, fmt.Errorf("%w: behind env: stands the name of a variable, of letters, digits and _", ErrNotARef)
		}
	case fromFile:
		if rest == "" {
			return Ref{}, fmt.Errorf("%w: behind file: stands a path", ErrNotARef)
		}
	case fromCommand:
		if _, err := words(rest); err != nil {
			return Ref{}, err
		}
	default:
		return Ref{}, ErrNotARef
	}
	return r, nil
}

// IsZero reports whether there is no reference.
func (r Ref) IsZero() bool { return r.kind == "" }

// String is the reference as Parse reads it; empty for the zero Ref.
func (r Ref) String() string {
	if r.IsZero() {
		return ""
	}
	return string(r.kind) + ":" + r.rest
}

// MarshalText is String, for JSON and configuration files.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is Parse; an empty text is the zero Ref.
func (r *Ref) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Ref{}
		return nil
	}
	read, err := Parse(string(text))
	if err != nil {
		return err
	}
	*r = read
	return nil
}

// plain reports whether a text is UTF-8 without control characters.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// variable reports whether a text can name a variable of the environment.
func variable(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	return !strings.ContainsFunc(name, func(c rune) bool {
		return c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

// words splits a command as the package comment says.
func words(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	var quote rune
	open := false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, open = c, true
		case c == ' ':
			if open {
				out = append(out, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("%w: a quote of the command is not closed", ErrNotARef)
	}
	if open {
		out = append(out, word.String())
	}
	if len(out) == 0 || out[0] == "" {
		return nil, fmt.Errorf("%w: behind command: stands a program", ErrNotARef)
	}
	return out, nil
}
