package views

import "testing"

// TestNamesBreak: names of line breaks in many languages, and names that only look so.
func TestNamesBreak(t *testing.T) {
	for _, name := range []string{
		"vbCrLf", "vbLf", "CRLF", "crlf", "PHP_EOL", "System.EOL", "sEolChars", "Environment.NewLine", "NEWLINE", "newline",
		"os.linesep", "lineSeparator", "LineSep",
	} {
		if !namesBreak([]byte(name)) {
			t.Errorf("%s stands for a line break", name)
		}
	}
	for _, name := range []string{"self", "wolf", "line", "newLink", "length", "lines", "element.id", "ll", "else", "clef", "lineage", "all"} {
		if namesBreak([]byte(name)) {
			t.Errorf("%s does not stand for a line break", name)
		}
	}
}

// TestBegunAlike: rows of a table and statements begin alike, what a line goes on with
// does not.
func TestBegunAlike(t *testing.T) {
	for _, c := range []struct {
		line, next string
		want       bool
	}{
		{"\tSIOCINQ  = 0x4004667f", "SIOCOUTQ = 0x40047473", true},
		{"SYS_A = 1", "SYS_B = 2", true},
		{"key: ghp_Y8Z", "nNVrlLM", false},
		{"ab", "ab", false},
		{"   ab", "abc", false},
		{"", "abc", false},
		{"\t", "abc", false},
		{"abc", "ab", false},
		{" abc", "abcd", true},
	} {
		if got := begunAlike([]byte(c.line), []byte(c.next)); got != c.want {
			t.Errorf("%q, %q: %v", c.line, c.next, got)
		}
	}
}
