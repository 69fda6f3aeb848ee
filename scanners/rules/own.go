package rules

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"

	"github.com/zricethezav/gitleaks/v8/config"
)

// Own says which of this project's rules are looked for beside those of the
// configuration. The zero value is none.
type Own int

// Which rules of this project's are looked for.
const (
	OwnOff  Own = iota // the configuration's rules alone
	OwnOn              // ours too
	OwnWide            // also weak values in tests, examples and documentation
)

// ownTOML are this project's rules, in gitleaks' form.
//
//go:embed revenant.toml
var ownTOML []byte

// withOwn joins this project's rules to a configuration, as if it extended
// them: it can change or disable them and aim allowlists at them, and its
// allowlists for all rules hold for them.
func withOwn(vc config.ViperConfig, disabled []string) (config.ViperConfig, error) {
	own, err := parse(ownTOML)
	if err != nil {
		return vc, fmt.Errorf("the rules of this program: %w", err)
	}
	return merged(vc, own, disabled), nil
}

// ownLast marks this project's rules and puts them behind the others, in the
// order in which they yield to each other.
func ownLast(set ruleset) ruleset {
	rank := map[string]int{}
	for i, d := range generatedOwn.rules {
		rank[d.id] = i + 1
	}
	set.rules = slices.Clone(set.rules)
	for i := range set.rules {
		set.rules[i].own = rank[set.rules[i].id] > 0
	}
	slices.SortStableFunc(set.rules, func(a, b definition) int { return cmp.Compare(rank[a.id], rank[b.id]) })
	return set
}

// yielded leaves out what ours found where the configuration's rules found
// something, or an earlier one of ours. Where all is nothing of theirs is left
// out, and something of ours stays if there was any.
func yielded(all []finding) []finding {
	first := slices.IndexFunc(all, func(f finding) bool { return f.rule.own })
	if first < 0 {
		return withoutGeneric(all)
	}
	var theirs, ours []finding
	for _, f := range all {
		if f.rule.own {
			ours = append(ours, f)
		} else {
			theirs = append(theirs, f)
		}
	}
	theirs = withoutGeneric(theirs)
	taken := newCovers(theirs)
	slices.SortStableFunc(ours, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.span.start, b.span.start), cmp.Compare(a.rule.index, b.rule.index))
	})
	kept := theirs
	for _, f := range ours {
		last := len(kept) - 1
		switch {
		case f.rule.pattern != "" && taken.overlap(f.span):
		case f.rule.pattern == "" || last < len(theirs) || !kept[last].span.overlaps(f.span):
			kept = append(kept, f)
		case f.rule.index < kept[last].rule.index:
			kept[last] = f
		}
	}
	return kept
}

func (e extent) overlaps(o extent) bool { return e.start < o.end && o.start < e.end }

// covers answers whether ranges overlap any of some.
type covers struct {
	starts []int // sorted
	ends   []int // the largest end of those that start there or before
}

func newCovers(list []finding) covers {
	spans := make([]extent, 0, len(list))
	for _, f := range list {
		if f.rule.pattern != "" {
			spans = append(spans, f.span)
		}
	}
	slices.SortFunc(spans, func(a, b extent) int { return cmp.Compare(a.start, b.start) })
	var c covers
	most := 0
	for _, s := range spans {
		most = max(most, s.end)
		c.starts, c.ends = append(c.starts, s.start), append(c.ends, most)
	}
	return c
}

func (c covers) overlap(e extent) bool {
	n, _ := slices.BinarySearch(c.starts, e.end)
	return n > 0 && c.ends[n-1] > e.start
}

// bars reports whether a rule is one of ours that is not asked of the path.
func (j *judge) bars(r *rule) bool {
	return r.own && (j.around().made || j.around().words && wordy(r.id))
}

// counts grades a match. Weak values in tests, examples and documentation do
// not count unless asked for; as long as the path is not known they do.
func (j *judge) counts(f *finding, secret extent) bool {
	g := strongSecret
	if f.rule.assess != nil {
		g = f.rule.assess(candidate{match: f.match, secret: secret})
	}
	if g == noSecret || g == weakSecret && !j.any && j.options.Own != OwnWide && j.around().example {
		return false
	}
	if f.rule.own {
		f.low = g == weakSecret || j.around().example || j.around().vendored
	} else {
		f.low = j.idle(f)
	}
	return true
}
