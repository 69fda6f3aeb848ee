package scan_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
)

func opened(depth int) func(*scan.Options) {
	return func(o *scan.Options) {
		l := archives.DefaultLimits()
		l.Depth = depth
		o.Archives = &archives.Expander{Limits: l, Now: clock}
	}
}

func zipOf(t *testing.T, method uint16, pairs ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: pairs[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tgzOf(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// paths are where findings are, in order.
func (s scanned) paths() []string {
	var out []string
	for _, f := range s.findings {
		out = append(out, f.Path)
	}
	return out
}

func TestInsideArchives(t *testing.T) {
	reg, gen := random(1, 24), random(2, 24)
	m := &literal{values: []planted{{reg, row(1)}}, generic: []planted{{gen, row(0)}}, overlap: 64}
	text := "first\nkey = " + reg + "\n"
	source := func() *memory {
		return &memory{id: "dir:/x", per: 2, items: []scanners.Item{
			item("dir:/x", "a.tgz", tgzOf(t, "d/x", text)),
			item("dir:/x", "stored.zip", zipOf(t, zip.Store, "one", text, "two", gen)),
			item("dir:/x", "deep.jar", zipOf(t, zip.Deflate, "in.zip", zipOf(t, zip.Deflate, "p.env", text))),
			item("dir:/x", "plain", text),
			item("dir:/x", "broken.zip", zipOf(t, zip.Deflate, "x", text, "y", strings.Repeat(gen+random(5, 900), 9))[:400]),
			item("dir:/x", "keys.zip", zipOf(t, zip.Store, "in/key.p12", "")),
		}}
	}
	out := mustRun(t, source(), setup{matcher: m, change: opened(8)})
	want := []string{
		"a.tgz!a.tar!d/x", "stored.zip!one", "stored.zip!two", "deep.jar!in.zip!p.env", "plain",
		"broken.zip!x", "broken.zip!y", "keys.zip!in/key.p12",
	}
	if diff := cmp.Diff(want, out.paths()); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	f := out.findings[0]
	if f.Context != "key = [secret secret-1@1]" || f.Span.Line != 2 || f.Presence != fingerprints.PresenceTip || f.SourceID != "dir:/x" {
		t.Errorf("got %+v", f)
	}
	if len(out.skips) != 2 || out.skips[0].Reason != fingerprints.SkipArchive || out.Outcome().Failures != 0 {
		t.Errorf("skips %+v", out.skips)
	}
	if len(out.sink.done) != 1 || !out.sink.done[0].Complete || out.Complete || out.Items != 6 {
		t.Errorf("a bound is no failure, and no clean answer: %+v", out.Result)
	}
	for _, workers := range []int{1, 5} {
		again := mustRun(t, source(), setup{matcher: m, change: func(o *scan.Options) { opened(8)(o); o.Workers = workers }})
		if diff := cmp.Diff(briefs(out.findings), briefs(again.findings)); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
	}
	off := mustRun(t, source(), setup{matcher: m, change: opened(0)})
	if diff := cmp.Diff([]string{"stored.zip", "stored.zip", "plain"}, off.paths()); diff != "" {
		t.Errorf("switched off (-want +got):\n%s", diff)
	}
	if len(off.skips) != 5 {
		t.Errorf("switched off: skips %+v", off.skips)
	}
}

// What stands in the container itself, between its members, is found there.
func TestBesideMembers(t *testing.T) {
	reg := random(1, 24)
	m := &literal{values: []planted{{reg, row(1)}}, overlap: 64}
	data := zipOf(t, zip.Store, "one", "nothing") + "\n" + reg
	out := mustRun(t, &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "s.zip", data)}}, setup{matcher: m, change: opened(8)})
	if diff := cmp.Diff([]string{"s.zip"}, out.paths()); diff != "" {
		t.Error(diff)
	}
}

