package layout

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"revenant/scanners/escapes"
)

// mark is what begins or ends a section.
type mark struct {
	text string
	ends bool
	name func(rest []byte) string // of what stands behind the mark; nil: none
}

// marksOf lists the marks of a format.
func marksOf(f Format) []mark {
	switch f {
	case GitHub:
		return []mark{{text: "##[group]", name: whole}, {text: "##[endgroup]", ends: true}, {text: "##[section]Starting: ", name: whole}, {text: "##[section]Finishing: ", ends: true}}
	case GitLab:
		return []mark{{text: "section_start:", name: afterTime}, {text: "section_end:", ends: true, name: afterTime}}
	case Travis:
		return []mark{{text: "travis_fold:start:", name: word}, {text: "travis_fold:end:", ends: true, name: word}}
	case Jenkins:
		return []mark{{text: "[Pipeline] { (", name: inParentheses}, {text: "[Pipeline] {"}, {text: "[Pipeline] }", ends: true}}
	case Auto, DockerJSON, CRI, Plain:
	}
	return nil
}

const (
	// deepest is how many sections in each other are told apart.
	deepest = 64
	// longestName is how long a name may be; it is cut short.
	longestName = 200
)

// Section is the name of the section or step that is open at the end of before,
// the innermost one; empty when there is none or it has no name. before begins
// where the log does. A name is text of the log: it may hold what must not be
// printed.
func (f Format) Section(before []byte) string {
	if f == Auto {
		f = Detect(before)
	}
	marks := marksOf(f)
	if len(marks) == 0 {
		return ""
	}
	var open []string
	for len(before) > 0 {
		line, rest, _ := bytes.Cut(before, []byte("\n"))
		before = rest
		if !marked(line) {
			continue
		}
		open = step(open, marks, line)
	}
	for i := len(open) - 1; i >= 0; i-- {
		if open[i] != "" {
			return open[i]
		}
	}
	return ""
}

// marked reports whether a line may have a mark; it is cheap.
func marked(line []byte) bool {
	return bytes.Contains(line, []byte("##[")) || bytes.Contains(line, []byte("section_")) ||
		bytes.Contains(line, []byte("travis_fold:")) || bytes.Contains(line, []byte("[Pipeline]"))
}

// step is what is open behind a line.
func step(open []string, marks []mark, line []byte) []string {
	for _, m := range marks {
		at, ok := markAt(line, m.text)
		if !ok {
			continue
		}
		name := ""
		if m.name != nil {
			name = m.name(line[at:])
		}
		switch {
		case !m.ends && len(open) < deepest:
			return append(open, name)
		case m.ends && name != "": // one that was left open ends with the one around it
			for i := len(open) - 1; i >= 0; i-- {
				if open[i] == name {
					return open[:i]
				}
			}
		case m.ends && len(open) > 0:
			return open[:len(open)-1]
		}
		return open
	}
	return open
}

// whole is all that stands behind the mark, as it is shown.
func whole(rest []byte) string { return shown(rest) }

// afterTime is the name behind a time in seconds, up to what the section is like.
func afterTime(rest []byte) string {
	_, name, ok := bytes.Cut(rest, []byte(":"))
	if !ok {
		return ""
	}
	return word(name)
}

// word is up to where something else begins.
func word(rest []byte) string {
	if i := bytes.IndexAny(rest, "[\r\x1b \t"); i >= 0 {
		rest = rest[:i]
	}
	return shown(rest)
}

// inParentheses is up to the parenthesis that closes the name.
func inParentheses(rest []byte) string {
	i := bytes.LastIndexByte(rest[:min(len(rest), 2*longestName)], ')')
	if i < 0 {
		return ""
	}
	return shown(rest[:i])
}

// shown is a name without control sequences and characters, and not too long.
func shown(name []byte) string {
	var b strings.Builder
	for i := 0; i < len(name) && b.Len() < longestName; {
		if name[i] == 0x1b {
			if end := escapes.Sequence(name, i+1); end > 0 {
				i = end
				continue
			}
		}
		r, n := utf8.DecodeRune(name[i:])
		if i += n; r >= ' ' && r != 0x7f && (r != utf8.RuneError || n > 1) {
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}
