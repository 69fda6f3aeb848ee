package rules

// allowlist is a permit made fast.
type allowlist struct {
	permit
	onPath, onText *pattern // nil for none
	words          *wordSet
}

func newAllowlists(list []permit) []*allowlist {
	var out []*allowlist
	for _, p := range list {
		out = append(out, &allowlist{
			permit: p,
			onPath: newPattern(p.paths),
			onText: newPattern(p.regexes),
			words:  newWordSet(p.stopWords),
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
		if a.all && (a.commits || a.onText != nil || len(a.stopWords) > 0) {
			continue
		}
		if s.matchesPattern(a.onPath, path) {
			return true
		}
	}
	return false
}

// pathAnswer is what the allowlists for all rules said of a path.
type pathAnswer struct {
	path    string
	allowed bool
	around  surroundings // see judge.around
	looked  bool         // around was asked for
	known   bool
}

// allowsAll is allowsPath of the allowlists for all rules: many texts are of
// one path.
func (e *engine) allowsAll(sc *scratch, path string) bool {
	if a := &sc.path; !a.known || a.path != path {
		*a = pathAnswer{path: path, allowed: sc.allowsPath(e.allowlists, path), known: true}
	}
	return sc.path.allowed
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
		if !a.all {
			if j.allowsText(a, f, segments) || a.words.in(f.secret) {
				return true
			}
			continue
		}
		if a.commits || // no commit is known here
			a.onPath != nil && !j.sc.matchesPattern(a.onPath, j.path) ||
			a.onText != nil && !j.allowsText(a, f, segments) ||
			len(a.stopWords) > 0 && !a.words.in(f.secret) {
			continue
		}
		return true
	}
	return false
}

func (j *judge) allowsText(a *allowlist, f *finding, segments []segment) bool {
	switch {
	case a.onText == nil:
		return false
	case a.target == "match":
		return j.sc.matchesPattern(a.onText, f.match)
	case a.target != "line":
		return j.sc.matchesPattern(a.onText, f.secret)
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
		answer = j.sc.matchesPattern(a.onText, text[asked.line.start:asked.line.end])
		if j.memo == nil {
			j.memo = map[lineAsked]bool{}
		}
		j.memo[asked] = answer
	}
	if answer {
		j.sc.hangs.onLine(asked.line)
	}
	return answer
}

// lineAbove is the line of the decoded text around segments, with the newline
// before it.
func (j *judge) lineAbove(segments []segment) extent {
	j.above.index()
	line := extent{max(0, j.above.last(segments[0].decoded.start+1)), len(j.layer.text)}
	if end := j.above.next(segments[len(segments)-1].decoded.end); end >= 0 {
		line.end = end
	}
	return line
}
