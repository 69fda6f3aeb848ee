package rules

import (
	"context"
	"index/suffixarray"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// engine finds what gitleaks' detect package finds. Safe for concurrent use.
type engine struct {
	*finder
	rules      []*rule
	pathRules  []*rule  // on the path alone
	placed     []*rule  // those, and those that are asked nowhere else
	places     *pattern // of paths: any of theirs; nil for none
	stores     *rule    // of key stores, which is asked of whole contents too; nil: none
	allowlists []*allowlist
	alphabets  *alphabets
	options    Options
	depth      int            // of decoding
	joined     func() *engine // see newJoined; made when it is first needed

	mu   sync.Mutex
	free []*scratch
}

func newEngine(set ruleset, o Options, depth int) *engine {
	e := &engine{
		allowlists: newAllowlists(set.allowlists),
		alphabets:  newAlphabets(),
		options:    o,
		depth:      depth,
	}
	index := map[string]int{}
	for i := range set.rules {
		index[set.rules[i].id] = i
	}
	for i := range set.rules {
		r := newRule(i, &set.rules[i], index)
		e.rules = append(e.rules, r)
		if r.own && r.id == "revenant-keystore" {
			e.stores = r
		}
		if r.pattern == "" {
			e.pathRules = append(e.pathRules, r)
		}
		if r.pattern == "" || r.placed {
			e.placed = append(e.placed, r)
		}
	}
	var places []string
	for _, r := range e.placed {
		places = append(places, "(?:"+r.path+")")
	}
	e.places = newPattern(places)
	e.finder = newFinder(e.rules)
	e.joined = sync.OnceValue(func() *engine { return newJoined(e) })
	return e
}

// placedRules look for what is common elsewhere, in files of some names alone.
var placedRules = []string{
	"revenant-pgpass", "revenant-ppp-secret", "revenant-pgbouncer-user", "revenant-svnserve-user", "revenant-erlang-cookie",
	"revenant-login-file", "revenant-account-list",
}

func newRule(i int, d *definition, index map[string]int) *rule {
	out := &rule{
		definition: d,
		index:      i,
		generic:    strings.Contains(strings.ToLower(d.id), "generic"),
		loose:      strings.HasPrefix(d.pattern, looseStart),
		allows:     newAllowlists(d.allowlists),
		regexp:     sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(d.pattern) }),
		begun:      sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\A(?:` + unbound(d.pattern) + `)`) }),
	}
	if d.own {
		out.assess = assessOf(d.id)
		out.locate = locateOf(d)
		out.table = d.id == "revenant-password-table" && unchanged(d)
	}
	if d.path != "" {
		out.where = newPattern([]string{d.path})
		out.placed = d.own && slices.Contains(placedRules, d.id) && unchanged(d)
	}
	for _, q := range d.required {
		if at, has := index[q.id]; has {
			out.companions = append(out.companions, companion{requirement: q, index: at})
		}
	}
	return out
}

// unbound is an expression that finds the groups that a pattern does where it begins: a
// loose one without the bound of what it begins with. That is as little as it can be, and no
// more stands in a match. Package regexp runs short programs several times as fast.
func unbound(pattern string) string {
	if rest, loose := strings.CutPrefix(pattern, looseStart); loose {
		return `(?i)[\w.-]*?(?:` + rest
	}
	return pattern
}

// where is the path of a content, or that it is not known.
type where struct {
	path string
	any  bool // conditions on the path let everything through
	// decoded texts are no content of their own: rules on the path alone are not asked.
	decoded bool
	begins  bool // the text is the content's beginning
}

// detect is everything found in one content; h, unless it is nil, learns what
// that hangs on.
func (e *engine) detect(ctx context.Context, raw string, at where, h *hanging) []finding {
	sc := e.take()
	defer e.give(sc)
	sc.hangs = h
	if at.path != "" && at.path == e.options.Path || e.allowsAll(sc, at.path) {
		return nil
	}
	j := &sc.judgeRoom
	*j = judge{
		engine: e,
		sc:     sc,
		raw:    raw,
		where:  at,
		lines:  lines{text: raw},
	}
	sc.judge = j
	return yielded(j.layers(ctx))
}

func (e *engine) take() *scratch {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.free); n > 0 {
		sc := e.free[n-1]
		e.free = e.free[:n-1]
		return sc
	}
	return e.newScratch()
}

func (e *engine) give(sc *scratch) {
	sc.hangs, sc.judge = nil, nil
	sc.judgeRoom, sc.layerRoom = judge{}, layer{}
	sc.trim()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.free = append(e.free, sc)
}

// crowd is how many secrets of one line are compared one by one.
const crowd = 16

// withoutGeneric leaves out what generic rules found where another rule found
// the same secret on the same line.
func withoutGeneric(all []finding) []finding {
	if !slices.ContainsFunc(all, func(f finding) bool { return f.rule.generic }) {
		return all
	}
	better := map[int][]string{}
	for _, f := range all {
		if !f.rule.generic {
			better[f.at.line] = append(better[f.at.line], f.secret)
		}
	}
	indexes := map[int]*suffixarray.Index{}
	return slices.DeleteFunc(all, func(f finding) bool {
		if !f.rule.generic {
			return false
		}
		secrets := better[f.at.line]
		if len(secrets) > crowd && !strings.Contains(f.secret, "\n") && f.secret != "" {
			if indexes[f.at.line] == nil {
				indexes[f.at.line] = suffixarray.New([]byte(strings.Join(secrets, "\n")))
			}
			return len(indexes[f.at.line].Lookup([]byte(f.secret), 1)) > 0
		}
		return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(s, f.secret) })
	})
}
