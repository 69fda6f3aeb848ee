package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/fingerprints/registry"
)

// checkInput refuses what no command can mean, before any begins: empty words,
// numbers out of their range, patterns that are none, and flags of which one
// would silently win over the other.
func (a *app) checkInput(c *cobra.Command, args []string) error {
	if strings.HasPrefix(c.Name(), "__") { // a shell asks for words: the last one may be empty
		return nil
	}
	if err := a.checkServer(c); err != nil {
		return err
	}
	if dash := c.ArgsLenAtDash(); dash >= 0 {
		args = args[:dash] // what stands behind is another command's
	}
	if i := slices.Index(args, ""); i >= 0 {
		return usagef("argument %d of '%s' is empty: is a variable of the shell not set? See '%s --help'", i+1, c.CommandPath(), c.CommandPath())
	}
	var err error
	c.Flags().Visit(func(f *pflag.Flag) {
		if err == nil {
			err = checkFlag(c, f)
		}
	})
	if err != nil {
		return err
	}
	return checkPairs(c)
}

func checkFlag(c *cobra.Command, f *pflag.Flag) error {
	given := []string{f.Value.String()}
	if list, several := f.Value.(pflag.SliceValue); several {
		given = list.GetSlice()
	}
	for i, text := range given {
		name := numbered("--"+f.Name, i, len(given))
		if text == "" && !mayBeEmpty(f.Name) {
			return usagef("%s is empty: is a variable of the shell not set? Leave the flag out for its default", name)
		}
		if isGlob(c, f.Name) && !doublestar.ValidatePattern(text) {
			return usagef("%s is not a valid glob: * stays inside a folder, ** crosses folders, [ wants its ] and { its }", name)
		}
	}
	if f.Name == "source" && f.Value.String() != "" && c.Flags().Lookup("no-store") != nil {
		if err := registry.CheckSourceID(f.Value.String()); err != nil {
			return usagef("--source is the id of a source: write KIND:PLACE, as in dir:/srv/app or git:host/path; what is to be read stands without a flag")
		}
	}
	if r, has := ranges()[f.Name]; has {
		return r.check(f)
	}
	return nil
}

// numbered is what one of several values of a flag is called.
func numbered(flag string, i, of int) string {
	if of < 2 {
		return flag
	}
	return flag + " number " + strconv.Itoa(i+1)
}

// mayBeEmpty names flags whose empty value says what leaving them out does, and
// that scripts give so: a page before the first, no arguments for git, and what
// is taken for gitleaks' sake.
func mayBeEmpty(flag string) bool {
	return slices.Contains([]string{"after", "prefix", "log-opts", "log-level", "platform"}, flag)
}

func isGlob(c *cobra.Command, flag string) bool {
	return flag == "exclude" || flag == "path" || flag == "source" && c.Name() == "allow"
}

// interval is what a number, or a duration, may be. The greatest ones keep sums
// from running over; more than maxWorkers only waits for each other.
type interval struct{ low, high int64 }

const (
	maxWorkers  = 256
	maxDepth    = 100
	maxSeconds  = 100 * 366 * 24 * 60 * 60
	maxMegaByte = 1 << 30
	maxDuration = int64(maxSeconds * time.Second)
)

// ranges are those of flags: a name means one thing in every command.
func ranges() map[string]interval {
	return map[string]interval{
		"workers": {0, maxWorkers}, "limit": {0, math.MaxInt32}, "from": {1, math.MaxInt64}, "id": {1, math.MaxInt64},
		"exit-code": {0, 255}, "max-archive-depth": {0, maxDepth}, "max-decode-depth": {0, maxDepth},
		"timeout": {0, maxSeconds}, "max-target-megabytes": {0, maxMegaByte},
		"window": {0, maxDuration}, "expires": {0, maxDuration}, "wait": {0, maxDuration}, "max-runs": {0, math.MaxInt32},
	}
}

