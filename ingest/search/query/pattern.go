package query

import "strings"

// wildcard stands in a pattern for any characters, or none. Queries cannot have
// the character itself.
const wildcard = '\uE000'

// Pattern is a value as it was typed. The empty pattern matches the empty text.
type Pattern string

// Literal is the pattern of exactly one text.
func Literal(text string) Pattern { return Pattern(strings.ReplaceAll(text, string(wildcard), "")) }

// Exact is the only text that the pattern matches; false: there are several.
func (p Pattern) Exact() (string, bool) {
	return string(p), !strings.ContainsRune(string(p), wildcard)
}

// Prefix is what every text begins with that the pattern matches.
func (p Pattern) Prefix() string {
	before, _, _ := strings.Cut(string(p), string(wildcard))
	return before
}

// Match reports whether the pattern matches all of a text.
func (p Pattern) Match(text string) bool {
	parts := strings.Split(string(p), string(wildcard))
	if len(parts) == 1 {
		return text == parts[0]
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}

// appendTo writes the pattern so that it is read as the same. Quotes are set where
// a character would mean something; more do where no field stands before it.
func (p Pattern) appendTo(dst []byte, alone bool) []byte {
	for i, part := range strings.Split(string(p), string(wildcard)) {
		if i > 0 {
			dst = append(dst, '*')
		}
		dst = appendPart(dst, part, alone)
	}
	return dst
}

func appendPart(dst []byte, part string, alone bool) []byte {
	compares := strings.HasPrefix(part, "<") || strings.HasPrefix(part, ">")
	if !strings.ContainsFunc(part, special) && !compares && (!alone || !strings.HasPrefix(part, "-") && !strings.ContainsAny(part, ":<>") && part != "OR" && part != "AND" && part != "NOT") {
		return append(dst, part...)
	}
	dst = append(dst, '"')
	for i := range len(part) {
		if part[i] == '"' || part[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, part[i])
	}
	return append(dst, '"')
}
