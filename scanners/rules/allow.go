package rules

import (
	"slices"

	"github.com/zricethezav/gitleaks/v8/config"
)

// allowlist is gitleaks' allowlist with its patterns made fast.
type allowlist struct {
	*config.Allowlist
	paths   *pattern
	regexes *pattern
}

func newAllowlists(list []*config.Allowlist) []*allowlist {
	var out []*allowlist
	for _, a := range list {
		if a == nil {
			continue
		}
		out = append(out, &allowlist{
			Allowlist: a,
			paths:     newPattern(a.Paths, a.PathAllowed),
			regexes:   newPattern(a.Regexes, a.RegexAllowed),
		})
	}
	return out
}

// allowsPath reports whether an allowlist lets a path through whatever stands
// in it. There is no commit: it is for the scan to know.
func (s *scratch) allowsPath(list []*allowlist, path string) bool {
	if path == "" {
		return false
	}
	for _, a := range list {
		if a.MatchCondition == config.AllowlistMatchAnd &&
			(len(a.Commits) > 0 || len(a.Regexes) > 0 || len(a.StopWords) > 0) {
			continue
		}
		if s.matchesPattern(a.paths, path) {
			return true
		}
	}
	return false
}

// lineAsked is an allowlist's question about a line, which many findings share.
type lineAsked struct {
	list  *allowlist
	line  extent
	depth int
}

// allows reports whether an allowlist lets a finding through.
func (j *judge) allows(list []*allowlist, f *finding, segments []segment) bool {
	for _, a := range list {
		if a.MatchCondition != config.AllowlistMatchAnd {
			if j.allowsText(a, f, segments) || j.stops(a, f) {
				return true
			}
			continue
		}
		if len(a.Commits) > 0 || // no commit is known here
			len(a.Paths) > 0 && !j.sc.matchesPattern(a.paths, j.path) ||
			len(a.Regexes) > 0 && !j.allowsText(a, f, segments) ||
			len(a.StopWords) > 0 && !j.stops(a, f) {
			continue
		}
		return true
	}
	return false
}

func (j *judge) stops(a *allowlist, f *finding) bool {
	if len(a.StopWords) == 0 {
		return false
	}
	stopped, _ := a.ContainsStopWord(f.secret)
	return stopped
}

func (j *judge) allowsText(a *allowlist, f *finding, segments []segment) bool {
	switch {
	case a.regexes == nil:
		return false
	case a.RegexTarget == "match":
		return j.sc.matchesPattern(a.regexes, f.match)
	case a.RegexTarget != "line":
		return j.sc.matchesPattern(a.regexes, f.secret)
	}
	asked := lineAsked{list: a, line: f.at.text}
	text := j.raw
	if f.depth > 0 {
		if line := j.lineAbove(segments); line.start < line.end {
			asked.line, asked.depth, text = line, f.depth, j.layer.text
		}
	}
	answer, known := j.memo[asked]
	if !known {
		answer = j.sc.matchesPattern(a.regexes, text[asked.line.start:asked.line.end])
		j.memo[asked] = answer
	}
	return answer
}

// lineAbove is the line of the decoded text around segments, with the newline
// before it.
func (j *judge) lineAbove(segments []segment) extent {
	j.above.index()
	line := extent{0, len(j.layer.text)}
	if i, _ := slices.BinarySearch(j.above.newlines, segments[0].decoded.start+1); i > 0 {
		line.start = j.above.newlines[i-1]
	}
	if i, _ := slices.BinarySearch(j.above.newlines, segments[len(segments)-1].decoded.end); i < len(j.above.newlines) {
		line.end = j.above.newlines[i]
	}
	return line
}
