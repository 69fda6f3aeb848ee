package query

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition reads what stands behind a field.
func (p *parser) condition(f Field, op rune) (Node, error) {
	at := p.at
	compared := slices.Contains(Times(), f)
	switch {
	case op != ':' && !compared:
		return nil, p.problem(at-1, "a colon goes here; < and > go with "+strings.Join(wordsOf(Times()), ", "))
	case op == ':' && compared && !f.days():
		return nil, p.problem(at-1, "say which side, as in "+string(f)+">30d or "+string(f)+"<12h")
	case compared:
		return p.time(f, op)
	case f == FieldPath:
		typed, err := p.pattern(false)
		if err != nil {
			return nil, err
		}
		return p.words(at, f, typed)
	}
	out := In{Field: f}
	for {
		at := p.at
		v, err := p.pattern(true)
		if err == nil {
			v, err = p.value(at, f, v)
		}
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, v)
		if p.next() != ',' {
			return out, nil
		}
		p.at++
	}
}

// words makes a condition on text.
func (p *parser) words(at int, f Field, typed Pattern) (Node, error) {
	out := Text{Field: f, Typed: typed}
	for _, run := range runs(string(typed)) {
		for _, part := range camel(run) {
			out.Tokens = append(out.Tokens, Pattern(folded(part)))
		}
	}
	if len(out.Tokens) == 0 {
		return nil, p.problem(at, "a word has a letter or a digit; the language is in `revenant search --help`")
	}
	for _, t := range out.Tokens {
		if t.Prefix() == "" {
			return nil, p.problem(at, "a word may end with *, as in deploy*; it cannot begin with it")
		}
	}
	return out, nil
}

// value checks one value of a field, and brings it into its usual form.
func (p *parser) value(at int, f Field, v Pattern) (Pattern, error) {
	text, exact := v.Exact()
	if words := f.Words(); words != nil {
		if word := strings.ToLower(text); exact && slices.Contains(words, word) {
			return Literal(word), nil
		}
		return "", p.problem(at, string(f)+" is one of "+strings.Join(words, ", ")+"; several go with commas and without spaces")
	}
	if f == FieldID {
		return p.id(at, v)
	}
	if v == "" {
		return "", p.problem(at, "a value is missing, as in "+example(f))
	}
	return v, nil
}

func example(f Field) string {
	switch f {
	case FieldSource:
		return "source:git:github.com/acme/shop or source:*shop*"
	case FieldRule:
		return "rule:aws-access-token or rule:aws-*"
	case FieldSecret:
		return "secret:billing/db-password, secret:billing/* or secret:billing/db-password@3"
	case FieldForm:
		return "form:base64 or form:*hex*"
	default:
		return "owner:payments or owner:team-*"
	}
}

// id accepts the beginning of a finding's id, as everywhere.
func (p *parser) id(at int, v Pattern) (Pattern, error) {
	const prefix, digits = "rv1:", 32
	text, _ := strings.CutSuffix(string(v), string(wildcard))
	text = strings.TrimPrefix(strings.ToLower(text), prefix)
	if len(text) < 4 || len(text) > digits || strings.Trim(text, "0123456789abcdef") != "" {
		return "", p.problem(at, "an id is at least four of a finding's hex digits, as in id:3f2a9c")
	}
	out := Pattern(prefix + text)
	if len(text) < digits {
		out += Pattern(wildcard)
	}
	return out, nil
}

// maxAgo bounds durations.
const maxAgo = 36500 * day

// time reads what a time is compared with.
func (p *parser) time(f Field, op rune) (Node, error) {
	at := p.at
	v, err := p.pattern(false)
	if err != nil {
		return nil, err
	}
	text, _ := v.Exact()
	out := Time{Field: f, Less: op == '<'}
	if ago, is := durationOf(text); is && f.hours() && op != ':' {
		out.Ago = ago
		return out, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil && f.days() && t.Year() >= 1970 {
		out.Day = t
		if op == ':' {
			next := out
			next.Less, next.Day = true, t.AddDate(0, 0, 1)
			if next.Day.Year() > 9999 { // there is no day behind it
				return out, nil
			}
			return And{out, next}, nil
		}
		return out, nil
	}
	switch {
	case f.hours() && f.days():
		return nil, p.problem(at, "write how long until then, or a day, as in due<3d or due>2026-01-31")
	case f.days():
		return nil, p.problem(at, "write a day, as in "+string(f)+">2026-01-31")
	}
	return nil, p.problem(at, "write how long ago, in hours, days, weeks or years, as in "+string(f)+">12h, "+string(f)+">30d, "+string(f)+"<2w, "+string(f)+">1y")
}

func durationOf(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	units := map[byte]time.Duration{'h': time.Hour, 'd': day, 'w': 7 * day, 'y': 365 * day}
	unit, is := units[text[len(text)-1]|0x20]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if err != nil || !is || n > uint64(maxAgo/unit) || strings.HasPrefix(text, "+") {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
