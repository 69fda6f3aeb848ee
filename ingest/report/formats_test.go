package report_test

import (
	"bytes"
	"io"
	"testing"

	"revenant/api/wire"
	"revenant/ingest/report"
	"revenant/ingest/report/csv"
	"revenant/ingest/report/gitlab"
	"revenant/ingest/report/json"
	"revenant/ingest/report/junit"
	"revenant/ingest/report/markdown"
	"revenant/ingest/report/sarif"
	"revenant/ingest/report/template"
	"revenant/ingest/report/terminal"
)

// kind is a format under test: one of both.
type kind struct {
	file   string
	stream func(w io.Writer) (report.Writer, error)
	whole  func(w io.Writer, d report.Data) error
}

const templateText = `{{ range $i, $f := . }}{{ $i | add1 }} {{ $f.RuleID | upper }} {{ $f.File | quote }}:{{ $f.StartLine }} {{ $f.Secret }} {{ $f.Verdict | title }} {{ $f.FindingID | trunc 8 }}
{{ else }}nothing
{{ end }}{{ with summary }}{{ .Findings }} findings{{ if .Interrupted }}, interrupted{{ end }}{{ end }}{{ with left }}, {{ . }} more{{ end }}
`

func kinds() []kind {
	return []kind{
		{file: "report.json", stream: func(w io.Writer) (report.Writer, error) { return json.NewWriter(w, report.Redacted), nil }},
		{file: "report.jsonl", stream: func(w io.Writer) (report.Writer, error) { return json.NewLines(w, report.Redacted), nil }},
		{file: "report.csv", stream: func(w io.Writer) (report.Writer, error) { return csv.NewWriter(w), nil }},
		{file: "report.template", stream: func(w io.Writer) (report.Writer, error) { return template.NewWriter(w, templateText) }},
		{file: "report.sarif", whole: sarif.Write},
		{file: "report.xml", whole: junit.Write},
		{file: "gl-secret-detection-report.json", whole: gitlab.Write},
		{file: "gl-code-quality-report.json", whole: gitlab.WriteQuality},
		{file: "report.md", whole: markdown.Write},
		{file: "report.txt", whole: func(w io.Writer, d report.Data) error { return terminal.Write(w, d, terminal.Options{Width: 80}) }},
		{file: "report.color.txt", whole: func(w io.Writer, d report.Data) error {
			return terminal.Write(w, d, terminal.Options{Width: 120, Color: terminal.Colored})
		}},
	}
}

// write writes a scan in one format.
func (k kind) write(t testing.TB, s scanned) []byte {
	t.Helper()
	var b bytes.Buffer
	if k.stream != nil {
		w, err := k.stream(&b)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.findings {
			if err := w.Write(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(s.summary); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if err := k.whole(&b, collected(t, s.findings, s.summary)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func collected(t testing.TB, fs []wire.Finding, s wire.Summary) report.Data {
	t.Helper()
	var c report.Collector
	for _, f := range fs {
		if err := c.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	return c.Data(report.Tool{Name: "Revenant", Version: "v1.2.3"}, s)
}
