package rules

import (
	"slices"
	"strings"

	"github.com/zricethezav/gitleaks/v8/config"
)

// ruleset is a configuration as data, with how its rules are looked for. That
// of gitleaks' default configuration is generated; others are derived when
// they are loaded. Immutable.
type ruleset struct {
	rules      []definition // in order
	allowlists []permit     // for all rules
}

// definition is what a rule says.
type definition struct {
	id, description string
	pattern         string // of the content; empty: the rule looks at paths alone
	path            string // pattern of the path; empty: any path
	secretGroup     int
	entropy         float64
	keywords        []string // in lower case
	tags            []string
	allowlists      []permit
	required        []requirement
	silent          bool // it is only there for rules that require it
	own             bool // it is one of this project's
	outline         outline
}

// permit is an allowlist.
type permit struct {
	all       bool // everything that it names must be there, not any
	commits   bool // it names commits
	paths     []string
	regexes   []string
	target    string // what the regexes are asked about: "", "match" or "line"
	stopWords []string
}

// requirement is another rule that must match near by.
type requirement struct {
	id             string
	lines, columns limit
}

// limit is a largest distance, if there is one.
type limit struct {
	most int
	set  bool
}

// newRuleset reduces gitleaks' configuration to data and derives the rest but
// for the patterns that are known.
func newRuleset(cfg config.Config, outlines map[string]outline) ruleset {
	set := ruleset{allowlists: newPermits(cfg.Allowlists)}
	known := map[string]bool{}
	for _, id := range cfg.OrderedRules {
		r, has := cfg.Rules[id]
		if known[id] || !has {
			continue
		}
		known[id] = true
		d := newDefinition(r)
		if o, has := outlines[d.pattern]; has {
			d.outline = o
		} else if d.pattern != "" {
			d.outline = newOutline(d.pattern)
		}
		set.rules = append(set.rules, d)
	}
	return set
}

func newDefinition(r config.Rule) definition {
	d := definition{
		id: r.RuleID, description: r.Description, secretGroup: r.SecretGroup, entropy: r.Entropy,
		keywords: loweredAll(r.Keywords), tags: slices.Clone(r.Tags), allowlists: newPermits(r.Allowlists), silent: r.SkipReport,
	}
	if r.Regex != nil {
		d.pattern = r.Regex.String()
	}
	if r.Path != nil {
		d.path = r.Path.String()
	}
	for _, q := range r.RequiredRules {
		d.required = append(d.required, requirement{q.RuleID, newLimit(q.WithinLines), newLimit(q.WithinColumns)})
	}
	return d
}

func newLimit(n *int) limit {
	if n == nil {
		return limit{}
	}
	return limit{*n, true}
}

func newPermits(list []*config.Allowlist) []permit {
	var out []permit
	for _, a := range list {
		if a == nil {
			continue
		}
		p := permit{
			all: a.MatchCondition == config.AllowlistMatchAnd, commits: len(a.Commits) > 0,
			target: a.RegexTarget, stopWords: loweredAll(a.StopWords),
		}
		slices.Sort(p.stopWords) // gitleaks leaves them in no order
		for _, re := range a.Paths {
			p.paths = append(p.paths, re.String())
		}
		for _, re := range a.Regexes {
			p.regexes = append(p.regexes, re.String())
		}
		out = append(out, p)
	}
	return out
}

func loweredAll(words []string) []string {
	var low []string
	for _, w := range words {
		low = append(low, strings.ToLower(w))
	}
	return low
}
