package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"revenant/api/wire"
	"revenant/ingest/report"
	"revenant/ingest/report/terminal"
)

// maxListedSkips bounds the skips that a summary names one by one; all are
// counted, and a stored scan keeps them.
const maxListedSkips = 1000

// maxTemplate bounds what is read as a template.
const maxTemplate = 1 << 20

// unbounded is the width of what no terminal shows: paths are whole there.
const unbounded = 1 << 20

// reports is where a scan's findings go.
type reports struct {
	all    []*opened
	places *report.Collector
	// settled: SARIF lists what is settled too.
	settled bool
	tool    report.Tool
	skips   []wire.Skip
	// The summary goes to the error stream, unless a person reads it in a report.
	errs   io.Writer
	screen terminal.Options
	quiet  bool
	none   bool // nobody reads them
}

// opened is a report under way.
type opened struct {
	output
	format format
	stream report.Writer // nil: it is written at the end
	file   *outFile      // nil: standard output
}

// openReports opens what -f and -r ask for, before anything is scanned.
func (a *app) openReports(fl *scanFlags) (*reports, error) {
	if a.scan != nil {
		return &reports{places: &report.Collector{}, quiet: true, none: true, errs: io.Discard}, nil
	}
	all, err := fl.wantedReports(a.asJSON)
	if err != nil {
		return nil, err
	}
	r := &reports{
		places: &report.Collector{}, tool: report.Tool{Name: "Revenant", Version: programVersion()}, errs: a.stderr, quiet: a.quiet, settled: fl.baseline.show,
	}
	r.screen = terminal.Options{Width: unbounded}
	if isTerminal(a.stderr) {
		r.screen.Width = widthOf(a.stderr)
		r.screen.Color = a.colorFor(a.stderr)
	}
	text := ""
	if fl.template != "" {
		if text, err = readTemplate(fl.template); err != nil {
			return nil, err
		}
	}
	out := a.stdout
	if fl.piped {
		out = a.stderr
	}
	for _, w := range all {
		o := output{w: out, template: text, screen: terminal.Options{Width: unbounded}}
		if fl.showSecrets {
			o.secrets = report.Shown
			o.screen.Secrets = report.Shown
		}
		if fl.host != nil && w.format.name == "text" {
			w.format.whole = fl.host.write
		}
		if err := r.open(a, w, o); err != nil {
			r.abort()
			return nil, err
		}
	}
	return r, nil
}

func (r *reports) open(a *app, w wanted, o output) error {
	one := &opened{output: o, format: w.format}
	if w.path == "-" {
		if isTerminal(o.w) {
			one.screen.Width = widthOf(o.w)
			one.screen.Color = a.colorFor(o.w)
		}
	} else {
		file, err := a.createOut("--report-path", w.path, 0o600)
		if err != nil {
			return err
		}
		one.file, one.w = file, file
	}
	r.all = append(r.all, one)
	if w.format.stream == nil {
		return nil
	}
	var err error
	if one.stream, err = w.format.stream(one.output); err != nil {
		return usagef("--report-template: %w", err)
	}
	return nil
}

// colorFor says whether a stream is coloured.
func (a *app) colorFor(w io.Writer) terminal.Color {
	if a.noColor {
		return terminal.Plain
	}
	return terminal.ColorFor(w, a.env)
}

func readTemplate(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fileError("--report-template", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTemplate+1))
	switch {
	case err != nil:
		return "", fileError("--report-template", err)
	case len(b) > maxTemplate:
		return "", usagef("--report-template: a template has at most 1 MiB")
	}
	return string(b), nil
}

func (r *reports) finding(f wire.Finding) error {
	if r.none {
		return nil
	}
	for _, one := range r.all {
		if one.stream == nil {
			continue
		}
		if err := one.stream.Write(f); err != nil {
			return err
		}
	}
	return r.places.Write(f)
}

func (r *reports) skip(s wire.Skip) error {
	if len(r.skips) < maxListedSkips {
		r.skips = append(r.skips, s)
	}
	return nil
}

// close ends the reports. Where no person reads the summary in one of them, it goes to
// the error stream. A report that cannot be written does not take the others with
// it.
func (r *reports) close(s wire.Summary) error {
	s.Skips = r.skips
	d := r.data(s)
	var failed []error
	told := false
	for _, one := range r.all {
		if err := one.close(d); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", one.format.name, bare(unwritten(one.place(), err))))
		}
		told = told || one.format.name == "text" && one.file == nil
	}
	if !told && !r.quiet {
		failed = append(failed, terminal.Summary(r.errs, d, r.screen))
	}
	return errors.Join(failed...)
}

// place is who named where it goes.
func (o *opened) place() string {
	if o.file == nil {
		return "standard output"
	}
	return "--report-path"
}

func (o *opened) close(d report.Data) error {
	var err error
	if o.stream != nil {
		err = o.stream.Close(d.Summary)
	} else {
		err = o.format.whole(o.output, d)
	}
	if err != nil || o.file == nil {
		return err
	}
	return o.file.commit()
}

// abort removes reports that were not finished.
func (r *reports) abort() {
	for _, one := range r.all {
		if one.file != nil {
			one.file.abort()
		}
	}
}
