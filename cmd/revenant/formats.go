package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"revenant/api/wire"
	"revenant/ingest/report"
	reportcsv "revenant/ingest/report/csv"
	"revenant/ingest/report/gitlab"
	reportjson "revenant/ingest/report/json"
	"revenant/ingest/report/junit"
	"revenant/ingest/report/markdown"
	"revenant/ingest/report/sarif"
	reporttemplate "revenant/ingest/report/template"
	"revenant/ingest/report/terminal"
)

// output is what a format is made with.
type output struct {
	w        io.Writer
	secrets  report.Secrets
	template string // its text
	screen   terminal.Options
}

// format is a report format. It either streams, or needs the scan as a whole.
type format struct {
	name    string
	endings []string // of file names that mean it
	stream  func(o output) (report.Writer, error)
	whole   func(o output, d report.Data) error
}

// formats lists them in the order that help shows. The first whose ending fits a
// file's name is the one that is meant.
func formats() []format {
	return []format{
		{name: "text", endings: []string{".txt", ".text", ".log"}, whole: func(o output, d report.Data) error { return terminal.Write(o.w, d, o.screen) }},
		{name: "gitlab", endings: []string{"gl-secret-detection-report.json"}, whole: func(o output, d report.Data) error { return gitlab.Write(o.w, d) }},
		{name: "codequality", endings: []string{"gl-code-quality-report.json"}, whole: func(o output, d report.Data) error { return gitlab.WriteQuality(o.w, d) }},
		{name: "sarif", endings: []string{".sarif", ".sarif.json"}, whole: func(o output, d report.Data) error { return sarif.Write(o.w, d) }},
		{name: "json", endings: []string{".json"}, stream: func(o output) (report.Writer, error) { return reportjson.NewWriter(o.w, o.secrets), nil }},
		{name: "jsonl", endings: []string{".jsonl", ".ndjson"}, stream: func(o output) (report.Writer, error) { return reportjson.NewLines(o.w, o.secrets), nil }},
		{name: "csv", endings: []string{".csv"}, stream: func(o output) (report.Writer, error) { return reportcsv.NewWriter(o.w), nil }},
		{name: "junit", endings: []string{".xml"}, whole: func(o output, d report.Data) error { return junit.Write(o.w, d) }},
		{name: "markdown", endings: []string{".md", ".markdown"}, whole: func(o output, d report.Data) error { return markdown.Write(o.w, d) }},
		{name: "template", stream: func(o output) (report.Writer, error) { return reporttemplate.NewWriter(o.w, o.template) }},
	}
}

func reportNames() string {
	all := formats()
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

func formatNamed(name string) (format, bool) {
	all := formats()
	if i := slices.IndexFunc(all, func(f format) bool { return f.name == name }); i >= 0 {
		return all[i], true
	}
	return format{}, false
}

// wanted is a report that the flags ask for; path "-" is standard output.
type wanted struct {
	format format
	path   string
}

// wantedReports reads -r and -f. A report's format is the word before a colon,
// else what -f says, else what its file is called.
func (fl *scanFlags) wantedReports(asJSON bool) ([]wanted, error) {
	named := make([]format, len(fl.formats))
	for i, name := range fl.formats {
		f, ok := formatNamed(name)
		if !ok {
			return nil, usagef("--report-format is one of %s", reportNames())
		}
		named[i] = f
	}
	if len(fl.paths) == 0 {
		return fl.toStandardOutput(named, asJSON)
	}
	var out []wanted
	var open []int // that -f has to name
	for _, given := range fl.paths {
		if given == "" {
			return nil, usagef("--report-path names no file")
		}
		if name, path, has := strings.Cut(given, ":"); has {
			if f, is := formatNamed(name); is {
				if path == "" {
					return nil, usagef("--report-path %s: names no file", name+":")
				}
				out = append(out, wanted{f, path})
				continue
			}
		}
		open = append(open, len(out))
		out = append(out, wanted{path: given})
	}
	if len(named) > 0 && len(named) != len(open) {
		return nil, usagef("--report-format goes with the reports that name no format, in their order: %d of one and %d of the other were given. Write -r FORMAT:PATH, as in -r sarif:out.json", len(named), len(open))
	}
	for i, at := range open {
		if len(named) > 0 {
			out[at].format = named[i]
			continue
		}
		f, ok := fl.formatOf(out[at].path)
		if !ok {
			return nil, usagef("--report-path: the file's name tells no format. Write -r FORMAT:PATH with one of %s", reportNames())
		}
		out[at].format = f
	}
	return out, fl.checkReports(out)
}

func (fl *scanFlags) toStandardOutput(named []format, asJSON bool) ([]wanted, error) {
	name := "text"
	switch {
	case len(named) > 1:
		return nil, usagef("several reports do not go to standard output: write -r FORMAT:PATH for each")
	case len(named) == 1:
		name = named[0].name
	case fl.template != "":
		name = "template"
	case asJSON:
		name = "json"
	}
	f, _ := formatNamed(name)
	out := []wanted{{f, "-"}}
	return out, fl.checkReports(out)
}

// formatOf is the format that a file's name means: JSON where it has no ending.
func (fl *scanFlags) formatOf(path string) (format, bool) {
	if fl.template != "" && len(fl.paths) == 1 {
		return formatNamed("template")
	}
	base := strings.ToLower(filepath.Base(path))
	for _, f := range formats() {
		if slices.ContainsFunc(f.endings, func(e string) bool { return strings.HasSuffix(base, e) }) {
			return f, true
		}
	}
	if filepath.Ext(base) == "" || path == "-" {
		return formatNamed("json")
	}
	return format{}, false
}

// checkReports refuses what would end up in one place, and templates that are not
// there.
func (fl *scanFlags) checkReports(all []wanted) error {
	seen := map[string]bool{}
	template := false
	for _, w := range all {
		path := w.path
		if path != "-" {
			path = filepath.Clean(path)
		}
		if seen[path] {
			return usagef("--report-path: two reports cannot go to one place")
		}
		seen[path] = true
		template = template || w.format.name == "template"
	}
	switch {
	case template && fl.template == "":
		return usagef("the format template needs --report-template FILE")
	case !template && fl.template != "":
		return usagef("--report-template is given, and no report has the format template: write -r template:PATH")
	}
	return nil
}

// data is the scan as a whole.
func (r *reports) data(s wire.Summary) report.Data {
	d := r.places.Data(r.tool, s)
	d.Settled = r.settled
	return d
}
