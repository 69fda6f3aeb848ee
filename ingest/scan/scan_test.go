package scan_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// brief is a finding in a few words.
func brief(f wire.Finding) string {
	name := f.Rule
	if len(f.Matches) > 0 {
		name = f.Matches[0].Ref() + " " + f.Rule
	}
	return strings.TrimSpace(fmt.Sprintf("%s:%d:%d %s %s", f.Path, f.Span.Line, f.Span.Column, f.Verdict, name))
}

func briefs(fs []wire.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, brief(f))
	}
	return out
}

func TestContextOfBytes(t *testing.T) {
	v := random(1, 24)
	m := &literal{values: []planted{{v, row(1)}}, overlap: 64}
	for name, c := range map[string]struct{ content, want string }{
		"binary":         {"\x00\x01junk\xff\xfekey=" + v + ";x\x00more\n", "key=[secret secret-1@1];x"},
		"random":         {"\xfe\x01" + v + "\x80\x02", "[secret secret-1@1]"},
		"terminal codes": {"\x1b[31mkey: " + v + "\x1b[0m", "[31mkey: [secret secret-1@1]"},
		"wide letters":   {"Schlüssel " + v + " größer", "Schlüssel [secret secret-1@1] größer"},
	} {
		src := &memory{id: "dir:/x", per: 1, items: []scanners.Item{item("dir:/x", "a", c.content)}}
		out := mustRun(t, src, setup{matcher: m})
		if len(out.findings) != 1 || out.findings[0].Context != c.want {
			t.Errorf("%s: got %q, want %q", name, out.findings[0].Context, c.want)
		}
	}
}

func TestFindings(t *testing.T) {
	reg, gen := random(1, 24), random(2, 24)
	m := &literal{values: []planted{{reg, row(1)}}, generic: []planted{{gen, row(0)}}, overlap: 64}
	src := &memory{id: "dir:/x", per: 2, items: []scanners.Item{
		item("dir:/x", "a/one.txt", "first\nkey = "+reg+" # end\n"),
		item("dir:/x", "b", "nothing here"),
		item("dir:/x", "c.env", gen+"\n"+gen+"\n"),
		item("dir:/x", "key.p12", ""),
	}}
	out := mustRun(t, src, setup{matcher: m})
	want := []string{
		"a/one.txt:2:7 stale secret-1@1",
		"c.env:1:1 unregistered rule-a",
		"c.env:2:1 unregistered rule-a",
		"key.p12:0:0 unregistered path-rule",
	}
	if diff := cmp.Diff(want, briefs(out.findings)); diff != "" {
		t.Error(diff)
	}
	f := out.findings[0]
	if f.Context != "key = [secret secret-1@1] # end" || f.Span.EndColumn != 30 || f.Severity != fingerprints.SeverityMedium {
		t.Errorf("got %+v", f)
	}
	if a, b := out.findings[1].ID, out.findings[2].ID; a != b || !strings.HasPrefix(string(a), "rv1:") {
		t.Errorf("one value at one path has ids %q and %q", a, b)
	}
	wantVerdicts := map[fingerprints.Verdict]int{fingerprints.VerdictStale: 1, fingerprints.VerdictUnregistered: 2}
	if diff := cmp.Diff(wantVerdicts, out.Verdicts); diff != "" {
		t.Error(diff)
	}
	if out.Findings != 3 || out.New != 3 || out.Sightings != 4 || out.Items != 4 || !out.Complete {
		t.Errorf("got %+v", out.Result)
	}
	wantLog := []string{
		"begin dir:/x dir", "record 1", "cursor after 2", "record 3", "cursor after 4", "finish true",
	}
	if diff := cmp.Diff(wantLog, out.sink.log); diff != "" {
		t.Error(diff)
	}
}

