package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// everyCommand visits the commands that help shows.
func everyCommand(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			everyCommand(sub, visit)
		}
	}
}

// TestHelp: the help of every command fits 80 columns, has a place in a group,
// an example where there is something to type, and says what its flags take.
func TestHelp(t *testing.T) {
	b := newBox(t)
	everyCommand(newApp().rootCommand(), func(c *cobra.Command) {
		path := c.CommandPath()
		args := append(strings.Fields(path)[1:], "--help")
		r := b.must(0, "", args...)
		for line := range strings.Lines(r.stdout) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
				t.Errorf("%s: a line of %d: %s", path, n, line)
			}
		}
		for _, word := range []string{" string", "stringArray", "stringSlice", " strings ", " int ", "duration ", "\t"} {
			if c.Flags().HasFlags() && strings.Contains(flagsPart(r.stdout), word) {
				t.Errorf("%s: flags take %q", path, word)
			}
		}
		if c.Parent() == c.Root() && c.Runnable() && c.GroupID == "" {
			t.Errorf("%s stands in no group", path)
		}
		if c.Runnable() && !c.HasSubCommands() && c.Example == "" && !strings.HasPrefix(path, "revenant completion") && path != "revenant version" && path != "revenant help" {
			t.Errorf("%s has no example", path)
		}
		if strings.HasSuffix(c.Short, ".") || c.Short == "" {
			t.Errorf("%s: the short text is no title: %q", path, c.Short)
		}
	})
}

// flagsPart is what help says of flags: their names and what they take.
func flagsPart(help string) string {
	_, flags, _ := strings.Cut(help, "\nFlags:\n")
	var b strings.Builder
	for line := range strings.Lines(flags) {
		if head := strings.TrimLeft(line, " "); strings.HasPrefix(head, "-") {
			name, _, _ := strings.Cut(head, "   ")
			b.WriteString(name + " \n")
		}
	}
	return b.String()
}
