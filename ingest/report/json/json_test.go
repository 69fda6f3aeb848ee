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

func report(t *testing.T, s json.Secrets, fs []wire.Finding) string {
	t.Helper()
	var b bytes.Buffer
	w := json.NewWriter(&b, s)
	for _, f := range fs {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestKeys(t *testing.T) {
	var got []map[string]any
	out := report(t, json.Redacted, findings())
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
	if text := report(t, json.Redacted, common); !strings.Contains(text, `"TooCommon": true`) {
		t.Error("too common is not told")
	}
	if got[1]["FindingID"] != nil || got[1]["Secret"] != "REDACTED" || got[1]["RuleID"] != json.RegisteredRule {
		t.Errorf("without id and rule: %v", got[1])
	}
	if strings.Contains(out, plain) {
		t.Error("a value in a redacted report")
	}
}

func TestShown(t *testing.T) {
	out := report(t, json.Shown, findings())
	if !strings.Contains(out, `"Secret": "`+plain+`"`) || !strings.Contains(out, `"Match": "k=`+plain+`"`) {
		t.Error("the value was asked for and is not there")
	}
}

func TestEmpty(t *testing.T) {
	if diff := cmp.Diff("[]\n", report(t, json.Redacted, nil)); diff != "" {
		t.Error(diff)
	}
}

type full struct{}

var errFull = errors.New("no space")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	w := json.NewWriter(full{}, json.Redacted)
	if err := w.Write(findings()[0]); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("closing: %v", err)
	}
}
