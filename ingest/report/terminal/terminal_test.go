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
	"revenant/ingest/report"
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

func written(t *testing.T, o terminal.Options, s wire.Summary, fs ...wire.Finding) string {
	t.Helper()
	var c report.Collector
	for _, f := range fs {
		if err := c.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := terminal.Write(&b, c.Data(report.Tool{Name: "Revenant"}, s), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReport(t *testing.T) {
	reg := finding("app/.env", fingerprints.VerdictCompromised, fingerprints.SeverityCritical)
	reg.Matches = []wire.Match{{Secret: "billing/db", Version: 3, Field: "password", State: fingerprints.StateRetired, Owner: "team"}}
	reg.Form, reg.New, reg.More, reg.Context = fingerprints.FormBase64, true, 2, "k=[secret billing/db@3]"
	got := written(t, terminal.Options{}, wire.Summary{
		Items: 12, Bytes: 3456789, Findings: 2, Duration: 1500 * time.Millisecond, Registered: 7,
		SkipCounts: []wire.SkipCount{{Reason: fingerprints.SkipSymlink, Count: 1}, {Reason: fingerprints.SkipUnreadable, Count: 2}},
		Skips:      []wire.Skip{{Path: "etc/x", Reason: fingerprints.SkipUnreadable, Detail: "permission denied"}},
	}, finding("b.txt", fingerprints.VerdictUnregistered, fingerprints.SeverityMedium), reg)
	want := `CRITICAL  compromised  billing/db@3
  password, retired, owner team
  app/.env:3:7  (base64, new, 3 times)
    k=[secret billing/db@3]
    rv1:0123

MEDIUM    unregistered  github-pat
  A token.
  b.txt:3:7
    token = [redacted]
    rv1:0123

2 findings in 12 items, 3.5 MB, 1.5 s
2 values to deal with: 1 critical, 1 medium
searched for 7 registered values
not complete: 3 skipped
  2 unreadable: cannot be read
    etc/x: permission denied
    and 1 more
  1 symlink: links that are not followed
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
	got := written(t, terminal.Options{}, wire.Summary{
		Findings: 2, Sources: 2, Items: 3, Registered: 1,
		Notes:      []wire.Note{{SourceID: "git:h/one", Text: "git read 2 objects"}},
		SkipCounts: []wire.SkipCount{{Reason: fingerprints.SkipMissing, Count: 2}},
		Skips:      []wire.Skip{{SourceID: "git:h/two", Path: "c", Reason: fingerprints.SkipMissing}, {Path: "/d", Reason: fingerprints.SkipMissing, Detail: "gone"}},
	}, one, two)
	want := `HIGH      leaked  github-pat
  A token.
  a:3:7
    git:h/one
    in main, tags/v1, HEAD and 6 more
    token = [redacted]
    rv1:0123
  b:3:7
    git:h/two
    rv1:0123

2 findings in 3 items of 2 sources, 0 B, 0.0 s
1 value to deal with: 1 high
searched for 1 registered value
git:h/one: git read 2 objects
not complete: 2 skipped
  2 missing-object: objects that a clone or a saved image left out
    git:h/two c
    /d: gone
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got = written(t, terminal.Options{}, wire.Summary{Sources: 1}, two); strings.Contains(got, "git:h/two") {
		t.Errorf("one source need not be named:\n%s", got)
	}
}

// What is settled is one line each, behind the rest: too common to alert, accepted,
// at an allowed place.
// TestLogLines: a finding in a log says in which run it is, when it was logged, and
// where to look.
func TestLogLines(t *testing.T) {
	f := finding("build/Run tests", fingerprints.VerdictUnregistered, fingerprints.SeverityMedium)
	f.Kind, f.SourceID, f.Locator, f.Presence = fingerprints.KindCI, "ci:github:github.com/acme/shop", "run 42 attempt 2 job 7 step 3", fingerprints.PresenceRetained
	f.At, f.URL = time.Date(2026, 5, 6, 7, 8, 9, 0, time.FixedZone("", 3600)), "https://github.com/acme/shop/actions/runs/42/job/7#step:3:3"
	f.Message, f.Refs = "CI", []string{"main"}
	got := written(t, terminal.Options{Width: 66}, wire.Summary{Items: 1, Findings: 1}, f)
	want := `  build/Run tests:3:7  (run 42 attempt 2 job 7 step 3, retained)
    workflow CI; logged 2026-05-06 06:08:09 UTC; in main
    https://github.com/acme/shop/actions/runs/42/job/7#step:3:3
`
	for line := range strings.SplitAfterSeq(want, "\n") {
		if !strings.Contains(got, line) {
			t.Errorf("%q is not in\n%s", line, got)
		}
	}
}

func TestSettled(t *testing.T) {
	common := finding("a", fingerprints.VerdictLeaked, fingerprints.SeverityHigh)
	common.Matches, common.TooCommon = []wire.Match{{Secret: "db", Version: 1}}, true
	open, home, accepted := common, common, finding("d", fingerprints.VerdictUnregistered, fingerprints.SeverityCritical)
	open.TooCommon, open.Path = false, "b"
	home.TooCommon, home.Path, home.Verdict, home.Severity = false, "c", fingerprints.VerdictAllowed, fingerprints.SeverityInfo
	accepted.Status = fingerprints.StatusAccepted
	second := accepted
	second.Path = "e"
	got := written(t, terminal.Options{}, wire.Summary{Findings: 5, Complete: true}, common, open, home, accepted, second)
	want := `HIGH      leaked  db@1
  b:3:7
    token = [redacted]
    rv1:0123

CRITICAL  unregistered  github-pat  d:3:7 and 1 more place  (accepted)
HIGH      leaked  db@1  a:3:7  (too common to alert)
INFO      allowed  db@1  c:3:7  (an allowed place)

5 findings in 0 items, 0 B, 0.0 s
1 value to deal with: 1 high
searched for 0 registered values
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A value of several versions names them all.
func TestSeveralVersions(t *testing.T) {
	f := finding("a", fingerprints.VerdictLeaked, fingerprints.SeverityCritical)
	f.Matches = []wire.Match{
		{Secret: "app/a", Version: 2, Field: fingerprints.DefaultField, State: fingerprints.StateActive, Owner: "team"},
		{Secret: "app/b", Version: 1, Field: "token", State: fingerprints.StateRetired},
	}
	got := written(t, terminal.Options{}, wire.Summary{Registered: 1}, f)
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
	got := written(t, terminal.Options{Width: 40, Secrets: report.Shown}, wire.Summary{}, f)
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
			if diff := cmp.Diff(tt.want, written(t, terminal.Options{}, tt.s)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNeverSteersTheTerminal(t *testing.T) {
	f := finding("evil\x1b]0;title\x07\r\n\u202e.txt", fingerprints.VerdictLeaked, fingerprints.SeverityHigh)
	f.Context = "\x1b[2J\x9b"
	f.Secret = fingerprints.NewValue([]byte("\x1b[31m" + plain))
	got := written(t, terminal.Options{Secrets: report.Shown}, wire.Summary{Skips: []wire.Skip{{Path: "\x1b[1m"}}, SkipCounts: []wire.SkipCount{{Count: 1}}}, f)
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
		got := written(t, terminal.Options{Width: width}, wire.Summary{}, fs...)
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
	if got := written(t, terminal.Options{Color: terminal.Colored}, wire.Summary{}, fs[0]); !strings.Contains(got, "\x1b[36mLOW") {
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
	got := written(t, terminal.Options{}, wire.Summary{Findings: 25}, fs...)
	if !strings.Contains(got, "and 21 more places\n") || strings.Contains(got, "f4:") {
		t.Error(got)
	}
}

// One value in many versions and lines of one file is one place; it is told once, with
// its newest home first.
func TestOneValueOneGroup(t *testing.T) {
	var fs []wire.Finding
	for i := range 300 {
		f := finding("docs/config.rst", fingerprints.VerdictUnregistered, fingerprints.SeverityLow)
		f.Same, f.Presence, f.Span.Line, f.Locator = 7, fingerprints.PresenceHistory, i+1, fmt.Sprint("blob:", i)
		fs = append(fs, f)
	}
	tip := fs[0]
	tip.Presence, tip.Severity, tip.Span.Line = fingerprints.PresenceTip, fingerprints.SeverityMedium, 41
	tip.Commit, tip.At, tip.Refs, tip.MoreRefs = "2ac89889f4cc330d2afb", time.Unix(1_700_000_000, 0), []string{"refs/heads/main", "refs/heads/next"}, 3
	elsewhere, other := fs[0], fs[0]
	elsewhere.Path, elsewhere.Locator, elsewhere.Span.Line = "old.txt", "blob:0123456789abcdef", 1
	other.Same, other.Path = 8, "other.txt"
	got := written(t, terminal.Options{}, wire.Summary{Findings: 3, Complete: true}, append(fs, elsewhere, tip, other)...)
	want := `MEDIUM    unregistered  github-pat
  A token.
  docs/config.rst:41:7  (301 times)
    since 2ac89889f4cc, 2023-11-14; in main, next and 3 more
    token = [redacted]
    rv1:0123
  old.txt:1:7  (history)
    blob 0123456789ab
    rv1:0123

LOW       unregistered  github-pat
  other.txt:1:7  (history)
    blob 0
    token = [redacted]
    rv1:0123

3 findings in 0 items, 0 B, 0.0 s
2 values to deal with: 1 medium, 1 low
searched for 0 registered values
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProgress(t *testing.T) {
	tests := []struct {
		name  string
		step  terminal.Step
		width int
		want  string
	}{
		{"begun", terminal.Step{Unit: "items", Items: 1, Bytes: 10}, 80, "1 item, 10 B, 0 findings"},
		{"rate", terminal.Step{Unit: "items", Items: 2, Bytes: 3_000_000, Elapsed: time.Second, Findings: 1, Skips: 4}, 80, "2 items, 3.0 MB, 3.0 MB/s, 1 finding, 4 skipped"},
		{"objects", terminal.Step{Unit: "objects", Items: 100, TotalItems: 1000, Bytes: 1000, Elapsed: 10 * time.Second}, 80, "100 of 1000 objects, 1.0 kB, 100 B/s, 1:30 min left, 0 findings"},
		{"slower lately", terminal.Step{Unit: "objects", Items: 990, TotalItems: 1000, Elapsed: 10 * time.Second, Pace: 0.5}, 80, "990 of 1000 objects, 0 B, 0 B/s, 20 s left, 0 findings"},
		{"bytes", terminal.Step{Unit: "items", Items: 1, Bytes: 5e8, TotalBytes: 5e11, Elapsed: 10 * time.Second}, 80, "1 item, 500.0 MB of 500.0 GB, 50.0 MB/s, 2:46 h left, 0 findings"},
		{"nearly", terminal.Step{Unit: "items", Items: 9, Bytes: 9, TotalBytes: 10, Elapsed: 10 * time.Second}, 80, "9 items, 9 B of 10 B, 0 B/s, a few seconds left, 0 findings"},
		{"more than the total", terminal.Step{Unit: "items", Items: 9, Bytes: 11, TotalBytes: 10, Elapsed: 10 * time.Second}, 80, "9 items, 11 B of 10 B, 1 B/s, 0 findings"},
		{"several, narrow", terminal.Step{At: 2, Of: 3, Unit: "items", Items: 9, Bytes: 11, Elapsed: time.Second}, 30, "2 of 3: 9 items, 11 B, 11 B/s"},
		{"a stream", terminal.Step{Unit: "messages", Items: 4000, Bytes: 3_000_000, Elapsed: 2 * time.Second, Skips: 2, Stream: &terminal.Stream{Hits: 1, Behind: 70}}, 80, "4000 messages, 3.0 MB, 2000 messages/s, 1.5 MB/s, 1 hit, 2 skipped, 70 behind"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.step.Line(tt.width); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
