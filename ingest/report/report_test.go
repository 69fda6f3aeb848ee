package report_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report"
	"revenant/ingest/report/csv"
	"revenant/ingest/report/sarif"
	"revenant/ingest/report/template"
)

func place(n int, s fingerprints.Severity) wire.Finding {
	return wire.Finding{SourceID: "dir:/x", Path: fmt.Sprint("f", n), Rule: "r", Same: uint64(n + 1), Severity: s, Verdict: fingerprints.VerdictUnregistered, Presence: fingerprints.PresenceTip}
}

// A Collector keeps the worst places and counts the others; it never forgets a
// sighting.
func TestCollectorIsBounded(t *testing.T) {
	var c report.Collector
	write := func(f wire.Finding) {
		t.Helper()
		if err := c.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	for i := range report.MaxPlaces + 10 {
		write(place(i, fingerprints.SeverityLow))
	}
	worse := place(-5, fingerprints.SeverityCritical)
	worse.More = 4
	write(worse)
	write(place(report.MaxPlaces-1, fingerprints.SeverityLow)) // what made room
	write(place(3, fingerprints.SeverityLow))                  // another sighting
	d := c.Data(report.Tool{}, wire.Summary{})
	if len(d.Places) != report.MaxPlaces || d.Left != 12 {
		t.Errorf("%d places, %d left", len(d.Places), d.Left)
	}
	if first := d.Places[0]; first.Severity != fingerprints.SeverityCritical || first.Sightings != 5 {
		t.Errorf("first: %+v", first)
	}
	total := d.Left
	for _, p := range d.Places {
		total += p.Sightings
	}
	if want := int64(report.MaxPlaces + 10 + 5 + 2); total != want {
		t.Errorf("%d sightings, want %d", total, want)
	}
	var b bytes.Buffer
	if err := sarif.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "12 findings are left out") {
		t.Error("SARIF does not say what is left out")
	}
}

