package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect/codec"
	"github.com/zricethezav/gitleaks/v8/report"

	"revenant/fingerprints"
	"revenant/scanners"
)

// decodedTag starts the tag that gitleaks adds to findings in decoded text.
const decodedTag = "decode-depth:"

// kindTag starts the tags that name the encodings.
const kindTag = "decoded:"

// extent is a half-open range of offsets in the chunk.
type extent struct{ start, end int }

// locator maps gitleaks' lines and columns back to offsets.
type locator struct {
	raw      string
	newlines []int
	depth    int
	passes   []pass // of decoding, made when first needed
	matches  map[ruleAt][][]int
}

// ruleAt is a rule at a decoding depth.
type ruleAt struct {
	rule  string
	depth int
}

// pass is the text after one more layer of decoding.
type pass struct {
	text     string
	segments []*codec.EncodedSegment
}

func newLocator(raw string, depth int) *locator {
	l := &locator{raw: raw, depth: depth, matches: map[ruleAt][][]int{}}
	l.newlines = make([]int, 0, strings.Count(raw, "\n"))
	for i := 0; ; i++ {
		n := strings.IndexByte(raw[i:], '\n')
		if n < 0 {
			return l
		}
		i += n
		l.newlines = append(l.newlines, i)
	}
}

// lineBase is the offset that gitleaks counts the columns of a line (from 0)
// from: the newline before it, or the start of the text.
func (l *locator) lineBase(line int) (int, bool) {
	switch {
	case line == 0:
		return 0, true
	case line == 1 && len(l.newlines) == 0:
		return len(l.raw), true
	case line < 0 || line > len(l.newlines):
		return 0, false
	}
	return l.newlines[line-1], true
}

// locate finds the secret and the whole match of a finding in the chunk.
func (l *locator) locate(f report.Finding, rule config.Rule) (secret, whole extent, ok bool) {
	base, ok := l.lineBase(f.StartLine)
	start := base + f.StartColumn - 1
	if !ok || start < 0 || start > len(l.raw) {
		return extent{}, extent{}, false
	}
	if d := decodeDepth(f.Tags); d > 0 {
		return l.locateDecoded(f, rule, start, d)
	}
	// gitleaks trims newlines off both ends of the match but counts from before.
	for start < len(l.raw) && l.raw[start] == '\n' && !strings.HasPrefix(l.raw[start:], f.Match) {
		start++
	}
	whole = extent{start, start + len(f.Match)}
	if !strings.HasPrefix(l.raw[start:], f.Match) {
		return extent{}, extent{}, false
	}
	g := group(f, rule)
	return extent{start + g.start, start + g.end}, whole, true
}

// group is where the secret stands in the match, found the way gitleaks does.
func group(f report.Finding, rule config.Rule) extent {
	all := extent{0, len(f.Match)}
	if rule.Regex == nil {
		return all
	}
	at := rule.Regex.FindStringSubmatchIndex(f.Match)
	for g := 1; 2*g+1 < len(at); g++ {
		if rule.SecretGroup > 0 && g != rule.SecretGroup || at[2*g] < 0 {
			continue
		}
		if e := (extent{at[2*g], at[2*g+1]}); f.Match[e.start:e.end] == f.Secret && (e.end > e.start || rule.SecretGroup > 0) {
			return e
		}
	}
	if i := strings.Index(f.Match, f.Secret); i >= 0 {
		return extent{i, i + len(f.Secret)}
	}
	return all
}

