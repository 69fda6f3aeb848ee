package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/files"
	"revenant/scanners/rules"
)

// scanFlags are the flags that every scan has.
type scanFlags struct {
	formats, paths []string // -f, -r
	template       string
	config         string // -c
	source         string
	pack, packKeys string
	failOn         string
	failOnSkipped  bool
	exitCode       int
	showSecrets    bool
	only           string
	rules          string // which generic rules
	noStore        bool
	tells          bool // a server is told what was found, though nothing is stored here
	lookUp         bool // weak values are asked about
	workers        int
	progress       bool
	exclude        []string
	resume         bool
	archiveDepth   int
	decodeDepth    int
	baseline       baselineFlags
	compat         compatFlags
	early          func() (*rules.Matcher, error) // the rules, which are being opened; nil: they are not yet
	earlyAt        string                         // their file
	host           host                           // nil: a person at a terminal
	piped          bool                           // standard output has a stream: reports in text go to the error stream
}

func (s *scanFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&s.paths, "report-path", "r", nil, "write a report to this file, - for standard output (repeat); its format is told by FORMAT:PATH, by -f, or by the file's name")
	f.StringArrayVarP(&s.formats, "report-format", "f", nil, reportNames()+" (default: text on standard output)")
	f.StringVar(&s.template, "report-template", "", "file with a Go text template, for the format template")
	f.BoolVar(&s.progress, "progress", false, "tell how far the scan is, also where no terminal is")
	f.StringVarP(&s.config, "config", "c", "", "gitleaks configuration (default: $GITLEAKS_CONFIG, .gitleaks.toml in the scanned folder, gitleaks' own rules)")
	f.StringVar(&s.source, "source", "", "id of the source, as in dir:/srv/app; one id is one place, scanned as a whole (default: derived from the place)")
	f.StringVar(&s.pack, "pack", "", "search with this pack file in place of the registry; nothing is stored")
	f.StringVar(&s.packKeys, "pack-key", "", "edge key file that opens the pack (default: $REVENANT_PACK_KEY)")
	f.StringVar(&s.failOn, "fail-on", "any", "exit 1 for findings at least this bad: a severity, a verdict, any or none")
	f.BoolVar(&s.failOnSkipped, "fail-on-skipped", false, "exit 3 also for bounded, encrypted and unsupported content")
	f.IntVar(&s.exitCode, "exit-code", exitFindings, "exit code for findings")
	f.BoolVar(&s.showSecrets, "show-secrets", false, "print values in clear; keep the report to yourself")
	f.StringVar(&s.only, "only", "", "registered or generic: search for these alone")
	s.registerRules(f)
	f.BoolVar(&s.noStore, "no-store", false, "do not keep findings in the registry")
	f.IntVar(&s.archiveDepth, "max-archive-depth", archives.DefaultDepth, "how many archives in each other are opened (0: none; they are listed as skipped)")
	f.IntVar(&s.decodeDepth, "max-decode-depth", scanners.DefaultViewDepth, "how many encodings in each other are seen through (0: none beyond what registered values are found in)")
	s.baseline.register(c)
	s.compat.register(c)
	f.IntVar(&s.workers, "workers", 0, "items scanned at once (default: one for each CPU)")
}

// registerRules registers the flag that chooses among the generic rules.
func (s *scanFlags) registerRules(f *pflag.FlagSet) {
	f.StringVar(&s.rules, "rules", "all", "generic rules: gitleaks (those of the configuration alone), all (ours too) or wide (also weak values in tests, examples and documentation)")
}

// own reads --rules.
func (s *scanFlags) own() (rules.Own, error) {
	switch s.rules {
	case "gitleaks":
		return rules.OwnOff, nil
	case "all", "":
		return rules.OwnOn, nil
	case "wide":
		return rules.OwnWide, nil
	}
	return 0, usagef("--rules is gitleaks, all or wide")
}

