package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"revenant/ingest/hook"
)

func (a *app) statusOfHooks(ctx context.Context, fl *hangFlags, args []string) error {
	m, all, err := a.machine(fl, args)
	if err != nil {
		return err
	}
	look := hook.Looker{Now: a.now()}
	if all {
		in, err := m.Status(ctx, look)
		if err != nil {
			return err
		}
		return a.printInForce(in)
	}
	p, err := locate(ctx, args)
	if err != nil {
		return err
	}
	s, err := p.Status(ctx, look)
	if err != nil {
		return err
	}
	return a.printHookStatus(p, s)
}

// missing makes the exit code of a status say whether something is missing.
func (a *app) missing(nothing bool) {
	if !nothing {
		a.code = exitFindings
	}
}

func (a *app) printInForce(in hook.InForce) error {
	a.missing(in.Protected())
	if a.asJSON {
		return a.printJSON(struct {
			hook.InForce
			Protected bool `json:"protected"`
		}{in, in.Protected()})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", a.settingText(in))
	a.hooksText(&b, in.Hooks)
	notesText(&b, in.Notes)
	return writeAll(a.stdout, b.String())
}

func (a *app) settingText(in hook.InForce) string {
	switch {
	case in.Folder == "":
		return fmt.Sprintf("--%s: core.hooksPath is not set", in.Scope)
	case !in.Ours:
		return fmt.Sprintf("--%s: core.hooksPath is %s, not Revenant's", in.Scope, printable(in.Folder))
	case in.Former != "":
		return fmt.Sprintf("--%s: core.hooksPath is %s, Revenant's; before it was %s, whose hooks run after ours", in.Scope, printable(in.Folder), printable(in.Former))
	}
	return fmt.Sprintf("--%s: core.hooksPath is %s, Revenant's", in.Scope, printable(in.Folder))
}

func (a *app) printHookStatus(p hook.Place, s hook.Status) error {
	a.missing(s.Protected)
	if a.asJSON {
		return a.printJSON(s)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "hooks of %s: %s", printable(p.Top), printable(s.Folder))
	if s.Setting != "" {
		fmt.Fprintf(&b, " (core.hooksPath, %s, %s)", s.Setting, printable(s.Origin))
	}
	b.WriteString("\n")
	a.hooksText(&b, s.Hooks)
	for _, in := range s.Machine {
		if in.Folder != "" {
			fmt.Fprintf(&b, "%s\n", a.settingText(in))
		}
	}
	switch {
	case s.Overrides > 0:
		fmt.Fprintf(&b, "%s: %s\n", plural(s.Overrides, "refusal was overridden", "refusals were overridden"), printable(hook.OverridesFile(p.Common)))
	default:
		b.WriteString("no refusal was overridden\n")
	}
	notesText(&b, s.Notes)
	return writeAll(a.stdout, b.String())
}

func notesText(b *strings.Builder, notes []string) {
	if len(notes) == 0 {
		return
	}
	b.WriteString("\n")
	for _, n := range notes {
		fmt.Fprintf(b, "! %s\n", printable(n))
	}
}

// hooksText is a line for each hook and one for each thing that it uses; what
// several say alike is said once.
func (a *app) hooksText(b *strings.Builder, hooks []hook.Hook) {
	var detail []string
	for _, h := range hooks {
		fmt.Fprintf(b, "  %-17s %s\n", h.Name, standingText(h))
		if h.Former != "" {
			fmt.Fprintf(b, "  %-17s then %s\n", "", printable(h.Former))
		}
		for _, d := range []string{programText(h.Program), a.packText(h.Pack, h.BadPack)} {
			if d != "" && !strings.Contains(strings.Join(detail, "\n")+"\n", d+"\n") {
				detail = append(detail, d)
			}
		}
	}
	for _, d := range detail {
		fmt.Fprintf(b, "  %s\n", d)
	}
}

func standingText(h hook.Hook) string {
	by := ""
	if h.By != "" {
		by = " (" + h.By + ")"
	}
	switch h.Standing {
	case hook.Scans:
		return fmt.Sprintf("scans%s, format %d", by, h.Format)
	case hook.Calls:
		return "another hook, which names Revenant" + by
	case hook.Anothers:
		return "another hook, which does not name Revenant" + by
	case hook.Altered:
		return "Revenant's, changed by hand"
	case hook.Hidden:
		return "Revenant's, and git does not run it"
	case hook.Passes:
		return "passes on" + by
	case hook.None:
	}
	return "none"
}

func programText(p *hook.Program) string {
	if p == nil {
		return ""
	}
	version := p.Version
	if version == "" {
		version = "does not answer"
	}
	switch {
	case p.There:
		return fmt.Sprintf("program           %s, %s", printable(p.Path), version)
	case p.Found != "":
		return fmt.Sprintf("program           %s is not there; on the PATH: %s, %s", printable(p.Path), printable(p.Found), version)
	}
	return fmt.Sprintf("program           %s is not there", printable(p.Path))
}

func (a *app) packText(p *hook.Pack, bad hook.BadPack) string {
	switch {
	case bad == "":
		return ""
	case p == nil:
		return "pack              none: what the registry here knows, if there is one"
	case p.Created == nil:
		return fmt.Sprintf("pack              %s cannot be used: %s; then: %s", printable(p.Path), p.Problem, bad)
	}
	until := "never expires"
	if p.Expires != nil {
		until = "expires " + when(*p.Expires)
		if p.Expired {
			until = "expired " + when(*p.Expires)
		}
	}
	text := fmt.Sprintf("pack              %s: %d of %d registered values, revision %d, %s old, %s, a bad one: %s", printable(p.Path), p.Values, p.Registered, p.Revision,
		age(a.now().Sub(*p.Created)), until, bad)
	if p.Problem != "" && !p.Expired {
		text += "; " + p.Problem
	}
	return text
}

// age is how old something is, in the unit that suits it.
func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return plural(int(d/(24*time.Hour)), "day", "days")
	case d >= 2*time.Hour:
		return plural(int(d/time.Hour), "hour", "hours")
	}
	return plural(max(0, int(d/time.Minute)), "minute", "minutes")
}
