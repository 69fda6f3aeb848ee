package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/ingest/pipeline"
	"revenant/ingest/relay"
	"revenant/ingest/report"
	"revenant/ingest/report/markdown"
	"revenant/ingest/report/terminal"
	"revenant/scanners"
	"revenant/scanners/files"
	"revenant/scanners/gitrepo"
)

// ciFlags say what a step of a pipeline looks at.
type ciFlags struct {
	scanFlags
	base, head, log, provider string
	offline, onlyLog          bool
}

func (a *app) ciCommand() *cobra.Command {
	var fl ciFlags
	c := &cobra.Command{
		Use: "ci [PATH]", GroupID: "scan",
		Short: "Scan the change that a pipeline builds, and the build's own log",
		Long: `Looks at the commits of a change: those of the checkout's HEAD that its target
does not have. What the change starts from is what the CI system says (GitHub,
GitLab, Jenkins, Azure, Bitbucket, Buildkite, Drone, Woodpecker, Travis), or
--base. A shallow clone is deepened as far as that takes; where it cannot be,
the report says so and the exit code is 3. Where no base is known, all commits
of HEAD are looked at.

With --log - the build's log is read from standard input, passed on unchanged to
standard output, and looked at too.

With --pack, registered values are looked for; the key is --pack-key or
REVENANT_PACK_KEY. Without the key a build of a fork looks for generic rules
only, and says so; any other build exits with 3.

Findings of a baseline alert nobody. On GitHub and Azure findings are shown at
their lines, and on GitHub in the job's summary.`,
		Example: `  revenant ci --base main -r revenant.sarif
  make test 2>&1 | revenant ci --base main --log -
  revenant ci --base main --fail-on high -r gl-secret-detection-report.json`,
		Args: argCount(0, 1, "at most one PATH"),
		RunE: func(c *cobra.Command, args []string) error {
			root := "."
			if len(args) > 0 {
				root = args[0]
			}
			return a.runCI(c.Context(), &fl, root)
		},
	}
	fl.register(c)
	f := c.Flags()
	f.StringVar(&fl.base, "base", "", "commit, or branch of the remote, that the change starts from (default: what the CI system says)")
	f.StringVar(&fl.head, "head", "", "last commit of the change (default: HEAD)")
	f.StringVar(&fl.log, "log", "", "look at this log too; - is standard input, which is passed on")
	f.BoolVar(&fl.onlyLog, "only-log", false, "look at the log alone")
	f.StringVar(&fl.provider, "provider", "", "CI system whose variables count (default: found out)")
	f.BoolVar(&fl.lookUp, "look-up", false, lookUpHelp)
	f.BoolVar(&fl.offline, "offline", false, "fetch nothing that a shallow clone lacks")
	return c
}

// build is what the CI system says.
func (a *app) build(fl *ciFlags) (pipeline.Build, error) {
	env := a.env
	if fl.provider != "" {
		if _, err := oneOf("--provider", fl.provider, pipeline.Systems()); err != nil {
			return pipeline.Build{}, err
		}
	}
	b, err := pipeline.Look(env, os.ReadFile)
	switch {
	case errors.Is(err, pipeline.ErrEvent) && fl.base != "": // it is not needed
	case err != nil:
		return b, usagef("%w; say with --base what the change starts from", err)
	}
	if fl.provider != "" && string(b.System) != fl.provider {
		b = pipeline.Build{System: pipeline.System(fl.provider)}
	}
	if fl.base != "" {
		b.Bases, b.Merged = []pipeline.Base{{Commit: fl.base, Branch: strings.TrimPrefix(fl.base, "origin/")}}, false
	}
	return b, nil
}

func (a *app) runCI(ctx context.Context, fl *ciFlags, root string) error {
	b, err := a.build(fl)
	if err != nil {
		return err
	}
	fl.noStore, fl.tells = true, !fl.noStore
	// A log is where a person looks first, whatever else is written.
	if toOutput := func(p string) bool { return p == "-" || strings.HasSuffix(p, ":-") }; len(fl.paths) > 0 && !a.quiet && !slices.ContainsFunc(fl.paths, toOutput) {
		fl.paths = append(fl.paths, "text:-")
	}
	h := &ciScan{a: a, build: b}
	if _, err := io.ReadFull(a.rand, h.token[:]); err != nil {
		return fmt.Errorf("making a token: %w", err)
	}
	fl.host = h
	var jobs []scanJob
	passed := func() error { return nil }
	if fl.log != "" {
		log, shut, err := a.buildLog(ctx, fl)
		if err != nil {
			return err
		}
		passed = shut
		jobs = append(jobs, log)
	}
	if !fl.onlyLog {
		job, err := a.changeJob(ctx, fl, h, root)
		if err != nil {
			return errors.Join(err, passed())
		}
		jobs = append(jobs, job)
	}
	return errors.Join(a.runScans(ctx, &fl.scanFlags, jobs), passed())
}

