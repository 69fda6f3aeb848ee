package main

import (
	"context"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/redact"
	"revenant/ingest/relay"
	"revenant/scanners"
	"revenant/scanners/cilog/layout"
	"revenant/scanners/files"
)

// logsFlags say what a scan of logs looks at.
type logsFlags struct {
	scanFlags
	apiFlags
	format string
	redact bool // registered values, in flight
}

func (a *app) logsCommand() *cobra.Command {
	var fl logsFlags
	c := &cobra.Command{
		Use: "logs PLACE...", GroupID: "scan",
		Short: "Scan logs: of CI runs, in files, in a pipe, of a command",
		Long: `Reads what GitHub Actions, GitLab and Jenkins keep of a project's runs, logs in
files, folders and archives, or looks at one on its way:

  revenant logs https://github.com/acme/shop    every run of the repository
  revenant logs gitlab:platform                 every project of the group
  revenant logs https://ci.example.org/job/x --provider jenkins

  command 2>&1 | revenant logs -     what comes in goes out again at once
  revenant logs -- command args      runs the command; its output is passed on

What passes is unchanged, byte by byte. The report goes to the error stream, or
to the files of -r.

Runs that came to their end are read once, and a rescan asks for what is new.
Tokens come from the environment: see 'revenant environment'.

With --redact-stream registered values are taken out on the way, in every
encoding, and [secret NAME@N] stands in their place; what generic rules find is
reported only. Lines go out after 20 ms of silence. What may be a part of a
value waits for more, for 200 ms of silence and never longer than 2 s: of a
value that comes with longer pauses a part has gone out by then.

With -- signals are passed on to the command. The exit code is the command's
when that is not 0, else the scan's; when it dies of a signal, so does this. A
command that cannot be started is 126 or 127, as in a shell. Output of
processes that it left behind is passed on for 5 s. A value that is written
half to standard output and half to the error stream is not seen.

Exit codes: 0 no finding; 1 findings at or above --fail-on; 2 wrong usage; 3 not
everything could be read.`,
		Example: `  revenant logs build.log
  revenant logs https://github.com/acme/shop --since 30d
  make test 2>&1 | revenant logs -
  make test 2>&1 | revenant logs - --redact-stream --only registered
  revenant logs --redact-stream -r leaks.sarif -- make test`,
		RunE: func(c *cobra.Command, args []string) error { return a.runLogs(c, &fl, args) },
	}
	fl.scanFlags.register(c)
	fl.apiFlags.register(c)
	c.Flags().StringVar(&fl.format, "format", "auto", "what the logs are: "+join(logFormats()))
	c.Flags().BoolVar(&fl.redact, "redact-stream", false, "take registered values out of what is passed on")
	return c
}

// runLogs chooses between places, standard input and a command.
func (a *app) runLogs(c *cobra.Command, fl *logsFlags, args []string) error {
	if _, err := oneOf("--format", fl.format, logFormats()); err != nil {
		return err
	}
	hint := "; see '" + c.CommandPath() + " --help'"
	switch dash := c.ArgsLenAtDash(); {
	case dash > 0:
		return usagef("either places are scanned or the command behind --: leave one of them out%s", hint)
	case dash == 0 && len(args) == 0:
		return usagef("-- names no command: write the command and its arguments behind it%s", hint)
	case dash == 0 || len(args) == 1 && args[0] == "-":
		if err := checkRuns(c, nil); err != nil {
			return err
		}
		if dash != 0 {
			return a.runPiped(c.Context(), fl)
		}
		return a.runLogged(c.Context(), fl, args)
	case len(args) == 0:
		return usagef("give a file, a folder, - for standard input, or -- and a command%s", hint)
	case slices.Contains(args, "-") && len(args) > 1:
		return usagef("- is standard input, which is passed on: it is scanned alone%s", hint)
	case fl.redact:
		return usagef("--redact-stream takes values out of what is passed on: give - or -- and a command%s", hint)
	}
	return a.runPlaces(c, fl, args)
}

