package rules

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// rule is a definition with what judging its matches needs.
type rule struct {
	*definition
	regexp     func() *regexp.Regexp // compiled when first needed
	begun      func() *regexp.Regexp // the same, at the beginning of a text alone
	index      int
	generic    bool // yields to any other rule on the same secret
	loose      bool // knows a value by the word before it alone
	allows     []*allowlist
	where      *pattern // of paths that it applies to; nil for all
	companions []companion
	assess     assess // of a rule of ours; nil: all that it matches counts
	locate     locate // of a rule of ours; nil: by the expression
	table      bool   // its matches are names in tables
	placed     bool   // what it looks for is common but at its paths: only there, and there in all
}

// finding is a match that passed.
type finding struct {
	rule    *rule
	match   string
	secret  string
	entropy float64
	depth   int
	kinds   encoding
	span    extent // of the secret, in the content
	whole   extent // of the match
	at      spot
	low     bool // it is likely of no consequence
}

// judge judges the matches of one content.
type judge struct {
	*engine
	sc  *scratch
	raw string
	where
	lines  lines
	layer  *layer
	above  lines // of the layer, when it is decoded
	search *search
	barred map[int]bool // rules that the path rules out
	memo   map[lineAsked]bool
}

// around is what the path says of what stands below it: read when it is first
// asked for, since few texts hold anything.
func (j *judge) around() surroundings {
	a := &j.sc.path
	if !a.looked {
		a.around, a.looked = surroundingsOf(j.path), true
	}
	return a.around
}

// barredByPath reports whether a rule does not apply to the path.
func (j *judge) barredByPath(r *rule) bool {
	if j.any {
		return false
	}
	barred, known := j.barred[r.index]
	if !known {
		barred = j.sc.allowsPath(r.allows, j.path) ||
			r.where != nil && !j.pathMatches(r) || j.bars(r)
		if j.barred == nil {
			j.barred = map[int]bool{}
		}
		j.barred[r.index] = barred
	}
	return barred
}

// named reports whether the path may be one of those that some rules are for alone, which
// hardly any is.
func (j *judge) named() bool {
	return j.path == "" || j.places != nil && j.sc.matchesPattern(j.places, j.path)
}

// pathMatches lets an expression that matches the empty path match it.
func (j *judge) pathMatches(r *rule) bool {
	if j.path == "" {
		return r.where.regexp().MatchString("")
	}
	return j.sc.matchesPattern(r.where, j.path)
}

// inherited says that a rule runs because another requires it.
type inherited bool

// findings are the matches of a rule in the layer that pass.
func (j *judge) findings(r *rule, by inherited) []finding {
	if r.silent && !bool(by) || j.barredByPath(r) {
		return nil
	}
	if r.pattern == "" {
		if r.where == nil || j.layer.depth > 0 {
			return nil
		}
		return []finding{{rule: r}}
	}
	if r.table {
		return j.tabled(r)
	}
	var out []finding
	for _, m := range j.search.matches(r.index) {
		if f, ok := j.judge(r, extent{m[0], m[1]}, extent{}); ok {
			out = append(out, f)
		}
	}
	if bool(by) || len(r.companions) == 0 || len(out) == 0 {
		return out
	}
	j.sc.hangs.onMore()
	return j.accompanied(r, out)
}

// judge applies to one match what gitleaks does, in its order. The secret is where the
// rule says, unless it is known.
func (j *judge) judge(r *rule, m, known extent) (f finding, ok bool) {
	text := j.layer.text[m.start:m.end]
	f = finding{rule: r, depth: j.layer.depth, match: strings.Trim(text, "\n")}
	lead := 0
	if f.match != "" {
		lead = strings.Index(text, f.match)
	}
	var segments []segment
	if f.depth > 0 {
		if segments = j.layer.touching(m); len(segments) == 0 {
			return f, false // found in an earlier layer
		}
		f.whole = j.layer.originalOf(segments, m)
		for _, s := range segments {
			f.kinds |= s.kinds
		}
	} else {
		// gitleaks counts from before the newlines that it takes off.
		f.whole = extent{m.start, m.start + len(f.match)}
	}
	var group extent
	if known == group {
		group = f.setSecret()
	} else {
		group = extent{known.start - m.start - lead, known.end - m.start - lead}
		f.secret = f.match[group.start:group.end]
	}
	if r.entropy != 0 {
		if f.entropy = entropy(f.secret); f.entropy <= r.entropy {
			return f, false
		}
	}
	if !j.counts(&f, group) {
		return f, false
	}
	// Only now, since most matches count for nothing, and lines cost more.
	f.at = j.lines.position(f.whole)
	if !f.at.text.within(len(j.raw)) || !j.options.Marked && j.lines.allowed(f.at.text) {
		j.sc.hangs.onAll()
		return f, false
	}
	f.entropy = entropy(f.secret)
	if j.allows(j.allowlists, &f, segments) || j.allows(r.allows, &f, segments) {
		return f, false
	}
	if f.depth > 0 { // the layer's memory is used again
		f.match = strings.Clone(f.match)
		f.secret = f.match[group.start:group.end]
	}
	j.place(&f, extent{m.start + lead + group.start, m.start + lead + group.end}, lead)
	return f, true
}

