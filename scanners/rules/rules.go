// Package rules runs gitleaks' rules behind the Matcher contract.
//
// It promises: the findings of gitleaks' detect package on the whole chunk as
// one fragment, at gitleaks' default decoding depth, as byte spans of the
// content. A configuration means here what it means there: extends, allowlists,
// entropy, path rules, required rules, stopwords.
//
// It refuses: to let gitleaks log (its debug output holds secrets) and to use
// process-wide configuration (viper's, or gitleaks' counter of extends).
//
// Deliberate differences from the gitleaks command: a finding's position is a
// byte span, so gitleaks' columns, which are one too high behind the first
// line, are put right; the span of a decoded finding is that of the encoded
// text; a path rule's finding has the path as its value.
package rules

import (
	"context"
	"errors"
	"sync"
	"unsafe"

	"github.com/rs/zerolog"
	"github.com/zricethezav/gitleaks/v8/detect"
	"github.com/zricethezav/gitleaks/v8/logging"
	"github.com/zricethezav/gitleaks/v8/report"

	"revenant/fingerprints"
	"revenant/scanners"
)

// ErrBadConfig is wrapped when a configuration does not load.
var ErrBadConfig = errors.New("not a usable gitleaks configuration")

// DefaultDecodeDepth is gitleaks' default of --max-decode-depth.
const DefaultDecodeDepth = 5

// overlap is what neighbouring chunks of a content over the chunk size share.
const overlap = 64 << 10

// silence turns gitleaks' process-wide logger off, once, before any detector
// exists: its events carry findings. It guards that one foreign variable and
// holds no state of its own.
var silence = sync.OnceFunc(func() { logging.Logger = zerolog.Nop() })

// Options configures New. The zero value is gitleaks' default configuration.
type Options struct {
	Path     string // a .gitleaks.toml; its own findings are left out, as gitleaks does
	Contents []byte // TOML in place of reading Path
	// DecodeDepth is how many layers of encoding are undone; 0: DefaultDecodeDepth,
	// negative: none.
	DecodeDepth int
}

// Matcher finds what the rules match. Safe for concurrent use.
type Matcher struct {
	detector *detect.Detector // its Detect only reads
	plain    *detect.Detector // the same without decoding
	depth    int
}

var _ scanners.Interruptible = (*Matcher)(nil)

// New loads the configuration and builds a matcher.
func New(o Options) (*Matcher, error) {
	silence()
	cfg, err := load(o)
	if err != nil {
		return nil, err
	}
	depth := o.DecodeDepth
	switch {
	case depth == 0:
		depth = DefaultDecodeDepth
	case depth < 0:
		depth = 0
	}
	m := &Matcher{detector: detect.NewDetector(cfg), plain: detect.NewDetector(cfg), depth: depth}
	m.detector.MaxDecodeDepth = depth
	return m, nil
}

// Rules is the number of rules.
func (m *Matcher) Rules() int { return len(m.detector.Config.Rules) }

// Overlap is 64 KiB: longer matches are whole only inside one chunk.
func (m *Matcher) Overlap() int { return overlap }

// AppendHits appends the rules' findings in c, in no particular order.
func (m *Matcher) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	return m.AppendHitsUntil(context.Background(), dst, c)
}

// AppendHitsUntil is AppendHits that stops between two rules when ctx ends:
// text without line ends can keep gitleaks' rules busy for minutes.
func (m *Matcher) AppendHitsUntil(ctx context.Context, dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	// A view of the borrowed bytes: nothing of a finding outlives this call
	// without being copied.
	raw := unsafe.String(unsafe.SliceData(c.Data), len(c.Data))
	findings := m.detect(ctx, raw, c.Path)
	if len(findings) == 0 {
		return dst
	}
	loc := newLocator(raw, m.depth)
	for _, f := range findings {
		if f.StartLine == 0 && f.StartColumn == 0 && f.Secret == "" { // a rule on the path alone
			if c.Base == 0 {
				dst = append(dst, pathHit(f, c.Path))
			}
			continue
		}
		secret, whole, ok := loc.locate(f, m.detector.Config.Rules[f.RuleID])
		if !ok {
			continue
		}
		h := hitOf(f)
		h.Value = fingerprints.NewValue([]byte(f.Secret))
		h.Span = scanners.Span{Start: c.Base + int64(secret.start), End: c.Base + int64(secret.end)}
		h.Match = scanners.Span{Start: c.Base + int64(whole.start), End: c.Base + int64(whole.end)}
		h.Form = formOf(f.Tags)
		dst = append(dst, h)
	}
	return dst
}

// detect runs gitleaks on one fragment. Its decoder computes positions by
// estimate and can run out of bounds on crafted nesting; the undecoded findings
// stay then.
func (m *Matcher) detect(ctx context.Context, raw, path string) (found []report.Finding) {
	defer func() {
		if recover() != nil {
			found = m.plain.DetectContext(ctx, detect.Fragment{Raw: raw, FilePath: path})
		}
	}()
	return m.detector.DetectContext(ctx, detect.Fragment{Raw: raw, FilePath: path})
}

func pathHit(f report.Finding, path string) scanners.Hit {
	h := hitOf(f)
	h.PathOnly = true
	h.Form = fingerprints.FormRaw
	h.Value = fingerprints.NewValue([]byte(path))
	return h
}