// TestSameForEveryWorkerCount: order, ids and counts depend on the source only.
func TestSameForEveryWorkerCount(t *testing.T) {
	var values []planted
	for i := range byte(5) {
		values = append(values, planted{random(uint64(i), 20), row(i)})
	}
	m := &literal{values: values[:3], generic: values[3:], overlap: 64}
	source := func() *memory {
		src := &memory{id: "dir:/x", per: 7}
		for i := range 60 {
			text := strings.Repeat("filler ", (i*37)%400)
			for k := range i % 4 {
				text += "\n" + values[(i+k)%5].value
			}
			src.items = append(src.items, item("dir:/x", fmt.Sprintf("f%02d", i), text))
		}
		return src
	}
	want := mustRun(t, source(), setup{matcher: m, change: func(o *scan.Options) { o.Workers = 1 }})
	for _, workers := range []int{2, 3, 16} {
		got := mustRun(t, source(), setup{matcher: m, change: func(o *scan.Options) { o.Workers, o.Memory = workers, 1<<20 }})
		if diff := cmp.Diff(briefs(want.findings), briefs(got.findings)); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
		if diff := cmp.Diff(want.sink.log, got.sink.log); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
	}
}

// TestNothingLeaves plants values everywhere a source can hold them and greps
// all that leaves the pipeline.
func TestNothingLeaves(t *testing.T) {
	reg, gen, other := random(11, 24), random(12, 24), random(13, 24)
	m := &literal{values: []planted{{reg, row(1)}, {other, row(2)}}, generic: []planted{{gen, row(0)}}, overlap: 256}
	for _, chunk := range []int{0, 1, 7, 64, 500} {
		t.Run(fmt.Sprint("chunks of ", chunk), func(t *testing.T) {
			var items []scanners.Item
			source := "dir:/home/" + reg + "/src"
			for form, text := range forms(reg) {
				for _, name := range []string{text, "dir-" + text + "/inner/file", "a/" + text + ".txt", "a/" + gen + "/" + text} {
					if strings.Contains(name, "/") == (form == fingerprints.FormPercent) || form == fingerprints.FormRaw {
						items = append(items, item(source, name, "x"))
					}
				}
				body := "\n" + strings.Repeat(text+" "+gen+";"+other+"\t", 3) + "\x1b[31m" + text
				items = append(items, item(source, "content-"+string(form), strings.Repeat("pad ", 50)+body+strings.Repeat(" tail", 60)))
			}
			twice := base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(reg))))
			items = append(items, item(source, "layered", "copy "+twice+" beside "+gen))
			named := item(source, "named", other)
			named.URL = "https://user:" + gen + "@host/x?token=" + reg
			named.Locator = "row " + reg
			src := &memory{id: source, per: 3, items: append(items, named), skips: []fingerprints.Skip{
				{Path: "broken/" + reg, Locator: other, Reason: fingerprints.SkipUnreadable},
			}}
			out := mustRun(t, src, setup{matcher: m, chunk: chunk})
			all := out.everything()
			for _, v := range []string{reg, gen, other} {
				for n, enc := range encodings(v) {
					if strings.Contains(all, enc) {
						i := strings.Index(all, enc)
						t.Errorf("encoding %d of a value left the pipeline near %q", n, all[max(0, i-60):i])
					}
				}
			}
			if strings.Contains(all, "\x1b") {
				t.Error("an escape sequence left the pipeline")
			}
			if !strings.Contains(all, "dir:/home/[secret secret-1@1]/src") {
				t.Error("the source id is not shown redacted")
			}
			for _, f := range out.findings {
				if len(f.Context) > 400 {
					t.Errorf("a context of %d bytes", len(f.Context))
				}
			}
			if len(out.findings) < 20 {
				t.Errorf("only %d findings", len(out.findings))
			}
		})
	}
}

func TestHitInDirectoryName(t *testing.T) {
	reg := random(21, 24)
	m := &literal{values: []planted{{reg, row(1)}}, overlap: 64}
	src := &memory{id: "dir:/x", per: 2}
	for _, p := range []string{"a/k-" + reg + "/1", "a/k-" + reg + "/2", "a/k-" + reg + "/sub/3", reg} {
		src.items = append(src.items, item("dir:/x", p, "empty"))
	}
	out := mustRun(t, src, setup{matcher: m})
	want := []string{"a/k-[secret secret-1@1]:0:0 stale secret-1@1", "[secret secret-1@1]:0:0 stale secret-1@1"}
	if diff := cmp.Diff(want, briefs(out.findings)); diff != "" {
		t.Error(diff)
	}
}

