// Package reference writes a command tree down: as Markdown pages for docs/ and
// as man pages. What it writes depends on the tree alone: no dates, no places of
// the machine, so that a stale copy shows as a difference.
//
// Commands that do not run are topics: their text becomes a page of its own. It
// refuses nothing; hidden commands and flags are left out.
package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Page is a file of the reference.
type Page struct {
	Name string // of the file
	Text string
}

// shown are a command's children that help shows, in the order of their names.
func shown(c *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			out = append(out, sub)
		}
	}
	slices.SortFunc(out, func(a, b *cobra.Command) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

// walk visits a command and everything below it.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range shown(c) {
		walk(sub, visit)
	}
}

// isTopic reports whether a command is only text.
func isTopic(c *cobra.Command) bool { return !c.Runnable() && !c.HasSubCommands() }

// long is what a command says of itself at length.
func long(c *cobra.Command) string {
	if c.Long != "" {
		return strings.Trim(c.Long, "\n")
	}
	return sentence(c.Short)
}

func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// option is a flag as people read it.
type option struct {
	names    []string // --report-path, -r
	value    string   // what it takes; empty for switches
	usage    string
	standard string // its default, where that says something
}

// options are the flags of a set that help shows.
func options(set *pflag.FlagSet) []option {
	var out []option
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		o := option{names: []string{"--" + f.Name}, value: value, usage: usage}
		if f.Shorthand != "" {
			o.names = append([]string{"-" + f.Shorthand}, o.names...)
		}
		if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
			o.standard = f.DefValue
		}
		out = append(out, o)
	})
	return out
}

// local are a command's own options.
func local(c *cobra.Command) []option {
	set := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && c.Root().PersistentFlags().Lookup(f.Name) == nil {
			set.AddFlag(f)
		}
	})
	return options(set)
}

// block is a paragraph of help's text, or text that keeps its lines.
type block struct {
	text string
	kept bool
}

// blocks takes a text apart: what is indented keeps its lines.
func blocks(text string) []block {
	var out []block
	text = strings.ReplaceAll(strings.Trim(text, "\n"), "\t", "  ")
	for part := range strings.SplitSeq(text, "\n\n") {
		var run []string
		kept := false
		flush := func() {
			if len(run) > 0 {
				out = append(out, block{strings.Join(run, "\n"), kept})
			}
			run = nil
		}
		for line := range strings.SplitSeq(part, "\n") {
			if indented := strings.HasPrefix(line, "  "); indented != kept {
				flush()
				kept = indented
			}
			run = append(run, line)
		}
		flush()
	}
	return out
}

// examples are the lines of a command's examples.
func examples(c *cobra.Command) []string {
	var out []string
	for line := range strings.SplitSeq(c.Example, "\n") {
		if line = strings.TrimPrefix(line, "  "); strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out
}

// fileOf is the name of a command's page without its ending.
func fileOf(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// synopsis is a command's usage without the word for flags.
func synopsis(c *cobra.Command) string {
	use := strings.TrimSuffix(c.UseLine(), " [flags]")
	if c.HasSubCommands() {
		return c.CommandPath() + " COMMAND"
	}
	return fmt.Sprintf("%s [flags]", use)
}