// What is settled is no result for GitHub, which opens an alert for each; where it
// is asked for, SARIF says why: in the source, or elsewhere.
func TestSARIFSuppressions(t *testing.T) {
	day := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	settled := map[string]wire.Finding{}
	for path, by := range map[string]*wire.Tolerated{
		"mark":     {By: "gitleaks:allow", In: wire.ToleratedInSource},
		"baseline": {By: "/home/ada/app/.revenant-baseline", In: wire.ToleratedInFile, Owner: "ada@example.org", Until: day, Reason: "a [test] account"},
		"decision": {By: "decision 3", In: wire.ToleratedInRegistry, Status: fingerprints.StatusFalsePositive, Reason: "from a manual"},
		"triage":   nil,
	} {
		f := place(len(settled), fingerprints.SeverityCritical)
		f.Path, f.Status, f.Tolerated = path, fingerprints.StatusAccepted, by
		if by != nil && by.Status != "" {
			f.Status = by.Status
		}
		settled[path] = f
	}
	open := place(99, fingerprints.SeverityLow)
	d := collected(t, append(slices.Collect(maps.Values(settled)), open), wire.Summary{Complete: true})
	type suppression struct{ Kind, Status, Justification string }
	results := func() map[string][]suppression {
		var b bytes.Buffer
		if err := sarif.Write(&b, d); err != nil {
			t.Fatal(err)
		}
		valid(t, compiled(t, "sarif-2.1.0.json"), b.Bytes())
		if strings.Contains(b.String(), "ada") {
			t.Error("a person or a folder of the machine is named")
		}
		if told := strings.Contains(b.String(), "4 findings that are accepted"); told == d.Settled {
			t.Errorf("settled are listed: %t; that they are not is told: %t", d.Settled, told)
		}
		var log struct {
			Runs []struct {
				Results []struct {
					Locations []struct {
						PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					}
					Suppressions []suppression
				}
			}
		}
		if err := json.Unmarshal(b.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		out := map[string][]suppression{}
		for _, r := range log.Runs[0].Results {
			out[r.Locations[0].PhysicalLocation.ArtifactLocation.URI] = r.Suppressions
		}
		return out
	}
	if diff := cmp.Diff(map[string][]suppression{open.Path: nil}, results()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d.Settled = true
	if diff := cmp.Diff(map[string][]suppression{
		open.Path:  nil,
		"mark":     {{"inSource", "accepted", "accepted by gitleaks:allow"}},
		"baseline": {{"external", "accepted", `accepted by .revenant-baseline until 2027-01-31: a [test] account`}},
		"decision": {{"external", "accepted", "a false positive by decision 3: from a manual"}},
		"triage":   {{"external", "accepted", "accepted"}},
	}, results()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Sources beyond what GitHub takes runs of are counted.
func TestSARIFOfManySources(t *testing.T) {
	var c report.Collector
	for i := range 23 {
		f := place(i, fingerprints.SeverityHigh)
		f.SourceID = fmt.Sprint("git:h/", i)
		if err := c.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := sarif.Write(&b, c.Data(report.Tool{Name: "Revenant"}, wire.Summary{Complete: true})); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 20 || !strings.Contains(b.String(), "3 findings are left out") {
		t.Errorf("%d runs", len(log.Runs))
	}
}

// Keys are the same in the next scan, whatever the order, and no two are alike.
func TestKeysAreStable(t *testing.T) {
	a, b := place(1, fingerprints.SeverityLow), place(2, fingerprints.SeverityLow)
	a.ID = "rv1:0011"
	b.Path, b.Ordinal = a.Path, 3
	twin := b
	twin.Same = 99
	keys := func(fs ...wire.Finding) map[string]string {
		out := map[string]string{}
		for _, p := range collected(t, fs, wire.Summary{}).Places {
			if out[p.Key] != "" {
				t.Errorf("two places with one key")
			}
			out[p.Key] = fmt.Sprint(p.ID, p.Ordinal)
		}
		return out
	}
	if diff := cmp.Diff(keys(a, b), keys(b, a)); diff != "" {
		t.Error(diff)
	}
	if n := len(keys(a, b, twin)); n != 3 {
		t.Errorf("%d keys", n)
	}
	moved := a
	moved.Span.Line, moved.Rule, moved.Locator = 77, "other-rule", "blob:9"
	if diff := cmp.Diff(keys(a), keys(moved)); diff != "" {
		t.Errorf("a finding that moved: %s", diff)
	}
}

func TestGroups(t *testing.T) {
	reg := func(path string, v fingerprints.Verdict, s fingerprints.Severity) wire.Finding {
		return wire.Finding{Path: path, Verdict: v, Severity: s, Matches: []wire.Match{{Secret: "db", Version: 1}}, Same: 5}
	}
	low, high := place(1, fingerprints.SeverityLow), place(1, fingerprints.SeverityHigh)
	high.Path, low.Presence = "z", fingerprints.PresenceHistory
	dismissed := place(4, fingerprints.SeverityCritical)
	dismissed.Status = fingerprints.StatusFalsePositive
	var got []string
	groups := report.Groups(collected(t, []wire.Finding{
		low, high, place(2, fingerprints.SeverityMedium), dismissed,
		reg("a", fingerprints.VerdictStale, fingerprints.SeverityMedium), reg("b", fingerprints.VerdictAllowed, fingerprints.SeverityInfo), reg("c", fingerprints.VerdictStale, fingerprints.SeverityMedium),
	}, wire.Summary{}).Places)
	for _, g := range groups {
		var paths []string
		for _, p := range g.Places {
			paths = append(paths, p.Path)
		}
		got = append(got, fmt.Sprint(g.Severity, " ", g.Verdict, " ", g.Name, " ", paths))
	}
	want := []string{"high unregistered r [z f1]", "medium stale db@1 [a c]", "medium unregistered r [f2]", "critical unregistered r [f4]", "info allowed db@1 [b]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]report.Tally{{Severity: fingerprints.SeverityHigh, Count: 1}, {Severity: fingerprints.SeverityMedium, Count: 2}}, report.Count(groups)); diff != "" {
		t.Errorf("what is to be dealt with: %s", diff)
	}
}

func TestSafePaths(t *testing.T) {
	tests := []struct{ path, member, file, uri string }{
		{"a/b.txt", "", "a/b.txt", "a/b.txt"},
		{"a.zip!b/c.env", "b/c.env", "a.zip", "a.zip"},
		{"bang!.txt", "", "bang!.txt", "bang!.txt"},
		{"/etc/passwd", "", "etc/passwd", "etc/passwd"},
		{"../../x", "", "x", "x"},
		{"//host/share", "", "host/share", "host/share"},
		{"javascript:alert(1)", "", "javascript:alert(1)", "javascript%3Aalert(1)"},
		{"a b?c#d%e", "", "a b?c#d%e", "a%20b%3Fc%23d%25e"},
		{"straße", "", "straße", "stra%C3%9Fe"},
		{"", "", "-", "-"},
	}
	for _, tt := range tests {
		f := wire.Finding{Path: tt.path, Member: tt.member}
		if file := report.File(f); file != tt.file || report.URI(file) != tt.uri {
			t.Errorf("%q: file %q, URI %q", tt.path, file, report.URI(file))
		}
	}
}

// Cells that a spreadsheet would evaluate are defused, also where something hides
// the sign.
func TestFormulas(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", " =1": "' =1", "\"=1": "'\"=1", "＝1": "'＝1",
		"": "", "a=1": "a=1", "straße": "straße", "- text": "'- text",
	} {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.Write(wire.Finding{Path: "p", Description: cell}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(wire.Summary{}); err != nil {
			t.Fatal(err)
		}
		rows, err := stdcsv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range rows[0] {
			if name == "Description" && rows[1][i] != strings.ReplaceAll(want, "\r\n", "\n") {
				t.Errorf("%q became %q", cell, rows[1][i])
			}
		}
	}
}

// A template of gitleaks' works as it is, and reaches nothing outside.
func TestTemplates(t *testing.T) {
	// As in gitleaks' documentation of --report-template: fields, range, Sprig's functions.
	const text = `[{{- $last := (sub (len . ) 1) -}}{{- range $i, $f := . -}}{"File": {{ quote .File }}, "Line": {{ .StartLine }}, "Tags": {{ .Tags | toJson }}, "Secret": {{ quote .Secret }}}{{ if ne $i $last }},{{ end }}{{- end -}}]`
	var b bytes.Buffer
	w, err := template.NewWriter(&b, text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		f := place(i, fingerprints.SeverityLow)
		f.Secret = fingerprints.NewValue([]byte("the-value-itself"))
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(wire.Summary{}); err != nil {
		t.Fatal(err)
	}
	want := `[{"File": "f0", "Line": 0, "Tags": [], "Secret": "REDACTED"},{"File": "f1", "Line": 0, "Tags": [], "Secret": "REDACTED"}]`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"{{ .Nothing ", `{{ env "HOME" }}`, `{{ expandenv "$HOME" }}`, `{{ getHostByName "x" }}`, "{{ range . }}{{ .NoSuchField }}{{ end }}"} {
		if _, err := template.NewWriter(&b, bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	// What only a finding with something in it can tell.
	w, err = template.NewWriter(&b, `{{ range . }}{{ if .File }}{{ index .Tags 7 }}{{ end }}{{ end }}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(place(1, fingerprints.SeverityLow)), w.Close(wire.Summary{})); err == nil {
		t.Error("a template that fails goes unnoticed")
	}
}

// A Markdown report fits a comment, however much was found.
func TestMarkdownIsBounded(t *testing.T) {
	var s scanned
	for i := range 2000 {
		f := place(i, fingerprints.SeverityHigh)
		f.Path = fmt.Sprint(strings.Repeat("long/", 40), i)
		s.findings = append(s.findings, f)
		s.summary.Skips = append(s.summary.Skips, wire.Skip{Path: f.Path, Reason: fingerprints.SkipArchive})
	}
	s.summary.SkipCounts = []wire.SkipCount{{Reason: fingerprints.SkipArchive, Count: 2000}}
	got := string(named(t, "report.md").write(t, s))
	if len(got) > 65_536 || !strings.Contains(got, "more secrets, for which there is no room here") || !strings.Contains(got, "Not read: 2000") {
		t.Errorf("%d bytes: %.300s", len(got), got)
	}
}

// Versions and lines of a file are one place, also where there are no finding ids;
// where nothing tells values apart, places are spots.
func TestVersionsAreOnePlace(t *testing.T) {
	var versions, unknown []wire.Finding
	for i := range 3 {
		f := place(1, fingerprints.SeverityLow)
		f.Locator, f.Span.Start = fmt.Sprint("blob:", i), int64(10*i)
		versions = append(versions, f)
		f.Same = 0
		unknown = append(unknown, f)
	}
	if d := collected(t, versions, wire.Summary{}); len(d.Places) != 1 || d.Places[0].Sightings != 3 {
		t.Errorf("%d places", len(d.Places))
	}
	if d := collected(t, unknown, wire.Summary{}); len(d.Places) != 3 {
		t.Errorf("%d places where values are not known", len(d.Places))
	}
}

func TestFailed(t *testing.T) {
	skip := func(r fingerprints.SkipReason) []wire.SkipCount { return []wire.SkipCount{{Reason: r, Count: 1}} }
	for name, tt := range map[string]struct {
		s    wire.Summary
		want bool
	}{
		"complete":    {wire.Summary{Complete: true}, false},
		"interrupted": {wire.Summary{Interrupted: true, SkipCounts: skip(fingerprints.SkipArchive)}, true},
		"ended early": {wire.Summary{}, true},
		"bound":       {wire.Summary{SkipCounts: skip(fingerprints.SkipArchive)}, false},
		"unreadable":  {wire.Summary{SkipCounts: skip(fingerprints.SkipUnreadable)}, true},
	} {
		if got := report.Failed(tt.s); got != tt.want || (report.Incomplete(tt.s) == "") != tt.s.Complete {
			t.Errorf("%s: failed %t, %q", name, got, report.Incomplete(tt.s))
		}
	}
}
