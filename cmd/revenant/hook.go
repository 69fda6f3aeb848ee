package main

import (
	"context"

	"github.com/spf13/cobra"

	"revenant/scanners/gitrepo"
)

func (a *app) hookCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "hook", GroupID: "scan",
		Short: "Stop secrets at commit, at push, and at the server's door",
	}
	return group(c, a.hookRun())
}

// hookFlags are what a hook's scan is told.
type hookFlags struct {
	scanFlags
}

func (a *app) hookRun() *cobra.Command {
	var fl hookFlags
	c := &cobra.Command{
		Use: "run HOOK [ARGUMENT]...", Short: "Do what a git hook is for: scan what is about to leave",
		Example: "  revenant hook run pre-commit",
		Args:    argCount(1, 9, "a HOOK, as in pre-commit"),
		RunE:    func(c *cobra.Command, args []string) error { return a.runHook(c.Context(), &fl, args[0], args[1:]) },
	}
	fl.register(c)
	return c
}

func (a *app) runHook(ctx context.Context, fl *hookFlags, hook string, _ []string) error {
	if hook != "pre-commit" {
		return usagef("%s: HOOK is pre-commit", hook)
	}
	return a.scanOneRepository(ctx, &gitFlags{scanFlags: fl.scanFlags}, &gitrepo.ChangesOptions{Extent: gitrepo.Staged}, ".")
}
