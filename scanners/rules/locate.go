package rules

import (
	"slices"
	"strings"
)

// locate finds the secret in a match of a rule of ours where the rule's
// expression leaves it one place only: the same as its group, far cheaper.
type locate func(match string) (extent, bool)

// locateOf is how the secret is found in matches of a rule of ours that has the
// expression that it was made for; nil: by the expression.
func locateOf(d *definition) locate {
	if !unchanged(d) {
		return nil
	}
	switch d.id {
	case "revenant-url-credentials":
		return locateInURL
	case "revenant-password-literal":
		return locateQuoted
	case "revenant-password-setting":
		return locateSet
	case "revenant-named-key":
		return locateNamed
	case "revenant-password-prose":
		return locateTold
	}
	return nil
}

// unchanged reports whether a rule of ours has the expression that it came with.
func unchanged(d *definition) bool {
	return !slices.ContainsFunc(generatedOwn.rules, func(g definition) bool { return g.id == d.id && g.pattern != d.pattern })
}

// locateInURL: neither the user nor the host has a colon or @, the password no @.
func locateInURL(match string) (extent, bool) {
	scheme := strings.Index(match, "://")
	end := strings.LastIndexByte(match, '@')
	if scheme < 0 || end < scheme {
		return extent{}, false
	}
	colon := strings.IndexByte(match[scheme+3:end], ':')
	return extent{scheme + 3 + colon + 1, end}, colon >= 0
}

// locateQuoted: the value has neither its quote nor a backslash.
func locateQuoted(match string) (extent, bool) {
	for _, pair := range [][2]string{{"\u201c", "\u201d"}, {"\u2018", "\u2019"}} { // as texts for people have them
		if end := len(match) - len(pair[1]); strings.HasSuffix(match, pair[1]) {
			start := strings.LastIndex(match[:end], pair[0])
			return extent{start + len(pair[0]), end}, start >= 0
		}
	}
	if match == "" {
		return extent{}, false
	}
	last := len(match) - 1
	end := len(strings.TrimRight(match[:last], `\`))
	start := strings.LastIndexByte(match[:end], match[last])
	return extent{start + 1, end}, start >= 0
}

// locateNamed: a value in quotes has none of them and no backslash; where one stands bare
// the expression tells.
func locateNamed(match string) (extent, bool) {
	if match == "" || !isQuote(match[len(match)-1]) {
		return extent{}, false
	}
	return locateQuoted(match)
}

// locateSet: the name has no colon and no equals sign, and the value begins
// with neither.
func locateSet(match string) (extent, bool) {
	start := strings.IndexAny(match, ":=")
	if start < 0 {
		return extent{}, false
	}
	start++
	if start < len(match) && match[start] == '-' && match[start-1] == ':' { // a shell's default, or a value that begins so
		return extent{}, false
	}
	if start < len(match) && (match[start] == '=' || match[start] == '>') {
		start++
	}
	for start < len(match) && (match[start] == ' ' || match[start] == '\t') {
		start++
	}
	if strings.HasPrefix(match[start:], "${") { // the value is a variable's default
		return extent{}, false
	}
	end := start
	for runes := 0; end < len(match) && runes < 128; runes++ {
		if strings.IndexByte("\t\n\f\r \"'`<>(){},;|\\", match[end]) >= 0 {
			break
		}
		for end++; end < len(match) && match[end]&0xc0 == 0x80; end++ {
		}
	}
	return extent{start, end}, end > start
}

// locateTold: a value in quotes has none of them and no blank; a bare one stands behind a
// blank and is the match's end. Where a slash may stand before it, and where quotes curl,
// the expression tells.
func locateTold(match string) (extent, bool) {
	if match == "" || strings.IndexByte("lLzZ", match[0]) >= 0 || len(match) > 1 && match[1]|0x20 == 'c' {
		return extent{}, false
	}
	end := len(match)
	quoted := isQuote(match[end-1])
	if quoted {
		end--
	}
	start := end
	for start > 0 && strings.IndexByte(" \t\n\r\f", match[start-1]) < 0 && !isQuote(match[start-1]) {
		if start--; match[start] == 0xe2 { // the first byte of those that curl
			return extent{}, false
		}
	}
	return extent{start, end}, start > 0 && end > start
}