// setSecret picks the secret out of the match, as gitleaks does: from the
// match alone, which may be told apart less well than in its surroundings.
func (f *finding) setSecret() extent {
	all := extent{0, len(f.match)}
	f.secret = f.match
	if f.rule.locate != nil {
		if e, ok := f.rule.locate(f.match); ok {
			f.secret = f.match[e.start:e.end]
			return e
		}
	}
	re := f.rule.begun()
	if re.NumSubexp() == 0 {
		return all
	}
	at := re.FindStringSubmatchIndex(f.match) // far cheaper, and nearly always there
	if at == nil {
		at = f.rule.regexp().FindStringSubmatchIndex(f.match)
	}
	for g := 1; 2*g < len(at); g++ {
		if f.rule.secretGroup > 0 && g != f.rule.secretGroup {
			continue
		}
		e := extent{max(at[2*g], 0), max(at[2*g+1], 0)}
		if e.end > e.start || f.rule.secretGroup > 0 {
			f.secret = f.match[e.start:e.end]
			return e
		}
	}
	return all
}

// place finds where the secret stands in the content. In a decoded text that
// is the encoded stretch it came from.
func (j *judge) place(f *finding, secret extent, lead int) {
	if f.depth == 0 {
		f.whole = extent{f.whole.start + lead, f.whole.end + lead}
		f.span = secret
		return
	}
	f.whole.start = min(max(f.whole.start, 0), len(j.raw))
	f.whole.end = max(f.whole.start, min(f.whole.end, len(j.raw)))
	// Shrunk by one on both sides: a segment that is only touched holds none of it.
	inner := j.layer.touching(extent{min(secret.start+1, secret.end), max(secret.end-1, secret.start)})
	if len(inner) == 0 {
		f.span = f.whole
		if i := strings.Index(j.raw[f.whole.start:f.whole.end], f.secret); i >= 0 && f.secret != "" {
			f.span = extent{f.whole.start + i, f.whole.start + i + len(f.secret)}
		}
		return
	}
	f.span = j.layer.originalOf(inner, secret)
	if !f.span.within(len(j.raw)) || f.span.start == f.span.end {
		f.span = f.whole
	}
	f.whole = cover(f.whole, f.span)
}

// entropy is Shannon's, in bits a character but by the length in bytes, as
// gitleaks reckons it.
func entropy(text string) float64 {
	if text == "" {
		return 0
	}
	counts := map[rune]int{}
	var ascii [128]int
	for _, r := range text {
		if r < 128 {
			ascii[r]++
		} else {
			counts[r]++
		}
	}
	var sum float64
	per := 1 / float64(len(text))
	add := func(n int) {
		if n > 0 {
			share := float64(n) * per
			sum -= share * math.Log2(share)
		}
	}
	for _, n := range ascii {
		add(n)
	}
	for _, n := range counts {
		add(n)
	}
	return sum
}

// tags are the rule's and what gitleaks says of the decoding.
func (f *finding) tags() []string {
	tags := slices.Clone(f.rule.tags)
	if f.depth > 0 {
		for _, name := range f.kinds.names() {
			tags = append(tags, "decoded:"+name)
		}
		tags = append(tags, fmt.Sprintf("decode-depth:%d", f.depth))
	}
	return tags
}

// layers runs through the content and what it decodes to.
func (j *judge) layers(ctx context.Context) []finding {
	var out []finding
	j.sc.layerRoom = layer{text: j.raw}
	for j.layer = &j.sc.layerRoom; j.layer != nil; j.layer = j.layer.decode(j.alphabets, j.sc) {
		j.above = lines{text: j.layer.text}
		search, err := j.searched(ctx)
		if err != nil {
			return out
		}
		j.search = search
		if j.layer.depth == 0 {
			out = j.appendWhole(out)
		}
		for _, i := range search.suspected() {
			if ctx.Err() != nil {
				return out
			}
			if r := j.rules[i]; !j.barredByPath(r) && len(search.matches(i)) > 0 {
				if !j.keyworded(r) {
					j.sc.hangs.onMore()
					continue
				}
				out = append(out, j.findings(r, false)...)
			}
		}
		j.sc.hangs.leave(j.layer)
		if j.layer.depth == j.depth {
			break
		}
	}
	return out
}

// appendWhole appends what is said of a content as a whole: by its path, and as a
// key store by its bytes, which know better.
func (j *judge) appendWhole(out []finding) []finding {
	f, found, store := j.keystore()
	if found {
		out = append(out, f)
	}
	if j.decoded || j.any { // nobody asks for what stands in a path that is not known
		return out
	}
	for _, r := range j.pathRules {
		if j.keyworded(r) && !(store && r.own) {
			out = append(out, j.findings(r, false)...)
		}
	}
	return out
}

// searched is the layer's search.
func (j *judge) searched(ctx context.Context) (*search, error) {
	if j.layer.depth == 0 {
		return j.newSearch(ctx, j.sc, j.raw)
	}
	s, err := j.newSearchAbove(ctx, j.sc, j.layer, j.search)
	j.layer.below.text = "" // nobody reads it any more, and it may be long
	return s, err
}

// keyworded reports whether one of the rule's keywords stands in the layer,
// most often in the match itself.
func (j *judge) keyworded(r *rule) bool {
	if r.pattern != "" {
		for _, m := range j.search.matches(r.index)[:1] {
			low := strings.ToLower(j.layer.text[m[0]:min(m[1], m[0]+lowered)])
			for _, k := range j.keywords[r.index] {
				if strings.Contains(low, k) {
					return true
				}
			}
		}
	}
	return j.search.hasKeyword(r.index)
}
