package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/credential"
	"revenant/ingest/watch"
)

func (a *app) watchGroup() *cobra.Command {
	c := &cobra.Command{
		Use: "watch", GroupID: "watch",
		Short: "Say what is scanned again and again, and see how it goes",
		Long: `A watch is a scan that 'revenant serve' repeats: after a time, when something is
pushed there, and when values were registered since. It is kept in the registry.`,
	}
	return group(c, a.watchAdd(), a.watchList(), a.watchShow(), a.watchScanNow(), a.watchPause(), a.watchResume(), a.watchSet(), a.watchRemove())
}

// watchFlags say when and with what a watch is scanned.
type watchFlags struct {
	every, cron string
	credential  string
}

func (fl *watchFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&fl.every, "every", "", "how long after a scan the next begins, as in 30m or 6h; never; or, of kafka and the default there, follow")
	f.StringVar(&fl.cron, "cron", "", "when scans begin, in cron's five fields, as in \"15 3 * * *\"")
	f.StringVar(&fl.credential, "credential", "", "where the credential for it lies: env:NAME, file:PATH or command:COMMAND; never the credential itself")
}

// schedule reads --every and --cron.
func (fl *watchFlags) schedule(usual string) (string, error) {
	text := usual
	switch {
	case fl.every != "" && fl.cron != "":
		return "", usagef("--every and --cron exclude each other: say one of them")
	case fl.every == "never":
		return "", nil
	case fl.every != "":
		text = fl.every
		if strings.ContainsAny(text, " *@") {
			return "", usagef("--every is how long to wait, as in 30m or 6h, or never; cron's fields go to --cron")
		}
	case fl.cron != "":
		text = fl.cron
	}
	if _, err := watch.ParseSchedule(text); err != nil {
		flag := "--every"
		if fl.cron != "" {
			flag = "--cron"
		}
		return "", usagef("%s: %w", flag, err)
	}
	return text, nil
}

func (fl *watchFlags) reference() (string, error) {
	if fl.credential == "" {
		return "", nil
	}
	ref, err := credential.Parse(fl.credential)
	if err != nil {
		return "", usagef("--credential: %w", err)
	}
	return ref.String(), nil
}

// usualSchedule is that of a watch whose schedule nobody says.
const usualSchedule = "1h"

// onlyTopics refuses to follow what does not go on.
const onlyTopics = "follow is for topics of kafka: say when this is scanned, as in 30m"

// usualFor is that of a watch of a scan: topics are followed.
func usualFor(scan []string) string {
	if len(scan) > 0 && scan[0] == "kafka" {
		return registry.ScheduleFollow
	}
	return usualSchedule
}

func (a *app) watchAdd() *cobra.Command {
	var fl watchFlags
	c := &cobra.Command{
		Use:   "add NAME -- COMMAND [ARGUMENT]...",
		Short: "Have a scan repeated",
		Long: `Stores a scan under a name. Behind -- stands what would be scanned once: dir,
git, home, image, kafka or logs, with what says what is read and what is looked
for. Paths are made absolute: the server has another current folder.

The credential for a place is fetched when it is needed, by the server: from its
environment, a file, or what a command prints. It is USER:PASSWORD or a token,
and goes to that place's host alone.`,
		Example: `  revenant watch add notes -- dir .
  revenant watch add shop --every 30m -- \
    git https://git.example.org/acme/shop.git
  revenant watch add images --cron "15 3 * * *" -- \
    image --all-tags registry.example.org/shop
  revenant watch add builds --credential env:CI_TOKEN -- \
    logs https://git.example.org/acme/shop --provider gitlab`,
		RunE: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() != 1 {
				return usagef("give one NAME, then -- and the scan to repeat; see '%s --help'", c.CommandPath())
			}
			schedule, err := fl.schedule(usualFor(args[1:]))
			if err != nil {
				return err
			}
			ref, err := fl.reference()
			if err != nil {
				return err
			}
			spec, err := a.watchSpec(args[0], args[1:], schedule, ref)
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if s.home == nil && spec.Kind == "dir" && !slices.ContainsFunc(args, filepath.IsAbs) {
					return usagef("dir: give a path from the root, as the server's machine has it: the folder here is another one")
				}
				if err := s.refuse(ctx, append([]string{spec.Name, ref}, args[1:]...)...); err != nil {
					return err
				}
				w, err := s.reg.AddWatch(ctx, s.actor, spec, watch.First(spec.Schedule, a.now()))
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(watchView(w))
				}
				a.note("'revenant serve' scans it; 'revenant watch show " + printable(w.Name) + "' tells how it goes")
				return writeAll(a.stdout, fmt.Sprintf("added %s: %s\n", printable(w.Name), whenWords(w)))
			})
		},
	}
	fl.register(c)
	return c
}

