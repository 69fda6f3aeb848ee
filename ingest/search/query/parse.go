package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a query.
const (
	maxQuery = 4096 // characters
	maxParts = 64   // words and conditions
	maxDepth = 16   // parentheses and minus signs inside each other
)

// Parse reads a query. An empty one selects everything. Every error is an *Error.
func Parse(text string) (Query, error) {
	p := parser{text: []rune(text)}
	for i, r := range p.text {
		if r == utf8.RuneError || r == wildcard || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return Query{}, p.problem(i, "this character is no text")
		}
	}
	if len(p.text) > maxQuery {
		return Query{}, p.problem(maxQuery, "a query has at most 4,096 characters")
	}
	p.space()
	if p.end() {
		return Query{}, nil
	}
	n, err := p.or(0)
	if err != nil {
		return Query{}, err
	}
	if !p.end() {
		return Query{}, p.problem(p.at, "no parenthesis is open here; put text that has one into quotes")
	}
	return Query{root: n}, nil
}

type parser struct {
	text  []rune
	at    int
	parts int
}

func (p *parser) problem(at int, what string) error { return &Error{Position: at + 1, Problem: what} }

func (p *parser) end() bool { return p.at >= len(p.text) }

// next is the character that is read next; 0: there is none.
func (p *parser) next() rune {
	if p.end() {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) space() {
	for !p.end() && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
}

// keyword reads a word that joins, standing alone.
func (p *parser) keyword(word string) bool {
	end := p.at + len(word)
	if end > len(p.text) || string(p.text[p.at:end]) != word || end < len(p.text) && !unicode.IsSpace(p.text[end]) && p.text[end] != '(' && p.text[end] != ')' {
		return false
	}
	p.at = end
	p.space()
	return true
}

// or reads up to the end, or up to a parenthesis that closes.
func (p *parser) or(depth int) (Node, error) {
	var out Or
	for {
		n, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		if or, is := n.(Or); is {
			out = append(out, or...)
		} else {
			out = append(out, n)
		}
		if !p.keyword("OR") {
			break
		}
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return out, nil
}

func (p *parser) and(depth int) (Node, error) {
	var out And
	for !p.end() && p.next() != ')' {
		if at := p.at; p.keyword("OR") {
			p.at = at
			break
		}
		if p.keyword("AND") {
			continue
		}
		if at := p.at; p.keyword("NOT") { // as a word, it would find what it is to leave out
			return nil, p.problem(at, "a minus sign leaves out, as in -owner:payments; the word NOT is written in quotes")
		}
		n, err := p.part(depth)
		if err != nil {
			return nil, err
		}
		if and, is := n.(And); is {
			out = append(out, and...)
		} else {
			out = append(out, n)
		}
		p.space()
	}
	switch len(out) {
	case 0:
		return nil, p.problem(p.at, "a word or condition is missing here; a word such as OR is written in quotes")
	case 1:
		return out[0], nil
	}
	return out, nil
}

func (p *parser) part(depth int) (Node, error) {
	if depth == maxDepth {
		return nil, p.problem(p.at, "parentheses and minus signs are too deep in each other")
	}
	switch p.next() {
	case '-':
		p.at++
		if p.end() || unicode.IsSpace(p.next()) || p.next() == ')' {
			return nil, p.problem(p.at-1, "a minus sign goes right before what is left out, as in -owner:payments")
		}
		n, err := p.part(depth + 1)
		return Not{n}, err
	case '(':
		open := p.at
		p.at++
		p.space()
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.next() != ')' {
			return nil, p.problem(open, "this parenthesis is not closed; put text that has one into quotes")
		}
		p.at++
		return n, nil
	}
	if p.parts++; p.parts > maxParts {
		return nil, p.problem(p.at, "a query has at most 64 words and conditions")
	}
	if field, op, is, err := p.field(); is || err != nil {
		if err != nil {
			return nil, err
		}
		return p.condition(field, op)
	}
	at := p.at
	typed, err := p.pattern(false)
	if err != nil {
		return nil, err
	}
	return p.words(at, "", typed)
}

// field reads a field's name with what follows it: a colon, < or >. It reads
// nothing where a word stands.
func (p *parser) field() (field Field, op rune, is bool, err error) {
	i := p.at
	for i < len(p.text) && (unicode.IsLetter(p.text[i]) || p.text[i] == '_' || i > p.at && unicode.IsNumber(p.text[i])) {
		i++
	}
	if i == p.at || i == len(p.text) || !strings.ContainsRune(":<>", p.text[i]) {
		return "", 0, false, nil
	}
	name, op := strings.ToLower(string(p.text[p.at:i])), p.text[i]
	for _, f := range Fields() {
		if string(f) != name {
			continue
		}
		p.at = i + 1
		if op == ':' && (p.next() == '<' || p.next() == '>') {
			op = p.next()
			p.at++
		}
		return f, op, true, nil
	}
	return "", 0, false, p.problem(p.at, "there is no such field; the fields are "+strings.Join(wordsOf(Fields()), ", ")+". Put text that has a colon, < or > into quotes")
}

// pattern reads a value: characters and quoted parts, with wildcards between them.
// A list ends each at a comma.
func (p *parser) pattern(list bool) (Pattern, error) {
	var out []rune
	for !p.end() {
		switch r := p.next(); {
		case unicode.IsSpace(r), r == '(', r == ')', r == ',' && list:
			return Pattern(out), nil
		case r == '*':
			p.at++
			if len(out) == 0 || out[len(out)-1] != wildcard {
				out = append(out, wildcard)
			}
		case r == '"':
			part, err := p.quoted()
			if err != nil {
				return "", err
			}
			out = append(out, part...)
		default:
			p.at++
			out = append(out, r)
		}
	}
	return Pattern(out), nil
}

func (p *parser) quoted() ([]rune, error) {
	open := p.at
	var out []rune
	for p.at++; !p.end(); p.at++ {
		switch r := p.next(); {
		case r == '"':
			p.at++
			return out, nil
		case r == '\\' && p.at+1 < len(p.text):
			p.at++
			out = append(out, p.next())
		default:
			out = append(out, r)
		}
	}
	return nil, p.problem(open, `these quotes are not closed; inside them, \" is a quote`)
}

// special: characters that mean something where a value stands, so that it is
// written in quotes.
func special(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune(`"\(),*`, r)
}