func TestMerging(t *testing.T) {
	inner := random(31, 16)
	outer := random(32, 8) + inner + random(33, 8)
	m := &literal{
		values:  []planted{{inner, row(1)}, {outer, row(2)}},
		generic: []planted{{"key=" + inner, row(0)}, {inner, row(1)}, {"elsewhere", row(2)}},
		overlap: 64,
	}
	src := &memory{id: "dir:/x", items: []scanners.Item{
		item("dir:/x", "merged", "key="+inner),
		item("dir:/x", "within", outer+" elsewhere"),
	}}
	out := mustRun(t, src, setup{matcher: m})
	type got struct {
		Brief  string
		Rules  []string
		Within bool
	}
	var all []got
	for _, f := range out.findings {
		all = append(all, got{brief(f), f.Rules, f.Within})
	}
	want := []got{
		{"merged:1:5 stale secret-1@1 rule-a", []string{"rule-a", "rule-b"}, false},
		{"within:1:1 stale secret-2@1 rule-b", []string{"rule-b"}, false},
		{"within:1:9 stale secret-1@1 rule-b", []string{"rule-b"}, true},
		{"within:1:34 unregistered rule-c", nil, false},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	if out.Verdicts[fingerprints.VerdictStale] != 2 {
		t.Errorf("a hit inside another alerts: %v", out.Verdicts)
	}
	var rules []string // both rules reach the registry, at the same place
	for _, o := range out.sink.obs[:2] {
		rules = append(rules, o.Sighting.Rule)
	}
	if diff := cmp.Diff([]string{"rule-a", "rule-b"}, rules); diff != "" {
		t.Error(diff)
	}
}

func TestOverflow(t *testing.T) {
	gen := random(41, 24)
	m := &literal{generic: []planted{{gen, row(0)}}, overlap: 64}
	src := &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "many", strings.Repeat(gen+"\n", 2345))}}
	out := mustRun(t, src, setup{matcher: m, chunk: 4096})
	last := out.findings[len(out.findings)-1]
	if len(out.findings) != 1000 || last.More != 1345 || out.Sightings != 2345 || out.Findings != 1 {
		t.Errorf("%d listed, %d more, %d sightings of %d findings", len(out.findings), last.More, out.Sightings, out.Findings)
	}
	if n := len(out.sink.obs); n != 1000 || out.sink.obs[n-1].Overflow != 1345 {
		t.Errorf("%d recorded", n)
	}
}

func TestIdentities(t *testing.T) {
	strong, middle, weak := random(51, 24), random(52, 9), "abc1234"
	m := &literal{generic: []planted{{strong, row(0)}, {middle, row(1)}, {weak, row(2)}}, overlap: 64}
	text := strong + "\n" + middle + "\n" + weak + "\n" + weak
	ids := func(change func(*scan.Options), text string) (map[string][]fingerprints.FindingID, scanned) {
		src := &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "f", text)}}
		out := mustRun(t, src, setup{matcher: m, change: change})
		got := map[string][]fingerprints.FindingID{}
		for _, f := range out.findings {
			got[f.Rule] = append(got[f.Rule], f.ID)
		}
		return got, out
	}
	full, out := ids(nil, text)
	moved, _ := ids(nil, "\n\n"+text)
	if diff := cmp.Diff(full, moved); diff != "" {
		t.Errorf("moved lines change ids:\n%s", diff)
	}
	if full["rule-c"][0] == full["rule-c"][1] || full["rule-a"][0] == "" || full["rule-b"][0] == "" {
		t.Errorf("got %v", full)
	}
	for _, o := range out.sink.obs {
		if o.Value.IsZero() != (o.Sighting.Rule == "rule-c") {
			t.Errorf("%s: value id %s", o.Sighting.Rule, o.Value)
		}
	}
	edge, _ := ids(func(o *scan.Options) { o.Identities.Core = nil }, text)
	if edge["rule-b"][0] != "" || edge["rule-a"][0] != full["rule-a"][0] || edge["rule-c"][1] != full["rule-c"][1] {
		t.Errorf("with the edge key alone: %v, want as %v without rule-b", edge, full)
	}
	none, out := ids(func(o *scan.Options) { o.Identities = nil }, text)
	want := map[string][]fingerprints.FindingID{"rule-a": {""}, "rule-b": {""}, "rule-c": {"", ""}}
	if diff := cmp.Diff(want, none); diff != "" {
		t.Error(diff)
	}
	if len(out.sink.obs) != 0 || out.findings[3].Ordinal != 1 {
		t.Errorf("without a ring %d sightings were recorded, ordinal %d", len(out.sink.obs), out.findings[3].Ordinal)
	}
}