func (r interval) check(f *pflag.Flag) error {
	text := f.Value.String()
	if d, err := time.ParseDuration(text); err == nil && text != "0" && slices.Contains([]string{"window", "expires", "wait"}, f.Name) {
		if int64(d) < r.low || int64(d) > r.high {
			return usagef("--%s is a duration from 0 to 100 years, as in 24h or 30m", f.Name)
		}
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil && n >= r.low && n <= r.high:
		return nil
	case r.high == math.MaxInt32, r.high == math.MaxInt64:
		return usagef("--%s is a whole number, %d or more", f.Name, r.low)
	}
	return usagef("--%s is a whole number from %d to %d", f.Name, r.low, r.high)
}

// pair is two flags of which one says nothing beside the other, or without it.
type pair struct{ command, flag, other, why string }

// clashing pairs are never given together. An empty command means every one.
func clashing() []pair {
	return []pair{
		{"", "passphrase-file", "recipient", "say one of them: a file of keys is encrypted by a passphrase or to recipients"},
		{"", "passphrase-file", "identity", "say the one that the file was encrypted for"},
		{"", "quiet", "progress", "the one asks for silence and the other for news"},
		{"", "json", "report-format", "leave --json out, or write -r json:FILE for one report more"},
		{"", "json", "report-path", "leave --json out, and write -r json:- for JSON on standard output"},
		{"", "resume", "no-store", "where an interrupted scan stopped is kept in the registry"},
		{"", "resume", "pack", "where an interrupted scan stopped is kept in the registry, which --pack stands in for"},
		{"secret rotate", "generate", "file", "give a value or have one generated"},
		{"secret rotate", "generate", "field", "give a value or have one generated"},
		{"secret rotate", "generate", "exact", "a generated value ends with no newline"},
		{"prove", "verify", "out", "with --verify nothing is proven, only checked"},
		{"prove", "verify", "accept-skip", "with --verify nothing is proven, only checked"},
		{"prove", "verify", "include-history", "with --verify nothing is proven, only checked"},
	}
}

// needing pairs have a first flag that says nothing without the second.
func needing() []pair {
	return []pair{
		{"", "baseline-owner", "write-baseline", "it is the owner of new entries"},
		{"", "baseline-until", "write-baseline", "it is the end of new entries"},
		{"dir", "pack-key", "pack", "it opens a pack"},
		{"git", "pack-key", "pack", "it opens a pack"},
		{"ci", "pack-key", "pack", "it opens a pack"},
		{"hook run", "pack-key", "pack", "it opens a pack"},
		{"ci", "only-log", "log", "it is the log that is looked at"},
		{"stdin", "pack-key", "pack", "it opens a pack"},
		{"home", "pack-key", "pack", "it opens a pack"},
		{"logs", "pack-key", "pack", "it opens a pack"},
		{"init", "passphrase-file", "backup-file", "it protects the backup; REVENANT_RING_PASSPHRASE protects the key ring"},
		{"init", "recipient", "backup-file", "it protects the backup; REVENANT_RING_PASSPHRASE protects the key ring"},
		{"key verify", "passphrase-file", "backup", "it opens a backup"},
		{"key verify", "identity", "backup", "it opens a backup"},
		{"prove", "public-key", "verify", "a proof is checked with it, and made with the key ring"},
		{"secret rotate", "prefix", "generate", "it begins a generated value"},
	}
}

func checkPairs(c *cobra.Command) error {
	path := strings.TrimPrefix(c.CommandPath(), "revenant ")
	here := func(p pair) bool { return p.command == "" || p.command == path }
	for _, p := range clashing() {
		if here(p) && isGiven(c, p.flag) && isGiven(c, p.other) {
			return usagef("--%s and --%s do not go together: %s", p.flag, p.other, p.why)
		}
	}
	for _, p := range needing() {
		if here(p) && isGiven(c, p.flag) && !isGiven(c, p.other) {
			return usagef("--%s says nothing without --%s: %s", p.flag, p.other, p.why)
		}
	}
	return nil
}

// isGiven reports whether a flag is set to more than what leaving it out means.
func isGiven(c *cobra.Command, name string) bool {
	f := c.Flags().Lookup(name)
	return f != nil && f.Changed && (f.Value.Type() != "bool" || f.Value.String() == "true")
}
