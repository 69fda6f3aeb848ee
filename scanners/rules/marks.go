package rules

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
)

// Mark names all that a rule says that findings depend on. Another pattern,
// entropy, keyword, allowlist or required rule makes another mark; another
// description or tag does not.
type Mark [16]byte

// judged counts the changes of what is decided in code about what patterns
// match: whether a value counts, and how it ranks. With another number every rule
// has another mark, and what was remembered of it is looked for anew.
const judged = 9

// Marks are the rules', in the configuration's order.
func (m *Matcher) Marks() []Mark {
	out := make([]Mark, len(m.engine.rules))
	for i, r := range m.engine.rules {
		out[i] = m.engine.mark(r, nil)
	}
	return out
}

// Permits are the marks of the allowlists for all rules, in order.
func (m *Matcher) Permits() []Mark {
	var out []Mark
	for _, a := range m.engine.allowlists {
		out = append(out, newMark("permit", a.permit.words()))
	}
	return out
}

// Only is a matcher of the rules with these marks, and of those that they
// require. It finds what m finds by them.
func (m *Matcher) Only(marks []Mark) *Matcher {
	e := m.engine
	wanted := make([]bool, len(e.rules))
	needed := make([]bool, len(e.rules))
	var need func(r *rule)
	need = func(r *rule) {
		if needed[r.index] {
			return
		}
		needed[r.index] = true
		for _, q := range r.companions {
			need(e.rules[q.index])
		}
	}
	for i, r := range e.rules {
		if wanted[i] = slices.Contains(marks, e.mark(r, nil)); wanted[i] {
			need(r)
		}
	}
	set := ruleset{}
	for _, a := range e.allowlists {
		set.allowlists = append(set.allowlists, a.permit)
	}
	for i, r := range e.rules {
		if needed[i] {
			d := *r.definition
			d.silent = d.silent || !wanted[i]
			set.rules = append(set.rules, d)
		}
	}
	return &Matcher{engine: newEngine(set, e.options, e.depth)}
}

// Named is Only of the rules with these ids; unknown are those that no rule has.
func (m *Matcher) Named(ids []string) (named *Matcher, unknown []string) {
	var marks []Mark
	for _, id := range ids {
		i := slices.IndexFunc(m.engine.rules, func(r *rule) bool { return r.id == id })
		if i < 0 {
			unknown = append(unknown, id)
			continue
		}
		marks = append(marks, m.engine.mark(m.engine.rules[i], nil))
	}
	return m.Only(marks), unknown
}

// mark is a rule's. above are the rules that require it: rules may require each
// other.
func (e *engine) mark(r *rule, above []int) Mark {
	var required []string
	for _, q := range r.companions {
		companion := Mark{}
		if !slices.Contains(above, q.index) && q.index != r.index {
			companion = e.mark(e.rules[q.index], append(above[:len(above):len(above)], r.index))
		}
		required = append(required, q.id, fmt.Sprint(q.lines, q.columns), string(companion[:]))
	}
	var allows []string
	for _, a := range r.definition.allowlists {
		allows = append(allows, a.words())
	}
	d := r.definition
	return newMark("rule", strconv.Itoa(judged), d.id, d.pattern, d.path, fmt.Sprint(d.secretGroup, d.entropy, d.silent, d.own), listed(d.keywords), listed(allows), listed(required))
}

// words says all of an allowlist.
func (p permit) words() string {
	return listed([]string{fmt.Sprint(p.all, p.commits), listed(p.paths), listed(p.regexes), p.target, listed(p.stopWords)})
}

// newMark is a hash of texts, each with its length.
func newMark(texts ...string) Mark {
	sum := sha256.Sum256([]byte(listed(texts)))
	return Mark(sum[:])
}

// listed are texts as one, which no other texts make.
func listed(texts []string) string {
	var b []byte
	for _, t := range texts {
		b = append(strconv.AppendInt(b, int64(len(t)), 10), ':')
		b = append(b, t...)
	}
	return string(b)
}
