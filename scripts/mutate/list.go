package main

import (
	"errors"
	"fmt"
	"strings"
)

// Mutation is one fault that a test must notice.
type Mutation struct {
	Why   string   // what the fault would mean to a user
	File  string   // relative to the root
	After string   // the line sought stands after one that contains this; optional
	Old   string   // the line, without indentation; once in what is searched
	New   string   // what replaces it; empty removes it
	Test  []string // packages whose tests must break
	Run   string   // go test -run; empty: all tests
	Line  int      // of the list, for messages
}

// The errors of Parse and Apply.
var (
	ErrList      = errors.New("the list is not well formed")
	ErrNotFound  = errors.New("the line is not in the file")
	ErrAmbiguous = errors.New("the line is in the file more than once: add an after line")
)

// Parse reads a list. Mutations are separated by blank lines; each is
//
//	why:   what it would mean
//	file:  path
//	after: part of an earlier line, where the line alone is not unique (optional)
//	-      the line
//	+      its replacement (nothing: the line is removed)
//	test:  packages, separated by spaces
//	run:   regular expression of test names (optional)
//
// Lines that begin with # are comments.
func Parse(text string) ([]Mutation, error) {
	var out []Mutation
	var m Mutation
	flush := func() error {
		if m.Line == 0 {
			return nil
		}
		if m.Why == "" || m.File == "" || m.Old == "" || len(m.Test) == 0 || m.Old == m.New {
			return fmt.Errorf("line %d: %w: why, file, -, + and test are needed", m.Line, ErrList)
		}
		out = append(out, m)
		m = Mutation{}
		return nil
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if line == "" {
			if err := flush(); err != nil {
				return nil, err
			}
			continue
		}
		if m.Line == 0 {
			m.Line = i + 1
		}
		if !m.set(line) {
			return nil, fmt.Errorf("line %d: %w", i+1, ErrList)
		}
	}
	return out, flush()
}

// set reads one line of a mutation, and reports whether it is one.
func (m *Mutation) set(line string) bool {
	key, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch key {
	case "why:":
		m.Why = rest
	case "file:":
		m.File = rest
	case "after:":
		m.After = rest
	case "-":
		m.Old = rest
	case "+":
		m.New = rest
	case "test:":
		m.Test = strings.Fields(rest)
	case "run:":
		m.Run = rest
	default:
		return false
	}
	return true
}

// Apply returns the file's text with the mutation in it.
func (m Mutation) Apply(text string) (string, error) {
	lines := strings.Split(text, "\n")
	from := 0
	if m.After != "" {
		for from < len(lines) && !strings.Contains(lines[from], m.After) {
			from++
		}
		from++
	}
	at := -1
	for i := from; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) != m.Old {
			continue
		}
		if at >= 0 && m.After == "" {
			return "", ErrAmbiguous
		}
		if at < 0 {
			at = i
		}
	}
	if at < 0 {
		return "", ErrNotFound
	}
	lines[at] = m.New
	return strings.Join(lines, "\n"), nil
}
