package scan_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// TestLinesOfLogs: a sighting in a log has the time and the address of its line,
// also when it is recalled, and in pieces of a log.
func TestLinesOfLogs(t *testing.T) {
	strong := random(1, 24)
	m := &literal{values: []planted{{strong, row(1)}}, overlap: 64}
	began := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	text := ""
	for i := range 40 {
		line := fmt.Sprintf("2026-05-06T07:10:%02dZ step %d", i, i)
		switch i {
		case 3, 30:
			line += " key=" + strong
		case 31:
			line = "no time here " + strong
		}
		text += line + "\n"
	}
	readTime := func(line []byte) (time.Time, bool) {
		at, err := time.Parse(time.RFC3339, string(line[:min(len(line), len("2026-05-06T07:10:00Z"))]))
		return at, err == nil
	}
	section := func(before []byte) string {
		if bytes.Contains(before, []byte("step 29")) {
			return "two " + strong
		}
		return ""
	}
	type place struct {
		At           time.Time
		URL, Locator string
	}
	want := []place{
		{began.Add(2*time.Minute - 6*time.Second), "https://ci.example/job/7#L4", "run 7"},
		{began.Add(2*time.Minute + 21*time.Second), "https://ci.example/job/7#L31", "run 7 section two [secret secret-1@1]"},
		{began, "https://ci.example/job/7#L32", "run 7 section two [secret secret-1@1]"},
	}
	for _, chunk := range []int{0, 400} {
		kept := &outcomes{}
		for round := range 2 {
			it := item("ci:x:y/z", "build", text)
			it.Identity, it.Locator, it.URL, it.LineURL, it.At, it.LineTime, it.Section, it.Recurs = "run 7", "run 7", "https://ci.example/job/7", "#L", began, readTime, section, true
			if round == 1 {
				it.Open = nil // it is not opened
			}
			got := mustRun(t, &memory{id: "ci:x:y/z", per: 1, items: []scanners.Item{it}}, setup{matcher: m, chunk: chunk, change: func(o *scan.Options) { o.Outcomes = kept }})
			var places []place
			for _, f := range got.findings {
				places = append(places, place{f.At.UTC(), f.URL, f.Locator})
			}
			if diff := cmp.Diff(want, places); diff != "" {
				t.Errorf("chunks of %d, round %d (-want +got):\n%s", chunk, round, diff)
			}
		}
	}
}

// TestWeakValuesOfRuns: a weak value in the logs of many runs is one finding,
// whatever comes before it.
func TestWeakValuesOfRuns(t *testing.T) {
	m := &literal{generic: []planted{{"aaaaaa1", row(3)}}, overlap: 64}
	kept := &outcomes{}
	ids := map[fingerprints.FindingID]bool{}
	for round := range 3 {
		src := &memory{id: "ci:x:y/z", per: 2}
		for run := 3 + round; run > 0; run-- {
			it := item(src.id, "build", string(bytes.Repeat([]byte("key aaaaaa1\n"), 2)))
			it.Identity, it.Locator, it.Recurs = fmt.Sprint("run ", run), fmt.Sprint("run ", run), true
			src.items = append(src.items, it)
		}
		for _, f := range mustRun(t, src, setup{matcher: m, change: func(o *scan.Options) { o.Outcomes = kept }}).findings {
			ids[f.ID] = true
		}
	}
	if len(ids) != 2 {
		t.Errorf("%d findings of two hits in the log of each run", len(ids))
	}
}

// TestStrongestCounts: a finding counts as its strongest sighting says, whichever
// comes first.
func TestStrongestCounts(t *testing.T) {
	strong := random(1, 24)
	m := &literal{values: []planted{{strong, row(1)}}, overlap: 64}
	for name, order := range map[string][]fingerprints.Presence{
		"weaker first": {fingerprints.PresenceExpired, fingerprints.PresenceHistory, fingerprints.PresenceRetained},
		"weaker last":  {fingerprints.PresenceRetained, fingerprints.PresenceExpired, fingerprints.PresenceHistory},
	} {
		src := &memory{id: "ci:x:y/z", per: 1}
		for i, p := range order {
			it := item(src.id, "build", "key "+strong)
			it.Presence, it.Locator = p, fmt.Sprint("run ", i)
			src.items = append(src.items, it)
		}
		got := mustRun(t, src, setup{matcher: m, change: func(o *scan.Options) { o.Labels = labels{state: fingerprints.StateRetired} }})
		want := map[fingerprints.Verdict]int{fingerprints.VerdictStale: 1}
		if diff := cmp.Diff(want, got.Verdicts); diff != "" || got.Result.Findings != 1 {
			t.Errorf("%s: %d findings (-want +got):\n%s", name, got.Result.Findings, diff)
		}
	}
}
