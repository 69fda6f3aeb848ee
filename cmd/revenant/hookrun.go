package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/ingest/hook"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/gitrepo"
)

// hookFlags are what a hook is told.
type hookFlags struct {
	scanFlags
	onBadPack string
	override  string
}

func (a *app) hookRun() *cobra.Command {
	var fl hookFlags
	c := &cobra.Command{
		Use: "run HOOK [ARGUMENT]...", Short: "Do what a git hook is for: look at what is about to leave",
		Long: `Looks at what git is about to take in or to send, and exits 1 where something
is in it, so that git stops. HOOK is

  pre-commit, pre-merge-commit  what the commit will change
  commit-msg FILE               what it says
  pre-push REMOTE URL           what the remote lacks; reads what git says
  pre-receive                   what a push brings; reads what git says

Registered values are looked for with --pack FILE, else with what the registry
in REVENANT_HOME knows of strong values, else not at all; it says how many that
are. A finding goes through with REVENANT_OVERRIDE='reason' in the environment;
the reason is kept, without the value, in revenant/overrides of the git
directory.

'revenant hook install' makes git call it.`,
		Example: `  revenant hook run pre-commit
  revenant hook run pre-commit --pack edge.pack --pack-key edge.key`,
		Args: argCount(1, 9, "a HOOK, as in pre-commit"),
		RunE: func(c *cobra.Command, args []string) error { return a.runHook(c.Context(), &fl, args[0], args[1:]) },
	}
	fl.registerHook(c)
	f := c.Flags()
	f.StringVar(&fl.onBadPack, "on-bad-pack", string(hook.Block), "what a pack that has expired or cannot be used does: block, or warn and let through what the rules let through")
	f.BoolVar(&fl.lookUp, "look-up", false, lookUpHelp)
	f.StringVar(&fl.override, "override", "", "let findings through for this reason, and keep it (default: $REVENANT_OVERRIDE)")
	return c
}

// registerHook registers the flags that a hook has of a scan's.
func (s *scanFlags) registerHook(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.pack, "pack", "", "search with this pack file in place of the registry")
	f.StringVar(&s.packKeys, "pack-key", "", "edge key file that opens the pack (default: $REVENANT_PACK_KEY)")
	f.StringVarP(&s.config, "config", "c", "", "gitleaks configuration (default: $GITLEAKS_CONFIG, .gitleaks.toml of the work tree, gitleaks' own rules)")
	f.StringVar(&s.failOn, "fail-on", "any", "stop for findings at least this bad: a severity, a verdict, any or none")
	s.registerRules(f)
	f.BoolVar(&s.baseline.none, "no-baseline", false, "tolerate nothing: read no baseline and no ignore file")
	f.BoolVar(&s.compat.ignoreMarks, "no-inline-allow", false, "report also what a mark in its line lets be")
	s.exitCode, s.archiveDepth, s.decodeDepth, s.noStore = exitFindings, archives.DefaultDepth, scanners.DefaultViewDepth, true
}

// hookSubjects are what each hook looks at.
func hookSubjects() map[string]string {
	return map[string]string{"pre-commit": "commit", "pre-merge-commit": "merge", "commit-msg": "message", "pre-push": "push", "pre-receive": "push"}
}

func (a *app) runHook(ctx context.Context, fl *hookFlags, name string, args []string) error {
	subject, known := hookSubjects()[name]
	switch {
	case !known:
		return usagef("HOOK is one of %s", strings.Join(hook.Scanning(), ", "))
	case !slices.Contains(hook.BadPacks(), hook.BadPack(fl.onBadPack)):
		return usagef("--on-bad-pack is %s or %s", hook.Block, hook.Warn)
	}
	info, err := gitrepo.LookHook(ctx, ".", gitrepo.Hook{GitDir: a.env("GIT_DIR"), Quarantine: a.env("GIT_QUARANTINE_PATH")})
	if err != nil {
		if errors.Is(err, gitrepo.ErrNoRepository) {
			return usagef("%w: a hook runs in a repository", err)
		}
		return err
	}
	part, err := a.hookPart(ctx, name, args)
	if err != nil {
		return err
	}
	part.Path, part.Looked, part.Index = ".", info, a.env("GIT_INDEX_FILE")
	h := &hookScan{a: a, fl: fl, name: name, subject: subject, common: info.Common, reason: fl.override}
	if h.reason == "" {
		h.reason = a.env("REVENANT_OVERRIDE")
	}
	h.reason = strings.TrimSpace(h.reason)
	fl.host, fl.tells = h, true
	// Git is asked, and the rules are opened, while the pack is read.
	source := begin(func() (*gitrepo.Changes, error) { return gitrepo.NewChanges(ctx, *part) })
	taken := false
	defer func() {
		if src, err := source.wait(); err == nil && !taken {
			_ = src.Close()
		}
	}()
	place := scanPlace{root: info.Root, kind: fingerprints.KindGit, partial: true}
	a.openEarly(&fl.scanFlags, place)
	return a.runScan(ctx, &fl.scanFlags, place, func(*eye, []byte) (scanners.Source, error) {
		src, err := source.wait()
		if err != nil {
			return nil, err
		}
		taken = true
		return src, nil
	})
}