// A member's name is provenance: its secret is a finding and is shown nowhere.
func TestSecretInMemberName(t *testing.T) {
	reg, gen := random(3, 24), random(4, 24)
	m := &literal{values: []planted{{reg, row(1)}}, generic: []planted{{gen, row(0)}}, overlap: 64}
	locked := []byte(zipOf(t, zip.Deflate, "locked-"+reg, "x"))
	locked[bytes.Index(locked, []byte("PK\x01\x02"))+8] |= 1
	src := &memory{id: "dir:/x", items: []scanners.Item{
		item("dir:/x", "n.zip", zipOf(t, zip.Deflate, reg+"/a", "x", reg+"/b", "x", "t-"+gen+".zip", zipOf(t, zip.Deflate, "y", reg))),
		item("dir:/x", "l.zip", string(locked)),
	}}
	out := mustRun(t, src, setup{matcher: m, change: opened(8)})
	for _, value := range []string{reg, gen} {
		for _, enc := range encodings(value) {
			if strings.Contains(out.everything(), enc) {
				t.Fatal("a secret in a member's name leaves the scan")
			}
		}
	}
	want := []string{
		"n.zip![secret secret-1@1]", "n.zip!t-[redacted].zip", "n.zip!t-[redacted].zip!y", "l.zip!locked-[secret secret-1@1]",
	}
	got := out.paths()
	for _, p := range want {
		if !slices.Contains(got, p) {
			t.Errorf("no finding at %q: %q", p, got)
		}
	}
	if len(out.skips) != 1 || out.skips[0].Path != "l.zip!locked-[secret secret-1@1]" || out.skips[0].Detail != "encrypted" {
		t.Errorf("skips %+v", out.skips)
	}
}

// A matcher that fails on a member costs that member.
func TestMatcherFailsInside(t *testing.T) {
	reg := random(1, 24)
	m := &literal{values: []planted{{reg, row(1)}}, overlap: 64}
	src := &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "p.zip", zipOf(t, zip.Deflate, "bad", "panic please", "good", reg))}}
	out := mustRun(t, src, setup{matcher: m, change: opened(8)})
	if diff := cmp.Diff([]string{"p.zip!good"}, out.paths()); diff != "" {
		t.Error(diff)
	}
	if len(out.skips) != 1 || out.skips[0].Path != "p.zip!bad" || out.skips[0].Reason != fingerprints.SkipUnreadable {
		t.Errorf("skips %+v", out.skips)
	}
}

// An interrupted archive is interrupted, not damaged.
func TestInterruptedInside(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := &literal{overlap: 64}
	src := &memory{id: "dir:/x", per: 1, items: []scanners.Item{
		item("dir:/x", "a", "x"), item("dir:/x", "z.zip", zipOf(t, zip.Deflate, "m", "x")),
	}}
	src.onBatch = func(n int) {
		if n == 1 {
			cancel()
		}
	}
	out := mustRun(t, src, setup{matcher: m, ctx: ctx, change: opened(8)})
	for _, k := range out.skips {
		if k.Reason != fingerprints.SkipInterrupted {
			t.Errorf("skip %+v", k)
		}
	}
	if !out.Interrupted {
		t.Error("not interrupted")
	}
}

// A value that a view shows in one piece is told there, and not again for the
// container that shows it too.
func TestViewsInside(t *testing.T) {
	reg := random(6, 24)
	m := &literal{values: []planted{{reg, row(1)}}, overlap: 64}
	const open = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:t>`
	src := &memory{id: "dir:/x", items: []scanners.Item{
		item("dir:/x", "split.docx", zipOf(t, zip.Deflate, "document.xml", open+reg[:9]+"</w:t><w:t>"+reg[9:]+"</w:t>")),
		item("dir:/x", "whole.docx", zipOf(t, zip.Store, "document.xml", open+reg+"</w:t>")),
	}}
	out := mustRun(t, src, setup{matcher: m, change: opened(8)})
	if diff := cmp.Diff([]string{"split.docx!document.xml!text", "whole.docx!document.xml!text"}, out.paths()); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}
