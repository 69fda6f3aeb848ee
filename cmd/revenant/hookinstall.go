package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/fingerprints/pack"
	"revenant/ingest/hook"
)

// hangFlags say where hooks are hung, and what they are told.
type hangFlags struct {
	names          []string
	pack, packKeys string
	onBadPack      string
	force          bool
	global, system bool
	folder         string
}

func (fl *hangFlags) registerPlace(f *pflag.FlagSet) {
	f.BoolVar(&fl.global, "global", false, "for every repository of this user, by core.hooksPath")
	f.BoolVar(&fl.system, "system", false, "for every repository of this machine, by core.hooksPath; needs the rights of root")
	f.StringVar(&fl.folder, "hooks-folder", "", "folder of the hooks of --global or --system (default: the user's configuration folder; /etc/revenant/hooks)")
}

func (a *app) hookInstall() *cobra.Command {
	var fl hangFlags
	c := &cobra.Command{
		Use: "install [PATH]", Short: "Hang Revenant on the hooks of a repository, or of all",
		Long: `Hangs Revenant on git's hooks, so that nothing is committed, pushed or received
that holds a secret: pre-commit, pre-merge-commit and pre-push of the repository
at PATH (default: here), or pre-receive where it is bare. A hook that is there
already is kept beside ours, runs after it, and comes back with
'revenant hook uninstall'.

With --global or --system it does so for every repository of a user or a
machine: core.hooksPath names a folder of hooks that scan, then run what the
repository has itself. Installing again changes settings to what is given, or
nothing. What belongs to husky, lefthook or pre-commit is left, and it says
what to write there.`,
		Example: `  revenant hook install
  revenant hook install --pack edge.pack --pack-key edge.key --on-bad-pack warn
  revenant hook install --global`,
		Args: argCount(0, 1, "at most one PATH"),
		RunE: func(c *cobra.Command, args []string) error { return hookError(a.installHooks(c.Context(), &fl, args)) },
	}
	f := c.Flags()
	f.StringArrayVar(&fl.names, "hook", nil, "hook to scan in, in place of the usual ones; repeatable")
	f.StringVar(&fl.pack, "pack", "", "pack file that the hooks search with, in place of the registry")
	f.StringVar(&fl.packKeys, "pack-key", "", "edge key file that opens the pack")
	f.StringVar(&fl.onBadPack, "on-bad-pack", string(hook.Block), "when the pack is bad, or the program gone: block, or warn and let through")
	f.BoolVar(&fl.force, "force", false, "also where a hook was changed by hand, belongs to something else, or the pack is bad")
	fl.registerPlace(f)
	return c
}

func (a *app) hookUninstall() *cobra.Command {
	var fl hangFlags
	c := &cobra.Command{
		Use: "uninstall [PATH]", Short: "Take the hooks away, and put back what was there before",
		Example: `  revenant hook uninstall
  revenant hook uninstall --global`,
		Args: argCount(0, 1, "at most one PATH"),
		RunE: func(c *cobra.Command, args []string) error {
			return hookError(a.uninstallHooks(c.Context(), &fl, args))
		},
	}
	f := c.Flags()
	f.StringArrayVar(&fl.names, "hook", nil, "hook to take away, in place of all; repeatable")
	f.BoolVar(&fl.force, "force", false, "also hooks that were changed by hand")
	fl.registerPlace(f)
	return c
}

func (a *app) hookStatus() *cobra.Command {
	var fl hangFlags
	c := &cobra.Command{
		Use: "status [PATH]", Short: "Say which hooks scan, with what, and what keeps them from it",
		Long: `Says of each hook who wrote it, what it starts, its pack and how old that is,
what a bad pack does, and which settings hide it; and how often somebody went
around a refusal. Exits 0 when nothing is missing, 1 when something is, 3 when
it cannot tell. With --global or --system it looks at that setting alone.`,
		Example: `  revenant hook status
  revenant hook status --global --json`,
		Args: argCount(0, 1, "at most one PATH"),
		RunE: func(c *cobra.Command, args []string) error { return hookError(a.statusOfHooks(c.Context(), &fl, args)) },
	}
	fl.registerPlace(c.Flags())
	return c
}

// hookError says which errors mean that nothing was done.
func hookError(err error) error {
	for _, target := range []error{hook.ErrNoRepository, hook.ErrSetting, hook.ErrChanged, hook.ErrManaged, hook.ErrShared, hook.ErrOccupied} {
		if errors.Is(err, target) {
			return usageError{err}
		}
	}
	return err
}

// machine is the place of --global or --system; false: a repository's.
func (a *app) machine(fl *hangFlags, args []string) (hook.Machine, bool, error) {
	m := hook.Machine{Scope: hook.Global}
	switch {
	case fl.global && fl.system:
		return m, false, usagef("--global and --system exclude each other")
	case !fl.global && !fl.system && fl.folder != "":
		return m, false, usagef("--hooks-folder is for --global and --system")
	case !fl.global && !fl.system:
		return m, false, nil
	case len(args) > 0:
		return m, false, usagef("--global and --system are for every repository: give no PATH")
	}
	m.Dir = fl.folder
	if fl.system {
		m.Scope = hook.System
		if m.Dir == "" {
			m.Dir = hook.SystemDir(a.env)
		}
	}
	if m.Dir == "" {
		config, err := os.UserConfigDir()
		if err != nil {
			return m, false, usagef("the user's configuration folder is unknown: set HOME, or give --hooks-folder")
		}
		m.Dir = filepath.Join(config, "revenant", "hooks")
	}
	var err error
	m.Dir, err = filepath.Abs(m.Dir)
	return m, true, err
}

