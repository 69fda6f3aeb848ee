package report_test

import (
	"bytes"
	"compress/gzip"
	stdcsv "encoding/csv"
	stdjson "encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// compiled is a schema of testdata/schemas.
func compiled(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "schemas", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t testing.TB, s *jsonschema.Schema, doc []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Error(err)
	}
}

// shapes are scans that a format has to cope with.
func shapes(t testing.TB, full scanned) map[string]scanned {
	t.Helper()
	stopped := full
	stopped.summary.Interrupted, stopped.summary.Complete = true, false
	stopped.summary.SkipCounts = append(slices.Clone(full.summary.SkipCounts), wire.SkipCount{Reason: fingerprints.SkipInterrupted, Count: 1})
	return map[string]scanned{
		"rich":        full,
		"interrupted": stopped,
		"clean":       {summary: wire.Summary{Complete: true, Sources: 1, Items: 3, StartedAt: began()}},
		"no ring":     {summary: wire.Summary{Complete: true, GenericOnly: true}},
		"nothing yet": {summary: wire.Summary{Interrupted: true, SkipCounts: []wire.SkipCount{{Reason: fingerprints.SkipInterrupted, Count: 1}}}},
		"raw names":   {findings: raw(), summary: wire.Summary{Sources: 1, Findings: 40, Skips: []wire.Skip{{Path: "\x00\n<&>", Detail: "]]>"}}, SkipCounts: []wire.SkipCount{{Reason: "unheard-of", Count: 1}}}},
	}
}

// raw are findings whose texts were not made printable, as if the pipeline forgot.
func raw() []wire.Finding {
	var out []wire.Finding
	for i, name := range append(hostile(), "", "/", "../../up", "//host/share", "\x00", "javascript:alert(1)", strings.Repeat("long/", 500)) {
		f := wire.Finding{
			SourceID: "dir:" + name, Path: name, Rule: "rule" + name, Description: name, Context: name, Locator: name, Message: name, Author: name,
			Refs: []string{name}, Tags: []string{name}, Verdict: fingerprints.VerdictUnregistered, Severity: fingerprints.SeverityHigh,
			Span: wire.Region{Line: i, Column: 1, EndLine: i, EndColumn: 4}, Same: uint64(i + 1),
		}
		if i%3 == 0 {
			f.Matches = []wire.Match{{Secret: name, Version: 1, Field: name, State: fingerprints.StateRetired, Owner: name}}
			f.Verdict = fingerprints.VerdictStale
		}
		out = append(out, f)
	}
	return out
}

func named(t testing.TB, file string) kind {
	t.Helper()
	all := kinds()
	return all[slices.IndexFunc(all, func(k kind) bool { return k.file == file })]
}

func TestJSONSchemas(t *testing.T) {
	full := rich(t)
	for schema, file := range map[string]string{
		"sarif-2.1.0.json": "report.sarif", "gitlab-code-quality.json": "gl-code-quality-report.json",
		"gitlab-secret-detection.json": "gl-secret-detection-report.json", "gitlab-secret-detection-15.0.7.json": "gl-secret-detection-report.json",
	} {
		s := compiled(t, schema)
		for name, shape := range shapes(t, full) {
			t.Run(schema+"/"+name, func(t *testing.T) { valid(t, s, named(t, file).write(t, shape)) })
		}
	}
}

// The schemas themselves must be able to say no.
func TestSchemasRefuse(t *testing.T) {
	for schema, doc := range map[string]string{
		"sarif-2.1.0.json":                    `{"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]}`,
		"gitlab-secret-detection.json":        `{"version": "15.0.7", "scan": {}, "vulnerabilities": []}`,
		"gitlab-secret-detection-15.0.7.json": `{"version": "15.0.7", "scan": {}, "vulnerabilities": []}`,
		"gitlab-code-quality.json":            `[{"description": "x", "check_name": "x", "fingerprint": "x", "severity": "bad", "location": {"path": "x", "lines": {"begin": 1}}}]`,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if compiled(t, schema).Validate(v) == nil {
			t.Errorf("%s takes anything", schema)
		}
	}
}

func TestJUnitSchema(t *testing.T) {
	for name, shape := range shapes(t, rich(t)) {
		for _, schema := range []string{"junit.xsd", "junit-10.xsd"} {
			t.Run(schema+"/"+name, func(t *testing.T) {
				if out, err := checkXML(t, schema, named(t, "report.xml").write(t, shape)); err != nil {
					t.Errorf("%v\n%.2000s", err, out)
				}
			})
		}
	}
	for _, schema := range []string{"junit.xsd", "junit-10.xsd"} {
		if _, err := checkXML(t, schema, []byte("<testsuites><testsuite/></testsuites>")); err == nil {
			t.Errorf("%s takes anything", schema)
		}
	}
}

func checkXML(t *testing.T, schema string, doc []byte) ([]byte, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.xml")
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "xmllint", "--noout", "--nonet", "--schema", filepath.Join("testdata", "schemas", schema), file)
	return c.CombinedOutput()
}