func TestAllowed(t *testing.T) {
	reg := random(61, 24)
	m := &literal{values: []planted{{reg, row(1)}}, overlap: 64}
	src := &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "home", reg), item("dir:/x", "late", reg), item("dir:/x", "other", reg)}}
	out := mustRun(t, src, setup{matcher: m, change: func(o *scan.Options) {
		o.Labels = labels{state: fingerprints.StateActive, homes: map[string][]scan.Home{
			"secret-1 home": {{ID: 7}, {ID: 8, Until: clock().Add(-1)}},
			"secret-1 late": {{ID: 9, Until: clock().Add(-1)}},
		}}
		o.Triage = standings{fingerprints.Standing{Status: fingerprints.StatusAccepted}}
	}})
	want := []string{"home:1:1 allowed secret-1@1", "late:1:1 leaked secret-1@1", "other:1:1 leaked secret-1@1"}
	if diff := cmp.Diff(want, briefs(out.findings)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{7, 8}, out.sink.obs[0].AllowIDs); diff != "" {
		t.Error(diff)
	}
	if len(out.Verdicts) != 0 || out.Findings != 3 {
		t.Errorf("accepted findings count as open: %v", out.Verdicts)
	}
}

// Values that are too common are told and do not alert.
func TestTooCommon(t *testing.T) {
	reg := random(62, 24)
	for _, common := range []bool{true, false} {
		out := mustRun(t, &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "a", reg), item("dir:/x", "b", reg)}}, setup{
			matcher: &literal{values: []planted{{reg, row(1)}}, overlap: 64},
			change: func(o *scan.Options) {
				o.Labels = labels{state: fingerprints.StateActive}
				o.Triage = standings{fingerprints.Standing{Status: fingerprints.StatusOpen, TooCommon: common}}
			},
		})
		alerts := map[fingerprints.Verdict]int{}
		if !common {
			alerts[fingerprints.VerdictLeaked] = 2
		}
		if diff := cmp.Diff(alerts, out.Verdicts); diff != "" {
			t.Error(diff)
		}
		code := map[bool]int{true: scan.ExitClean, false: scan.ExitFindings}[common]
		if got := scan.ExitCode(out.Outcome(), scan.DefaultExitRules()); got != code {
			t.Errorf("exit code %d, want %d", got, code)
		}
		if len(out.findings) != 2 || out.findings[0].TooCommon != common || out.findings[0].Verdict != fingerprints.VerdictLeaked {
			t.Errorf("too common %t: findings %+v", common, out.findings)
		}
	}
}

type standings struct{ out fingerprints.Standing }

func (s standings) Standings(_ context.Context, ids []fingerprints.FindingID) (map[fingerprints.FindingID]fingerprints.Standing, error) {
	m := map[fingerprints.FindingID]fingerprints.Standing{}
	for _, id := range ids {
		m[id] = s.out
	}
	return m, nil
}

// broken is an item that fails somewhere.
func broken(path string, open, read, close error) scanners.Item {
	it := item("dir:/x", path, "")
	it.Open = func(context.Context) (io.ReadCloser, error) {
		if open != nil {
			return nil, open
		}
		return &brokenReader{r: strings.NewReader("read until here " + random(71, 24)), read: read, close: close}, nil
	}
	return it
}

type brokenReader struct {
	r           io.Reader
	read, close error
}

func (b *brokenReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if errors.Is(err, io.EOF) && b.read != nil {
		return n, b.read
	}
	return n, err
}

func (b *brokenReader) Close() error { return b.close }

