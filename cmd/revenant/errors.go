package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// Exit codes; docs/adr/0010-exit-codes.md has the reasons.
const (
	exitOK       = 0
	exitFindings = 1 // an open finding, a live copy
	exitUsage    = 2 // wrong usage: nothing was done
	exitFailure  = 3 // something could not be read or done
)

// usageError marks an error as wrong usage.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// fail prints an error once and says what to exit with.
func (a *app) fail(err error) int {
	if a.scan != nil {
		a.scan.err = err
	}
	fmt.Fprintf(a.stderr, "revenant: %v\n", err)
	return exitCode(err)
}

// flagError rewrites pflag's errors: it would repeat the argument, and people
// type secrets into the wrong place.
func flagError(c *cobra.Command, err error) error {
	hint := fmt.Sprintf("see '%s --help'", c.CommandPath())
	var (
		bad     *pflag.InvalidValueError
		missing *pflag.ValueRequiredError
		unknown *pflag.NotExistError
	)
	switch {
	case errors.As(err, &bad):
		return usagef("--%s does not take this value (it wants %s); %s", bad.GetFlag().Name, wanting(bad.GetFlag().Value.Type()), hint)
	case errors.As(err, &missing):
		return usagef("--%s needs a value; %s", missing.GetFlag().Name, hint)
	case errors.As(err, &unknown):
		return unknownFlag(c, unknown, hint)
	}
	return usagef("the flags cannot be read; %s", hint)
}

// naming puts the flag's or argument's name before an error of the registry that
// says which input is not valid.
func naming(c *cobra.Command, err error) error {
	var bad *registry.InputError
	if !errors.As(err, &bad) {
		return err
	}
	name := bad.Input
	if other := map[string]string{"consumer": "issued-to", "expiry": "expires"}[name]; other != "" && !isGiven(c, name) {
		name = other
	}
	if c.Flags().Lookup(name) != nil {
		name = "--" + name
	}
	return usageError{fmt.Errorf("%s: %w", name, bad.Way())}
}

// wanting says what a flag takes, for errors.
func wanting(name string) string {
	switch name {
	case "N", "MB", "SECONDS":
		return "a whole number"
	case "DURATION":
		return "a duration, as in 24h or 30m"
	case "bool":
		return "true or false"
	}
	return name
}

// argCount accepts from low to high arguments without repeating any of them in
// the error.
func argCount(low, high int, want string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= low && len(args) <= high {
			return nil
		}
		return usagef("'%s' takes %s, and got %d arguments; see '%s --help'", c.CommandPath(), want, len(args), c.CommandPath())
	}
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		return unknownCommand(c, args[0])
	}
	return usagef("'%s' takes no arguments; see '%s --help'", c.CommandPath(), c.CommandPath())
}

// group is a command that only holds others: alone it shows its help, with an
// unknown word it is wrong usage.
func group(c *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	c.Args = noArgs
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(subs...)
	return c
}

// exitError is an error with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exitCode is the one table from error to exit code for commands that failed.
func exitCode(err error) int {
	var u usageError
	var own *exitError
	switch {
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &u):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitFailure
	}
	for _, target := range usageSentinels() {
		if errors.Is(err, target) {
			return exitUsage
		}
	}
	return exitFailure
}

// usageSentinels are errors of the registry and key ring that mean wrong usage.
func usageSentinels() []error {
	return []error{
		fingerprints.ErrBadName,
		registry.ErrUnknownSecret, registry.ErrUnknownVersion, registry.ErrUnknownFinding, registry.ErrUnknownSource,
		registry.ErrUnknownAllow, registry.ErrAmbiguous, registry.ErrExists, registry.ErrActiveExists, registry.ErrTransition,
		registry.ErrNoSuccessor, registry.ErrContainsOld, registry.ErrReused, registry.ErrRollback, registry.ErrEmptyValue,
		registry.ErrValueTooLong, registry.ErrValueInName, registry.ErrInput, registry.ErrOtherValue, registry.ErrAdoptWeak,
		registry.ErrRegistered, registry.ErrNotAllowable, registry.ErrUnknownToken, registry.ErrTokenExists, sqlstore.ErrNotEmpty,
		query.ErrQuery, search.ErrCursor, search.ErrBroad,
	}
}
