package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"revenant/ingest/pipeline"
)

// topics are commands that only say something: what belongs to no one command.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "environment", Short: "Environment variables", Long: environmentText()},
		{Use: "exit-codes", Short: "Exit codes", Long: exitCodesText},
		{Use: "files", Short: "Files of the state folder and of a project", Long: filesText},
	}
}

// variable is an environment variable that the program reads.
type variable struct{ name, text string }

// variables lists them; a test compares the list with the code.
func variables() []variable {
	return []variable{
		{"REVENANT_HOME", `folder of keys and registry; --home goes before it
(default: revenant in $XDG_DATA_HOME, which is
~/.local/share where it is not set)`},
		{"REVENANT_STORE", `URL of a PostgreSQL database that holds the registry, in
place of registry.db: postgres://USER@HOST/DATABASE, with
libpq's parameters (sslmode, sslrootcert ...); a password
is better in PGPASSWORD, or in the file that PGPASSFILE
names. Keys stay in REVENANT_HOME`},
		{"REVENANT_CONFIG", `configuration of 'serve' and 'worker', in YAML; --config
goes before it. REVENANT_SERVE_LISTEN, _BASE_URL, _TOKEN,
_TLS__CERTIFICATE, _TLS__KEY, _WORKERS__SCANS, _LOG__FORMAT
and _LOG__LEVEL go before what it says`},
		{"REVENANT_RING_PASSPHRASE", `passphrase of the key ring's file and of edge keys:
with it 'init' encrypts the ring, and everything that
opens the ring needs it`},
		{"REVENANT_PACK_KEY", `edge keys that open a pack: the name of their file or,
as in a pipeline's masked variable, their text`},
		{"REVENANT_SERVER", `the server that commands ask, hooks and pipelines tell;
--server goes before it`},
		{"REVENANT_TOKEN", `the token that is shown to it; --token goes before it`},
		{"REVENANT_CA_FILE", `PEM file of an authority that vouches for the server`},
		{"REVENANT_LOOK_UP", `set to anything, hooks and 'ci' ask the server about weak
values, which no pack holds: --look-up`},
		{"REVENANT_REGISTRAR", `file of 'key registrar': with it values are registered at
a server; REVENANT_RING_PASSPHRASE opens it, or it is
asked for`},
		{"GITLEAKS_CONFIG", `gitleaks configuration; --config goes before it`},
		{"GITLEAKS_CONFIG_TOML", `the configuration itself, where no file is named`},
		{"REVENANT_GITHUB_TOKEN", `GitHub's token for 'logs': read-only, Actions: read`},
		{"GITHUB_TOKEN", `the same, for github.com and the server of the build`},
		{"GH_TOKEN", `the same`},
		{"GITHUB_SERVER_URL", `the server of the build, as GitHub sets it`},
		{"REVENANT_GITLAB_TOKEN", `GitLab's token for 'logs', with the scope read_api`},
		{"GITLAB_TOKEN", `the same, for gitlab.com and the server of the build`},
		{"CI_SERVER_URL", `the server of the build, as GitLab sets it`},
		{"REVENANT_JENKINS_USER", `user of Jenkins for 'logs', with`},
		{"REVENANT_JENKINS_TOKEN", `an API token of that user`},
		{"REVENANT_KAFKA_USER", `user of Kafka for 'kafka --sasl', with`},
		{"REVENANT_KAFKA_PASSWORD", `that user's password`},
		{"XDG_DATA_HOME", `folder of the user's data, where REVENANT_HOME is
not set`},
		{"XDG_CONFIG_HOME", `folder of the user's configuration, where 'hook install
--global' puts hooks, and 'login' what it keeps
(default: ~/.config)`},
		{"XDG_CACHE_HOME", `folder of what can be had again: packs of a server
(default: ~/.cache)`},
		{"XDG_STATE_HOME", `folder where hooks note what a server is told
(default: ~/.local/state)`},
		{"REVENANT_OVERRIDE", `why a hook is to let through what it found; the reason
is kept, and --override goes before it`},
		{"REVENANT_HOOK_RAN", `set by a hook of the machine for the repository's own:
what its parent has scanned is not scanned again`},
		{"NO_COLOR", `not empty: no colour, also on a terminal`},
		{"TERM", `'dumb': no colour`},
		{"GIT_INDEX_FILE", `the index that 'git --staged' reads; git sets it for
hooks`},
		{"GIT_DIR", `the repository of a hook; git sets it`},
		{"GIT_QUARANTINE_PATH", `what a push brings, for 'hook run pre-receive'; git
sets it`},
		{"PRE_COMMIT_FROM_REF", `what 'hook run pre-push' looks at where the pre-commit
framework runs it, with PRE_COMMIT_TO_REF,
PRE_COMMIT_REMOTE_BRANCH, PRE_COMMIT_LOCAL_BRANCH and
PRE_COMMIT_REMOTE_NAME`},
		{"GIT_CONFIG_COUNT", `git's settings by environment; what is there is kept
when a clone is told its credentials`},
		{"DOCKER_CONFIG", `folder of docker's config.json, with logins for registries
and credential helpers (default: ~/.docker)`},
		{"REGISTRY_AUTH_FILE", `podman's file of logins, where docker has none`},
		{"HTTPS_PROXY", `proxy for registries and CI systems, with HTTP_PROXY and
NO_PROXY`},
		{"SSL_CERT_FILE", `authorities in place of the system's`},
		{"GOMEMLIMIT", `soft limit of memory, as in 512MiB (default: 176MiB)`},
		{"GOGC", `how much garbage is let grow, in percent; set, it counts
from the start, else after 0.3 s`},
	}
}

