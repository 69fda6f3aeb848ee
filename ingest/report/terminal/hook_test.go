package terminal_test

import (
	"strings"
	"testing"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report"
	"revenant/ingest/report/terminal"
)

func place(f wire.Finding) report.Place {
	f.Verdict, f.Severity, f.Status = fingerprints.VerdictUnregistered, fingerprints.SeverityMedium, fingerprints.StatusOpen
	if f.Rule == "" {
		f.Verdict, f.Severity = fingerprints.VerdictLeaked, fingerprints.SeverityCritical
		f.Matches = []wire.Match{{Secret: "billing/db", Version: 3, Field: "value", State: fingerprints.StateActive, Verdict: f.Verdict}}
	}
	f.Path, f.Presence, f.Locator = "a.txt", fingerprints.PresenceTip, "blob:0123456789abcdef"
	f.Span = wire.Region{Line: 7, Column: 2}
	return report.Place{Finding: f}
}

// TestWriteHook: each outcome is told, with the ways that are open and no other.
func TestWriteHook(t *testing.T) {
	generic, own := place(wire.Finding{Rule: "a-rule"}), place(wire.Finding{})
	const override = "REVENANT_OVERRIDE='the reason' git commit ..."
	skips := wire.Summary{SkipCounts: []wire.SkipCount{{Reason: fingerprints.SkipUnreadable, Count: 1}}}
	for name, c := range map[string]struct {
		d         report.Data
		h         terminal.Hook
		has, lack []string
	}{
		"clean":        {report.Data{Summary: wire.Summary{Items: 3, Tolerated: 1}}, terminal.Hook{Subject: "commit", Checked: "checked 1 of 2"}, []string{"revenant: nothing found in 3 items, 1 finding tolerated; checked 1 of 2"}, []string{"How to go on"}},
		"clean, quiet": {report.Data{}, terminal.Hook{Subject: "commit", Quiet: true, Checked: "checked"}, nil, []string{"r"}},
		"generic": {
			report.Data{Places: []report.Place{generic}},
			terminal.Hook{Subject: "commit", Stopped: true, Override: override},
			[]string{"stopped it: this commit holds 1 value that looks like a secret", "a.txt:7:2", "revenant: allow REASON", override, "git restore --staged"},
			[]string{"no mark in a file", "0123456789"},
		},
		"registered": {
			report.Data{Places: []report.Place{own}},
			terminal.Hook{Subject: "push", Stopped: true, Override: override},
			[]string{"this push holds 1 secret.", "billing/db@3 is registered: no mark", "git rebase -i", "rotate it", override},
			[]string{"revenant: allow"},
		},
		"not for the reader": {report.Data{Places: []report.Place{own}}, terminal.Hook{Subject: "push", Stopped: true}, []string{"How to go on"}, []string{"OVERRIDE"}},
		"below":              {report.Data{Places: []report.Place{generic}}, terminal.Hook{Subject: "commit"}, []string{"lets it through", "none bad enough"}, []string{"How to go on"}},
		"overridden":         {report.Data{Places: []report.Place{own}}, terminal.Hook{Subject: "commit", Overridden: "kept in x"}, []string{"let it through although", "kept in x"}, []string{"How to go on"}},
		"bad pack":           {report.Data{}, terminal.Hook{Subject: "commit", Stopped: true, Trouble: []string{"The pack is bad."}, Override: override}, []string{"could not look as it should", "The pack is bad.", override}, []string{"git restore"}},
		"bad pack, warned":   {report.Data{}, terminal.Hook{Subject: "commit", Trouble: []string{"The pack is bad."}}, []string{"lets it through, but", "The pack is bad."}, []string{"How to go on"}},
		"skipped":            {report.Data{Summary: skips}, terminal.Hook{Subject: "commit", Stopped: true, Override: override}, []string{"not complete: 1 skipped", "could not look"}, []string{"git restore"}},
	} {
		var b strings.Builder
		if err := terminal.WriteHook(&b, c.d, c.h, terminal.Options{Width: 80}); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		for _, w := range c.has {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not said:\n%s", name, w, b.String())
			}
		}
		for _, w := range c.lack {
			if strings.Contains(text, w) {
				t.Errorf("%s: %q is said:\n%s", name, w, b.String())
			}
		}
		for line := range strings.Lines(b.String()) {
			if len(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%s: a line of %d columns: %s", name, len(line)-1, line)
			}
		}
	}
}
