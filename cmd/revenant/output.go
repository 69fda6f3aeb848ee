package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// printJSON writes v as indented JSON and a newline.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// widthOf is how many columns a terminal has.
func widthOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n >= 40 {
			return n
		}
	}
	return 80
}

// gap stands between two columns, indent before what did not fit the line.
const (
	gap     = 2
	indent  = 4
	lastMin = 24 // of a last column, which may be cut
)

// table prints rows under headings, columns aligned. On a terminal, columns
// that do not fit a line follow on the next one.
func (a *app) table(headings []string, rows [][]string) error {
	limit := 0
	if isTerminal(a.stdout) {
		limit = widthOf(a.stdout)
	}
	w := bufio.NewWriter(a.stdout)
	writeTable(w, limit, headings, rows)
	return w.Flush()
}

func writeTable(w io.Writer, limit int, headings []string, rows [][]string) {
	all := append([][]string{headings}, rows...)
	widths := make([]int, len(headings))
	for i, row := range all {
		all[i] = make([]string, len(row))
		for j, cell := range row {
			all[i][j] = printable(cell)
			widths[j] = max(widths[j], utf8.RuneCountInString(all[i][j]))
		}
	}
	lines := fold(widths, limit)
	for _, row := range all {
		var b strings.Builder
		for n, columns := range lines {
			at := 0
			if n > 0 {
				at = indent
			}
			var line strings.Builder
			line.WriteString(strings.Repeat(" ", at))
			for _, j := range columns {
				fmt.Fprintf(&line, "%-*s", widths[j]+gap, row[j])
			}
			b.WriteString(cut(strings.TrimRight(line.String(), " "), limit))
			b.WriteByte('\n')
		}
		_, _ = io.WriteString(w, b.String()) // a buffer's error comes with Flush
	}
}

// fold distributes columns over as many lines as limit asks for.
func fold(widths []int, limit int) [][]int {
	var lines [][]int
	left := limit
	for j, n := range widths {
		if j == len(widths)-1 {
			n = min(n, lastMin)
		}
		if len(lines) == 0 || limit > 0 && n > left && len(lines[len(lines)-1]) > 0 {
			if len(lines) > 0 {
				left = limit - indent
			}
			lines = append(lines, nil)
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], j)
		left -= n + gap
	}
	return lines
}

// cut shortens a line to limit runes, in its middle: the ends of a path say
// most. 0 means no limit.
func cut(s string, limit int) string {
	r := []rune(s)
	if limit <= 0 || len(r) <= limit {
		return s
	}
	head := limit / 2
	return string(r[:head]) + "…" + string(r[len(r)-(limit-head-1):])
}

// printable neutralises control characters, so that a hostile path or owner
// cannot drive the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, s)
}

// when prints a time for people, in UTC; JSON carries RFC 3339.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// jsonTime is a time that is left out when zero (with omitzero).
func jsonTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	u := t.UTC()
	return &u
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func writeAll(w io.Writer, s string) error {
	_, err := io.WriteString(w, s)
	return err
}
