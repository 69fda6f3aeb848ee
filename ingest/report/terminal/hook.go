package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"revenant/ingest/report"
)

// Hook is what a git hook has to say beside its findings.
type Hook struct {
	Subject string // what was looked at: commit, merge, message, push
	Stopped bool
	// Trouble says why not all could be looked at or looked for; one sentence each.
	Trouble []string
	// Checked says how many registered values were looked for, and with what.
	Checked string
	// Override is the command line that lets it through, with its reason; empty:
	// it is not for whoever reads this.
	Override string
	// Overridden says that an override let it through, and where that is kept.
	Overridden string
	// Quiet leaves out what is no trouble.
	Quiet bool
}

// WriteHook writes what a person reads who wants to get on: what was found and
// where, the ways out, and what was looked for.
func WriteHook(w io.Writer, d report.Data, h Hook, o Options) error {
	p := newPrinter(w, o)
	groups := slices.DeleteFunc(report.Groups(withoutBlobs(d.Places)), func(g report.Group) bool { return g.Dismissed() != "" })
	skipped := d.Summary.Skipped() > 0 || d.Summary.Interrupted
	if len(groups) == 0 && len(h.Trouble) == 0 && !skipped && h.Overridden == "" {
		if !h.Quiet {
			p.wrap(0, "revenant: "+nothing(d)+h.Checked)
		}
		return p.err
	}
	p.wrap(0, h.headline(groups))
	p.line(0, "", "")
	described := map[string]bool{}
	for _, g := range groups[:min(len(groups), maxGroups)] {
		p.group(g, false, described)
	}
	if n := len(groups) - maxGroups; n > 0 {
		p.line(0, "", "and "+count(int64(n), "more value", "more values"))
		p.line(0, "", "")
	}
	for _, t := range h.Trouble {
		p.wrap(0, t)
	}
	if d.Summary.Interrupted {
		p.line(0, warn, "interrupted: this is what was found until then")
	}
	if d.Summary.Skipped() > 0 {
		p.skips(d.Summary)
	}
	if h.Stopped {
		if len(h.Trouble) > 0 || skipped {
			p.line(0, "", "")
		}
		p.ways(h, groups)
	}
	p.wrap(0, "revenant: "+h.Checked)
	return p.err
}

// withoutBlobs leaves out the names of objects that nobody but git knows.
func withoutBlobs(places []report.Place) []report.Place {
	out := slices.Clone(places)
	for i := range out {
		if strings.HasPrefix(out[i].Locator, blobLocator) {
			out[i].Locator = ""
		}
	}
	return out
}

func nothing(d report.Data) string {
	text := "nothing found in " + count(d.Summary.Items, "item", "items")
	if d.Summary.Items == 0 {
		text = "nothing new to look at"
	}
	if n := d.Summary.Tolerated; n > 0 {
		text += ", " + count(int64(n), "finding", "findings") + " tolerated"
	}
	return text + "; "
}

func (h Hook) headline(groups []report.Group) string {
	what := "there is something to know about this " + h.Subject
	if n := len(groups); n > 0 {
		what = "this " + h.Subject + " holds " + count(int64(n), "value that looks like a secret", "values that look like secrets")
		if slices.ContainsFunc(groups, registered) {
			what = "this " + h.Subject + " holds " + count(int64(n), "secret", "secrets")
		}
	}
	switch {
	case h.Overridden != "":
		return "revenant let it through although " + what + ": " + h.Overridden + "."
	case h.Stopped && len(groups) == 0:
		return "revenant stopped this " + h.Subject + ": it could not look as it should."
	case h.Stopped:
		return "revenant stopped it: " + what + "."
	case len(groups) > 0:
		return "revenant lets it through: " + what + ", none bad enough to stop for."
	}
	return "revenant lets it through, but " + what + "."
}

func registered(g report.Group) bool { return g.Places[0].Registered() }

// ways says how to go on.
func (p *printer) ways(h Hook, groups []report.Group) {
	p.line(0, "", "How to go on")
	if len(groups) > 0 {
		p.wrap(2, h.without())
		p.wrap(2, "Put a reference in its place: a variable of the environment, or the name that your secret manager has for it.")
	}
	if h.Subject == "push" && len(groups) > 0 {
		p.wrap(2, "What was pushed elsewhere before counts as known: rotate it.")
	}
	if slices.ContainsFunc(groups, func(g report.Group) bool { return !registered(g) }) {
		p.wrap(2, "If it is no secret, say so in a comment in its line:")
		p.line(4, "", "revenant: allow REASON")
	}
	var names []string
	for _, g := range groups {
		if registered(g) {
			names = append(names, g.Name)
		}
	}
	if len(names) > 0 {
		p.wrap(2, listed(names)+" registered: no mark in a file lets a registered value through.")
	}
	if h.Override != "" {
		p.wrap(2, "If it has to go through as it is:")
		p.line(4, "", h.Override)
		p.wrap(2, "The reason is kept with what was found, without the value.")
	}
	p.line(0, "", "")
}

// without says how to take a value out again.
func (h Hook) without() string {
	switch h.Subject {
	case "push":
		return "Take it out of the commits that brought it in: git commit --amend for the last one, git rebase -i for older ones, git tag -d for a tag."
	case "message":
		return "Write the message without it."
	}
	return "Take it out: edit the file and git add it again, or git restore --staged FILE to leave the file out."
}

// listed names at most three.
func listed(names []string) string {
	const most = 3
	text := strings.Join(names[:min(len(names), most)], ", ")
	if n := len(names) - most; n > 0 {
		return text + fmt.Sprintf(" and %d more are", n)
	}
	if len(names) == 1 {
		return text + " is"
	}
	return text + " are"
}
