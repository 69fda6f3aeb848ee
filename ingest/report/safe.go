package report

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"revenant/api/wire"
)

// File is the file that a finding is in, relative to its source: of a member of an
// archive, the archive. It never leads out of the source.
func File(f wire.Finding) string {
	p := f.Path
	if f.Member != "" {
		p = strings.TrimSuffix(p, "!"+f.Member)
	}
	return Relative(p)
}

// Relative is a path that stays below the source's root.
func Relative(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	if p == "" {
		return "-"
	}
	return p
}

// URI is a path as a relative reference: nothing in it is a scheme, a host, a
// query or a fragment.
func URI(p string) string {
	const unreserved = "-._~/!@$&()*+,;="
	var b strings.Builder
	for i := range len(p) {
		switch c := p[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(unreserved, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Printable puts a question mark for whatever a terminal, a viewer or an XML parser would
// act on or stumble over.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// Code is untrusted text in Markdown, as code: nothing in it is markup, a mention, a
// link or the end of a table's cell.
func Code(s string) string {
	s = Printable(s)
	switch {
	case strings.TrimSpace(s) == "":
		return ""
	case !strings.ContainsAny(s, "`|"):
		return "`" + s + "`"
	}
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r >= utf8.RuneSelf || r == ' ' || r == '/' {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "&#%d;", r)
	}
	b.WriteString("</code>")
	return b.String()
}

// Clip cuts text at n bytes, between runes.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const dots = "..."
	cut := n - len(dots)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + dots
}
