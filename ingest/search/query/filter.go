package query

import (
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Filter is the part of the query that the store can answer: it selects at least
// what the query does. Whole reports that it selects nothing else.
func (q Query) Filter() (filter store.FindingFilter, whole bool) {
	parts, is := q.root.(And)
	if !is && q.root != nil {
		parts = And{q.root}
	}
	whole = true
	for _, n := range parts {
		if in, is := n.(In); is && into(&filter, in) {
			continue
		}
		whole = false
	}
	return filter, whole
}

// Texts reports whether words are looked for in more than the path, so that the
// contexts of a finding's places count.
func (q Query) Texts() bool { return q.root != nil && texts(q.root) }

func texts(n Node) bool {
	switch n := n.(type) {
	case And:
		return slices.ContainsFunc(n, texts)
	case Or:
		return slices.ContainsFunc(n, texts)
	case Not:
		return texts(n.Node)
	case Text:
		return n.Field == ""
	}
	return false
}

// into adds a condition to a filter that has none on this field yet.
func into(f *store.FindingFilter, c In) bool {
	if word, exact := c.Values[0].Exact(); exact && c.Field == FieldIs && len(c.Values) == 1 {
		in, is := Is(word).(In)
		return is && in.Field != FieldIs && into(f, in)
	}
	var values []string
	for _, v := range c.Values {
		text, exact := v.Exact()
		if !exact {
			return false
		}
		values = append(values, text)
	}
	return words(&f.Verdicts, c.Field == FieldVerdict, values) || words(&f.Statuses, c.Field == FieldStatus, values) ||
		words(&f.Presences, c.Field == FieldPresence, values) || len(values) == 1 && single(f, c.Field, values[0])
}

func words[W ~string](dst *[]W, is bool, values []string) bool {
	if !is || *dst != nil {
		return false
	}
	for _, v := range values {
		*dst = append(*dst, W(v))
	}
	return true
}

func single(f *store.FindingFilter, field Field, value string) bool {
	switch {
	case field == FieldSource && f.SourceID == "":
		f.SourceID = value
	case field == FieldRule && f.Rule == "" && !strings.Contains(value, "\n"):
		f.Rule = value
	case field == FieldSecret && f.Secret == "":
		ref, err := fingerprints.ParseRef(value)
		if err != nil || ref.String() != value {
			return false
		}
		f.Secret, f.Version = ref.Name, ref.Number
	default:
		return false
	}
	return true
}