// The counts of JUnit's suites are those of their cases.
func TestJUnitCounts(t *testing.T) {
	type suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Failure, Error, Skipped *struct{} `xml:",omitempty"`
			F                       []byte    `xml:",innerxml"`
		} `xml:"testcase"`
	}
	var all struct {
		suite
		Suites []suite `xml:"testsuite"`
	}
	if err := xml.Unmarshal(named(t, "report.xml").write(t, rich(t)), &all); err != nil {
		t.Fatal(err)
	}
	tests, failures, errs := 0, 0, 0
	for _, s := range all.Suites {
		count := func(tag string) (n int) {
			for _, c := range s.Cases {
				if bytes.Contains(c.F, []byte("<"+tag+" ")) {
					n++
				}
			}
			return n
		}
		if s.Tests != len(s.Cases) || s.Failures != count("failure") || s.Errors != count("error") || s.Skipped != count("skipped") {
			t.Errorf("a suite of %d cases says %d, %d, %d, %d", len(s.Cases), s.Tests, s.Failures, s.Errors, s.Skipped)
		}
		tests, failures, errs = tests+s.Tests, failures+s.Failures, errs+s.Errors
	}
	if all.Tests != tests || all.Failures != failures || all.Errors != errs || failures == 0 || errs == 0 {
		t.Errorf("all: %d, %d, %d; counted %d, %d, %d", all.Tests, all.Failures, all.Errors, tests, failures, errs)
	}
}

// sarifLog is what GitHub looks at.
type sarifLog struct {
	Version string
	Runs    []struct {
		AutomationDetails struct{ ID string }
		Tool              struct {
			Driver struct {
				Name, SemanticVersion string
				Rules                 []struct {
					ID, Name, HelpURI                       string
					ShortDescription, FullDescription, Help struct{ Text string }
					Properties                              struct {
						Tags             []string
						SecuritySeverity string `json:"security-severity"`
					}
				}
			}
		}
		Results []struct {
			RuleID    string
			RuleIndex int
			Level     string
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           *struct{ StartLine, StartColumn, EndLine, EndColumn int }
				}
			}
			PartialFingerprints map[string]string
		}
	}
}

// GitHub's published rules for uploads, beyond the schema: limits, paths relative to
// the repository, what it needs to rank and to follow an alert.
func TestGitHubTakesSARIF(t *testing.T) {
	for name, shape := range shapes(t, rich(t)) {
		t.Run(name, func(t *testing.T) {
			doc := named(t, "report.sarif").write(t, shape)
			var log sarifLog
			if err := stdjson.Unmarshal(doc, &log); err != nil {
				t.Fatal(err)
			}
			if log.Version != "2.1.0" || len(log.Runs) == 0 || len(log.Runs) > 20 || gzipped(t, doc) > 10<<20 {
				t.Errorf("version %s, %d runs", log.Version, len(log.Runs))
			}
			githubRules(t, log)
			githubResults(t, log)
		})
	}
}

func githubRules(t *testing.T, log sarifLog) {
	t.Helper()
	categories := map[string]bool{}
	for _, r := range log.Runs {
		if categories[r.AutomationDetails.ID] {
			t.Errorf("two runs of the category %q", r.AutomationDetails.ID)
		}
		categories[r.AutomationDetails.ID] = true
		if r.Tool.Driver.Name != "Revenant" || r.Tool.Driver.SemanticVersion != "1.2.3" {
			t.Errorf("driver %+v", r.Tool.Driver)
		}
		for _, rule := range r.Tool.Driver.Rules {
			n, err := strconv.ParseFloat(rule.Properties.SecuritySeverity, 64)
			if err != nil || n <= 0 || n > 10 {
				t.Errorf("%q: security-severity %q", rule.ID, rule.Properties.SecuritySeverity)
			}
			if rule.ID == "" || len(rule.Name) > 255 || len(rule.ShortDescription.Text) > 2100 || rule.FullDescription.Text == "" || rule.Help.Text == "" || len(rule.Properties.Tags) > 20 {
				t.Errorf("rule %+v", rule)
			}
			if u, err := url.Parse(rule.HelpURI); err != nil || u.Scheme != "https" {
				t.Errorf("%q: help at %q", rule.ID, rule.HelpURI)
			}
		}
	}
}

func githubResults(t *testing.T, log sarifLog) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range log.Runs {
		if len(r.Results) > 25_000 {
			t.Errorf("%d results", len(r.Results))
		}
		for _, x := range r.Results {
			if x.RuleIndex >= len(r.Tool.Driver.Rules) || r.Tool.Driver.Rules[x.RuleIndex].ID != x.RuleID || x.Message.Text == "" || len(x.Locations) != 1 {
				t.Fatalf("result %+v", x)
			}
			at := x.Locations[0].PhysicalLocation
			u, err := url.Parse(at.ArtifactLocation.URI)
			if err != nil || u.IsAbs() || u.Host != "" || u.Path == "" || strings.HasPrefix(u.Path, "/") || slices.Contains(strings.Split(u.Path, "/"), "..") || u.RawQuery != "" || u.Fragment != "" {
				t.Errorf("URI %q: %v", at.ArtifactLocation.URI, err)
			}
			if g := at.Region; g != nil && (g.StartLine < 1 || g.EndLine < g.StartLine || g.StartColumn < 0) {
				t.Errorf("region %+v", *g)
			}
			print := x.PartialFingerprints["primaryLocationLineHash"]
			if !regexp.MustCompile(`^[0-9a-f]{32}:1$`).MatchString(print) || seen[print] {
				t.Errorf("fingerprint %q", print)
			}
			seen[print] = true
		}
	}
}

