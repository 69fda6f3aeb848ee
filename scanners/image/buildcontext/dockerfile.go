package buildcontext

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

// instruction is one step of a Dockerfile.
type instruction struct {
	line     int    // where it begins, counted from 1
	name     string // in capitals
	flags    []string
	rest     string // behind the flags, lines joined
	heredocs []heredoc
	trigger  *instruction // of ONBUILD
	escape   byte
}

// heredoc is a text that stands below its instruction.
type heredoc struct{ name, text string }

// dockerfile reads the lines of a Dockerfile as BuildKit's reference says, "Format"
// and "Here-documents". It has no errors: what a builder refuses is read as far as
// it makes sense.
type dockerfile struct {
	lines  [][]byte
	at     int // the next line
	escape byte
}

// parseDockerfile returns a Dockerfile's steps.
func parseDockerfile(data []byte) (out []instruction) {
	d := &dockerfile{lines: bytes.SplitAfter(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), []byte("\n")), escape: '\\'}
	d.directives()
	for d.at < len(d.lines) {
		from := d.at + 1
		text := strings.TrimSpace(d.joined())
		if text == "" {
			continue
		}
		in := split(text, d.escape)
		in.line = from
		for _, word := range in.opens() {
			in.heredocs = append(in.heredocs, d.heredoc(word))
		}
		out = append(out, in)
	}
	return out
}

// directive is a line that says how the others are read. A blank may stand where
// BuildKit lets one.
var directive = regexp.MustCompile(`^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$`)

// directives reads the lines at the top that say how the others are read.
func (d *dockerfile) directives() {
	for ; d.at < len(d.lines); d.at++ {
		m := directive.FindSubmatch(bytes.TrimRight(d.lines[d.at], "\r\n"))
		if m == nil {
			return
		}
		switch strings.ToLower(string(m[1])) {
		case "escape":
			if v := string(m[2]); v == "`" || v == `\` {
				d.escape = v[0]
			}
		case "syntax", "check":
		default:
			return
		}
	}
}

// joined is the next line with those that continue it, without comments.
func (d *dockerfile) joined() string {
	var b strings.Builder
	for first := true; d.at < len(d.lines); {
		line := bytes.TrimRight(d.lines[d.at], "\r\n")
		d.at++
		bare := bytes.TrimLeftFunc(line, unicode.IsSpace)
		switch {
		case len(bare) > 0 && bare[0] == '#', len(bare) == 0:
			if first {
				return ""
			}
			continue // neither ends what goes on
		}
		line, more := d.continued(line)
		b.Write(line)
		if !more {
			break
		}
		first = false
	}
	return b.String()
}

// continued takes the mark off the end of a line that goes on in the next. Of two
// marks the first takes the second's meaning.
func (d *dockerfile) continued(line []byte) (text []byte, more bool) {
	text = bytes.TrimRight(line, " \t")
	n := len(text)
	if n == 0 || text[n-1] != d.escape || n > 1 && text[n-2] == d.escape {
		return line, false
	}
	return text[:n-1], true
}

// split takes an instruction apart. One that ONBUILD keeps has none of its own.
func split(text string, escape byte) instruction {
	name, rest := cutSpace(text)
	in := instruction{name: strings.ToUpper(name), rest: rest, escape: escape}
	if in.name != "ONBUILD" {
		in.takeFlags()
		return in
	}
	name, rest = cutSpace(rest)
	inner := instruction{name: strings.ToUpper(name), rest: rest, escape: escape}
	inner.takeFlags()
	in.trigger = &inner
	return in
}

// takeFlags moves the words that begin with two dashes out of rest.
func (in *instruction) takeFlags() {
	for strings.HasPrefix(in.rest, "--") {
		word, rest := firstWord(in.rest, in.escape)
		in.rest = rest
		if word == "--" {
			return
		}
		in.flags = append(in.flags, unquoted(word, in.escape))
	}
}

// flag returns the values that a flag is given.
func (in *instruction) flag(name string) (out []string) {
	for _, f := range in.flags {
		if v, has := strings.CutPrefix(f, "--"+name+"="); has {
			out = append(out, v)
		}
	}
	return out
}

// list reads the JSON form of an instruction.
func (in *instruction) list() (words []string, is bool) {
	if !strings.HasPrefix(in.rest, "[") || json.Unmarshal([]byte(in.rest), &words) != nil {
		return nil, false
	}
	return words, true
}

// opening is a word that opens a here-document: number, dash, name.
var opening = regexp.MustCompile(`^\d*<<(-?)([^<]+)$`)

// open is a here-document that a line opens.
type open struct {
	name string
	tabs bool // tabs before its lines do not count
}

// opens are the here-documents that an instruction opens.
func (in *instruction) opens() (out []open) {
	if in.trigger != nil {
		return in.trigger.opens()
	}
	if in.name != "RUN" && in.name != "COPY" && in.name != "ADD" || !strings.Contains(in.rest, "<<") {
		return nil
	}
	if _, is := in.list(); is {
		return nil
	}
	for rest := in.rest; rest != ""; {
		var word string
		word, rest = firstWord(rest, in.escape)
		if m := opening.FindStringSubmatch(word); m != nil {
			if name := unquoted(m[2], in.escape); name != "" {
				out = append(out, open{name, m[1] == "-"})
			}
		}
	}
	return out
}

// heredoc reads lines up to the one that ends it, or to the end of the file.
func (d *dockerfile) heredoc(o open) heredoc {
	from := d.at
	for ; d.at < len(d.lines); d.at++ {
		line := bytes.TrimRight(d.lines[d.at], "\r\n")
		if o.tabs {
			line = bytes.TrimLeft(line, "\t")
		}
		if string(line) == o.name {
			d.at++
			return heredoc{o.name, string(bytes.Join(d.lines[from:d.at-1], nil))}
		}
	}
	return heredoc{o.name, string(bytes.Join(d.lines[from:], nil))}
}
