package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/jobs"
	"revenant/ingest/scan"
	"revenant/ingest/watch"
)

// watchable are the commands whose scans can be repeated, and the flags that say
// what is read and what is looked for. Where a report goes, how a scan ends and
// what is kept is not a watch's to say.
func watchable() map[string][]string {
	look := strings.Fields("config rules only enable-rule max-archive-depth max-decode-depth no-inline-allow max-target-megabytes timeout source workers baseline-path")
	with := func(more string) []string { return append(strings.Fields(more), look...) }
	return map[string][]string{
		"dir":   with("exclude follow-symlinks"),
		"home":  with("exclude dir"),
		"git":   with("no-cache repos-from recursive group include exclude-repo no-archived no-forks"),
		"image": with("all-tags tag no-cache all-repositories repo mirror ca-file insecure wait"),
		"kafka": with("topic group client-id buffer wait tls ca-file cert-file key-file sasl user password"),
		"logs":  with("format provider server since branch max-runs artifacts wait"),
	}
}

// watchCommand finds the command that a watch repeats, with its flags read and
// checked, and its arguments.
func (a *app) watchCommand(argv []string) (c *cobra.Command, args []string, err error) {
	const way = "write the scan to repeat behind --, as in: revenant watch add shop -- git URL"
	if len(argv) == 0 {
		return nil, nil, usagef("there is nothing to watch: %s", way)
	}
	fresh := &app{stdin: a.stdin, stdout: io.Discard, stderr: io.Discard, env: a.env, now: a.now, rand: a.rand}
	for _, c := range fresh.rootCommand().Commands() {
		may, is := watchable()[c.Name()]
		if !is || c.Name() != argv[0] && !c.HasAlias(argv[0]) {
			continue
		}
		if err := c.ParseFlags(argv[1:]); err != nil {
			return nil, nil, flagError(c, err)
		}
		c.Flags().Visit(func(f *pflag.Flag) {
			if err == nil && !slices.Contains(may, f.Name) {
				err = usagef("--%s is not for a watch: it takes %s", f.Name, join(may))
			}
		})
		if err == nil && c.Args != nil {
			err = c.Args(c, c.Flags().Args())
		}
		return c, c.Flags().Args(), err
	}
	return nil, nil, usagef("a watch repeats a scan of %s: %s", "dir, git, home, image, kafka or logs", way)
}

// watchOptions are a watch's options as they are stored.
type watchOptions struct {
	Args []string `json:"args"` // of the command, which is the watch's kind
}

func argsOf(w store.Watch) ([]string, error) {
	var o watchOptions
	if err := json.Unmarshal(w.Options, &o); err != nil {
		return nil, errors.New("what it scans cannot be read: remove it and add it anew")
	}
	return o.Args, nil
}

// scanFacts is what came of a command's scans.
type scanFacts struct {
	ran     bool
	total   scan.Result
	sources []string
	fields  uint64  // revision of those that it need not look for again
	covered *uint64 // that a source is searched for as a whole, the least; nil: nobody knows
	skip    string  // the first that is a failure
	err     error   // why the command failed

	// How far it is: of sources that are done with, and of that under way.
	items, bytes         atomic.Int64
	itemsDone, bytesDone int64
}

func (s *scanFacts) begin() { s.itemsDone, s.bytesDone = s.items.Load(), s.bytes.Load() }

func (s *scanFacts) reached(items, bytes int64) {
	s.items.Store(s.itemsDone + items)
	s.bytes.Store(s.bytesDone + bytes)
}

func (s *scanFacts) took(r *scanRun, list []scanJob) {
	if s == nil {
		return
	}
	s.ran, s.total, s.fields = true, r.total, r.eye.fieldRevision
	if r.fl.only == "generic" { // newer values are not for it
		s.fields = r.a.shared.fieldRevision()
	}
	if s.covered != nil {
		s.fields = min(s.fields, *s.covered)
	}
	for _, j := range list {
		if j.place.sourceID != "" {
			s.sources = append(s.sources, j.place.sourceID)
		}
	}
	for _, k := range r.reports.skips {
		if s.skip == "" && k.Reason.Failure() {
			s.skip = strings.TrimSpace(string(k.Reason) + " " + k.Detail)
		}
	}
}

// watchScanner does the scans of watches in this process.
type watchScanner struct{ v *shared }

var _ watch.Scanner = watchScanner{}