// makeSource builds a source; cursor is where an interrupted scan stopped.
type makeSource func(e *eye, cursor []byte) (scanners.Source, error)

func (a *app) dirCommand() *cobra.Command {
	var fl scanFlags
	var follow bool
	c := &cobra.Command{
		Use: "dir [PATH]", GroupID: "scan", Aliases: []string{"directory", "files"},
		Short: "Scan a folder or a file",
		Long: `Reads every regular file below PATH (default: the current folder), also hidden
and binary ones. What cannot be read is listed and never counts as clean.

Exit codes: 0 no finding; 1 findings at or above --fail-on; 2 wrong usage; 3 not
everything could be read.`,
		Example: `  revenant dir .
  revenant dir /srv/app -r report.json -r report.sarif -r markdown:summary.txt
  revenant dir . --only registered --fail-on stale`,
		Args: argCount(0, 1, "at most one PATH"),
		RunE: func(c *cobra.Command, args []string) error {
			root := "."
			if len(args) == 1 {
				root = args[0]
			}
			links := files.LinksInside
			if follow {
				links = files.LinksFollow
			}
			id, err := dirSourceID(fl.source, root)
			if err != nil {
				return err
			}
			return a.runScan(c.Context(), &fl, scanPlace{root: root, sourceID: id, kind: fingerprints.KindDir, measured: true}, func(_ *eye, cursor []byte) (scanners.Source, error) {
				src, err := files.NewDir(files.DirOptions{Root: root, SourceID: id, Exclude: fl.exclude, Links: links, Cursor: cursor})
				if err != nil {
					return nil, namedPlace("PATH", root, err)
				}
				return src, nil
			})
		},
	}
	fl.register(c)
	c.Flags().StringArrayVar(&fl.exclude, "exclude", nil, "glob of paths to leave out, ** crosses folders (repeat); listed as skipped")
	c.Flags().BoolVar(&fl.resume, "resume", false, "continue a scan of this folder that was interrupted")
	c.Flags().BoolVar(&follow, "follow-symlinks", false, "follow links that lead out of the folder")
	return c
}

// namedPlace says which of what was typed a source refuses.
func namedPlace(what, root string, err error) error {
	if errors.Is(err, files.ErrBadGlob) {
		what = "--exclude"
	}
	if _, missing := os.Stat(root); missing != nil && isMissing(missing) {
		return usagef("%s: there is no such file or folder%s", what, below(missing))
	}
	return fmt.Errorf("%s: %w", what, err)
}

func dirSourceID(given, root string) (string, error) {
	if given != "" {
		return given, nil
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	return "dir:" + abs, nil
}

func (a *app) homeCommand() *cobra.Command {
	var fl scanFlags
	var dir string
	c := &cobra.Command{
		Use: "home", GroupID: "scan",
		Short: "Scan the places of your own machine where credentials gather",
		Long: `Reads dotfiles, shell and database histories, cloud, registry and package
credentials, keys and .env files in your home folder. 'revenant dir ~' reads
everything.`,
		Example: "  revenant home --only registered",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if dir == "" {
				home, err := os.UserHomeDir()
				if err != nil {
					return usagef("no home folder is known: give it with --dir")
				}
				dir = home
			}
			if info, err := os.Stat(dir); err == nil && !info.IsDir() {
				return usagef("--dir names a file: give a home folder; 'revenant dir PATH' reads one file")
			}
			id, err := dirSourceID(fl.source, dir)
			if err != nil {
				return err
			}
			if fl.source == "" { // not the whole folder: a source of its own
				id = "home:" + strings.TrimPrefix(id, "dir:")
			}
			return a.runScan(c.Context(), &fl, scanPlace{root: dir, sourceID: id, kind: fingerprints.KindDir}, func(_ *eye, cursor []byte) (scanners.Source, error) {
				src, err := files.NewHome(files.HomeOptions{Home: dir, SourceID: id, Exclude: fl.exclude, Cursor: cursor})
				if err != nil {
					return nil, namedPlace("--dir", dir, err)
				}
				return src, nil
			})
		},
	}
	fl.register(c)
	c.Flags().StringVar(&dir, "dir", "", "home folder to read (default: yours)")
	c.Flags().StringArrayVar(&fl.exclude, "exclude", nil, "glob of paths to leave out (repeat)")
	return c
}

