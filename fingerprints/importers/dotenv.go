package importers

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// readDotenv reads NAME=value lines as the usual loaders do: export, comments,
// single, double and back quotes, values over several lines. Nothing is
// expanded.
func readDotenv(in *lines, o *output) error {
	for !o.done {
		t, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if t.long {
			o.problem(t.line, tooLong)
			continue
		}
		name, rest, reason := assignment(t.b)
		if reason != "" {
			o.problem(t.line, reason)
			continue
		}
		if name == "" {
			continue
		}
		value, reason, err := dotenvValue(in, rest)
		if err != nil {
			return err
		}
		if reason != "" {
			o.problem(t.line, reason)
			continue
		}
		fields := expand(name, value, plainText, o.opt.Select)
		if len(fields) > 0 {
			o.record(Record{Line: t.line, Name: name, Fields: fields})
		}
	}
	return nil
}

// assignment splits a line at its sign. The name is empty for comments and
// lines that assign nothing.
func assignment(b []byte) (name string, rest []byte, reason string) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] == '#' {
		return "", nil, ""
	}
	exported := false
	if after, ok := bytes.CutPrefix(b, []byte("export")); ok && len(after) > 0 && (after[0] == ' ' || after[0] == '\t') {
		b, exported = bytes.TrimSpace(after), true
	}
	left, right, ok := bytes.Cut(b, []byte("="))
	if !ok {
		if exported {
			return "", nil, ""
		}
		return "", nil, "not NAME=value"
	}
	left = bytes.TrimSpace(left)
	if len(left) == 0 {
		return "", nil, "no name before ="
	}
	for i, c := range left {
		if !isName(c, i) {
			return "", nil, "not a variable's name before ="
		}
	}
	clean := strings.TrimLeft(string(left), "_.-")
	if clean == "" {
		return "", nil, "not a variable's name before ="
	}
	return clean, bytes.TrimLeft(right, " \t"), ""
}

func isName(c byte, i int) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || i > 0 && (c >= '0' && c <= '9' || c == '.' || c == '-')
}

// dotenvValue reads the value that begins in rest, and the lines that it goes
// on over. When a quote is never closed, those lines are given back.
func dotenvValue(in *lines, rest []byte) ([]byte, string, error) {
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' && rest[0] != '`' {
		return unquoted(rest), "", nil
	}
	quote := rest[0]
	body := bytes.Clone(rest[1:])
	var taken []text
	for from := 0; ; {
		if end := closing(body, from, quote); end >= 0 {
			tail := bytes.TrimSpace(body[end+1:])
			if len(tail) > 0 && tail[0] != '#' && tail[0] != ';' {
				in.unread(taken)
				return nil, "text behind the closing quote", nil
			}
			if quote == '"' {
				return unescape(body[:end]), "", nil
			}
			return body[:end], "", nil
		}
		from = len(body)
		t, err := in.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, "", err
		}
		if err != nil || t.long || len(body)+len(t.b) > MaxLine {
			if err == nil {
				taken = append(taken, t)
			}
			in.unread(taken)
			return nil, "the quote is not closed", nil
		}
		taken = append(taken, t)
		body = append(append(body, '\n'), t.b...)
	}
}

// closing finds the closing quote at or behind from.
func closing(b []byte, from int, quote byte) int {
	for i := from; i < len(b); i++ {
		switch {
		case b[i] == '\\' && quote == '"':
			i++
		case b[i] == quote:
			return i
		}
	}
	return -1
}

// unquoted ends at a comment: a # behind a space.
func unquoted(b []byte) []byte {
	if len(b) > 0 && b[0] == '#' {
		return nil
	}
	for i := 1; i < len(b); i++ {
		if b[i] == '#' && (b[i-1] == ' ' || b[i-1] == '\t') {
			b = b[:i]
			break
		}
	}
	return bytes.TrimSpace(b)
}

// unescape undoes the escapes of double quotes; others stay as they are.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case '"', '\\', '$', '`', '\'':
			out = append(out, b[i])
		case '\n': // a continued line
		default:
			out = append(out, '\\', b[i])
		}
	}
	return out
}
