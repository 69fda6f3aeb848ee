// Package rules finds what gitleaks' rules find, many times faster, behind the
// Matcher contract.
//
// It promises: the findings of gitleaks' detect package on the whole chunk as
// one fragment, at gitleaks' default decoding depth, as byte spans of the
// content; detect is the oracle of the tests. A configuration is loaded through
// gitleaks' config package and means here what it means there: extends,
// allowlists, entropy, path rules, required rules, stopwords. Hostile text
// costs linear time in each rule.
//
// How: the pattern of each rule is taken apart (plan, leads). One pass over the
// text finds what patterns begin with (prefilter); there an automaton anchored
// at the place asks whether the rest can follow, and where it can, another
// finds the match that package regexp would find (find, automaton). A pattern
// that cannot be taken apart, or that a text makes costly, goes through package
// regexp. What is encoded is decoded in layers (stretches, decode, layer), each
// searched alike. Matches are judged as gitleaks judges them (judge).
//
// It refuses: to let gitleaks log (its debug output holds secrets) and to use
// process-wide configuration (viper's, or gitleaks' counter of extends).
//
// Deliberate differences from the gitleaks command: a finding's position is a
// byte span, so gitleaks' columns, which are one too high behind the first
// line, are put right; the span of a decoded finding is that of the encoded
// text; a path rule's finding has the path as its value; where gitleaks panics
// because its estimate of a decoded match's place is out of bounds, that one
// match is left out.
package rules

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"unsafe"

	"github.com/rs/zerolog"
	"github.com/zricethezav/gitleaks/v8/logging"

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
	// Marked says that findings in lines with gitleaks' mark that lets them through
	// are given out, for others to judge.
	Marked bool
	// Own adds this project's rules to the configuration's. What the latter find
	// stays the same.
	Own Own
}

// Matcher finds what the rules match. Safe for concurrent use.
type Matcher struct{ engine *engine }

var (
	_ scanners.Interruptible = (*Matcher)(nil)
	_ scanners.Guesser       = (*Matcher)(nil)
	_ scanners.Local         = (*Matcher)(nil)
	_ scanners.Joint         = (*Matcher)(nil)
	_ scanners.Pathwise      = (*Matcher)(nil)
)

// New loads the configuration and builds a matcher.
func New(o Options) (*Matcher, error) {
	silence()
	set, err := load(o)
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
	return &Matcher{engine: newEngine(set, o, depth)}, nil
}

// Rules is the number of rules.
func (m *Matcher) Rules() int { return len(m.engine.rules) }

// Explanation says how a rule is looked for.
type Explanation struct {
	Rule string
	How  string // one line, for people
	// Whole reports that contents are read wholly for this rule.
	Whole bool
}

// Explain says how each rule is looked for, in the configuration's order.
func (m *Matcher) Explain() []Explanation {
	out := make([]Explanation, len(m.engine.rules))
	for i, r := range m.engine.rules {
		out[i] = Explanation{Rule: r.id, How: "looks at the path alone"}
		if p := m.engine.plans[i]; p != nil {
			out[i].How, out[i].Whole = p.explain(), p.reason != ""
		}
	}
	return out
}

// Overlap is 64 KiB: longer matches are whole only inside one chunk.
func (m *Matcher) Overlap() int { return overlap }

// AppendHits appends the rules' findings in c, in no particular order.
func (m *Matcher) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	return m.AppendHitsUntil(context.Background(), dst, c)
}

// AppendHitsUntil is AppendHits that stops, with what it has, when ctx ends.
func (m *Matcher) AppendHitsUntil(ctx context.Context, dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	return m.appendHits(ctx, dst, c, nil)
}

// Names implements scanners.Pathwise.
func (m *Matcher) Names(path string) bool {
	if len(m.engine.placed) == 0 {
		return false
	}
	sc := m.engine.take()
	defer m.engine.give(sc)
	j := &judge{engine: m.engine, sc: sc, where: where{path: path}}
	if !j.named() {
		return false
	}
	return slices.ContainsFunc(m.engine.placed, func(r *rule) bool { return !j.barredByPath(r) })
}

func (m *Matcher) appendHits(ctx context.Context, dst []scanners.Hit, c scanners.Chunk, h *hanging) []scanners.Hit {
	// A view of the borrowed bytes: nothing of a finding outlives this call
	// without being copied.
	raw := unsafe.String(unsafe.SliceData(c.Data), len(c.Data))
	for _, f := range m.engine.detect(ctx, raw, where{c.Path, c.AnyPath, c.Decoded, c.Base == 0}, h) {
		h := scanners.Hit{
			Rule:        f.rule.id,
			Description: f.rule.description,
			Tags:        f.tags(),
			Entropy:     float32(f.entropy),
			Form:        f.kinds.form(),
			Low:         f.low,
		}
		if f.rule.pattern == "" { // a rule on the path alone
			if c.Base > 0 {
				continue
			}
			h.PathOnly = true
			h.Value = fingerprints.NewValue([]byte(c.Path))
			dst = append(dst, h)
			continue
		}
		h.Value = fingerprints.NewValue([]byte(f.secret))
		h.Span = scanners.Span{Start: c.Base + int64(f.span.start), End: c.Base + int64(f.span.end)}
		h.Match = scanners.Span{Start: c.Base + int64(f.whole.start), End: c.Base + int64(f.whole.end)}
		dst = append(dst, h)
	}
	return dst
}

// Excused reports whether a line that the span touches has gitleaks' mark that
// lets findings through.
func (m *Matcher) Excused(data []byte, from, to int) bool {
	if m.engine.options.Marked {
		return false
	}
	from = bytes.LastIndexByte(data[:from], '\n') + 1
	if n := bytes.IndexByte(data[to:], '\n'); n >= 0 {
		to += n
	} else {
		to = len(data)
	}
	return bytes.Contains(data[from:to], []byte(allowMark))
}

// form names the outermost encoding.
func (e encoding) form() fingerprints.Form {
	switch {
	case e&base64ish != 0:
		return fingerprints.FormBase64
	case e&hexadecimal != 0:
		return fingerprints.FormHex
	case e&escape != 0:
		return fingerprints.FormBackslash
	case e&percent != 0:
		return fingerprints.FormPercent
	default:
		return fingerprints.FormRaw
	}
}