// locateDecoded finds the encoded text that a decoded finding comes from: it
// decodes again, finds the match in the decoded text, and asks gitleaks'
// decoder where its part with the secret came from.
func (l *locator) locateDecoded(f report.Finding, rule config.Rule, start, depth int) (secret, whole extent, ok bool) {
	whole = l.decodedWhole(f, start)
	p, ok := l.pass(depth)
	if !ok || rule.Regex == nil {
		return whole, whole, whole.end > whole.start
	}
	for _, at := range l.matchesAt(rule, depth, p.text) {
		match := strings.Trim(p.text[at[0]:at[1]], "\n")
		if match != f.Match {
			continue
		}
		overlapping := codec.SegmentsWithDecodedOverlap(p.segments, at[0], at[1])
		if len(overlapping) == 0 {
			continue
		}
		if origin := codec.AdjustMatchIndex(overlapping, slices.Clone(at)); origin[0] != start {
			continue
		}
		lead := strings.Index(p.text[at[0]:at[1]], match)
		g := group(f, rule)
		from, to := at[0]+lead+g.start, at[0]+lead+g.end
		// Shrunk by one on both sides: gitleaks counts touching as overlapping.
		inner := codec.SegmentsWithDecodedOverlap(p.segments, min(from+1, to), max(to-1, from))
		if len(inner) == 0 {
			return l.verbatim(f.Secret, whole), whole, true
		}
		o := codec.AdjustMatchIndex(inner, []int{from, to})
		if e := (extent{o[0], o[1]}); e.start >= 0 && e.start < e.end && e.end <= len(l.raw) {
			return e, cover(whole, e), true
		}
	}
	return whole, whole, whole.end > whole.start
}

// matchesAt are the rule's matches in the decoded text, found once.
func (l *locator) matchesAt(rule config.Rule, depth int, text string) [][]int {
	key := ruleAt{rule.RuleID, depth}
	found, has := l.matches[key]
	if !has {
		found = rule.Regex.FindAllStringIndex(text, -1)
		l.matches[key] = found
	}
	return found
}

// verbatim is where a secret that was not encoded itself stands in the match.
func (l *locator) verbatim(secret string, whole extent) extent {
	if i := strings.Index(l.raw[whole.start:whole.end], secret); i >= 0 && secret != "" {
		return extent{whole.start + i, whole.start + i + len(secret)}
	}
	return whole
}

// decodedWhole is the original range of a decoded match.
func (l *locator) decodedWhole(f report.Finding, start int) extent {
	end := start
	if base, ok := l.lineBase(f.EndLine); ok && f.EndColumn > 0 {
		end = base + f.EndColumn
	} else if base, ok := l.lineBase(f.StartLine); ok {
		// gitleaks loses the end of a match that reaches into a last line
		// without newline; the length of its line tells it.
		end = base + len(f.Line)
	}
	return extent{start, max(start, min(end, len(l.raw)))}
}

// pass decodes the text to a depth. Like gitleaks', later passes see what
// earlier ones left.
func (l *locator) pass(depth int) (p pass, ok bool) {
	if depth > l.depth {
		return pass{}, false
	}
	defer func() { // as in Matcher.detect
		if recover() != nil {
			p, ok = pass{}, false
		}
	}()
	decoder := codec.NewDecoder()
	for len(l.passes) < depth {
		last := pass{text: l.raw}
		if n := len(l.passes); n > 0 {
			last = l.passes[n-1]
		}
		text, segments := decoder.Decode(last.text, last.segments)
		l.passes = append(l.passes, pass{text: text, segments: segments})
	}
	return l.passes[depth-1], true
}

func cover(a, b extent) extent { return extent{min(a.start, b.start), max(a.end, b.end)} }

func decodeDepth(tags []string) int {
	for _, t := range slices.Backward(tags) {
		if digits, ok := strings.CutPrefix(t, decodedTag); ok {
			n, _ := strconv.Atoi(digits)
			return max(n, 0)
		}
	}
	return 0
}

// formOf names the outermost form that gitleaks' tags tell of.
func formOf(tags []string) fingerprints.Form {
	if decodeDepth(tags) == 0 {
		return fingerprints.FormRaw
	}
	form := fingerprints.FormRaw
	for _, t := range tags {
		switch strings.TrimPrefix(t, kindTag) {
		case "percent":
			form = fingerprints.FormPercent
		case "unicode":
			form = fingerprints.FormBackslash
		case "hex":
			form = fingerprints.FormHex
		case "base64":
			form = fingerprints.FormBase64
		}
	}
	return form
}

// hitOf copies what does not depend on the place: the finding's strings are
// views of the chunk or belong to the configuration.
func hitOf(f report.Finding) scanners.Hit {
	return scanners.Hit{
		Rule:        f.RuleID,
		Description: f.Description,
		Tags:        slices.Clone(f.Tags),
		Entropy:     f.Entropy,
	}
}