func gzipped(t *testing.T, doc []byte) int {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(doc); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// Reports for others' servers hold no names of persons.
func TestNoPersons(t *testing.T) {
	full := rich(t)
	told := false
	for _, f := range full.findings {
		told = told || f.Author == "Ada Example" && f.Email == "ada@example.org"
	}
	if !told {
		t.Fatal("the scan has no author: nothing is tested")
	}
	for _, file := range []string{"report.sarif", "gl-secret-detection-report.json", "gl-code-quality-report.json", "report.xml", "report.md"} {
		got := string(named(t, file).write(t, full))
		if strings.Contains(got, "Ada") || strings.Contains(got, "ada@example") {
			t.Errorf("%s names the author", file)
		}
	}
}

// Every format says that a scan was interrupted, where it has anything to say.
func TestInterruptedIsTold(t *testing.T) {
	all := shapes(t, rich(t))
	for _, k := range kinds() {
		mark := "nterrupted"
		for shape, want := range map[string]bool{"interrupted": true, "rich": false} {
			got := string(k.write(t, all[shape]))
			switch k.file {
			case "report.jsonl":
				mark = `"interrupted":true`
			case "report.csv":
				got = got[strings.LastIndex(strings.TrimSpace(got), "\n"):]
				mark = ",true"
			}
			if strings.Contains(got, mark) != want {
				t.Errorf("%s of the scan %q: interrupted is told: %t", k.file, shape, !want)
			}
		}
	}
}

// FuzzFormats gives every format texts that no pipeline made safe.
func FuzzFormats(f *testing.F) {
	for _, name := range hostile() {
		f.Add(name, name, name, uint8(1))
	}
	f.Add("'=1", "\t=cmd", "\ufeff+1", uint8(3))
	sarif := compiled(f, "sarif-2.1.0.json")
	security := compiled(f, "gitlab-secret-detection.json")
	published := compiled(f, "gitlab-secret-detection-15.0.7.json")
	quality := compiled(f, "gitlab-code-quality.json")
	f.Fuzz(func(t *testing.T, path, text, source string, n uint8) {
		finding := wire.Finding{
			SourceID: source, Path: path, Member: text, Rule: text, Description: text, Context: text, Verdict: fingerprints.Verdicts()[int(n)%9], Message: text,
			Severity: fingerprints.Severities()[int(n)%5], Span: wire.Region{Line: int(n), EndLine: int(n)}, Commit: source, Locator: text, Refs: []string{path},
		}
		s := scanned{findings: []wire.Finding{finding, finding}, summary: wire.Summary{Skips: []wire.Skip{{Path: path, Detail: text}}, SkipCounts: []wire.SkipCount{{Count: 1}}, Duration: time.Second}}
		s.findings[1].Matches = []wire.Match{{Secret: text, Version: int(n), Field: source}}
		for _, k := range kinds() {
			got := k.write(t, s)
			switch k.file {
			case "report.sarif":
				valid(t, sarif, got)
			case "gl-secret-detection-report.json":
				valid(t, security, got)
				valid(t, published, got)
			case "gl-code-quality-report.json":
				valid(t, quality, got)
			case "report.xml":
				wellFormed(t, got)
			case "report.csv":
				noFormula(t, got)
			case "report.md":
				noMarkup(t, string(got))
			case "report.txt":
				noControl(t, string(got))
			}
		}
	})
}

func wellFormed(t *testing.T, doc []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func noFormula(t *testing.T, doc []byte) {
	t.Helper()
	rows, err := stdcsv.NewReader(bytes.NewReader(doc)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
				t.Errorf("a spreadsheet evaluates %q", cell)
			}
		}
	}
}

// noMarkup takes out code, in which nothing is markup, and looks at the rest.
func noMarkup(t *testing.T, doc string) {
	t.Helper()
	code := regexp.MustCompile("<code>(?:[^<>`|*_\\[\\]@#!\\\\~\n&.:]|&#[0-9]+;)*</code>|`[^`|\n]+`")
	rest := code.ReplaceAllString(doc, "")
	if strings.Contains(rest, "code>") || strings.Contains(rest, "`") {
		t.Errorf("markup: %q", rest)
	}
	for _, line := range strings.Split(doc, "\n") {
		if strings.HasPrefix(line, "| ") && strings.Count(line, "|") != 5 {
			t.Errorf("cells: %q", line)
		}
	}
}

func noControl(t *testing.T, doc string) {
	t.Helper()
	for _, r := range doc {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x202e) {
			t.Errorf("%q steers a terminal", r)
		}
	}
}