func (a *app) stdinCommand() *cobra.Command {
	var fl scanFlags
	var format string
	c := &cobra.Command{
		Use: "stdin", GroupID: "scan",
		Short: "Scan standard input: text, or records as NDJSON",
		Long: `With --format ndjson each line is one record: {"source": "...", "path": "...",
"url": "...", "time": "...", "text": "..."}, or "base64" in place of "text".
That is the way in for chat exports, dashboards and anything else. A broken line
is listed by its number; the others are scanned.

Plain text is stored only with --source; NDJSON records bring their own.`,
		Example: `  kubectl logs deploy/shop | revenant stdin --source ci:local:shop
  chat-export | revenant stdin --format ndjson`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			place := scanPlace{sourceID: fl.source, kind: fingerprints.KindStdin, extent: store.ExtentStream}
			switch format {
			case "text":
				return a.runScan(c.Context(), &fl, place, func(*eye, []byte) (scanners.Source, error) {
					return files.NewStdin(a.stdin, fl.source), nil
				})
			case "ndjson":
				place.own = true
				return a.runScan(c.Context(), &fl, place, func(*eye, []byte) (scanners.Source, error) {
					return files.NewNDJSON(a.stdin, files.NDJSONOptions{SourceID: fl.source}), nil
				})
			}
			return usagef("--format is text or ndjson")
		},
	}
	fl.register(c)
	c.Flags().StringVar(&format, "format", "text", "what the input is: text or ndjson")
	return c
}

// archives opens what is packed, as deep as the user wants.
func (s *scanFlags) archives(now func() time.Time) *archives.Expander {
	limits := archives.DefaultLimits()
	limits.Depth = s.archiveDepth
	return &archives.Expander{Limits: limits, Now: now}
}

// viewDepth is the engine's, where 0 asks for its default.
func (s *scanFlags) viewDepth() int {
	if s.decodeDepth == 0 {
		return -1
	}
	return s.decodeDepth
}

// rulesDepth is how deep the rules decode by themselves, as gitleaks does.
func (s *scanFlags) rulesDepth() int { return min(s.viewDepth(), rules.DefaultDecodeDepth) }

// checkKinds refuses what asks for a kind of finding and leaves it out.
func (s *scanFlags) checkKinds() error {
	own, err := s.own()
	if err != nil {
		return err
	}
	switch s.only {
	case "":
	case "registered":
		if s.config != "" || len(s.compat.rules) > 0 || own != rules.OwnOn {
			return usagef("--only registered looks for no generic rule, so --config, --rules and --enable-rule say nothing: leave one of them out")
		}
	case "generic":
		if s.pack != "" {
			return usagef("--only generic looks for no registered value, so --pack says nothing: leave one of them out")
		}
	default:
		return usagef("--only is registered or generic")
	}
	return nil
}

func (s *scanFlags) exitRules() (scan.ExitRules, error) {
	exit := scan.DefaultExitRules()
	failOn, err := scan.ParseFailOn(s.failOn)
	if err != nil {
		return exit, usagef("--fail-on: %w: use a severity (%s), a verdict (%s), any or none", scan.ErrBadThreshold, join(fingerprints.Severities()), join(fingerprints.Verdicts()))
	}
	if err := s.checkKinds(); err != nil {
		return exit, err
	}
	exit.FailOn, exit.FailOnSkipped, exit.Findings = failOn, s.failOnSkipped, s.exitCode
	return exit, nil
}
