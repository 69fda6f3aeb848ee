package reference

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Man returns a man page of section 1 for each command, and of section 7 for
// each topic.
func Man(root *cobra.Command) []Page {
	var pages []Page
	walk(root, func(c *cobra.Command) {
		pages = append(pages, Page{fmt.Sprintf("%s.%d", fileOf(c), section(c)), manPage(c)})
	})
	return pages
}

func section(c *cobra.Command) int {
	if isTopic(c) {
		return 7
	}
	return 1
}

func manPage(c *cobra.Command) string {
	var b strings.Builder
	// No date: it would differ from day to day and say nothing.
	fmt.Fprintf(&b, ".TH %q %q %q %q %q\n", strings.ToUpper(fileOf(c)), fmt.Sprint(section(c)), "", "Revenant", "Revenant Manual")
	// Words are neither cut nor stretched: they are often names and flags.
	b.WriteString(".nh\n.ad l\n")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(fileOf(c)), roff(c.Short))
	if !isTopic(c) {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(synopsis(c)))
	}
	b.WriteString(".SH DESCRIPTION\n")
	for _, p := range blocks(long(c)) {
		if p.kept {
			b.WriteString(".PP\n.nf\n" + roff(p.text) + "\n.fi\n")
		} else {
			b.WriteString(".PP\n" + roff(p.text) + "\n")
		}
	}
	if c.HasSubCommands() {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range shown(c) {
			fmt.Fprintf(&b, ".TP\n.BR %s (%d)\n%s\n", roff(fileOf(sub)), section(sub), roff(sub.Short))
		}
	}
	if !isTopic(c) {
		manOptions(&b, "OPTIONS", local(c))
		manOptions(&b, "OPTIONS OF EVERY COMMAND", options(c.Root().PersistentFlags()))
	}
	if lines := examples(c); len(lines) > 0 {
		b.WriteString(".SH EXAMPLES\n.nf\n" + roff(strings.Join(lines, "\n")) + "\n.fi\n")
	}
	manSeeAlso(&b, c)
	return b.String()
}

func manOptions(b *strings.Builder, title string, list []option) {
	if len(list) == 0 {
		return
	}
	b.WriteString(".SH " + title + "\n")
	for _, o := range list {
		names := make([]string, len(o.names))
		for i, n := range o.names {
			names[i] = `\fB` + roff(n) + `\fR`
		}
		line := strings.Join(names, ", ")
		if o.value != "" {
			line += ` \fI` + roff(o.value) + `\fR`
		}
		text := o.usage
		if o.standard != "" && !strings.Contains(o.usage, "(default") {
			text += " (default " + o.standard + ")"
		}
		fmt.Fprintf(b, ".TP\n%s\n%s\n", line, roff(text))
	}
}

// manSeeAlso names the page above and, at the top, the topics.
func manSeeAlso(b *strings.Builder, c *cobra.Command) {
	var also []string
	if c.HasParent() {
		also = append(also, fmt.Sprintf(`\fB%s\fR(%d)`, roff(fileOf(c.Parent())), section(c.Parent())))
	}
	for _, sub := range shown(c.Root()) {
		if isTopic(sub) && sub != c {
			also = append(also, fmt.Sprintf(`\fB%s\fR(7)`, roff(fileOf(sub))))
		}
	}
	if len(also) > 0 {
		b.WriteString(".SH SEE ALSO\n" + strings.Join(also, ",\n") + "\n")
	}
}

// roff keeps what a formatter would read as its own: backslashes, hyphens that
// are meant as typed, quotes, and dots that begin a line.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
