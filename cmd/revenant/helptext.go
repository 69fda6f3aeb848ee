package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpTexts says in help what a flag takes: FILE and not string.
func helpTexts(c *cobra.Command) {
	names := valueNames()
	name := func(f *pflag.Flag) { nameValue(f, names) }
	var all func(c *cobra.Command)
	all = func(c *cobra.Command) {
		c.Flags().VisitAll(name)
		c.PersistentFlags().VisitAll(name)
		for _, sub := range c.Commands() {
			all(sub)
		}
	}
	all(c)
}

// valueNames are what flags take, by their names.
func valueNames() map[string]string {
	out := map[string]string{
		"exclude": "GLOB", "path": "GLOB", "fail-on": "LEVEL", "report-format": "FORMAT", "report-path": "[FORMAT:]PATH",
		"home": "FOLDER", "hooks-folder": "FOLDER", "dir": "FOLDER", "recursive": "FOLDER", "baseline-until": "DAY", "until": "DAY", "by": "DAY",
		"accept-skip": "REASON", "secret": "NAME[@N]", "source": "ID", "field": "NAME=FILE", "log-opts": "ARGUMENTS",
		"since-commit": "COMMIT", "recipient": "AGE-KEY", "prefix": "TEXT", "reason": "TEXT", "only": "KIND",
		"window": "DURATION", "expires": "DURATION", "timeout": "SECONDS", "max-target-megabytes": "MB", "after": "NAME", "on-bad-pack": "WORD", "override": "REASON", "base": "COMMIT", "head": "COMMIT", "provider": "SYSTEM", "rules": "PACK", "enable-rule": "RULE,...",
		"tag": "GLOB", "repo": "GLOB", "mirror": "REGISTRY=MIRROR", "server": "URL", "since": "TIME", "branch": "NAME", "wait": "DURATION", "to": "PLACE",
		"group": "SYSTEM:OWNER", "include": "GLOB", "exclude-repo": "GLOB", "every": "DURATION", "cron": "FIELDS", "credential": "REFERENCE", "token": "REFERENCE", "listen": "HOST:PORT",
		"topic": "GLOB", "results": "TOPIC", "start": "POSITION", "sasl": "MECHANISM", "user": "NAME", "password": "REFERENCE", "buffer": "MB", "client-id": "NAME", "build-context": "FOLDER", "build-arg": "NAME[=VALUE]", "target": "STAGE", "order": "ORDER", "facets": "FIELD,...", "cursor": "CURSOR",
		"role": "ROLE", "team": "TEAM", "display": "NAME",
	}
	for word, flags := range map[string]string{
		"FILE":    "against baseline-path backup backup-file ca-file cert-file config file gitleaks-ignore-path identity key-file key-out log out pack pack-key passphrase-file public-key registrar report-template repos-from verify write-baseline",
		"NAME":    "baseline-owner consumer group hook issued-to name owner receiver rule",
		"N":       "exit-code from id limit max-archive-depth max-decode-depth max-runs scans top workers",
		"WORD":    "audience class format presence scope state status verdict",
		"VERSION": "version",
	} {
		for flag := range strings.FieldsSeq(flags) {
			out[flag] = word
		}
	}
	return out
}

func nameValue(f *pflag.Flag, names map[string]string) {
	name, ok := names[f.Name]
	if !ok || f.Value.Type() == "bool" {
		return
	}
	if list, is := f.Value.(pflag.SliceValue); is {
		f.Value = namedList{f.Value, list, name}
		return
	}
	f.Value = namedValueOf{f.Value, name}
}

// namedValueOf is a flag's value with another name for what it takes.
type namedValueOf struct {
	pflag.Value
	name string
}

// Type implements pflag.Value.
func (v namedValueOf) Type() string { return v.name }

// namedList is the same of a flag that repeats.
type namedList struct {
	pflag.Value
	pflag.SliceValue
	name string
}

// Type implements pflag.Value.
func (v namedList) Type() string { return v.name }

// completionTexts are how each shell is told.
func completionTexts(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion") // as cobra does when it runs
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		group(c) // an unknown shell is wrong usage
		c.Short = "Write a script that completes commands, flags and names in a shell"
		c.Long = `Writes a script for a shell. With it the Tab key completes commands, flags and
what they take: names and versions of secrets, sources, findings, states, rules.
It shows no value: there is none to show.`
		for _, shell := range c.Commands() {
			shell.Args = noArgs
			shell.Short = "Write the script for " + shell.Name()
			shell.Long = map[string]string{
				"bash": `For this shell:

  source <(revenant completion bash)

For every new shell, where the package bash-completion is installed:

  mkdir -p ~/.local/share/bash-completion/completions
  revenant completion bash > ~/.local/share/bash-completion/completions/revenant`,
				"zsh": `For every new shell, into a folder of $fpath:

  mkdir -p ~/.zsh/completions
  revenant completion zsh > ~/.zsh/completions/_revenant

with these lines in ~/.zshrc:

  fpath=(~/.zsh/completions $fpath)
  autoload -U compinit && compinit`,
				"fish": `For every new shell:

  mkdir -p ~/.config/fish/completions
  revenant completion fish > ~/.config/fish/completions/revenant.fish`,
				"powershell": `For this shell; put the line into $PROFILE for every new one:

  revenant completion powershell | Out-String | Invoke-Expression`,
			}[shell.Name()]
		}
	}
}
