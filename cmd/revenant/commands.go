package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) addCommands(root *cobra.Command) {
	root.AddCommand(
		a.dirCommand(), a.gitCommand(), a.stdinCommand(), a.homeCommand(), a.hookCommand(),
		a.findingsCommand(), a.coverageCommand(), a.proveCommand(), a.sourceCommand(), a.statusCommand(),
		a.initCommand(), a.secretCommand(),
		a.keyCommand(), a.packCommand(), a.auditCommand(), a.rulesCommand(), a.migrateCommand(), a.doctorCommand(),
		a.versionCommand(), a.referenceCommand(),
	)
	root.AddCommand(topics()...)
	root.SetHelpCommandGroupID("care")
	root.SetCompletionCommandGroupID("care")
	completionTexts(root)
	if a.completing {
		a.complete(root)
	}
	helpTexts(root)
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", GroupID: "care", Short: "Show the program's version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Go      string `json:"go"`
				Rules   string `json:"gitleaks"`
			}{programVersion(), runtime.Version(), ""}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, d := range info.Deps {
					if d.Path == "github.com/zricethezav/gitleaks/v8" {
						v.Rules = d.Version
					}
				}
			}
			if a.asJSON {
				return a.printJSON(v)
			}
			return writeAll(a.stdout, fmt.Sprintf("revenant %s, %s, rules of gitleaks %s\n", v.Version, v.Go, v.Rules))
		},
	}
}

// programVersion is what this program was built as.
func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