// watchSpec reads what is to be repeated.
func (a *app) watchSpec(name string, argv []string, schedule, ref string) (registry.WatchSpec, error) {
	c, places, err := a.watchCommand(argv)
	if err != nil {
		return registry.WatchSpec{}, err
	}
	switch {
	case c.Name() == "logs" && (len(places) == 0 || slices.Contains(places, "-")):
		return registry.WatchSpec{}, usagef("logs: name a place; what is piped in cannot be scanned again")
	case c.Name() == "image" && len(places) == 0:
		return registry.WatchSpec{}, usagef("image: name an image, a repository or a registry")
	case schedule == registry.ScheduleFollow && c.Name() != "kafka":
		return registry.WatchSpec{}, usagef("%s", onlyTopics)
	case ref != "" && (c.Name() == "dir" || c.Name() == "home"):
		return registry.WatchSpec{}, usagef("--credential is for what is read over the network: git, image and logs")
	}
	if len(places) == 0 && c.Name() != "home" {
		places = []string{"."}
		argv = append(argv, ".")
	}
	// Paths as the server will find them; arguments keep their order.
	args := []string{}
	for _, arg := range argv[1:] {
		if slices.Contains(places, arg) {
			if err := plainPlace(arg); err != nil {
				return registry.WatchSpec{}, err
			}
			arg = absolute(c.Name(), arg)
		}
		args = append(args, arg)
	}
	options, err := json.Marshal(watchOptions{Args: args})
	if err != nil {
		return registry.WatchSpec{}, err
	}
	location := ""
	if len(places) > 0 {
		location = absolute(c.Name(), places[0])
	}
	return registry.WatchSpec{Name: name, Kind: c.Name(), Location: location, Options: options, Credential: ref, Schedule: schedule}, nil
}

// absolute is a place as it is called from every folder. What is not there may
// come later, where it can be nothing but a folder; else it may be a URL.
func absolute(kind, place string) string {
	if abs, err := filepath.Abs(place); err == nil && (kind == "dir" || exists(place)) {
		return abs
	}
	return place
}

// plainPlace refuses a place with a password in it: it would be stored.
func plainPlace(place string) error {
	if u, err := url.Parse(place); err == nil && u.User != nil {
		if _, has := u.User.Password(); has || u.Scheme == "https" || u.Scheme == "http" {
			return usagef("the URL holds a user or password, and what is watched is stored: leave it out, and say where the credential lies with --credential env:NAME")
		}
	}
	return nil
}