func TestBrokenItems(t *testing.T) {
	m := &literal{generic: []planted{{random(71, 24), row(0)}}, overlap: 64}
	changing := &scanners.SkipError{Reason: fingerprints.SkipChanging, Detail: "rewritten", Size: 5}
	src := &memory{id: "dir:/x", per: 10, items: []scanners.Item{
		broken("open", &scanners.SkipError{Reason: fingerprints.SkipVanished, Size: -1}, nil, nil),
		broken("open-text", fmt.Errorf("opening %s: %w", random(71, 24), errTest), nil, nil),
		broken("read", nil, changing, nil),
		broken("close", nil, nil, changing),
		item("dir:/x", "panics", "panic please "+random(71, 24)),
		item("dir:/x", "fine", random(71, 24)),
	}}
	out := mustRun(t, src, setup{matcher: m})
	var got []string
	for _, s := range out.skips {
		got = append(got, fmt.Sprintf("%s %s %s %v", s.Path, s.Reason, s.Detail, s.Failure))
	}
	want := []string{
		"open vanished  false",
		"open-text unreadable cannot be read true",
		"read changed-while-reading rewritten true",
		"close changed-while-reading rewritten true",
		"panics unreadable a matcher failed on it: please report true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"read:1:17 unregistered rule-a", "close:1:17 unregistered rule-a", "fine:1:1 unregistered rule-a"}, briefs(out.findings)); diff != "" {
		t.Error(diff)
	}
	if out.Complete || out.sink.done[0].Complete || out.sink.done[0].Skips != 5 {
		t.Errorf("called complete: %+v", out.sink.done[0])
	}
	if strings.Contains(out.everything(), random(71, 24)) {
		t.Error("an error's text left the pipeline")
	}
}

func TestSourceFails(t *testing.T) {
	m := &literal{generic: []planted{{random(81, 24), row(0)}}, overlap: 64}
	src := &memory{id: "dir:/x", fail: errTest, items: []scanners.Item{item("dir:/x", "f", random(81, 24))}}
	out := mustRun(t, src, setup{matcher: m})
	if !out.SourceFailed || out.Complete || len(out.findings) != 1 || out.sink.done[0].Complete {
		t.Errorf("got %+v", out.Result)
	}
	if got := scan.ExitCode(out.Outcome(), scan.ExitRules{FailOn: mustFailOn(t, "none")}); got != 3 {
		t.Errorf("exit code %d", got)
	}
}

