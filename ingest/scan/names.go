package scan

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/scanners"
)

// namer asks Labels, one call at a time, and remembers the answers. Safe for
// concurrent use.
type namer struct {
	mu     sync.Mutex
	labels Labels
	known  map[string]answer
}

type answer struct {
	labels []Label
	err    error
}

// maxAnswers bounds what is remembered.
const maxAnswers = 1 << 14

func newNamer(l Labels) *namer { return &namer{labels: l, known: map[string]answer{}} }

// of returns the labels of a registered hit.
func (n *namer) of(ctx context.Context, h scanners.Hit) ([]Label, error) {
	if n.labels == nil || len(h.Rows) == 0 {
		return nil, nil
	}
	var key strings.Builder
	for _, r := range h.Rows {
		key.Write(r[:])
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, has := n.known[key.String()]; has {
		return a.labels, a.err
	}
	var a answer
	a.labels, a.err = n.labels.Labels(ctx, h.Rows, h.Value)
	if ctx.Err() != nil {
		return a.labels, a.err
	}
	if len(n.known) >= maxAnswers {
		clear(n.known)
	}
	n.known[key.String()] = a
	return a.labels, a.err
}

func (n *namer) homes(ctx context.Context, secret, sourceID, path string) ([]Home, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.labels.Homes(ctx, secret, sourceID, path)
}

// mark stands in for a hit where it is shown.
func (n *namer) mark(ctx context.Context, h scanners.Hit) string {
	labels, err := n.of(ctx, h)
	if err != nil || len(labels) == 0 {
		return redacted
	}
	return markOf(labels[0])
}

func markOf(l Label) string {
	return "[secret " + fingerprints.VersionRef{Name: l.Secret, Number: l.Version}.String() + "]"
}

// covers joins the spans of sorted hits; a registered value names the joint.
func (n *namer) covers(ctx context.Context, hits []scanners.Hit) []cover {
	var out []cover
	for _, h := range hits {
		if h.PathOnly || h.Span.Len() <= 0 {
			continue
		}
		c := cover{span: h.Span, mark: redacted}
		if h.Registered() {
			c.mark = n.mark(ctx, h)
		}
		out = joinCover(out, c)
	}
	return out
}

// joinCover appends a cover that starts no earlier than the last.
func joinCover(out []cover, c cover) []cover {
	last := len(out) - 1
	if last < 0 || c.span.Start >= out[last].span.End {
		return append(out, c)
	}
	out[last].span.End = max(out[last].span.End, c.span.End)
	if out[last].mark == redacted {
		out[last].mark = c.mark
	}
	return out
}

// judged is what correlation says of a hit at a place.
type judged struct {
	matches  []wire.Match
	verdict  fingerprints.Verdict
	severity fingerprints.Severity
	homes    []int64
}

// judge correlates one finding; path is raw.
func (n *namer) judge(ctx context.Context, s *sighting, sourceID, path string, now time.Time) (judged, error) {
	presence := s.obs.Sighting.Presence
	if len(s.hit.Rows) == 0 {
		v := fingerprints.Correlate(fingerprints.Circumstance{Presence: presence}, now)
		out := judged{verdict: v, severity: fingerprints.SeverityOf(v, "", presence)}
		if s.hit.Low && worseSeverity(out.severity, fingerprints.SeverityLow) {
			out.severity = fingerprints.SeverityLow
		}
		return out, nil
	}
	labels, err := n.of(ctx, s.hit)
	if err != nil {
		return judged{}, err
	}
	// A row that nobody can name any more is still a registered value.
	out := judged{verdict: fingerprints.VerdictCleared}
	if len(labels) == 0 {
		out.verdict = fingerprints.Correlate(fingerprints.Circumstance{Registered: true, Presence: presence}, now)
		out.severity = fingerprints.SeverityOf(out.verdict, "", presence)
		return out, nil
	}
	for _, l := range labels {
		m, homes, err := n.judgeOne(ctx, l, presence, sourceID, path, now)
		if err != nil {
			return judged{}, err
		}
		out.matches = append(out.matches, m)
		out.homes = append(out.homes, homes...)
		sev := fingerprints.SeverityOf(m.Verdict, l.Class, presence)
		if out.severity == "" || worseSeverity(sev, out.severity) {
			out.severity = sev
		}
		out.verdict = fingerprints.Worse(out.verdict, m.Verdict)
	}
	slices.SortStableFunc(out.matches, func(a, b wire.Match) int {
		return slices.Index(fingerprints.Verdicts(), a.Verdict) - slices.Index(fingerprints.Verdicts(), b.Verdict)
	})
	slices.Sort(out.homes)
	out.homes = slices.Compact(out.homes)
	return out, nil
}

func (n *namer) judgeOne(ctx context.Context, l Label, p fingerprints.Presence, sourceID, path string, now time.Time) (wire.Match, []int64, error) {
	homes, err := n.homes(ctx, l.Secret, sourceID, path)
	if err != nil {
		return wire.Match{}, nil, err
	}
	c := fingerprints.Circumstance{
		Registered: true, State: l.State, Compromised: l.Compromised, WindowEnds: l.WindowEnds,
		Presence: p, Allowed: len(homes) > 0,
	}
	var ids []int64
	forever := false
	for _, h := range homes {
		ids = append(ids, h.ID)
		forever = forever || h.Until.IsZero()
		if h.Until.After(c.AllowedUntil) {
			c.AllowedUntil = h.Until
		}
	}
	if forever {
		c.AllowedUntil = time.Time{}
	}
	return wire.Match{
		Secret: l.Secret, Version: l.Version, Field: l.Field, State: l.State, Class: l.Class, Owner: l.Owner,
		Verdict: fingerprints.Correlate(c, now),
	}, ids, nil
}

func worseSeverity(a, b fingerprints.Severity) bool {
	s := fingerprints.Severities()
	return slices.Index(s, a) < slices.Index(s, b)
}
