package search

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/search/query"
)

// Suggest completes the word that ends a query: fields, their words, and values
// that findings have. Each suggestion is what the word becomes; a field ends with
// its colon.
func (x *Index) Suggest(ctx context.Context, a registry.Actor, text string, limit int) ([]string, error) {
	if !a.May(registry.ScopeRead) {
		return nil, fmt.Errorf("suggesting: %w", registry.ErrForbidden)
	}
	begun := text[lastBreak(text):]
	sign := begun[:len(begun)-len(strings.TrimLeft(begun, "-("))]
	begun = begun[len(sign):]
	name, value, has := strings.Cut(begun, ":")
	field := query.Field(strings.ToLower(name))
	var out []string
	if !has {
		for _, f := range query.Fields() {
			if end := suffixOf(f); strings.HasPrefix(string(f), strings.ToLower(begun)) && begun != "" {
				out = append(out, sign+string(f)+end)
			}
		}
		return out[:min(len(out), limit)], nil
	}
	if !slices.Contains(query.Fields(), field) {
		return nil, nil
	}
	head, last := "", value
	if i := strings.LastIndexByte(value, ','); i >= 0 {
		head, last = value[:i+1], value[i+1:]
	}
	values, err := x.values(ctx, a, field, strings.TrimPrefix(last, `"`), limit)
	for _, v := range values {
		one := query.Of(query.In{Field: field, Values: []query.Pattern{query.Literal(v)}}).String()
		_, written, _ := strings.Cut(one, ":")
		out = append(out, sign+name+":"+head+written)
	}
	return out, err
}

// suffixOf is what usually follows a field's name.
func suffixOf(f query.Field) string {
	if slices.Contains(query.Times(), f) {
		return ">"
	}
	return ":"
}

// lastBreak is where the last word of a query begins.
func lastBreak(text string) int {
	from, quoted := 0, false
	for i, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case unicode.IsSpace(r) && !quoted:
			from = i + len(string(r))
		}
	}
	return from
}

// values are those of a field that begin so.
func (x *Index) values(ctx context.Context, a registry.Actor, field query.Field, begun string, limit int) ([]string, error) {
	if words := field.Words(); words != nil {
		var out []string
		for _, w := range words {
			if strings.HasPrefix(w, strings.ToLower(begun)) {
				out = append(out, w)
			}
		}
		return out[:min(len(out), limit)], nil
	}
	switch field {
	case query.FieldSource, query.FieldOwner, query.FieldRule, query.FieldSecret, query.FieldForm:
	default:
		return nil, nil
	}
	if x.mode == Scans || len(a.Teams) > 0 || x.building() {
		return x.scannedValues(ctx, a, field, begun, limit)
	}
	return x.indexedValues(field, begun, limit)
}

func (x *Index) indexedValues(field query.Field, begun string, limit int) (out []string, err error) {
	defer caught(&err)
	v, err := x.view()
	if err != nil {
		return nil, err
	}
	defer v.close()
	for _, p := range v.parts {
		var mine []string
		err := p.eachTerm(string(field), begun, behindPrefix(begun), func(term string) (bool, error) {
			list, err := p.postings(string(field), term, nil)
			if err != nil {
				return false, err
			}
			if it, is := list.Iterator(false, false, false, nil).(lister); is && p.has(it) && !slices.Contains(out, term) {
				mine = append(mine, term)
			}
			return len(mine) < limit, nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, mine...)
	}
	slices.Sort(out)
	return out[:min(len(out), limit)], nil
}

// has reports whether a finding has what a list is of.
func (p *part) has(l lister) bool {
	if doc, one := l.DocNum1Hit(); one {
		return p.live.Contains(uint32(doc))
	}
	b := l.ActualBitmap()
	return b != nil && b.Intersects(p.live)
}

// scannedFindings is of how many findings values are suggested without an index.
const scannedFindings = 2000

func (x *Index) scannedValues(ctx context.Context, a registry.Actor, field query.Field, begun string, limit int) ([]string, error) {
	list, err := x.o.Registry.Findings(ctx, a, store.FindingFilter{Limit: scannedFindings})
	if err != nil {
		return nil, fmt.Errorf("suggesting: %w", err)
	}
	var out []string
	for _, f := range list {
		for _, v := range query.FactsOf(registry.FindingDetail{FindingView: f}).Values[field] {
			if strings.HasPrefix(v, begun) && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	slices.Sort(out)
	return out[:min(len(out), limit)], nil
}