func mustFailOn(t *testing.T, s string) scan.FailOn {
	t.Helper()
	f, err := scan.ParseFailOn(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestInterrupted(t *testing.T) {
	gen := random(91, 24)
	m := &literal{generic: []planted{{gen, row(0)}}, overlap: 64}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := &memory{id: "dir:/x", looked: scanners.Counts{Items: 1000, Bytes: 5000}, onBatch: func(n int) {
		if n == 3 {
			cancel()
		}
	}}
	for i := range 50 {
		src.items = append(src.items, item("dir:/x", fmt.Sprint("f", i), gen))
	}
	out := mustRun(t, src, setup{matcher: m, ctx: ctx})
	if !out.Interrupted || out.Complete || out.sink.done[0].Complete || out.sink.done[0].FinishedAt.IsZero() {
		t.Errorf("got %+v", out.Result)
	}
	if out.Skips[fingerprints.SkipInterrupted] == 0 || len(out.findings)+int(out.Skips[fingerprints.SkipInterrupted]) < 4 || len(out.findings) > 3 {
		t.Errorf("%d findings, skips %v", len(out.findings), out.Skips)
	}
	if out.Items < 1000 || out.Bytes < 5000 {
		t.Errorf("%d items, %d bytes: what the source had looked at is forgotten", out.Items, out.Bytes)
	}
	if string(out.sink.done[0].Cursor) == "after 50" {
		t.Error("the cursor stands behind what was not read")
	}
}

func TestErrorsEndTheRun(t *testing.T) {
	gen := random(95, 24)
	m := &literal{values: []planted{{gen, row(1)}}, overlap: 64}
	tests := []struct {
		name   string
		change func(*scan.Options)
	}{
		{"begin", func(o *scan.Options) { o.Sink.(*sink).failOn = "begin" }},
		{"record", func(o *scan.Options) { o.Sink.(*sink).failOn = "record" }},
		{"cursor", func(o *scan.Options) { o.Sink.(*sink).failOn = "cursor" }},
		{"finish", func(o *scan.Options) { o.Sink.(*sink).failOn = "finish" }},
		{"emit", func(o *scan.Options) { o.Emit = func(wire.Finding) error { return errTest } }},
		{"skip", func(o *scan.Options) { o.Skip = func(wire.Skip) error { return errTest } }},
		{"labels", func(o *scan.Options) { o.Labels = labels{fail: true} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &memory{id: "dir:/x", skips: []fingerprints.Skip{{Path: "s", Reason: fingerprints.SkipLoop}}}
			for i := range 40 {
				src.items = append(src.items, item("dir:/x", fmt.Sprint("f", i), strings.Repeat(gen+"\n", 900)))
			}
			out, err := run(t, src, setup{matcher: m, change: tt.change})
			if !errors.Is(err, errTest) {
				t.Fatalf("got %v", err)
			}
			if slices.Contains(out.sink.log, "finish true") && tt.name != "finish" {
				t.Error("a failed run was finished as complete")
			}
		})
	}
	if _, err := scan.Run(t.Context(), scan.Options{}); !errors.Is(err, scan.ErrMisconfigured) {
		t.Errorf("without a source: %v", err)
	}
}

// TestBounded: items in flight stay within the memory budget.
func TestBounded(t *testing.T) {
	var open, most atomic.Int64
	src := &memory{id: "dir:/x", per: 50}
	for i := range 100 {
		it := item("dir:/x", fmt.Sprint("f", i), "")
		it.Size = 1 << 20
		it.Open = func(context.Context) (io.ReadCloser, error) {
			n := open.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			return closer{strings.NewReader("x"), func() { open.Add(-1) }}, nil
		}
		src.items = append(src.items, it)
	}
	mustRun(t, src, setup{matcher: &literal{}, change: func(o *scan.Options) { o.Workers, o.Memory = 16, 9<<20 }})
	if most.Load() > 2 {
		t.Errorf("%d items at once in a budget for two", most.Load())
	}
}

type closer struct {
	io.Reader
	close func()
}

func (c closer) Close() error { c.close(); return nil }

// TestRecordSources: records bring their own sources; each has a scan that is
// never complete.
func TestRecordSources(t *testing.T) {
	gen := random(99, 24)
	m := &literal{generic: []planted{{gen, row(0)}}, overlap: 64}
	src := &memory{items: []scanners.Item{item("ci:a:b/c", "p", gen), item("chat", "p", gen), item("ci:a:b/c", "q", gen)}}
	out := mustRun(t, src, setup{matcher: m})
	want := []string{"begin ci:a:b/c ci", "begin chat other", "finish false", "finish false"}
	var got []string
	for _, l := range out.sink.log {
		if strings.HasPrefix(l, "begin") || strings.HasPrefix(l, "finish") {
			got = append(got, l)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if out.findings[0].ID == out.findings[1].ID {
		t.Error("two sources share a finding")
	}
}

// Same tells values apart, over paths and over scans with one seed.
func TestSame(t *testing.T) {
	a, b := random(41, 24), random(42, 24)
	m := &literal{generic: []planted{{a, row(0)}, {b, row(0)}}, overlap: 64}
	seed := maphash.MakeSeed()
	same := func(paths ...string) []uint64 {
		src := &memory{id: "dir:/x", per: 1}
		for _, p := range paths {
			src.items = append(src.items, item("dir:/x", p, a+"\n"+b+"\n"))
		}
		var out []uint64
		for _, f := range mustRun(t, src, setup{matcher: m, change: func(o *scan.Options) { o.Seed = seed }}).findings {
			out = append(out, f.Same)
		}
		return out
	}
	got := same("p", "q")
	if len(got) != 4 || got[0] == 0 || got[0] != got[2] || got[1] != got[3] || got[0] == got[1] {
		t.Errorf("got %v", got)
	}
	if again := same("r"); len(again) != 2 || again[0] != got[0] || again[1] != got[1] {
		t.Errorf("another scan: %v, before %v", again, got)
	}
}
