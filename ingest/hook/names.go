package hook

import (
	"errors"
	"slices"
	"strings"
)

// Sentinel errors; they are wrapped, and the text around them names the place
// and the way out.
var (
	ErrNoRepository = errors.New("there is no git repository")
	ErrNoGit        = errors.New("git is not there")
	ErrSetting      = errors.New("a hook cannot hold this")
	ErrChanged      = errors.New("the hook was changed by hand since it was installed")
	ErrManaged      = errors.New("these hooks belong to something else")
	ErrShared       = errors.New("these hooks are run for more than this repository")
	ErrOccupied     = errors.New("there is a kept hook already")
	ErrPlace        = errors.New("hooks cannot be put there")
)

// Force is whether to go on where a person should look first.
type Force int

// The two ways.
const (
	Careful Force = iota // the zero value: changed and managed hooks are left
	Forced               // they are replaced; a hook that is not ours is still kept
)

// BadPack is what a hook does when its pack cannot be used: it is missing,
// damaged, foreign or expired.
type BadPack string

// The two settings.
const (
	Block BadPack = "block" // nothing goes through until the pack is good
	Warn  BadPack = "warn"  // generic rules alone decide, and it is said
)

// BadPacks are the settings, the default first.
func BadPacks() []BadPack { return []BadPack{Block, Warn} }

// Scanning are the hooks that can scan.
func Scanning() []string {
	return []string{"pre-commit", "pre-merge-commit", "commit-msg", "pre-push", "pre-receive"}
}

// defaults are the hooks of a repository that are installed when none is named.
// git merge runs pre-merge-commit and not pre-commit.
func defaults(bare bool) []string {
	if bare {
		return []string{"pre-receive"}
	}
	return []string{"pre-commit", "pre-merge-commit", "pre-push"}
}

// forwarded are the hooks that a folder for the whole machine must pass on,
// since it hides those of every repository.
func forwarded() []string {
	return []string{
		"applypatch-msg", "pre-applypatch", "post-applypatch",
		"pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit",
		"pre-rebase", "post-checkout", "post-merge", "post-rewrite", "pre-auto-gc",
		"pre-push", "pre-receive", "update", "post-receive", "post-update",
		"sendemail-validate", "p4-changelist", "p4-prepare-changelist", "p4-post-changelist", "p4-pre-submit",
	}
}

// unforwarded are the hooks whose mere presence changes what git does, or
// costs time with every command: push-to-checkout and proc-receive replace
// git's own work, the others run for every change of the index or of a ref.
func unforwarded() []string {
	return []string{"push-to-checkout", "proc-receive", "fsmonitor-watchman", "post-index-change", "reference-transaction"}
}

// reading are the hooks that git tells something on standard input.
func reading(name string) bool {
	return slices.Contains([]string{"pre-push", "pre-receive", "post-receive", "post-rewrite"}, name)
}

// around is how a person goes around all hooks once; empty: there is no way.
func around(name string) string {
	switch name {
	case "pre-commit", "commit-msg":
		return "git commit --no-verify"
	case "pre-merge-commit":
		return "git merge --no-verify"
	case "pre-push":
		return "git push --no-verify"
	}
	return ""
}

// inOrder are the distinct names in the order of Scanning, or an error.
func inOrder(names []string) ([]string, error) {
	var out []string
	for _, n := range Scanning() {
		if slices.Contains(names, n) {
			out = append(out, n)
		}
	}
	for _, n := range names {
		if !slices.Contains(Scanning(), n) {
			return nil, errors.Join(ErrSetting, errors.New("the hooks that scan are "+strings.Join(Scanning(), ", ")))
		}
	}
	return out, nil
}
