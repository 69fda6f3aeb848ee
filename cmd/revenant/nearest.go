package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// otherWords are what other scanners, and people, call commands.
func otherWords() map[string]string {
	return map[string]string{
		"scan": "dir", "check": "dir", "filesystem": "dir", "folder": "dir", "path": "dir", "detect": "dir",
		"github": "git", "gitlab": "git", "hook": "git", "pre-commit": "git", "protect": "git",
		"man": "help", "create": "add", "new": "add", "register": "add", "delete": "retire", "remove": "retire", "rm": "retire",
		"ls": "list", "get": "show", "inspect": "show", "describe": "show", "ignore": "accept", "export": "backup",
	}
}

// unknownCommand is the error for a word that is no command of c. It says what
// is near, and not the word: people type values into the wrong place.
func unknownCommand(c *cobra.Command, word string) error {
	hint := "see '" + c.CommandPath() + " --help'"
	var names []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(append(names, sub.Name()), sub.Aliases...)
		}
	}
	near := nearest(word, names)
	if other := otherWords()[strings.ToLower(word)]; near == "" && slices.Contains(names, other) {
		near = other
	}
	switch _, err := os.Stat(word); {
	case near != "":
		hint = "did you mean '" + c.CommandPath() + " " + near + "'? Else " + hint
	case !c.HasParent() && err == nil && word != "":
		hint = "'revenant dir PATH' scans a folder or file; " + hint
	}
	return usagef("'%s' has no such command: %s", c.CommandPath(), hint)
}

// nearest is the word of a list that a mistyped one means; empty where none is
// near.
func nearest(word string, list []string) string {
	word = strings.ToLower(word)
	best, least := "", 3
	for _, w := range list {
		d := distance(word, w)
		if len(word) > 2 && strings.HasPrefix(w, word) {
			d = min(d, 1)
		}
		if d < least && 3*d <= max(len(w), 3) {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters are left out, put in, changed or swapped with
// their neighbour between two words. Long ones are far from everything.
func distance(a, b string) int {
	const long = 40
	if len(a) > long || len(b) > long {
		return long
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range len(a) {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, row, before
	}
	return rows[1][len(b)]
}

// unknownFlag says which flag is near one that does not exist.
func unknownFlag(c *cobra.Command, unknown *pflag.NotExistError, hint string) error {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := nearest(unknown.GetSpecifiedName(), names); near != "" && unknown.GetSpecifiedShortnames() == "" {
		return usagef("'%s' has no such flag: did you mean --%s? Else %s", c.CommandPath(), near, hint)
	}
	for _, other := range c.Root().Commands() {
		if f := other.Flags().Lookup(unknown.GetSpecifiedName()); f != nil && !f.Hidden && unknown.GetSpecifiedShortnames() == "" {
			return usagef("'%s' has no flag --%s; '%s' has; %s", c.CommandPath(), f.Name, other.CommandPath(), hint)
		}
	}
	return usagef("'%s' has no such flag; %s", c.CommandPath(), hint)
}

// answerHelp makes 'help' refuse what is no command or topic.
func answerHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Run = nil
		c.RunE = func(_ *cobra.Command, args []string) error {
			of, rest, err := root.Find(args)
			switch {
			case err != nil || of == nil:
				return unknownCommand(root, "")
			case len(rest) > 0 && !of.HasSubCommands():
				return usagef("'%s' has no commands below it; see '%s --help'", of.CommandPath(), of.CommandPath())
			case len(rest) > 0:
				return unknownCommand(of, rest[0])
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		}
	}
}

// wrongTopic refuses words after a topic, which takes none: what cannot run is
// not asked for its arguments.
func wrongTopic(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil || c == nil || !c.IsAdditionalHelpTopicCommand() {
		return nil
	}
	for _, word := range rest {
		if !strings.HasPrefix(word, "-") {
			return noArgs(c, []string{word})
		}
	}
	return nil
}
