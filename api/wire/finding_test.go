package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// TestFindingV1 pins the version's field names: they never change.
func TestFindingV1(t *testing.T) {
	const plain = "the-value-itself"
	f := wire.Finding{
		Schema: wire.FindingV1, ID: "rv1:00", SourceID: "dir:/x", Kind: fingerprints.KindDir, Path: "a", Rule: "r",
		Matches: []wire.Match{{Secret: "db", Version: 3, Field: "password", State: fingerprints.StateRetired, Verdict: fingerprints.VerdictStale}},
		Verdict: fingerprints.VerdictStale, Severity: fingerprints.SeverityMedium, Status: fingerprints.StatusOpen,
		Presence: fingerprints.PresenceTip, Form: fingerprints.FormHex,
		Span:   wire.Region{Start: 4, End: 9, Line: 1, Column: 5, EndLine: 1, EndColumn: 9},
		Secret: fingerprints.NewValue([]byte(plain)), Match: fingerprints.NewValue([]byte(plain)),
	}
	got, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schema":"revenant.finding/v1","id":"rv1:00","source":"dir:/x","source_kind":"dir","path":"a","rule":"r",` +
		`"matches":[{"secret":"db","version":3,"field":"password","state":"retired","verdict":"stale"}],` +
		`"verdict":"stale","severity":"medium","status":"open","presence":"tip","form":"hex",` +
		`"span":{"start":4,"end":9,"line":1,"column":5,"end_line":1,"end_column":9}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	f.TooCommon, f.Member, f.Same = true, "b", 7
	if got, err = json.Marshal(f); err != nil || !strings.Contains(string(got), `"form":"hex","too_common":true,"span"`) || !strings.Contains(string(got), `"path":"a","member":"b",`) || strings.Contains(string(got), "ame\":7") {
		t.Errorf("too common: %s, error %v", got, err)
	}
	if strings.Contains(fmt.Sprintf("%+v %#v", f, f), plain) {
		t.Error("a printed finding holds the value")
	}
	if f.Matches[0].Ref() != "db@3" || !f.Registered() {
		t.Error("the match is not told")
	}
}

func TestSkipped(t *testing.T) {
	s := wire.Summary{SkipCounts: []wire.SkipCount{{Count: 2}, {Count: 3}}}
	if s.Skipped() != 5 {
		t.Errorf("got %d", s.Skipped())
	}
}