// buildLog is the scan of the log. What comes in on standard input goes out again;
// shut waits until it has.
func (a *app) buildLog(ctx context.Context, fl *ciFlags) (log scanJob, shut func() error, err error) {
	place := scanPlace{kind: fingerprints.KindStdin, partial: true}
	if fl.log == "-" {
		if err := checkPassing(&fl.scanFlags, "--log -", false); err != nil {
			return scanJob{}, nil, err
		}
		through := newPassage(relay.FullWaits)
		log := through.job(place, "@log", func(*eye) error {
			through.start(a.stdin, a.stdout, nil)
			return nil
		})
		return log, func() error { return through.wait(ctx) }, nil
	}
	f, err := os.Open(fl.log)
	if err != nil {
		return scanJob{}, nil, fileError("--log", err)
	}
	return scanJob{place: place, open: func(*eye, []byte) (scanners.Source, error) { return files.NewStream(f, "", "@log"), nil }}, f.Close, nil
}

// changeJob is the scan of the change. The commits are found before anything is
// scanned, so that a build of nothing that is known ends at once.
func (a *app) changeJob(ctx context.Context, fl *ciFlags, h *ciScan, root string) (scanJob, error) {
	info, err := gitrepo.Look(ctx, root)
	if err != nil {
		if errors.Is(err, gitrepo.ErrNoRepository) {
			return scanJob{}, usagef("%w: PATH is the checkout, with its .git; --only-log looks at the log alone", err)
		}
		return scanJob{}, err
	}
	span := gitrepo.Span{Head: fl.head, Merged: h.build.Merged, Offline: fl.offline}
	for _, b := range h.build.Bases {
		span.Bases = append(span.Bases, gitrepo.Base(b))
	}
	reached, err := gitrepo.Reach(ctx, root, span)
	switch {
	case errors.Is(err, gitrepo.ErrBadRange):
		return scanJob{}, usagef("--head names no commit of this repository")
	case err != nil:
		return scanJob{}, err
	}
	if reached.Base == "" && fl.base != "" {
		if fl.offline {
			return scanJob{}, usagef("--base names no commit and no branch that is here; without --offline it is looked for at the remote")
		}
		return scanJob{}, usagef("--base names no commit and no branch that is here or can be fetched from the remote origin")
	}
	part := gitrepo.ChangesOptions{Path: root, Looked: info, SourceID: info.SourceID, Extent: gitrepo.Commits, Log: reached.Log, Cut: reached.Cut}
	switch {
	case reached.Base != "":
		part.Note = "looked at the commits since " + reached.Base[:12]
	case len(h.build.Bases) > 0:
		part.Note = "what the change starts from is not here and cannot be fetched from the remote origin: looked at all commits of HEAD"
		h.cut = true
	default:
		part.Note = "no base is known: looked at all commits of HEAD; --base says what a change starts from"
	}
	h.cut = h.cut || part.Cut
	place := scanPlace{root: info.Root, sourceID: info.SourceID, kind: fingerprints.KindGit, partial: true}
	return scanJob{place: place, open: func(*eye, []byte) (scanners.Source, error) { return gitrepo.NewChanges(ctx, part) }}, nil
}

// ciScan is a scan as a pipeline's.
type ciScan struct {
	a     *app
	build pipeline.Build
	packUse
	eye   *eye
	token [16]byte // nobody who wrote a finding knows it
	cut   bool     // not all of the change could be looked at
}

var _ host = (*ciScan)(nil)

// audience implements host.
func (c *ciScan) audience() fingerprints.Audience { return fingerprints.AudienceCore }

// looksWith implements host.
func (c *ciScan) looksWith(e *eye) { c.eye = e }

// settle implements host: a pack that could not be used, or a change of which
// commits are missing, is never a clean result. A fork is not given the pack's
// key, and its builds go on without.
func (c *ciScan) settle(code int, _ report.Data) (int, error) {
	if code == exitOK && (c.cut || c.badPack != "" && !c.build.Fork) {
		return exitFailure, nil
	}
	return code, nil
}

// write implements host.
func (c *ciScan) write(o output, d report.Data) error {
	open, shut := pipeline.Fence(c.build.System, hex.EncodeToString(c.token[:]))
	if _, err := io.WriteString(o.w, open); err != nil {
		return err
	}
	if err := terminal.Write(o.w, d, o.screen); err != nil {
		return err
	}
	_, err := io.WriteString(o.w, c.words()+shut)
	return err
}

// words say what was looked for, and what was not.
func (c *ciScan) words() string {
	text := ""
	if c.header != nil || c.badPack != "" { // else the summary has said it
		text = c.checked(c.a.now(), c.eye) + "\n"
	}
	switch {
	case c.badPack != "" && c.build.Fork:
		text += "this is a build of a fork, which is not given the pack's key: generic rules only\n"
	case c.badPack != "":
		text += "the pack cannot be used: " + c.badPack + "\n"
	}
	return text
}

// done implements host: what the system shows beside the log.
func (c *ciScan) done(d report.Data) error {
	if err := pipeline.Annotate(c.a.stderr, c.build.System, d); err != nil {
		return err
	}
	if c.build.Summary == "" {
		return nil
	}
	f, err := os.OpenFile(c.build.Summary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fileError("GITHUB_STEP_SUMMARY", err)
	}
	err = markdown.Write(f, d)
	if err == nil {
		_, err = io.WriteString(f, "\n"+c.words())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the job's summary: %w", err)
	}
	return nil
}
