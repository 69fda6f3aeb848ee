package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// compatFlags are flags of gitleaks' that its users write into scripts. Those
// that change nothing here are taken and not shown.
type compatFlags struct {
	ignoreMarks bool
	megabytes   int64
	timeout     int
	rules       []string
}

func (f *compatFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.BoolVar(&f.ignoreMarks, "no-inline-allow", false, "report also what a mark in its line lets be")
	fs.Int64Var(&f.megabytes, "max-target-megabytes", 0, "list files that are larger as skipped (0: read all)")
	fs.IntVar(&f.timeout, "timeout", 0, "stop after so many seconds with what was found (0: never)")
	fs.StringSliceVar(&f.rules, "enable-rule", nil, "look for this generic rule and no other (repeat, or separate by commas)")
	fs.BoolVar(&f.ignoreMarks, "ignore-gitleaks-allow", false, "")
	var nothing struct {
		banner, verbose bool
		level, platform string
		redact          uint
	}
	fs.BoolVar(&nothing.banner, "no-banner", false, "")
	fs.BoolVarP(&nothing.verbose, "verbose", "v", false, "")
	fs.StringVarP(&nothing.level, "log-level", "l", "", "")
	fs.UintVar(&nothing.redact, "redact", 100, "")
	fs.Lookup("redact").NoOptDefVal = "100"
	if c.Name() == "git" {
		fs.StringVar(&nothing.platform, "platform", "", "")
	}
	for _, name := range []string{"ignore-gitleaks-allow", "no-banner", "verbose", "log-level", "redact", "platform"} {
		if fs.Lookup(name) != nil {
			_ = fs.MarkHidden(name) // it is there
		}
	}
}

// limit is how long a scan may take; 0: as long as it does.
func (f *compatFlags) limit() time.Duration { return time.Duration(f.timeout) * time.Second }

// modernArgs rewrites gitleaks' old commands, detect and protect, which people
// have in scripts; said is what they are now.
func modernArgs(args []string) (out []string, said string) {
	if len(args) == 0 || args[0] != "detect" && args[0] != "protect" {
		return args, ""
	}
	verb, path := "git", "."
	var rest []string
	for i := 1; i < len(args); i++ {
		name, value, has := strings.Cut(args[i], "=")
		switch {
		case name == "--no-git":
			verb = boolean(value, has, "dir", verb)
		case name == "--pipe":
			verb = boolean(value, has, "stdin", verb)
		case (name == "--source" || name == "-s") && has:
			path = value
		case (name == "--source" || name == "-s") && i+1 < len(args):
			i++
			path = args[i]
		case name == "-s":
			rest = append(rest, "--source") // it needs a value, and is told so
		default:
			rest = append(rest, args[i])
		}
	}
	if args[0] == "protect" && verb == "git" && !slices.Contains(rest, "--staged") {
		rest = append([]string{"--pre-commit"}, rest...)
	}
	out = []string{verb}
	if verb != "stdin" {
		out = append(out, path)
	}
	return append(out, rest...), args[0] + " is 'revenant " + strings.Join(out, " ") + "' now"
}

// boolean is yes when a flag is given, unless it is given as false.
func boolean(value string, has bool, yes, no string) string {
	if on, err := strconv.ParseBool(value); has && (err != nil || !on) {
		return no
	}
	return yes
}