// Scan implements watch.Scanner.
func (s watchScanner) Scan(ctx context.Context, w store.Watch, why jobs.Reason) watch.Result {
	args, err := argsOf(w)
	if err != nil {
		return watch.Result{Outcome: registry.WatchFailed, Problem: err.Error()}
	}
	// Values that were registered a moment ago are looked for already.
	if err := s.v.renew(ctx); err != nil {
		if store.Away(err) {
			return watch.Result{StoreAway: err}
		}
		return watch.Result{Outcome: registry.WatchFailed, Problem: "the registry cannot be read: " + s.v.shown(ctx, err.Error())}
	}
	argv := append([]string{w.Kind}, args...)
	if why == jobs.Backfill && backfills(w.Kind, args) {
		argv = append(argv, "--only=registered")
		if w.Kind == "kafka" { // what was read before is looked through, too
			argv = append(argv, "--start=earliest")
		}
	}
	var said bytes.Buffer
	facts := &scanFacts{}
	s.v.underWay.Store(w.Name, facts)
	defer s.v.underWay.Delete(w.Name)
	a := s.v.quietApp(&bounded{w: &said, left: 4 << 10}, facts)
	a.again = why == jobs.Backfill
	if err := a.logIn(ctx, w, args); err != nil {
		return watch.Result{Outcome: registry.WatchFailed, Problem: s.v.shown(ctx, err.Error())}
	}
	if group, err := a.members(ctx, w, args); group != nil || err != nil {
		return s.group(ctx, group, err)
	}
	a.run(ctx, argv)
	return s.result(ctx, facts, said.String())
}

// covers notes what a source is searched for as a whole, now and before.
func (s *scanFacts) covers(fields uint64) {
	if s == nil {
		return
	}
	if s.covered != nil {
		fields = min(fields, *s.covered)
	}
	s.covered = &fields
}

// progress is how far the scan of a watch is.
func (s watchScanner) progress(name string) (items, bytes int64) {
	if f, is := s.v.underWay.Load(name); is {
		f := f.(*scanFacts)
		return f.items.Load(), f.bytes.Load()
	}
	return 0, 0
}

// quietApp is a process's own command line: what it finds is stored, and what it
// says goes to w.
func (v *shared) quietApp(w io.Writer, facts *scanFacts) *app {
	return &app{
		stdin: strings.NewReader(""), stdout: io.Discard, stderr: w, env: v.a.env, now: v.a.now, rand: v.a.rand,
		home: v.a.home, quiet: true, noColor: true, keepEvery: v.a.keepEvery, placing: v.a.placing, shared: v, scan: facts,
	}
}

// backfills reports whether a scan for registered values alone is the quicker
// way to search for new ones. A repository remembers what it looked at, and a
// whole scan of it looks for what is new alone.
func backfills(kind string, args []string) bool {
	for _, a := range args {
		if strings.HasPrefix(a, "--only") || strings.HasPrefix(a, "--rules") || strings.HasPrefix(a, "--enable-rule") || a == "-c" || strings.HasPrefix(a, "--config") {
			return false
		}
	}
	return kind != "git" && kind != "image"
}

// result says how a scan ended, in words that hold no registered value.
func (s watchScanner) result(ctx context.Context, f *scanFacts, said string) watch.Result {
	r := watch.Result{Outcome: registry.WatchFailed}
	if store.Away(f.err) {
		return watch.Result{StoreAway: f.err}
	}
	if len(f.sources) == 1 {
		r.SourceID = f.sources[0]
	}
	switch {
	case !f.ran:
		r.Problem = strings.TrimPrefix(strings.TrimSpace(said), "revenant: ")
	case f.total.Interrupted:
		r.Problem = "it took longer than it may"
	case f.total.SourceFailed:
		r.Problem = "the source was not read to its end"
		if f.skip != "" {
			r.Problem += ": " + f.skip
		}
	case seenWhole(f.total):
		r.Outcome, r.FieldRevision = registry.WatchComplete, f.fields
	default:
		r.Outcome, r.FieldRevision = registry.WatchIncomplete, f.fields
		r.Problem = f.skip
	}
	if r.Problem == "" && r.Outcome == registry.WatchFailed {
		r.Problem = "it ended without a word"
	}
	r.Problem = s.v.shown(ctx, r.Problem)
	r.SourceID = s.v.shown(ctx, r.SourceID)
	return r
}

// shown is a text as it may be stored.
func (v *shared) shown(ctx context.Context, text string) string {
	if text == "" {
		return ""
	}
	var e eye
	v.lend(&e)
	defer e.close()
	m, err := v.generic(v.a.rulesOptions(&scanFlags{}, scanPlace{}))
	if err != nil {
		return "(cannot be shown)"
	}
	return scan.Shown(ctx, e.newEngine(&scanFlags{}, m).Matchers, &oneAtATime{labels: registryLabels{v.session}}, text)
}

// bounded writes so much and no more.
type bounded struct {
	w    io.Writer
	left int
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	_, err := b.w.Write(p[:n])
	return len(p), err
}
