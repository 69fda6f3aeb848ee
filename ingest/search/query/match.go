package query

import (
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// Contexts is of how many places of a finding the context is searched, and
// ContextBytes how much of each.
const (
	Contexts     = 8
	ContextBytes = 512
)

// Facts are what queries ask of a finding.
type Facts struct {
	ID      fingerprints.FindingID
	Aliases []fingerprints.FindingID
	Path    string
	// Texts are what words are looked for in, beside the path: owners, rules,
	// secrets, the source, contexts.
	Texts  []string
	Values map[Field][]string
	Times  [3]time.Time // by Moment; zero: it has none
}

// FactsOf gathers the facts of a finding with its first places, of which Contexts
// are needed.
func FactsOf(d registry.FindingDetail) Facts {
	f := Facts{ID: d.ID, Aliases: d.Aliases, Path: d.Path, Values: map[Field][]string{
		FieldVerdict: {string(d.Verdict)}, FieldSeverity: {string(d.Severity)}, FieldStatus: {string(d.Status)}, FieldPresence: {string(d.Presence)},
		FieldSource: {d.Source}, FieldKind: {kindOf(d.Source)}, FieldRule: d.Rules, FieldForm: wordsOf(d.Forms),
	}}
	f.Times = [3]time.Time{First: d.FirstSeen, Last: d.LastSeen}
	if d.Due != nil {
		f.Times[Due] = *d.Due
	}
	f.add(FieldOwner, d.Owner)
	for _, m := range d.Matches {
		ref := fingerprints.VersionRef{Name: m.Secret, Number: m.Version}
		f.add(FieldSecret, m.Secret)
		f.add(FieldSecret, ref.String())
		f.add(FieldClass, string(m.Class))
		f.add(FieldOwner, m.Owner)
		f.Texts = append(f.Texts, ref.String()+" "+m.Field)
	}
	f.Texts = append(f.Texts, f.Values[FieldOwner]...)
	f.Texts = append(f.Texts, d.Rules...)
	f.Texts = append(f.Texts, d.Source)
	for _, s := range d.Sightings[:min(len(d.Sightings), Contexts)] {
		if text := s.Context[:min(len(s.Context), ContextBytes)]; text != "" && !slices.Contains(f.Texts, text) {
			f.Texts = append(f.Texts, text)
		}
	}
	return f
}

// add adds a value that is not empty, once.
func (f *Facts) add(field Field, value string) {
	if value != "" && !slices.Contains(f.Values[field], value) {
		f.Values[field] = append(f.Values[field], value)
	}
}

// Match reports whether a query selects a finding, at a time.
func (q Query) Match(f Facts, now time.Time) bool {
	return q.root == nil || matches(q.root, &f, now)
}

func matches(n Node, f *Facts, now time.Time) bool {
	switch n := n.(type) {
	case And:
		return !slices.ContainsFunc(n, func(p Node) bool { return !matches(p, f, now) })
	case Or:
		return slices.ContainsFunc(n, func(p Node) bool { return matches(p, f, now) })
	case Not:
		return !matches(n.Node, f, now)
	case Text:
		return n.in(f.Path) || n.Field == "" && slices.ContainsFunc(f.Texts, n.in)
	case In:
		return slices.ContainsFunc(n.Values, func(p Pattern) bool { return f.has(n.Field, p, now) })
	case Time:
		which, bound, before := n.Bound(now)
		t := f.Times[which]
		return !t.IsZero() && t.Before(bound) == before
	}
	return false
}

// in reports whether the words stand in a text, one behind the other.
func (t Text) in(text string) bool {
	tokens := Tokens(text)
	return slices.ContainsFunc(tokens, func(at Token) bool {
		for i, want := range t.Tokens {
			if !slices.ContainsFunc(tokens, func(have Token) bool { return have.Place == at.Place+i && want.Match(have.Text) }) {
				return false
			}
		}
		return true
	})
}

func (f *Facts) has(field Field, p Pattern, now time.Time) bool {
	switch field { //nolint:exhaustive // the others have values
	case FieldID:
		return slices.ContainsFunc(append([]fingerprints.FindingID{f.ID}, f.Aliases...), func(id fingerprints.FindingID) bool { return p.Match(string(id)) })
	case FieldHas, FieldNo:
		word, _ := p.Exact()
		has := len(f.Values[Field(word)]) > 0 || Field(word) == FieldDue && !f.Times[Due].IsZero()
		return has == (field == FieldHas)
	case FieldIs:
		word, _ := p.Exact()
		return matches(Is(word), f, now)
	}
	return slices.ContainsFunc(f.Values[field], p.Match)
}

// Is is what is:WORD stands for.
func Is(word string) Node {
	one := func(f Field, values ...string) Node {
		in := In{Field: f}
		for _, v := range values {
			in.Values = append(in.Values, Literal(v))
		}
		return in
	}
	switch word {
	case "open":
		return one(FieldStatus, string(fingerprints.StatusOpen))
	case "accepted":
		return one(FieldStatus, string(fingerprints.StatusAccepted))
	case "dismissed":
		return one(FieldStatus, string(fingerprints.StatusFalsePositive))
	case "registered":
		return one(FieldHas, string(FieldSecret))
	case "unregistered":
		return one(FieldNo, string(FieldSecret))
	case "late":
		return Time{Field: FieldDue, Less: true}
	}
	var list []string
	for _, p := range fingerprints.Presences() {
		if word == "live" && p.Live() || word == "present" && p.Present() {
			list = append(list, string(p))
		}
	}
	return one(FieldPresence, list...)
}
