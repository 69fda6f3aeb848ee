package terminal

import (
	"io"
	"strings"

	"golang.org/x/text/width"

	"revenant/fingerprints"
	"revenant/ingest/report"
)

// The escape sequences in use.
const (
	dim  = "\x1b[2m"
	warn = "\x1b[33m"
	off  = "\x1b[0m"
)

func shade(s fingerprints.Severity) string {
	switch s {
	case fingerprints.SeverityCritical:
		return "\x1b[1;31m"
	case fingerprints.SeverityHigh:
		return "\x1b[31m"
	case fingerprints.SeverityMedium:
		return "\x1b[33m"
	case fingerprints.SeverityLow, fingerprints.SeverityInfo:
	}
	return "\x1b[36m"
}

// readable is how wide running text gets at most.
const readable = 100

// printer writes lines no wider than the report.
type printer struct {
	w       io.Writer
	width   int
	color   Color
	secrets report.Secrets
	err     error
}

func (p *printer) line(indent int, color, text string) {
	if p.err != nil {
		return
	}
	text = cut(report.Printable(text), p.width-indent)
	if p.color == Colored && color != "" && text != "" {
		text = color + text + off
	}
	if text != "" {
		text = strings.Repeat(" ", indent) + text
	}
	_, p.err = io.WriteString(p.w, text+"\n")
}

// wrap writes text over as many lines as it needs.
func (p *printer) wrap(indent int, text string) {
	n := min(p.width, readable) - indent
	line := ""
	for _, word := range strings.Fields(text) {
		next := word
		if line != "" {
			next = line + " " + word
		}
		if span([]rune(next)) > n && line != "" {
			p.line(indent, "", line)
			next = word
		}
		line = next
	}
	if line != "" {
		p.line(indent, "", line)
	}
}

// whole writes one line, however long it is: half a value is of no use.
func (p *printer) whole(indent int, text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, strings.Repeat(" ", indent)+report.Printable(text)+"\n")
	}
}

// cut shortens in the middle: a path's end says more than its start.
func cut(s string, columns int) string {
	r := []rune(s)
	if span(r) <= columns {
		return s
	}
	head, tail := (columns-3)/3, columns-3-(columns-3)/3
	i, j := 0, len(r)
	for span(r[:i+1]) <= head {
		i++
	}
	for span(r[j-1:]) <= tail {
		j--
	}
	return string(r[:i]) + "..." + string(r[j:])
}

// span is how many columns runes take.
func span(r []rune) int {
	n := 0
	for _, c := range r {
		n++
		if k := width.LookupRune(c).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