func environmentText() string {
	var b strings.Builder
	b.WriteString("None has to be set.\n\n")
	for _, v := range variables() {
		fmt.Fprintf(&b, "  %s\n      %s\n", v.name, strings.ReplaceAll(v.text, "\n", "\n      "))
	}
	b.WriteString("\n'ci' reads what CI systems say of a build:\n\n")
	line := " "
	for _, name := range pipeline.Variables() {
		if len(line)+1+len(name) > 80 {
			b.WriteString(line + "\n")
			line = " "
		}
		line += " " + name
	}
	b.WriteString(line + "\n")
	b.WriteString("\nGit is run with the rest of the environment, so that its own variables, such as\nGIT_SSH_COMMAND and HTTPS_PROXY, count for clones.")
	return b.String()
}

const exitCodesText = `Pipelines read these and nothing else, so 0 is never said of what was not read.

Scans ('dir', 'git', 'stdin', 'home', 'logs', 'image'):

  0  no finding, and everything was read
  1  a finding at or above --fail-on; --exit-code N replaces the 1
  2  wrong usage: nothing was scanned
  3  something was not read to its end, or keys and registry could not be
     opened; with --fail-on-skipped also what is encrypted, unsupported or
     beyond a bound

A finding wins over 3: a scan that found something and could not read everything
exits 1, and says both.

'logs -- COMMAND': the command's own code when that is not 0; 126 when it cannot
be started, 127 when it is not found, 128 and the signal's number when it died
of one; else the scan's.

'prove':

  0  proven
  1  a live copy exists
  2  wrong usage
  3  the coverage is not complete, or the proof could not be made

'doctor', 'audit verify', 'pack verify', 'key verify', 'prove --verify': 0 when
it holds, else 3. 'secret import': 3 when a line could not be used. Every other
command: 0 done, 2 wrong usage and nothing was changed, 3 it could not be done.`

const filesText = `In the state folder ($REVENANT_HOME), readable for its owner alone:

  registry.db        the registry: fingerprints, findings, coverage, audit log;
                     'revenant store backup' makes a backup, also while it is in
                     use. With $REVENANT_STORE it is in that database
  keys/ring          the key ring; keep a backup of it elsewhere, and apart from
                     registry.db: 'revenant key backup'
  keys/audit-head    the newest audit record that this machine has seen
  jobs.db            the queue of 'serve'; may be deleted while it does not run
  control.token      opens the control API of 'serve'; made anew when it is
                     deleted
  workers/           a lock of each 'serve' and 'worker' that runs here
  packs/core.pack    the compiled fingerprints; made anew when it is not there
  git/               what is remembered of scanned repositories; may be deleted:
                     the next scan reads them whole
  clones/            mirrors of scanned URLs, and their locks; may be deleted, or
                     one by one with 'revenant source forget'. They hold what the
                     repositories hold, so their secrets too

In a project, read where a folder or repository is scanned:

  .gitleaks.toml     rules and allowlists, in gitleaks' format
  .revenant-baseline findings that alert nobody; --write-baseline makes it
  .secrets.baseline  the same, of detect-secrets
  .gitleaksignore    fingerprints of generic findings to ignore
  .betterleaksignore the same

In a git directory, and for a user or a machine ('revenant hook'):

  hooks/NAME                  a hook of ours, a script; its second line begins
                              with "# revenant-hook"
  hooks/NAME.before-revenant  the hook that was there, which runs after it
  revenant/overrides          what was let through although a hook refused it
  ~/.config/revenant/hooks    of every repository of a user: core.hooksPath;
  /etc/revenant/hooks         of a machine's`
