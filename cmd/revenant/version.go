package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What a release is; the linker writes these, and nothing else does.
var stampedVersion, stampedCommit string

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", GroupID: "care", Short: "Show the program's version, commit and platform", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			v := struct {
				Version  string `json:"version"`
				Commit   string `json:"commit"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
				Rules    string `json:"gitleaks"`
			}{programVersion(), programCommit(info), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, ""}
			for _, d := range info.Deps {
				if d.Path == "github.com/zricethezav/gitleaks/v8" {
					v.Rules = d.Version
				}
			}
			if a.asJSON {
				return a.printJSON(v)
			}
			return writeAll(a.stdout, fmt.Sprintf("revenant %s, commit %s, %s, %s, rules of gitleaks %s\n",
				v.Version, cmp.Or(v.Commit, "unknown"), v.Go, v.Platform, v.Rules))
		},
	}
}

// programVersion is what this program was built as.
func programVersion() string {
	if stampedVersion != "" {
		return stampedVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// programCommit is the commit that was built; empty where neither a release nor
// go build wrote it down.
func programCommit(info *debug.BuildInfo) string {
	if stampedCommit != "" {
		return stampedCommit
	}
	commit := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value + commit
		case s.Key == "vcs.modified" && s.Value == "true":
			commit += " with changes"
		}
	}
	return commit
}