// hookPart is what a hook looks at.
func (a *app) hookPart(ctx context.Context, name string, args []string) (*gitrepo.ChangesOptions, error) {
	switch name {
	case "commit-msg":
		if len(args) != 1 {
			return nil, usagef("commit-msg takes the file of the message, as git gives it")
		}
		text, err := os.ReadFile(args[0])
		if err != nil {
			return nil, fileError("the file of the message", err)
		}
		return &gitrepo.ChangesOptions{Extent: gitrepo.Message, Message: text}, nil
	case "pre-push":
		return a.pushPart(ctx, args)
	case "pre-receive":
		updates, err := a.updates(gitrepo.ReadReceive)
		return &gitrepo.ChangesOptions{Extent: gitrepo.Received, Updates: updates}, err
	}
	return &gitrepo.ChangesOptions{Extent: gitrepo.Staged, Merging: mergeHeads(os.Environ())}, nil
}

// mergeHeads are the commits that git merge is about to merge, which it names in
// the environment alone: GITHEAD_ and the id.
func mergeHeads(env []string) []string {
	var out []string
	for _, v := range env {
		if id, is := strings.CutPrefix(v, "GITHEAD_"); is {
			id, _, _ = strings.Cut(id, "=")
			out = append(out, id)
		}
	}
	return out
}

// pushPart is what a push brings: git's list of refs, or what the pre-commit
// framework says in their place.
func (a *app) pushPart(ctx context.Context, args []string) (*gitrepo.ChangesOptions, error) {
	part := &gitrepo.ChangesOptions{Extent: gitrepo.Pushed}
	if to := a.env("PRE_COMMIT_TO_REF"); to != "" {
		old := a.env("PRE_COMMIT_FROM_REF")
		if old == "" {
			old = strings.Repeat("0", len(to))
		}
		line := fmt.Sprintf("%s %s %s %s\n", "HEAD", to, orElse(a.env("PRE_COMMIT_REMOTE_BRANCH"), "HEAD"), old)
		updates, err := gitrepo.ReadPush(strings.NewReader(line))
		if err != nil {
			return nil, usagef("PRE_COMMIT_FROM_REF and PRE_COMMIT_TO_REF are not ids of commits: %w", err)
		}
		part.Updates, part.Remote = updates, a.env("PRE_COMMIT_REMOTE_NAME")
		return part, nil
	}
	var err error
	if branch := a.env("PRE_COMMIT_LOCAL_BRANCH"); branch != "" && a.env("PRE_COMMIT_REMOTE_NAME") != "" {
		// A push of a whole history, its root included: the framework names the
		// branch alone, and has read what git said.
		return a.wholePush(ctx, branch)
	}
	if part.Updates, err = a.updates(gitrepo.ReadPush); err != nil {
		return nil, err
	}
	// A push to a place without a name gets its URL twice.
	if len(args) > 0 && (len(args) < 2 || args[0] != args[1]) {
		part.Remote = args[0]
	}
	return part, nil
}

// wholePush is a branch that its remote has nothing of.
func (a *app) wholePush(ctx context.Context, branch string) (*gitrepo.ChangesOptions, error) {
	id, err := exec.CommandContext(ctx, "git", "rev-parse", "--verify", "--quiet", "--end-of-options", branch+"^{commit}").Output()
	if err != nil {
		return nil, errors.New("PRE_COMMIT_LOCAL_BRANCH names no commit: what is pushed cannot be looked at")
	}
	to := strings.TrimSpace(string(id))
	line := fmt.Sprintf("HEAD %s %s %s\n", to, orElse(a.env("PRE_COMMIT_REMOTE_BRANCH"), "HEAD"), strings.Repeat("0", len(to)))
	updates, err := gitrepo.ReadPush(strings.NewReader(line))
	return &gitrepo.ChangesOptions{Extent: gitrepo.Pushed, Updates: updates, Remote: a.env("PRE_COMMIT_REMOTE_NAME")}, err
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// updates reads what git says on standard input.
func (a *app) updates(read func(io.Reader) ([]gitrepo.Update, error)) ([]gitrepo.Update, error) {
	if isTerminal(a.stdin) {
		return nil, usagef("git tells this hook on standard input which refs change, and here a person types: git push --dry-run calls an installed hook")
	}
	list, err := read(a.stdin)
	if err != nil {
		return nil, usagef("standard input: %w", err)
	}
	return list, nil
}

// later is what is being made while other things are.
type later[T any] struct {
	done chan struct{}
	made T
	err  error
}

func begin[T any](of func() (T, error)) *later[T] {
	l := &later[T]{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.made, l.err = of()
	}()
	return l
}

// wait is what was made, each time that it is asked.
func (l *later[T]) wait() (T, error) {
	<-l.done
	return l.made, l.err
}
