package main

import "testing"

// TestMessagesNameTheInput: a refusal says which flag or argument it is about,
// and what would do; it does not repeat what was typed.
func TestMessagesNameTheInput(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"dir", "not-here"}, []string{"PATH", "no such file"}},
		{[]string{"home", "--dir", "not-here"}, []string{"--dir", "no such file"}},
		{[]string{"dir", "--exclude", "["}, []string{"--exclude", "not a valid glob"}},
		{[]string{"dir", "-c", "not-here"}, []string{"--config", "no such file"}},
		{[]string{"dir", "--workers", "x"}, []string{"--workers", "a whole number"}},
		{[]string{"secret", "supersede", "a@1", "--window", "1"}, []string{"--window", "a duration, as in 24h"}},
		{[]string{"secret", "add", "a", "--file", "home"}, []string{"--file", "give a regular file"}},
		{[]string{"secret", "import", "home"}, []string{"FILE", "give a file, or - for standard input"}},
		{[]string{"pack", "inspect", "home"}, []string{"FILE", "give a regular file"}},
		{[]string{"completion", "tcsh"}, []string{"no such command", "revenant completion --help"}},
	} {
		b.wantWords(b.must(2, "", c.args...), c.words...)
	}
}
