package reference

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Markdown returns a page for each command of the first level, with everything
// below it, one for each topic, and README.md, which lists them.
func Markdown(root *cobra.Command) []Page {
	index := &strings.Builder{}
	fmt.Fprintf(index, "# Reference\n\nWhat `%s COMMAND --help` says, page by page. These pages are made from the program (`make golden`) and not edited.\n", root.Name())
	pages := []Page{{}}
	for _, g := range root.Groups() {
		index.WriteString("\n## " + strings.TrimSuffix(g.Title, ":") + "\n\n| command | |\n|---|---|\n")
		for _, c := range shown(root) {
			if c.GroupID == g.ID && !isTopic(c) {
				pages = append(pages, markdownPage(index, c))
			}
		}
	}
	index.WriteString("\n## More\n\n| page | |\n|---|---|\n")
	for _, c := range shown(root) {
		if c.GroupID == "" || isTopic(c) {
			pages = append(pages, markdownPage(index, c))
		}
	}
	index.WriteString("\n## Flags of every command\n\n")
	markdownOptions(index, options(root.PersistentFlags()))
	pages[0] = Page{"README.md", index.String()}
	return pages
}

// markdownPage writes a command and what is below it, and lists it.
func markdownPage(index *strings.Builder, c *cobra.Command) Page {
	var b strings.Builder
	name := c.Name() + ".md"
	title := "`" + c.CommandPath() + "`"
	if isTopic(c) {
		title = c.Short
	}
	fmt.Fprintf(index, "| [%s](%s) | %s |\n", strings.Trim(title, "`"), name, cell(c.Short))
	fmt.Fprintf(&b, "# %s\n", title)
	walk(c, func(one *cobra.Command) {
		if one != c {
			fmt.Fprintf(&b, "\n## `%s`\n", one.CommandPath())
		}
		markdownCommand(&b, one)
	})
	if !isTopic(c) {
		b.WriteString("\nFlags of every command are in the [index](README.md#flags-of-every-command).\n")
	}
	return Page{name, b.String()}
}

func markdownCommand(b *strings.Builder, c *cobra.Command) {
	if c.Long != "" && !isTopic(c) {
		b.WriteString("\n" + escape(sentence(c.Short)) + "\n")
	}
	if !isTopic(c) {
		fmt.Fprintf(b, "\n    %s\n", synopsis(c))
		if len(c.Aliases) > 0 {
			fmt.Fprintf(b, "\nAlso called `%s`.\n", strings.Join(c.Aliases, "`, `"))
		}
	}
	for _, p := range blocks(long(c)) {
		if !p.kept {
			b.WriteString("\n" + escape(p.text) + "\n")
			continue
		}
		b.WriteString("\n")
		for line := range strings.SplitSeq(p.text, "\n") {
			b.WriteString(strings.TrimRight("  "+line, " ") + "\n")
		}
	}
	if c.HasSubCommands() {
		b.WriteString("\n| command | |\n|---|---|\n")
		for _, sub := range shown(c) {
			fmt.Fprintf(b, "| [%s](#%s) | %s |\n", sub.CommandPath(), fileOf(sub), cell(sub.Short))
		}
	}
	if lines := examples(c); len(lines) > 0 {
		b.WriteString("\nExamples:\n\n")
		for _, line := range lines {
			b.WriteString("    " + line + "\n")
		}
	}
	if own := local(c); len(own) > 0 {
		b.WriteString("\n")
		markdownOptions(b, own)
	}
}

func markdownOptions(b *strings.Builder, list []option) {
	b.WriteString("| flag | |\n|---|---|\n")
	for _, o := range list {
		name := strings.Join(o.names, "`, `")
		if o.value != "" {
			name += " " + o.value
		}
		text := cell(o.usage)
		if o.standard != "" && !strings.Contains(o.usage, "(default") {
			text += " (default `" + o.standard + "`)"
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", name, text)
	}
}

// escape keeps Markdown from reading marks into plain text.
func escape(s string) string {
	return strings.NewReplacer("*", `\*`, "<", `\<`, "_", `\_`, "`", "`").Replace(s)
}

// cell is a text inside a table.
func cell(s string) string {
	return strings.ReplaceAll(escape(strings.ReplaceAll(s, "\n", " ")), "|", `\|`)
}
