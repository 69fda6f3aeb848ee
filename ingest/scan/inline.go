package scan

import (
	"bytes"

	"revenant/scanners"
)

// inlineMarks are what people write into a line so that what is found there is
// let be: our own, and those of other tools. ggignore may be followed by more.
func inlineMarks() []string {
	return []string{
		"revenant:allow", "revenant: allow", "gitleaks:allow", "betterleaks:allow", "trufflehog:ignore", "ggignore",
		"pragma: allowlist secret", "pragma: whitelist secret",
	}
}

// nextLineMarks speak of the line below.
func nextLineMarks() []string {
	return []string{"pragma: allowlist nextline secret", "pragma: whitelist nextline secret", "revenant:allow-next-line"}
}

// longestMarked is how far from a hit a mark is looked for in its line, and how
// long the line above may be.
const longestMarked = 4 << 10

// inline is the mark by which a generic hit is let be; empty: there is none.
func (pg *page) inline(h scanners.Hit) string {
	base, data := pg.w.Chunk.Base, pg.w.Chunk.Data
	clamp := func(at int64) int { return int(min(max(at-base, 0), int64(len(data)))) }
	from, to := clamp(h.Span.Start), clamp(h.Span.End)
	if h.Match.Len() > 0 {
		from, to = min(from, clamp(h.Match.Start)), max(to, clamp(h.Match.End))
	}
	start := max(bytes.LastIndexByte(data[:from], '\n')+1, from-longestMarked)
	end := min(len(data), to+longestMarked)
	if n := bytes.IndexByte(data[to:end], '\n'); n >= 0 {
		end = to + n
	}
	if mark := markIn(data[start:end], inlineMarks()); mark != "" {
		return mark
	}
	if start == 0 || data[start-1] != '\n' {
		return ""
	}
	above := data[max(0, start-1-longestMarked) : start-1]
	return markIn(above[bytes.LastIndexByte(above, '\n')+1:], nextLineMarks())
}

func markIn(line []byte, marks []string) string {
	for _, mark := range marks {
		if i := bytes.Index(line, []byte(mark)); i >= 0 && !word(line, i+len(mark)) {
			return mark
		}
	}
	return ""
}

// word reports whether a word goes on at a place: revenant:allow-next-line is
// not revenant:allow.
func word(line []byte, at int) bool {
	if at >= len(line) {
		return false
	}
	c := line[at]
	return c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