// runPlaces scans logs where they lie.
func (a *app) runPlaces(c *cobra.Command, fl *logsFlags, places []string) error {
	ctx := c.Context()
	if fl.source != "" && len(places) > 1 {
		return usagef("--source is the id of one place, and %d are given: scan them one by one", len(places))
	}
	ci := map[string]ciPlace{}
	for _, at := range places {
		p, is, err := ciPlaceOf(at, &fl.apiFlags)
		if err != nil {
			return err
		}
		if is {
			ci[at] = p
		}
	}
	if err := checkRuns(c, slices.Collect(maps.Values(ci))); err != nil {
		return err
	}
	var jobs []scanJob
	for _, at := range places {
		if p, is := ci[at]; is {
			list, err := a.ciJobs(ctx, fl, at, p, len(places) > 1)
			if err != nil {
				return err
			}
			jobs = append(jobs, list...)
			continue
		}
		j, err := logsAt(fl, at)
		if err != nil {
			return err
		}
		if len(places) > 1 {
			j.name = at
		}
		jobs = append(jobs, j)
	}
	return a.runScans(ctx, &fl.scanFlags, jobs)
}

// logsAt is the scan of one place.
func logsAt(fl *logsFlags, at string) (scanJob, error) {
	id, err := dirSourceID(fl.source, at)
	if err != nil {
		return scanJob{}, err
	}
	place := scanPlace{root: at, sourceID: id, kind: fingerprints.KindDir, measured: true}
	open := func(_ *eye, cursor []byte) (scanners.Source, error) {
		src, err := files.NewDir(files.DirOptions{Root: at, SourceID: id, Cursor: cursor})
		if err != nil {
			return nil, namedPlace("PLACE", at, err)
		}
		return src, nil
	}
	return scanJob{place: place, open: asLogs(open, layout.Format(fl.format))}, nil
}

// streamed is what is known of a stream that passes.
func (fl *logsFlags) streamed(sourceID string) scanPlace {
	return scanPlace{sourceID: sourceID, kind: fingerprints.KindStdin, extent: store.ExtentStream}
}

// passing starts passages with one redaction each, where that is asked for.
type passing struct {
	a       *app
	fl      *logsFlags
	streams []*redact.Stream
}

func (p *passing) begin(ctx context.Context, e *eye, out io.Writer) (*redact.Writer, error) {
	if !p.fl.redact {
		return nil, nil
	}
	s, w, err := p.a.redactor(ctx, e, &p.fl.scanFlags, out)
	if err == nil {
		p.streams = append(p.streams, s)
	}
	return w, err
}

// ended says what had gone out before it could be taken out.
func (p *passing) ended() {
	late := 0
	for _, s := range p.streams {
		late += int(s.Late())
	}
	if late > 0 {
		p.a.note("a part of " + plural(late, "value", "values") + " had gone out before the rest came")
	}
}

// runPiped passes standard input on.
func (a *app) runPiped(ctx context.Context, fl *logsFlags) error {
	if err := checkPassing(&fl.scanFlags, "-", true); err != nil {
		return err
	}
	if a.asJSON {
		return usagef("--json prints to standard output, which has the log: write -r json:FILE")
	}
	fl.piped = true
	through, streams := newPassage(relay.FullWaits), &passing{a: a, fl: fl}
	job := through.job(fl.streamed(fl.source), "-", func(e *eye) error {
		w, err := streams.begin(ctx, e, a.stdout)
		if err == nil {
			through.start(a.stdin, a.stdout, w)
		}
		return err
	})
	job.open = asLogs(job.open, layout.Format(fl.format))
	err := a.runScans(ctx, &fl.scanFlags, []scanJob{job})
	if failed := through.wait(ctx); err == nil {
		err = failed
	}
	streams.ended()
	return err
}