func (a *app) hookRequest(fl *hangFlags) hook.Request {
	q := hook.Request{Names: fl.names, Now: a.now()}
	if fl.force {
		q.Force = hook.Forced
	}
	return q
}

// hookSettings are what the hooks are told: whole paths, and a pack that is one.
func (a *app) hookSettings(fl *hangFlags) (hook.Settings, error) {
	bad, err := oneOf("--on-bad-pack", fl.onBadPack, hook.BadPacks())
	if err != nil {
		return hook.Settings{}, err
	}
	s := hook.Settings{OnBadPack: bad}
	if s.Program, err = ownPath(); err != nil {
		return s, fmt.Errorf("looking for this program: %w", err)
	}
	if fl.pack != "" {
		if s.Pack, err = filepath.Abs(fl.pack); err != nil {
			return s, err
		}
	}
	if fl.packKeys != "" {
		if s.PackKey, err = filepath.Abs(fl.packKeys); err != nil {
			return s, err
		}
	}
	if fl.force {
		return s, nil
	}
	if s.Pack != "" {
		err := openPack(s.Pack, func(f *os.File, size int64) error {
			h, err := pack.Inspect(f, size)
			if err == nil && !h.Expires.IsZero() && !a.now().Before(h.Expires) {
				return fmt.Errorf("on %s: %w", h.Expires.UTC().Format(time.DateOnly), pack.ErrExpired)
			}
			return err
		})
		if err != nil {
			return s, usagef("--pack: %w; with --force it is written all the same", err)
		}
	}
	if s.Pack != "" && s.PackKey == "" && a.env("REVENANT_PACK_KEY") == "" {
		return s, usagef("--pack opens with an edge key file: give --pack-key FILE; with --force it is written all the same, for those who have REVENANT_PACK_KEY set")
	}
	if s.PackKey != "" {
		if _, err := os.Stat(s.PackKey); err != nil {
			return s, fileError("--pack-key", err)
		}
	}
	return s, nil
}

// ownPath is this program as it is called: a link on the PATH stays right when
// what it leads to is replaced by a later version.
func ownPath() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if named, err := exec.LookPath("revenant"); err == nil && filepath.IsAbs(named) {
		a, aErr := os.Stat(named)
		b, bErr := os.Stat(self)
		if aErr == nil && bErr == nil && os.SameFile(a, b) {
			self = named
		}
	}
	return filepath.ToSlash(self), nil
}

// locate is the repository that an argument names.
func locate(ctx context.Context, args []string) (hook.Place, error) {
	path := "."
	if len(args) > 0 {
		path = args[0]
	}
	return hook.Locate(ctx, hook.Git{}, path)
}

func (a *app) installHooks(ctx context.Context, fl *hangFlags, args []string) error {
	m, all, err := a.machine(fl, args)
	if err != nil {
		return err
	}
	q := a.hookRequest(fl)
	if q.Settings, err = a.hookSettings(fl); err != nil {
		return err
	}
	var changes []hook.Change
	if all {
		changes, err = m.Install(ctx, q)
	} else {
		p, locating := locate(ctx, args)
		if locating != nil {
			return locating
		}
		changes, err = p.Install(ctx, q)
	}
	return errors.Join(a.printChanges(changes, all), err)
}

func (a *app) uninstallHooks(ctx context.Context, fl *hangFlags, args []string) error {
	m, all, err := a.machine(fl, args)
	if err != nil {
		return err
	}
	if all && len(fl.names) > 0 {
		return usagef("--hook is for one repository: install again with the hooks that are wanted")
	}
	var changes []hook.Change
	if all {
		changes, err = m.Uninstall(ctx, a.hookRequest(fl))
	} else {
		p, locating := locate(ctx, args)
		if locating != nil {
			return locating
		}
		changes, err = p.Uninstall(ctx, a.hookRequest(fl))
	}
	if err == nil && len(changes) == 0 {
		a.note("there is no hook of Revenant to take away")
	}
	return errors.Join(a.printChanges(changes, all), err)
}

// printChanges says what became of each hook; of a machine's, which are many,
// in short.
func (a *app) printChanges(changes []hook.Change, all bool) error {
	if a.asJSON {
		if changes == nil {
			changes = []hook.Change{}
		}
		return a.printJSON(struct {
			Hooks []hook.Change `json:"hooks"`
		}{changes})
	}
	if all && len(changes) > 0 {
		count := map[hook.Done]int{}
		for _, c := range changes {
			count[c.Done]++
		}
		var said []string
		for _, d := range []hook.Done{hook.Installed, hook.Updated, hook.Unchanged, hook.Removed, hook.Restored} {
			if count[d] > 0 {
				said = append(said, fmt.Sprintf("%d %s", count[d], d))
			}
		}
		return writeAll(a.stdout, fmt.Sprintf("hooks in %s: %s\n", printable(filepath.Dir(changes[0].Path)), strings.Join(said, ", ")))
	}
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%-17s %-10s %s\n", c.Name, c.Done, printable(c.Path))
		if c.Former != "" {
			fmt.Fprintf(&b, "%-17s            the hook that was there runs after it: %s\n", "", printable(filepath.Base(c.Former)))
		}
	}
	return writeAll(a.stdout, b.String())
}
