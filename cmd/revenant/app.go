package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is the process seen from the command line: its streams, environment,
// clock and randomness, and the flags that every command has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string
	now            func() time.Time
	rand           io.Reader
	keepEvery      int64         // of gitrepo.Options; 0: its own
	placing        time.Duration // of gitrepo.Options; 0: its own
	segment        time.Duration // of one scan of topics that are followed; 0: kafkaSegment

	home    string // --home
	asJSON  bool   // --json
	quiet   bool   // --quiet
	noColor bool   // --no-color

	remote   serverFlags // --server, --token
	remoteCA string      // --ca-file of commands about a server

	shared *shared    // of a process that keeps scanning; nil: of none
	login  *login     // what opens the place that is scanned; nil: what the environment has
	scan   *scanFacts // what came of the command's scans is put there; nil: nobody asks
	stream *followed  // how a stream goes is put there; nil: nobody asks
	again  bool       // topics are looked through for newer values, beside who follows them

	completing bool // a shell asks how a line goes on

	code int // what a command that worked wants to exit with
	dies int // the signal that the process is to die of; 0: none
}

func newApp() *app {
	return &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		env: os.Getenv, now: time.Now, rand: rand.Reader,
	}
}

// run executes one command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may hold content; the stack holds none.
			fmt.Fprintf(a.stderr, "revenant: internal error (%T); nothing was lost, please report this:\n%s\n", p, debug.Stack())
			code = exitFailure
		}
	}()
	a.completing = len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
	root := a.rootCommand()
	args, said := modernArgs(queryArgs(args))
	if said != "" {
		fmt.Fprintln(a.stderr, said)
	}
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	answerHelp(root)
	if err := wrongTopic(root, args); err != nil {
		return a.fail(err)
	}
	if c, err := root.ExecuteContextC(ctx); err != nil {
		return a.fail(naming(c, err))
	}
	return a.code
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "revenant",
		Short: "Find leaked and retired-but-present secrets",
		Long: `Revenant keeps a registry of keyed fingerprints of the secrets you issue - no
plaintext is kept - and finds every copy of them, encoded or not, together with
generic leaks that match gitleaks' rules or its own. What it finds is judged by
the life of the secret: active values are leaked, superseded ones lag, retired
ones are stale.`,
		Example: `  revenant init
  printf %s "$DB_PASSWORD" | revenant secret add billing/db-password
  revenant dir .
  revenant findings list
  revenant prove billing/db-password@1`,
		SilenceErrors: true, SilenceUsage: true,
		Args:              noArgs,
		PersistentPreRunE: a.checkInput,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	pf := root.PersistentFlags()
	pf.StringVar(&a.home, "home", "", "folder of keys and registry (default $REVENANT_HOME, else the user's data folder)")
	pf.StringVar(&a.remote.server, "server", "", "ask this server in place of a registry here (default $REVENANT_SERVER, else that of 'revenant login')")
	pf.StringVar(&a.remote.token, "token", "", "where the server's token lies: env:NAME, file:PATH or command:LINE (default: in $REVENANT_TOKEN)")
	pf.BoolVar(&a.asJSON, "json", false, "print JSON instead of text")
	pf.BoolVarP(&a.quiet, "quiet", "q", false, "print results only")
	pf.BoolVar(&a.noColor, "no-color", false, "no colour, also on a terminal (as NO_COLOR=1)")
	root.SetFlagErrorFunc(flagError)
	// Flags' texts are wrapped as all other text of help is, and a command that
	// only holds others is not shown as if it did something.
	root.SetUsageTemplate(strings.NewReplacer(
		"Flags.FlagUsages", "Flags.FlagUsagesWrapped 80",
		"{{if .Runnable}}", `{{if and .Runnable (or (not .HasAvailableSubCommands) (eq .Name "search"))}}`,
	).Replace(root.UsageTemplate()))
	root.AddGroup(
		&cobra.Group{ID: "scan", Title: "Scan:"},
		&cobra.Group{ID: "know", Title: "What is known:"},
		&cobra.Group{ID: "watch", Title: "Keep scanning:"},
		&cobra.Group{ID: "registry", Title: "Registry:"},
		&cobra.Group{ID: "care", Title: "Care:"},
	)
	a.addCommands(root)
	return root
}

// homeDir resolves REVENANT_HOME: the flag, the environment, the user's data
// folder. It refuses what can be no folder.
func (a *app) homeDir() (string, error) {
	what, dir, err := a.homePlace()
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", usagef("%s: the current folder is not there any more: give a path from the root", what)
	}
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return dir, nil
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return "", usagef("%s names a file, or a place below one: give the folder of keys and registry, which 'revenant init' makes", what)
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("%s: the folder may not be looked into by this user (%w): run as its owner, or give another folder", what, fs.ErrPermission)
	case err != nil:
		return "", folderError(what, err)
	}
	return dir, nil
}

// homePlace is what names the folder, and its name.
func (a *app) homePlace() (what, dir string, err error) {
	switch env := a.env("REVENANT_HOME"); {
	case a.home != "":
		return "--home", a.home, nil
	case env != "":
		return "REVENANT_HOME", env, nil
	}
	if data := a.env("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return "XDG_DATA_HOME", filepath.Join(data, "revenant"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", "", usageError{errNoHome}
	}
	return "the home folder", filepath.Join(home, ".local", "share", "revenant"), nil
}

// makeHome makes the folder of keys and registry.
func (a *app) makeHome(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		return nil
	}
	what, _, _ := a.homePlace() // it was asked before
	return fmt.Errorf("%s: the folder cannot be made%s (%w): give one that this user may write to", what, below(&fs.PathError{Path: dir}), bare(err))
}

// actorName is who the audit log names for commands of this terminal.
func (a *app) actorName() string {
	name := "unknown"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return "local:" + name
}

// isTerminal reports whether w is a terminal that a person looks at.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// note tells a person something on the error stream, unless --quiet.
func (a *app) note(text string) {
	if !a.quiet {
		fmt.Fprintln(a.stderr, text)
	}
}
