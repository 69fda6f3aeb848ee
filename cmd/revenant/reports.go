package main

import (
	"io"

	"revenant/api/wire"
	reportjson "revenant/ingest/report/json"
	"revenant/ingest/report/terminal"
)

// maxListedSkips bounds the skips that a summary names one by one; all are
// counted, and a stored scan keeps them.
const maxListedSkips = 1000

// unbounded is the width of what no terminal shows: paths are whole there.
const unbounded = 1 << 20

// reports is where a scan's findings go.
type reports struct {
	skips    []wire.Skip
	out      io.Writer
	file     *outFile // nil: standard output
	json     *reportjson.Writer
	text     *terminal.Report
	errs     io.Writer
	errWidth int
	quiet    bool
}

// openReports opens what -f and -r ask for, before anything is scanned.
func (a *app) openReports(fl *scanFlags) (*reports, error) {
	format := fl.format
	if format == "" {
		format = "text"
		if a.asJSON || fl.path != "" {
			format = "json"
		}
	}
	r := &reports{out: a.stdout, errs: a.stderr, errWidth: unbounded, quiet: a.quiet}
	if isTerminal(a.stderr) {
		r.errWidth = widthOf(a.stderr)
	}
	if fl.path != "" && fl.path != "-" {
		file, err := a.createOut("--report-path", fl.path, 0o600)
		if err != nil {
			return nil, err
		}
		r.file, r.out = file, file
	}
	secrets, shown := reportjson.Redacted, terminal.Redacted
	if fl.showSecrets {
		secrets, shown = reportjson.Shown, terminal.Shown
	}
	switch format {
	case "json":
		r.json = reportjson.NewWriter(r.out, secrets)
	case "text":
		o := terminal.Options{Secrets: shown, Width: unbounded}
		if r.file == nil && isTerminal(a.stdout) {
			o.Width = widthOf(a.stdout)
		}
		if r.file == nil && !a.noColor {
			o.Color = terminal.ColorFor(a.stdout, a.env)
		}
		r.text = terminal.New(r.out, o)
	default:
		r.abort()
		return nil, usagef("--report-format is text or json")
	}
	return r, nil
}

func (r *reports) finding(f wire.Finding) error {
	if r.json != nil {
		return r.json.Write(f)
	}
	return r.text.Write(f)
}

func (r *reports) skip(s wire.Skip) error {
	if len(r.skips) < maxListedSkips {
		r.skips = append(r.skips, s)
	}
	return nil
}

// close ends the report. A JSON report has no room for a summary, so it goes to
// the error stream there.
func (r *reports) close(s wire.Summary) error {
	s.Skips = r.skips
	if r.text != nil {
		if err := r.text.Close(s); err != nil {
			return err
		}
	} else if err := r.json.Close(); err != nil {
		return err
	}
	if r.file != nil {
		if err := r.file.commit(); err != nil {
			return bare(err)
		}
	}
	if (r.json != nil || r.file != nil) && !r.quiet {
		t := terminal.New(r.errs, terminal.Options{Width: r.errWidth})
		return t.Close(s)
	}
	return nil
}

// abort removes a report that was not finished.
func (r *reports) abort() {
	if r.file != nil {
		r.file.abort()
	}
}
