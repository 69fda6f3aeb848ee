package scan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
)

func TestAdd(t *testing.T) {
	one := scan.Result{
		Items: 1, Bytes: 10, Findings: 2, New: 1, Sightings: 3, Sources: 1, Complete: true, Duration: time.Second,
		Verdicts:   map[fingerprints.Verdict]int{fingerprints.VerdictLeaked: 2},
		Severities: map[fingerprints.Severity]int{fingerprints.SeverityHigh: 2},
		Skips:      map[fingerprints.SkipReason]int64{},
		Notes:      []wire.Note{{SourceID: "a", Text: "one"}},
	}
	two := scan.Result{
		Items: 2, Findings: 1, Sources: 1, SourceFailed: true,
		Verdicts: map[fingerprints.Verdict]int{fingerprints.VerdictLeaked: 1, fingerprints.VerdictStale: 1},
		Skips:    map[fingerprints.SkipReason]int64{fingerprints.SkipUnreadable: 1},
		Notes:    []wire.Note{{SourceID: "b", Text: "two"}},
	}
	var got scan.Result
	got.Add(one)
	if diff := cmp.Diff(one, got); diff != "" {
		t.Errorf("one alone (-want +got):\n%s", diff)
	}
	got.Add(two)
	want := scan.Result{
		Items: 3, Bytes: 10, Findings: 3, New: 1, Sightings: 3, Sources: 2, SourceFailed: true, Duration: time.Second,
		Verdicts:   map[fingerprints.Verdict]int{fingerprints.VerdictLeaked: 3, fingerprints.VerdictStale: 1},
		Severities: map[fingerprints.Severity]int{fingerprints.SeverityHigh: 2},
		Skips:      map[fingerprints.SkipReason]int64{fingerprints.SkipUnreadable: 1},
		Notes:      append(one.Notes, two.Notes...),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("both (-want +got):\n%s", diff)
	}
	got.Add(one)
	if got.Complete || one.Verdicts[fingerprints.VerdictLeaked] != 2 {
		t.Error("what was not complete became it, or what was added was changed")
	}
}

// TestLayerTexts: whatever a layer is called by comes with a finding, redacted, what
// stands in the place of a digest too.
func TestLayerTexts(t *testing.T) {
	v := random(7, 24)
	m := &literal{values: []planted{{v, row(1)}}, overlap: 64}
	it := item("image:x", "a", v)
	it.Layer = &scanners.ImageLayer{
		Image: "image-" + v, Platform: "linux/" + v, Digest: v + "/layer.tar", Index: 1, Of: 2, HiddenBy: "by-" + v, Hiding: "RUN \x1b[2J" + v,
	}
	out := mustRun(t, &memory{id: "image:x", items: []scanners.Item{it}}, setup{matcher: m})
	shown := "[secret secret-1@1]"
	want := &wire.Layer{Image: "image-" + shown, Platform: "linux/" + shown, Digest: shown + "/layer.tar", Index: 1, Of: 2, HiddenBy: "by-" + shown, Hiding: `RUN \x1b[2J` + shown}
	if diff := cmp.Diff(want, out.findings[0].Layer); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(out.everything(), v) {
		t.Error("the value leaves the scan")
	}
}

// TestRefs: the names of refs come with a finding, redacted.
func TestRefs(t *testing.T) {
	v := random(7, 24)
	m := &literal{values: []planted{{v, row(1)}}, overlap: 64}
	one, two := item("dir:/x", "a", v), item("dir:/x", "b", v)
	one.Refs, one.MoreRefs = []string{"refs/heads/main", "refs/heads/b-" + v, "refs/heads/\x1b[2J"}, 4
	two.Refs = []string{"refs/heads/main"}
	out := mustRun(t, &memory{id: "dir:/x", per: 2, items: []scanners.Item{one, two}}, setup{matcher: m})
	if len(out.findings) != 2 {
		t.Fatalf("%v", briefs(out.findings))
	}
	if diff := cmp.Diff([]string{"refs/heads/main", "refs/heads/b-[secret secret-1@1]", `refs/heads/\x1b[2J`}, out.findings[0].Refs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out.findings[0].MoreRefs != 4 || len(out.findings[1].Refs) != 1 || strings.Contains(out.everything(), v) {
		t.Errorf("%+v", out.findings)
	}
}

// TestTextsAlone: a word in one text does not make ids in others of the batch
// secrets. The rule takes any id for a token where its word is.
func TestTextsAlone(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef01234567"
	m := &worded{word: "sourcery", token: id}
	one, two := item("dir:/x", "sourcery/config.go", "x"), item("dir:/x", "b", id+" sourcery")
	two.Locator, two.URL = "blob:"+id, "https://example.org/"+id
	var found []wire.Finding
	_, err := scan.Run(t.Context(), scan.Options{
		Source: &memory{id: "dir:/x", per: 2, items: []scanners.Item{one, two}},
		Engine: &scanners.Engine{Matchers: []scanners.Matcher{m}}, PathMatchers: []scanners.Matcher{m}, Now: clock,
		Emit: func(f wire.Finding) error { found = append(found, f); return nil },
	})
	if err != nil || len(found) != 1 || found[0].Locator != "blob:"+id || found[0].URL != "https://example.org/"+id {
		t.Errorf("%v: %+v", err, found)
	}
}

// worded finds a token in contents that have a word.
type worded struct{ word, token string }

func (w *worded) Overlap() int { return 64 }

func (w *worded) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	text := string(c.Data)
	if !strings.Contains(text, w.word) {
		return dst
	}
	for at := 0; ; {
		i := strings.Index(text[at:], w.token)
		if i < 0 {
			return dst
		}
		span := scanners.Span{Start: c.Base + int64(at+i), End: c.Base + int64(at+i+len(w.token))}
		dst = append(dst, scanners.Hit{Span: span, Match: span, Rule: "worded", Value: fingerprints.NewValue([]byte(w.token)), Form: fingerprints.FormRaw})
		at += i + len(w.token)
	}
}