// watchJSON is a watch as --json prints it.
type watchJSON struct {
	Name       string     `json:"name"`
	Scan       []string   `json:"scan"`
	Schedule   string     `json:"schedule,omitempty"`
	Credential string     `json:"credential,omitempty"`
	Group      string     `json:"group,omitempty"`
	Paused     bool       `json:"paused"`
	Source     string     `json:"source,omitempty"`
	State      string     `json:"state"`
	Problem    string     `json:"problem,omitempty"`
	Failures   int        `json:"failures,omitempty"`
	AddedAt    time.Time  `json:"added_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	NextRun    *time.Time `json:"next_run,omitempty"`
}

func watchView(w store.Watch) watchJSON {
	args, _ := argsOf(w)
	moment := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return watchJSON{
		Name: w.Name, Scan: append([]string{w.Kind}, args...), Schedule: w.Schedule, Credential: w.Credential, Group: w.Parent, Paused: w.Paused,
		Source: w.SourceID, State: stateOf(w), Problem: w.Problem, Failures: w.Failures, AddedAt: w.AddedAt,
		StartedAt: moment(w.StartedAt), FinishedAt: moment(w.FinishedAt), NextRun: moment(w.NextRun),
	}
}

// stateOf is how a watch goes, in a word.
func stateOf(w store.Watch) string {
	switch {
	case w.Paused:
		return "paused"
	case watch.Follows(w) && w.Outcome == registry.WatchFailed:
		return "failing"
	case watch.Follows(w):
		return cmp.Or(w.Outcome, "waiting")
	case w.StartedAt.After(w.FinishedAt):
		return "scanning"
	case !w.QueuedAt.IsZero() || !w.WantedAt.IsZero():
		return "waiting"
	case w.Outcome == "":
		return "new"
	}
	return w.Outcome
}

// stateNow is how a watch goes where it is known whether a worker follows it.
func stateNow(w store.Watch, followed bool) string {
	state := stateOf(w)
	if state == registry.WatchFollowing && !followed {
		return "waiting"
	}
	return state
}

// followedNow are the watches that workers follow which live.
func followedNow(ctx context.Context, s *known) (map[string]bool, error) {
	list, err := s.reg.Workers(ctx, s.actor)
	out := map[string]bool{}
	for _, w := range list {
		for _, sc := range w.Scans {
			out[sc.Watch] = out[sc.Watch] || sc.Stream != nil
		}
	}
	return out, err
}

func whenWords(w store.Watch) string {
	switch {
	case w.Schedule == "":
		return "scanned when it is asked for"
	case watch.Follows(w):
		return "followed"
	case strings.ContainsAny(w.Schedule, " *@"):
		return "scanned at " + w.Schedule
	}
	return "scanned every " + w.Schedule
}

func (a *app) watchList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List what is watched, and how it goes", Example: "  revenant watch list", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				list, err := s.reg.Watches(ctx, s.actor, store.WatchFilter{})
				if err != nil {
					return err
				}
				followed, err := followedNow(ctx, s)
				if err != nil {
					return err
				}
				if a.asJSON {
					out := []watchJSON{}
					for _, w := range list {
						view := watchView(w)
						view.State = stateNow(w, followed[w.Name])
						out = append(out, view)
					}
					return a.printJSON(out)
				}
				if len(list) == 0 {
					a.note("nothing is watched: see 'revenant watch add --help'")
					return nil
				}
				var rows [][]string
				for _, w := range list {
					next := "-"
					if !w.NextRun.IsZero() {
						next = when(w.NextRun)
					}
					last := "-"
					if !w.FinishedAt.IsZero() {
						last = when(w.FinishedAt)
					}
					rows = append(rows, []string{w.Name, w.Kind, orDash(w.Location), orDash(w.Schedule), stateNow(w, followed[w.Name]), last, next, orDash(w.Problem)})
				}
				return a.table([]string{"NAME", "SCAN", "PLACE", "EVERY", "STATE", "LAST", "NEXT", "PROBLEM"}, rows)
			})
		},
	}
}

// scanUnderWay is a scan as its worker last told of it.
type scanUnderWay struct {
	Worker string `json:"worker"`
	store.WorkerScan
}

func underWayOf(ctx context.Context, s *known, name string) ([]scanUnderWay, error) {
	list, err := s.reg.Workers(ctx, s.actor)
	if err != nil {
		return nil, err
	}
	var out []scanUnderWay
	for _, w := range list {
		for _, sc := range w.Scans {
			if sc.Watch == name {
				out = append(out, scanUnderWay{w.ID, sc})
			}
		}
	}
	return out, nil
}

func (a *app) watchShow() *cobra.Command {
	return a.aboutWatch("show", "Show a watch, and the newest scan of its source", func(ctx context.Context, s *known, name string) error {
		w, err := s.reg.Watch(ctx, s.actor, name)
		if err != nil {
			return err
		}
		view := struct {
			watchJSON
			UnderWay []scanUnderWay          `json:"under_way,omitempty"`
			LastScan *registry.ScanView      `json:"last_scan,omitempty"`
			Skipped  []registry.SkippedPlace `json:"skipped,omitempty"`
		}{watchJSON: watchView(w)}
		if view.UnderWay, err = underWayOf(ctx, s, w.Name); err != nil {
			return err
		}
		view.State = stateNow(w, len(view.UnderWay) > 0)
		if w.SourceID != "" {
			src, err := s.reg.Source(ctx, s.actor, w.SourceID)
			if err == nil {
				view.LastScan, view.Skipped = src.LastScan, src.Skipped
			}
		}
		if a.asJSON {
			return a.printJSON(view)
		}
		var b strings.Builder
		line := func(what, text string) {
			if text != "" {
				fmt.Fprintf(&b, "%-12s %s\n", what, printable(text))
			}
		}
		line("watch", w.Name)
		line("scan", strings.Join(view.Scan, " "))
		line("when", whenWords(w))
		line("credential", w.Credential)
		line("group", w.Parent)
		line("source", w.SourceID)
		line("state", view.State)
		for _, u := range view.UnderWay {
			if u.Stream == nil {
				line("under way", fmt.Sprintf("%d items, %s so far, since %s, by %s", u.Items, bytesText(u.Bytes), when(u.StartedAt), u.Worker))
				continue
			}
			for _, text := range streamLines(u) {
				line("stream", text)
			}
		}
		if watch.Follows(w) && len(view.UnderWay) == 0 && !w.Paused {
			line("", "no worker follows it now")
		}
		line("problem", w.Problem)
		if w.Failures > 0 {
			line("failures", strconv.Itoa(w.Failures)+" in a row")
		}
		if !w.FinishedAt.IsZero() {
			line("last scan", when(w.FinishedAt))
		}
		if !w.NextRun.IsZero() {
			line("next scan", when(w.NextRun))
		}
		if l := view.LastScan; l != nil {
			line("read", fmt.Sprintf("%d items, %s, %d skipped", l.Items, bytesText(l.Bytes), l.Skips))
		}
		for _, k := range view.Skipped {
			line("", printable(k.Path)+": "+string(k.Reason)+" "+k.Detail)
		}
		return writeAll(a.stdout, b.String())
	})
}

// streamLines say how a stream goes that a worker follows.
func streamLines(u scanUnderWay) []string {
	s := u.Stream
	out := []string{
		"by " + u.Worker + " since " + when(u.StartedAt),
		fmt.Sprintf("%s, %s, %s, %d skipped", plural(int(u.Items), "message", "messages"), bytesText(u.Bytes), plural(int(s.Hits), "hit", "hits"), s.Skips),
		fmt.Sprintf("%s behind, in %s", plural(int(s.Lag), "message", "messages"), plural(s.Partitions, "partition", "partitions")),
	}
	if !s.FailingSince.IsZero() {
		out = append(out, "failing since "+when(s.FailingSince)+" because "+s.Problem)
	}
	return out
}

// aboutWatch is a command about one watch.
func (a *app) aboutWatch(verb, short string, do func(ctx context.Context, s *known, name string) error) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME", Short: short, Example: "  revenant watch " + verb + " shop", Args: argCount(1, 1, "one NAME of a watch"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error { return do(ctx, s, args[0]) })
		},
	}
}

func (a *app) watchScanNow() *cobra.Command {
	return a.aboutWatch("scan", "Have a watch scanned now, before others", func(ctx context.Context, s *known, name string) error {
		if err := s.reg.WantScan(ctx, s.actor, name, registry.WantedAsked); err != nil {
			return err
		}
		return a.saidOfWatch(ctx, s, name, "will be scanned as soon as a worker is free")
	})
}

// saidOfWatch ends a command about a watch.
func (a *app) saidOfWatch(ctx context.Context, s *known, name, said string) error {
	if a.asJSON {
		w, err := s.reg.Watch(ctx, s.actor, name)
		if err != nil {
			return err
		}
		return a.printJSON(watchView(w))
	}
	return writeAll(a.stdout, printable(name)+" "+said+"\n")
}

func (a *app) watchPause() *cobra.Command {
	return a.aboutWatch("pause", "Scan a watch no more; a scan under way is cancelled", func(ctx context.Context, s *known, name string) error {
		yes := true
		if err := a.changeWatch(ctx, s, name, registry.WatchChange{Paused: &yes}); err != nil {
			return err
		}
		return a.saidOfWatch(ctx, s, name, "is paused")
	})
}

func (a *app) watchResume() *cobra.Command {
	return a.aboutWatch("resume", "Scan a paused watch again; now, if it is due", func(ctx context.Context, s *known, name string) error {
		no := false
		if err := a.changeWatch(ctx, s, name, registry.WatchChange{Paused: &no}); err != nil {
			return err
		}
		return a.saidOfWatch(ctx, s, name, "is scanned again")
	})
}

// changeWatch changes a watch and says when it is due then.
func (a *app) changeWatch(ctx context.Context, s *known, name string, w registry.WatchChange) error {
	_, err := s.reg.ChangeWatch(ctx, s.actor, name, w, func(w store.Watch) time.Time { return watch.NextAfterChange(w, a.now()) })
	return err
}

func (a *app) watchSet() *cobra.Command {
	var fl watchFlags
	c := &cobra.Command{
		Use: "set NAME", Short: "Change when a watch is scanned, or where its credential lies",
		Long:    "Changes what is given and leaves the rest. --every never scans it on demand\nalone; --credential \"\" needs none any more.",
		Example: "  revenant watch set shop --every 6h", Args: argCount(1, 1, "one NAME of a watch"),
		RunE: func(c *cobra.Command, args []string) error {
			var change registry.WatchChange
			if c.Flags().Changed("every") || c.Flags().Changed("cron") {
				text, err := fl.schedule("")
				if err != nil {
					return err
				}
				change.Schedule = &text
			}
			if c.Flags().Changed("credential") {
				ref, err := fl.reference()
				if err != nil {
					return err
				}
				change.Credential = &ref
			}
			if change == (registry.WatchChange{}) {
				return usagef("nothing is to be changed: give --every, --cron or --credential")
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, fl.credential); err != nil {
					return err
				}
				w, err := s.reg.Watch(ctx, s.actor, args[0])
				if err != nil {
					return err
				}
				if change.Schedule != nil && *change.Schedule == registry.ScheduleFollow && w.Kind != "kafka" {
					return usagef("--every: %s", onlyTopics)
				}
				if err := a.changeWatch(ctx, s, args[0], change); err != nil {
					return err
				}
				return a.saidOfWatch(ctx, s, args[0], "is changed")
			})
		},
	}
	fl.register(c)
	return c
}

func (a *app) watchRemove() *cobra.Command {
	return a.aboutWatch("remove", "Watch something no more; what was found stays", func(ctx context.Context, s *known, name string) error {
		n, err := s.reg.RemoveWatch(ctx, s.actor, name)
		if err != nil {
			return err
		}
		if a.asJSON {
			return a.printJSON(map[string]any{"removed": 1 + n})
		}
		said := " is watched no more\n"
		if n > 0 {
			said = " and its " + plural(n, "member is", "members are") + " watched no more\n"
		}
		return writeAll(a.stdout, printable(name)+said)
	})
}
