package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report"
	"revenant/ingest/report/json"
)

const plain = "the-value-itself"

func findings() []wire.Finding {
	return []wire.Finding{
		{
			Schema: wire.FindingV1, ID: "rv1:00", SourceID: "dir:/x", Kind: fingerprints.KindDir, Path: "a.env", Rule: "github-pat",
			Description: "a token", Tags: []string{"t"}, Entropy: 4.5, Verdict: fingerprints.VerdictStale, Severity: fingerprints.SeverityMedium,
			Status: fingerprints.StatusOpen, Presence: fingerprints.PresenceTip, Form: fingerprints.FormBase64,
			Matches: []wire.Match{
				{Secret: "billing/db", Version: 3, Field: "password", State: fingerprints.StateRetired, Owner: "team", Verdict: fingerprints.VerdictStale},
				{Secret: "copy", Version: 1, Field: "value", State: fingerprints.StateAbandoned, Verdict: fingerprints.VerdictStale},
			},
			Locator: "line 7", New: true,
			Span:    wire.Region{Start: 14, End: 30, Line: 2, Column: 5, EndLine: 2, EndColumn: 20},
			Whole:   wire.Region{Start: 9, End: 30, Line: 1, Column: 10, EndLine: 2, EndColumn: 20},
			Context: "k=[secret billing/db@3]", Secret: fingerprints.NewValue([]byte(plain)), Match: fingerprints.NewValue([]byte("k=" + plain)),
		},
		{Path: "b", Verdict: fingerprints.VerdictUnregistered, Secret: fingerprints.NewValue([]byte(plain)), Kind: fingerprints.KindStdin},
	}
}

func written(t *testing.T, s report.Secrets, fs []wire.Finding) string {
	t.Helper()
	var b bytes.Buffer
	w := json.NewWriter(&b, s)
	for _, f := range fs {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(wire.Summary{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestKeys(t *testing.T) {
	var got []map[string]any
	out := written(t, report.Redacted, findings())
	if err := stdjson.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"RuleID": "github-pat", "Description": "a token", "StartLine": 1., "EndLine": 2., "StartColumn": 10., "EndColumn": 20.,
		"Match": "[secret billing/db@3]", "Secret": "[secret billing/db@3]", "File": "a.env", "SymlinkFile": "", "Commit": "",
		"Entropy": 4.5, "Author": "", "Email": "", "Date": "", "Message": "", "Tags": []any{"t"}, "Fingerprint": "a.env:github-pat:1",
		"SecretName": "billing/db", "Version": 3., "State": "retired", "Verdict": "stale", "Severity": "medium", "Status": "open",
		"Form": "base64", "Presence": "tip", "SourceKind": "dir", "Source": "dir:/x", "FindingID": "rv1:00",
		"Context": "k=[secret billing/db@3]", "Locator": "line 7", "Field": "password", "Owner": "team", "New": true,
		"Matches": []any{
			map[string]any{"SecretName": "billing/db", "Version": 3., "Field": "password", "State": "retired", "Verdict": "stale", "Owner": "team"},
			map[string]any{"SecretName": "copy", "Version": 1., "Field": "value", "State": "abandoned", "Verdict": "stale"},
		},
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
	common := findings()[:1]
	common[0].TooCommon = true
	if text := written(t, report.Redacted, common); !strings.Contains(text, `"TooCommon": true`) {
		t.Error("too common is not told")
	}
	if got[1]["FindingID"] != nil || got[1]["Secret"] != "REDACTED" || got[1]["RuleID"] != report.RegisteredRule {
		t.Errorf("without id and rule: %v", got[1])
	}
	if strings.Contains(out, plain) {
		t.Error("a value in a redacted report")
	}
}

func TestShown(t *testing.T) {
	out := written(t, report.Shown, findings())
	if !strings.Contains(out, `"Secret": "`+plain+`"`) || !strings.Contains(out, `"Match": "k=`+plain+`"`) {
		t.Error("the value was asked for and is not there")
	}
}

func TestEmpty(t *testing.T) {
	if diff := cmp.Diff("[]\n", written(t, report.Redacted, nil)); diff != "" {
		t.Error(diff)
	}
}

type full struct{}

var errFull = errors.New("no space")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	w := json.NewWriter(full{}, report.Redacted)
	if err := w.Write(findings()[0]); err != nil {
		t.Errorf("the first is held back: %v", err)
	}
	if err := w.Write(findings()[1]); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if err := w.Close(wire.Summary{}); !errors.Is(err, errFull) {
		t.Errorf("closing: %v", err)
	}
}

// That a scan was interrupted stands in its last entry, and nowhere else.
func TestInterrupted(t *testing.T) {
	var b bytes.Buffer
	w := json.NewWriter(&b, report.Redacted)
	for _, f := range findings() {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(wire.Summary{Interrupted: true}); err != nil {
		t.Fatal(err)
	}
	var got []struct{ Interrupted bool }
	if err := stdjson.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Interrupted || !got[1].Interrupted {
		t.Errorf("got %v", got)
	}
}

// Every line is an object, and the last one says how the scan went.
func TestLines(t *testing.T) {
	for _, fs := range [][]wire.Finding{nil, findings()} {
		var b bytes.Buffer
		w := json.NewLines(&b, report.Redacted)
		for _, f := range fs {
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(wire.Summary{Findings: len(fs), Interrupted: true}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != len(fs)+1 {
			t.Fatalf("%d lines", len(lines))
		}
		for i, line := range lines {
			var got struct {
				RuleID  string
				Summary *wire.Summary
			}
			if err := stdjson.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			if last := i == len(fs); last != (got.Summary != nil) || last == (got.RuleID != "") {
				t.Errorf("line %d: %s", i+1, line)
			}
			if got.Summary != nil && (!got.Summary.Interrupted || got.Summary.Findings != len(fs)) {
				t.Errorf("summary: %+v", *got.Summary)
			}
		}
		if strings.Contains(b.String(), plain) {
			t.Error("a value in a redacted report")
		}
	}
	if err := json.NewLines(full{}, report.Redacted).Close(wire.Summary{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
