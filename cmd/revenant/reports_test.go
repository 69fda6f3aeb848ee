package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// Which report goes where, in which format.
func TestReportFlags(t *testing.T) {
	tests := []struct {
		name string
		fl   scanFlags
		json bool
		want string // "format path", or a part of the refusal
	}{
		{name: "nothing", want: "text -"},
		{name: "--json", json: true, want: "json -"},
		{name: "a format alone", fl: scanFlags{formats: []string{"sarif"}}, want: "sarif -"},
		{name: "by ending", fl: scanFlags{paths: []string{"a.sarif", "b.json", "c.CSV", "d.xml", "e.md", "f.jsonl", "g.txt", "x.sarif.json"}}, want: "sarif a.sarif, json b.json, csv c.CSV, junit d.xml, markdown e.md, jsonl f.jsonl, text g.txt, sarif x.sarif.json"},
		{name: "GitLab's names", fl: scanFlags{paths: []string{"out/gl-secret-detection-report.json", "gl-code-quality-report.json"}}, want: "gitlab out/gl-secret-detection-report.json, codequality gl-code-quality-report.json"},
		{name: "no ending", fl: scanFlags{paths: []string{"report", "-"}}, want: "json report, json -"},
		{name: "by word", fl: scanFlags{paths: []string{"sarif:a.json", "gitlab:-"}}, want: "sarif a.json, gitlab -"},
		{name: "no word of ours", fl: scanFlags{paths: []string{`C:\reports\a.json`, "./json:a.csv"}}, want: `json C:\reports\a.json, csv ./json:a.csv`},
		{name: "pairs", fl: scanFlags{formats: []string{"sarif", "json"}, paths: []string{"a", "csv:b", "c"}}, want: "sarif a, csv b, json c"},
		{name: "as gitleaks", fl: scanFlags{formats: []string{"sarif"}, paths: []string{"a.json"}}, want: "sarif a.json"},
		{name: "template", fl: scanFlags{template: "t", paths: []string{"a.html"}}, want: "template a.html"},
		{name: "template to standard output", fl: scanFlags{template: "t"}, want: "template -"},
		{name: "template of several", fl: scanFlags{template: "t", paths: []string{"a.json", "template:b.html"}}, want: "json a.json, template b.html"},

		{name: "unknown format", fl: scanFlags{formats: []string{"html"}}, want: "one of text, gitlab"},
		{name: "unknown ending", fl: scanFlags{paths: []string{"a.html"}}, want: "tells no format"},
		{name: "two on standard output", fl: scanFlags{formats: []string{"json", "csv"}}, want: "-r FORMAT:PATH for each"},
		{name: "too many formats", fl: scanFlags{formats: []string{"json", "csv"}, paths: []string{"a"}}, want: "2 of one and 1 of the other"},
		{name: "one format for two", fl: scanFlags{formats: []string{"json"}, paths: []string{"a", "b"}}, want: "1 of one and 2 of the other"},
		{name: "a format for none", fl: scanFlags{formats: []string{"json"}, paths: []string{"csv:a"}}, want: "1 of one and 0 of the other"},
		{name: "one place", fl: scanFlags{paths: []string{"a.json", "csv:./a.json"}}, want: "one place"},
		{name: "standard output twice", fl: scanFlags{paths: []string{"-", "csv:-"}}, want: "one place"},
		{name: "no path", fl: scanFlags{paths: []string{"json:"}}, want: "names no file"},
		{name: "empty path", fl: scanFlags{paths: []string{""}}, want: "names no file"},
		{name: "no template", fl: scanFlags{formats: []string{"template"}}, want: "needs --report-template"},
		{name: "template for none", fl: scanFlags{template: "t", paths: []string{"a.json", "b.csv"}}, want: "no report has the format template"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all, err := tt.fl.wantedReports(tt.json)
			if err != nil {
				var usage usageError
				if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got the error %v, want %q", err, tt.want)
				}
				return
			}
			var got []string
			for _, w := range all {
				got = append(got, w.format.name+" "+w.path)
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

// everyReport are flags for every format, into b's folder of reports.
func (b *box) everyReport() []string {
	template := b.write("../template.tmpl", `{{ range . }}{{ .RuleID }} {{ .File }} {{ .Secret }}{{ end }}`)
	return []string{
		"-r", b.out("a.sarif"), "-r", b.out("a.json"), "-r", b.out("a.jsonl"), "-r", b.out("a.csv"), "-r", b.out("a.xml"), "-r", b.out("a.md"), "-r", b.out("a.txt"),
		"-r", b.out("gl-secret-detection-report.json"), "-r", "codequality:" + b.out("quality.json"), "-r", "template:" + b.out("a.html"), "--report-template", template,
	}
}

// reports returns what is in b's folder of reports.
func (b *box) reports() map[string]string {
	b.t.Helper()
	entries, err := os.ReadDir(b.out(""))
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(b.out(e.Name()))
		if err != nil {
			b.t.Fatal(err)
		}
		out[e.Name()] = string(data)
	}
	return out
}

// Every format at once, of one scan; a value stands in none of them, and in three
// where it is asked for.
func TestEveryReportAtOnce(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v, g := generated(70), generated(71)
	b.must(0, v, "secret", "add", "shop/db")
	b.write("app/.env", "PASSWORD="+v+"\n")
	b.write("main.py", `api_key = "`+g+`"`+"\n")
	args := append([]string{"dir", b.work}, b.everyReport()...)
	r := b.must(1, "", args...)
	if r.stdout != "" || !strings.Contains(r.stderr, "2 findings in 2 items") || !strings.Contains(r.stderr, "2 values to deal with") {
		t.Errorf("standard output %q, error stream %q", r.stdout, r.stderr)
	}
	all := b.reports()
	if len(all) != 10 {
		t.Errorf("%d reports", len(all))
	}
	for name, text := range all {
		if !strings.Contains(text, "shop/db@1") || !strings.Contains(text, "main.py") {
			t.Errorf("%s does not tell of both", name)
		}
		if strings.Contains(text, v) || strings.Contains(text, g) {
			t.Errorf("a value stands in %s", name)
		}
	}
	b.must(1, "", append(args, "--show-secrets")...)
	for name, text := range b.reports() {
		shown := name == "a.json" || name == "a.jsonl" || name == "a.txt"
		if strings.Contains(text, v) != shown || strings.Contains(text, g) != shown {
			t.Errorf("%s with --show-secrets: the values are there: %t", name, !shown)
		}
	}
	b.must(1, "", "dir", b.work, "-r", "csv:-", "-q")
	b.must(2, "", "dir", b.work, "--report-template", b.write("../broken.tmpl", "{{ .Nothing "))
	b.must(2, "", "dir", b.work, "-r", b.out("x.json"), "-r", filepath.Join(b.dir, "no", "folder.csv"))
	if _, err := os.Stat(b.out("x.json")); err == nil {
		t.Error("a report of a scan that never was")
	}
}

// Ctrl-C: every report is whole, has what was found until then, and says so.
// Killed, none is there, and what was there before still is.
func TestInterruptedReports(t *testing.T) {
	b := newBox(t)
	v := generated(72)
	line := `{"source": "chat:ops", "path": "1", "text": "api_key = '` + v + `'"}` + "\n"
	args := append([]string{"stdin", "--format", "ndjson"}, b.everyReport()...)
	start := func() (*os.Process, func() int) {
		c := b.command(context.WithoutCancel(t.Context()), "", args...)
		in, out := io.Pipe()
		c.Stdin = in
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for range 3000 { // more than a pipe holds: it has begun to read
			if _, err := io.WriteString(out, line); err != nil {
				t.Fatal(err)
			}
		}
		return c.Process, func() int {
			state, err := c.Process.Wait()
			_ = out.Close()
			if err != nil {
				t.Fatal(err)
			}
			return state.ExitCode()
		}
	}
	for name := range map[string]bool{"a.json": true, "a.sarif": true} {
		if err := os.WriteFile(b.out(name), []byte("of yesterday"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, wait := start()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	wait()
	for name, text := range b.reports() {
		if !strings.HasPrefix(name, ".revenant-") && text != "of yesterday" {
			t.Errorf("after a kill %s is there: %.80q", name, text)
		}
	}
	p, wait = start()
	if err := p.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := wait(); code != 1 {
		t.Fatalf("exit code %d", code)
	}
	told := map[string]string{
		"a.sarif": "was interrupted", "a.json": `"Interrupted": true`, "a.jsonl": `"interrupted":true`, "a.csv": ",true\n", "a.xml": "was interrupted", "a.md": "was interrupted",
		"a.txt": "interrupted: this is what was found until then", "gl-secret-detection-report.json": "was interrupted", "quality.json": "revenant-interrupted", "a.html": "generic-api-key",
	}
	all := b.reports()
	for name, want := range told {
		if !strings.Contains(all[name], want) {
			t.Errorf("%s does not say %q: %.300s", name, want, all[name])
		}
		if strings.HasSuffix(name, ".json") || name == "a.sarif" {
			if !json.Valid([]byte(all[name])) {
				t.Errorf("%s is no JSON", name)
			}
		}
	}
}

// A report that cannot be written does not take the others with it.
func TestOneReportFails(t *testing.T) {
	b := newBox(t)
	b.write("main.py", `api_key = "`+generated(73)+`"`+"\n")
	r := b.run("", "dir", b.work, "-r", "junit:/dev/full", "-r", "sarif:"+b.out("a.sarif"))
	if r.code != exitFailure || !strings.Contains(r.stderr, "junit") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	if !json.Valid([]byte(b.reports()["a.sarif"])) {
		t.Error("the other report is not there")
	}
}

// What a meter writes, on a terminal and into a log.
func TestMeter(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var out bytes.Buffer
	m := &meter{w: &out, now: func() time.Time { return now }, every: drawEvery, of: 2}
	m.begin(t.Context(), 2, scanPlace{}, nil)
	m.objects(gitrepo.Progress{Objects: 1, Bytes: 10, Total: 100}) // too soon to be drawn
	now = now.Add(10 * time.Second)
	m.objects(gitrepo.Progress{Objects: 50, Bytes: 1000, Total: 100})
	m.end()
	if got, want := out.String(), "\r\x1b[K2 of 2: 50 of 100 objects, 1.0 kB, 100 B/s, 10 s left, 0 findings\r\x1b[K"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	out.Reset()
	m.end()
	m.lines, m.every, m.of = true, printEvery, 1
	m.begin(t.Context(), 1, scanPlace{}, nil)
	m.total(scanners.Counts{Items: 10, Bytes: 1000})
	m.read(100)
	now = now.Add(10 * time.Second)
	m.scanned(scan.Progress{Items: 3, Bytes: 99999, Findings: 2})
	m.end()
	if got, want := out.String(), "3 of 10 items, 100 B of 1.0 kB, 10 B/s, 1:30 min left, 2 findings\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var nobody *meter
	nobody.begin(t.Context(), 1, scanPlace{}, nil)
	nobody.end()
}

// A source that is measured counts what is read of it.
func TestMeteredSource(t *testing.T) {
	b := newBox(t)
	b.write("a.txt", strings.Repeat("x", 1000))
	b.write("sub/b.txt", strings.Repeat("y", 500))
	now := time.Unix(1_700_000_000, 0)
	var out bytes.Buffer
	m := &meter{w: &out, now: func() time.Time { return now }, every: drawEvery, of: 1}
	m.begin(t.Context(), 1, scanPlace{root: b.work, measured: true}, nil)
	m.wait.Wait()
	src := m.source(one{scanners.Item{Open: func(context.Context) (io.ReadCloser, error) { return os.Open(filepath.Join(b.work, "a.txt")) }}})
	batch, err := src.Next(t.Context())
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	rc, err := batch.Items[0].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	if _, err := io.Copy(io.Discard, rc); err != nil {
		t.Fatal(err)
	}
	if err := rc.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "0 of 2 items, 1.0 kB of 1.5 kB, 1.0 kB/s") {
		t.Errorf("got %q", out.String())
	}
}

type one struct{ item scanners.Item }

func (one) ID() string { return "dir:/x" }

func (one) Kind() (k fingerprints.SourceKind) { return k }

func (one) Close() error { return nil }

func (o one) Next(context.Context) (scanners.Batch, error) {
	return scanners.Batch{Items: []scanners.Item{o.item}}, io.EOF
}
