package terminal_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report/terminal"
)

const plain = "the-value-itself"

func finding(path string, v fingerprints.Verdict, sev fingerprints.Severity) wire.Finding {
	return wire.Finding{
		ID: "rv1:0123", Path: path, Rule: "github-pat", Description: "A token.", Verdict: v, Severity: sev, Presence: fingerprints.PresenceTip,
		Status: fingerprints.StatusOpen, Form: fingerprints.FormRaw, Span: wire.Region{Line: 3, Column: 7}, Context: "token = [redacted]",
		Secret: fingerprints.NewValue([]byte(plain)),
	}
}

func report(t *testing.T, o terminal.Options, s wire.Summary, fs ...wire.Finding) string {
	t.Helper()
	var b bytes.Buffer
	r := terminal.New(&b, o)
	for _, f := range fs {
		if err := r.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReport(t *testing.T) {
	reg := finding("app/.env", fingerprints.VerdictCompromised, fingerprints.SeverityCritical)
	reg.Matches = []wire.Match{{Secret: "billing/db", Version: 3, Field: "password", State: fingerprints.StateRetired, Owner: "team"}}
	reg.Form, reg.New, reg.More, reg.Context = fingerprints.FormBase64, true, 2, "k=[secret billing/db@3]"
	got := report(t, terminal.Options{}, wire.Summary{
		Items: 12, Bytes: 3456789, Findings: 2, Duration: 1500 * time.Millisecond, Registered: 7,
		SkipCounts: []wire.SkipCount{{Reason: fingerprints.SkipSymlink, Count: 1}, {Reason: fingerprints.SkipUnreadable, Count: 2}},
		Skips:      []wire.Skip{{Path: "etc/x", Reason: fingerprints.SkipUnreadable, Detail: "permission denied"}},
	}, finding("b.txt", fingerprints.VerdictUnregistered, fingerprints.SeverityMedium), reg)
	want := `CRITICAL  compromised  billing/db@3
  password, retired, owner team
  app/.env:3:7  (base64, new)
    k=[secret billing/db@3]
    rv1:0123
  and 2 more places

MEDIUM    unregistered  github-pat
  A token.
  b.txt:3:7
    token = [redacted]
    rv1:0123

2 findings in 12 items, 3.5 MB, 1.5 s
searched for 7 registered values
not complete: 3 skipped
  2 unreadable, 1 symlink
  unreadable  etc/x: permission denied
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Several sources are told apart, and refs are named, the first ones.
func TestSourcesAndRefs(t *testing.T) {
	one, two := finding("a", fingerprints.VerdictLeaked, fingerprints.SeverityHigh), finding("b", fingerprints.VerdictLeaked, fingerprints.SeverityHigh)
	one.SourceID, one.Refs, one.MoreRefs = "git:h/one", []string{"refs/heads/main", "refs/tags/v1", "HEAD", "refs/stash"}, 5
	two.SourceID = "git:h/two"
	got := report(t, terminal.Options{}, wire.Summary{
		Findings: 2, Sources: 2, Items: 3, Registered: 1,
		Notes:      []wire.Note{{SourceID: "git:h/one", Text: "git read 2 objects"}},
		SkipCounts: []wire.SkipCount{{Reason: fingerprints.SkipMissing, Count: 2}},
		Skips:      []wire.Skip{{SourceID: "git:h/two", Path: "c", Reason: fingerprints.SkipMissing}, {Path: "/d", Reason: fingerprints.SkipMissing, Detail: "gone"}},
	}, one, two)
	want := `HIGH      leaked  github-pat
  A token.
  a:3:7
    git:h/one, in main, tags/v1, HEAD and 6 more
    token = [redacted]
    rv1:0123
  b:3:7
    git:h/two
    token = [redacted]
    rv1:0123

2 findings in 3 items of 2 sources, 0 B, 0.0 s
searched for 1 registered value
git:h/one: git read 2 objects
not complete: 2 skipped
  2 missing-object
  missing-object  git:h/two c
  missing-object  /d: gone
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got = report(t, terminal.Options{}, wire.Summary{Sources: 1}, two); strings.Contains(got, "git:h/two") {
		t.Errorf("one source need not be named:\n%s", got)
	}
}

// What is too common to alert is a group of its own.
func TestTooCommon(t *testing.T) {
	common := finding("a", fingerprints.VerdictLeaked, fingerprints.SeverityHigh)
	common.Matches, common.TooCommon = []wire.Match{{Secret: "db", Version: 1}}, true
	other := common
	other.TooCommon = false
	got := report(t, terminal.Options{}, wire.Summary{Findings: 2}, common, other)
	if strings.Count(got, "leaked  db@1") != 2 || strings.Count(got, "leaked  db@1  (too common)") != 1 {
		t.Error(got)
	}
}

// A value of several versions names them all.
func TestSeveralVersions(t *testing.T) {
	f := finding("a", fingerprints.VerdictLeaked, fingerprints.SeverityCritical)
	f.Matches = []wire.Match{
		{Secret: "app/a", Version: 2, Field: fingerprints.DefaultField, State: fingerprints.StateActive, Owner: "team"},
		{Secret: "app/b", Version: 1, Field: "token", State: fingerprints.StateRetired},
	}
	got := report(t, terminal.Options{}, wire.Summary{Registered: 1}, f)
	for _, want := range []string{"leaked  app/a@2\n  active, owner team; also the value of app/b@1 (retired)\n", "searched for 1 registered value\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
}

func TestLongTextIsWrapped(t *testing.T) {
	f := finding("a", fingerprints.VerdictUnregistered, fingerprints.SeverityMedium)
	f.Description = strings.TrimSpace(strings.Repeat("wörter ", 40))
	f.Secret = fingerprints.NewValue([]byte(strings.Repeat(plain, 20)))
	got := report(t, terminal.Options{Width: 40, Secrets: terminal.Shown}, wire.Summary{}, f)
	if n := strings.Count(got, "wörter"); n != 40 {
		t.Errorf("%d of 40 words are there", n)
	}
	if !strings.Contains(got, "value: "+strings.Repeat(plain, 20)+"\n") {
		t.Error("a value that was asked for is not there whole")
	}
}

func TestSummary(t *testing.T) {
	tests := []struct {
		name string
		s    wire.Summary
		want string
	}{
		{"clean", wire.Summary{Complete: true, Items: 1, Registered: 2}, "no findings in 1 item, 0 B, 0.0 s\nsearched for 2 registered values\n"},
		{"no ring", wire.Summary{Complete: true, GenericOnly: true}, "no findings in 0 items, 0 B, 0.0 s\nno key ring: generic rules only, registered values were not searched for\n"},
		{"interrupted", wire.Summary{Interrupted: true, Findings: 1}, "1 finding in 0 items, 0 B, 0.0 s\nsearched for 0 registered values\ninterrupted: this is what was found until then\n"},
		{"source failed", wire.Summary{}, "no findings in 0 items, 0 B, 0.0 s\nsearched for 0 registered values\nnot complete\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, report(t, terminal.Options{}, tt.s)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNeverSteersTheTerminal(t *testing.T) {
	f := finding("evil\x1b]0;title\x07\r\n\u202e.txt", fingerprints.VerdictLeaked, fingerprints.SeverityHigh)
	f.Context = "\x1b[2J\x9b"
	f.Secret = fingerprints.NewValue([]byte("\x1b[31m" + plain))
	got := report(t, terminal.Options{Secrets: terminal.Shown}, wire.Summary{Skips: []wire.Skip{{Path: "\x1b[1m"}}, SkipCounts: []wire.SkipCount{{Count: 1}}}, f)
	for _, bad := range []string{"\x1b", "\x07", "\r", "\u202e", "\x9b"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q reached the terminal", bad)
		}
	}
	if !strings.Contains(got, plain) {
		t.Error("the value was asked for and is not there")
	}
}

func TestWidthAndColor(t *testing.T) {
	var fs []wire.Finding
	for i := range 30 {
		f := finding(strings.Repeat("長い/", i)+strings.Repeat("directory/", 3*i)+"file.txt", fingerprints.VerdictStale, fingerprints.SeverityLow)
		f.Rule = fmt.Sprint("rule-", i, strings.Repeat("x", i*5))
		fs = append(fs, f)
	}
	for _, width := range []int{0, 20, 40, 120} {
		got := report(t, terminal.Options{Width: width}, wire.Summary{}, fs...)
		bound := width
		if bound == 0 {
			bound = 80
		}
		for _, line := range strings.Split(got, "\n") {
			wide := 0
			for _, r := range line {
				wide++
				if r > 0x2fff {
					wide++
				}
			}
			if wide > bound && !strings.HasPrefix(line, "searched") {
				t.Errorf("width %d: a line of %d columns", bound, wide)
			}
		}
		if strings.Contains(got, plain) || strings.Contains(got, "\x1b") {
			t.Error("a value or a colour that nobody asked for")
		}
	}
	if got := report(t, terminal.Options{Color: terminal.Colored}, wire.Summary{}, fs[0]); !strings.Contains(got, "\x1b[36mLOW") {
		t.Error("no colour")
	}
	none := func(string) string { return "" }
	if terminal.ColorFor(&bytes.Buffer{}, none) != terminal.Plain {
		t.Error("colour for a buffer")
	}
}

func TestManyPlaces(t *testing.T) {
	var fs []wire.Finding
	for i := range 25 {
		fs = append(fs, finding(fmt.Sprint("f", i), fingerprints.VerdictStale, fingerprints.SeverityLow))
	}
	got := report(t, terminal.Options{}, wire.Summary{Findings: 25}, fs...)
	if !strings.Contains(got, "and 15 more places\n") || strings.Contains(got, "f10:") {
		t.Error(got)
	}
}
