package web

import (
	"slices"

	"revenant/ingest/search/query"
)

// parts are the conditions that a query joins by and.
func parts(q query.Query) []query.Node {
	switch root := q.Root().(type) {
	case nil:
		return nil
	case query.And:
		return slices.Clone(root)
	default:
		return []query.Node{root}
	}
}

// joined is the query of conditions that all hold.
func joined(list []query.Node) query.Query {
	switch len(list) {
	case 0:
		return query.Query{}
	case 1:
		return query.Of(list[0])
	}
	return query.Of(query.And(list))
}

// chosen are the values of a field that a query names on its own: what the box of a
// facet is ticked by.
func chosen(q query.Query, f query.Field) []string {
	for _, n := range parts(q) {
		if in, is := n.(query.In); is && in.Field == f {
			var out []string
			for _, v := range in.Values {
				if text, exact := v.Exact(); exact {
					out = append(out, text)
				}
			}
			return out
		}
	}
	return nil
}

// without is the query without its condition on a field.
func without(q query.Query, f query.Field) query.Query {
	return joined(slices.DeleteFunc(parts(q), func(n query.Node) bool {
		in, is := n.(query.In)
		return is && in.Field == f
	}))
}

// toggled is the query with a value of a field chosen that was not, and the other
// way round. Several values of a field select what has one of them.
func toggled(q query.Query, f query.Field, value string) query.Query {
	list := parts(q)
	v := query.Literal(value)
	i := slices.IndexFunc(list, func(n query.Node) bool {
		in, is := n.(query.In)
		return is && in.Field == f
	})
	if i < 0 {
		return joined(append(list, query.In{Field: f, Values: []query.Pattern{v}}))
	}
	in, _ := list[i].(query.In)
	if !slices.Contains(in.Values, v) {
		in.Values = append(slices.Clone(in.Values), v)
		list[i] = in
		return joined(list)
	}
	if in.Values = slices.DeleteFunc(slices.Clone(in.Values), func(x query.Pattern) bool { return x == v }); len(in.Values) > 0 {
		list[i] = in
		return joined(list)
	}
	return joined(slices.Delete(list, i, i+1))
}
