package main

import "github.com/spf13/cobra"

func (a *app) hookCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "hook", GroupID: "scan",
		Short: "Stop secrets at commit, at push, and at the server's door",
	}
	return group(c, a.hookInstall(), a.hookUninstall(), a.hookStatus(), a.hookRun(), a.hookTell())
}
