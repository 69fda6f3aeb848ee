package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// toldOf is a sighting as a scan elsewhere tells it.
func toldOf(o registry.Observation) wire.FoundAt {
	s := o.Sighting
	f := wire.FoundAt{
		ID: o.FindingID, Value: o.Value.String(), Path: o.Path, PathID: o.PathID.String(), Locator: s.Locator,
		Region: wire.Region{Start: s.Start, End: s.End, Line: s.Line}, Form: s.Form, Rule: s.Rule, Presence: s.Presence,
	}
	for _, row := range o.Rows {
		f.Fields = append(f.Fields, row.String())
	}
	return f
}

// TestTellScan: what a scan elsewhere tells is recorded once, however often it is
// told, and is gone when such a scan of the whole source does not meet it again.
func TestTellScan(t *testing.T) {
	k := newKit(t)
	secret, generic := k.text(32), k.text(32)
	k.add("s", secret)
	rows := k.rows(ref("s", 1))
	laptop := registry.Actor{Name: "token:laptop", Scopes: []registry.Scope{registry.ScopeScan}}
	known := k.seen("git:host/shop", "a.env", secret, rows...)
	other := k.seen("git:host/shop", "b.env", generic)
	results := wire.ScanResults{
		ID: strings.Repeat("a1", 16), Source: "git:host/shop", Kind: fingerprints.KindGit, Whole: true, Generic: true, FieldRevision: 99,
		Findings: []wire.FoundAt{toldOf(known), toldOf(other)}, Skips: []wire.SkippedAt{{Path: "x.zip", Reason: fingerprints.SkipEncoded, Size: 7}},
	}
	tell := func(q wire.ScanResults) wire.ScanTold {
		t.Helper()
		told, err := k.reg.TellScan(k.ctx, laptop, q)
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	first := tell(results)
	if first.Recorded != 2 || first.New != 2 || first.Unchanged {
		t.Errorf("told first: %+v", first)
	}
	if again := tell(results); again.Scan != first.Scan || again.New != 0 {
		t.Errorf("the same part again: %+v", again)
	}
	last := results
	last.Part, last.Findings, last.Skips, last.End = 1, nil, nil, &wire.ScanEnd{Items: 2, Bytes: 80, Complete: true}
	if end := tell(last); end.Scan != first.Scan || end.Unchanged {
		t.Errorf("the end: %+v", end)
	}
	if again := tell(last); !again.Unchanged {
		t.Errorf("the end again: %+v", again)
	}
	src, err := k.reg.Source(k.ctx, me(), "git:host/shop")
	if err != nil || len(src.Scans) != 1 || src.LastScan == nil || src.LastScan.Skips != 1 || src.Findings[fingerprints.VerdictLeaked] != 1 || src.Findings[fingerprints.VerdictUnregistered] != 1 {
		t.Errorf("the source: %+v, %v", src, err)
	}
	cov, err := k.reg.Coverage(k.ctx, me(), ref("s", 1))
	if err != nil || cov.Complete || cov.Sources[0].State != registry.CoveragePartial || !strings.Contains(cov.Sources[0].Reason, "strong values") {
		t.Errorf("coverage rests on a scan elsewhere: %+v, %v", cov, err)
	}
	k.now = k.now.Add(time.Hour)
	clean := last
	clean.ID, clean.Part = strings.Repeat("b2", 16), 0
	if told := tell(clean); told.Gone != 2 {
		t.Errorf("a whole scan that met nothing: %+v", told)
	}
	part := results
	part.ID, part.Whole, part.End = strings.Repeat("c3", 16), false, &wire.ScanEnd{Complete: true}
	part.Findings = part.Findings[:1]
	if told := tell(part); told.Gone != 0 || told.Recorded != 1 {
		t.Errorf("a change: %+v", told)
	}
}

// TestTellForged refuses ids that do not belong together.
func TestTellForged(t *testing.T) {
	k := newKit(t)
	secret, generic := k.text(32), k.text(32)
	k.add("s", secret)
	rows := k.rows(ref("s", 1))
	laptop := registry.Actor{Name: "token:laptop", Scopes: []registry.Scope{registry.ScopeScan}}
	good := toldOf(k.seen("dir:/x", "a.env", generic))
	n := 0
	for name, spoil := range map[string]func(q *wire.ScanResults){
		"another's source": func(q *wire.ScanResults) { q.Source = "dir:/other" },
		"another path":     func(q *wire.ScanResults) { q.Findings[0].Path = "b.env" },
		"another value":    func(q *wire.ScanResults) { q.Findings[0].Value = strings.Repeat("ab", 16) },
		"no value":         func(q *wire.ScanResults) { q.Findings[0].Value = "" },
		"a field of another value": func(q *wire.ScanResults) {
			q.Findings[0].Fields = []string{rows[0].String()}
		},
		"a field that is none": func(q *wire.ScanResults) { q.Findings[0].Fields = []string{strings.Repeat("00", 16)} },
		"a place that is none": func(q *wire.ScanResults) { q.Findings[0].Start = 99 },
		"a reason of its own":  func(q *wire.ScanResults) { q.Skips = []wire.SkippedAt{{Path: "x", Reason: "because"}} },
	} {
		n++
		q := wire.ScanResults{ID: strings.Repeat("0", 31) + string(rune('0'+n)), Source: "dir:/x", Kind: fingerprints.KindDir, Findings: []wire.FoundAt{good}}
		spoil(&q)
		if told, err := k.reg.TellScan(k.ctx, laptop, q); !errors.Is(err, registry.ErrForged) && !errors.Is(err, registry.ErrInput) {
			t.Errorf("%s: %+v, %v", name, told, err)
		}
	}
	if list, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{}); err != nil || len(list) != 0 {
		t.Errorf("recorded: %+v, %v", list, err)
	}
	if _, err := k.reg.TellScan(k.ctx, registry.Actor{Name: "reader", Scopes: []registry.Scope{registry.ScopeRead}}, wire.ScanResults{ID: strings.Repeat("d4", 16), Source: "dir:/x"}); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("without the scope: %v", err)
	}
}
