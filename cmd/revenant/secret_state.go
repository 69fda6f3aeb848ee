package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// change is a use case that moves one version.
type change func(ctx context.Context, s *known, ref fingerprints.VersionRef) (registry.Changed, error)

// stateCommand makes a command that moves NAME@N and prints what changed.
func (a *app) stateCommand(c *cobra.Command, do change) *cobra.Command {
	c.Args = argCount(1, 1, "one NAME@N")
	c.RunE = func(c *cobra.Command, args []string) error {
		ref, err := versionArg(args[0])
		if err != nil {
			return err
		}
		return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
			ch, err := do(ctx, s, ref)
			if err != nil {
				return err
			}
			return a.printChanged(ch)
		})
	}
	return c
}

func (a *app) secretSupersede() *cobra.Command {
	var o registry.SupersedeOptions
	c := a.stateCommand(&cobra.Command{
		Use:     "supersede NAME@N",
		Short:   "Mark an active version as superseded",
		Example: "  revenant secret supersede billing/db-password@1 --window 24h",
	}, func(ctx context.Context, s *known, ref fingerprints.VersionRef) (registry.Changed, error) {
		return s.reg.Supersede(ctx, s.actor, ref, o)
	})
	c.Flags().DurationVar(&o.Window, "window", 0, "how long it may still be used; 0: no deadline")
	return c
}

func (a *app) secretRetire() *cobra.Command {
	var o registry.RetireOptions
	c := a.stateCommand(&cobra.Command{
		Use:   "retire NAME@N",
		Short: "Mark a version as deactivated; its copies become stale at once",
		Long: `Marks a version as deactivated. Every copy already seen becomes stale at once;
nothing is scanned for that. Nothing leaves this state.`,
		Example: "  revenant secret retire billing/db-password@1",
	}, func(ctx context.Context, s *known, ref fingerprints.VersionRef) (registry.Changed, error) {
		return s.reg.Retire(ctx, s.actor, ref, o)
	})
	c.Flags().BoolVar(&o.NoSuccessor, "no-successor", false, "retire although no other version is active")
	return c
}

func (a *app) secretCompromise() *cobra.Command {
	return a.stateCommand(&cobra.Command{
		Use:     "compromise NAME@N",
		Short:   "Flag a version as compromised, whatever its state",
		Example: "  revenant secret compromise billing/db-password@2",
	}, func(ctx context.Context, s *known, ref fingerprints.VersionRef) (registry.Changed, error) {
		return s.reg.Compromise(ctx, s.actor, ref)
	})
}

func (a *app) secretActivate() *cobra.Command {
	var o registry.ActivateOptions
	c := a.stateCommand(&cobra.Command{
		Use:     "activate NAME@N",
		Short:   "Make a pending version active, or roll back to a superseded one",
		Example: "  revenant secret activate billing/db-password@1",
	}, func(ctx context.Context, s *known, ref fingerprints.VersionRef) (registry.Changed, error) {
		return s.reg.Activate(ctx, s.actor, ref, o)
	})
	c.Flags().DurationVar(&o.Window, "window", 24*time.Hour, "window of the version that it displaces; 0: no deadline")
	return c
}

func (a *app) secretAbandon() *cobra.Command {
	return a.stateCommand(&cobra.Command{
		Use:     "abandon NAME@N",
		Short:   "Give up a pending version that was never used",
		Example: "  revenant secret abandon billing/db-password@3",
	}, func(ctx context.Context, s *known, ref fingerprints.VersionRef) (registry.Changed, error) {
		return s.reg.Abandon(ctx, s.actor, ref)
	})
}

func (a *app) printChanged(ch registry.Changed) error {
	if a.asJSON {
		return a.printJSON(ch)
	}
	var b strings.Builder
	note := ""
	if ch.Unchanged {
		note = "  (nothing changed)"
	}
	flag := ""
	if ch.Compromised {
		flag = ", compromised"
	}
	fmt.Fprintf(&b, "%s@%d  %s -> %s%s%s%s\n", ch.Secret, ch.Version, ch.From, ch.To, flag, windowText(ch.WindowEnds), note)
	for _, t := range ch.Also {
		fmt.Fprintf(&b, "%s@%d  %s -> %s%s\n", t.Secret, t.Version, t.From, t.To, windowText(t.WindowEnds))
	}
	writeVerdicts(&b, ch.Verdicts)
	return writeAll(a.stdout, b.String())
}

func (a *app) secretAck() *cobra.Command {
	var consumer string
	c := &cobra.Command{
		Use:     "ack NAME@N --consumer C",
		Short:   "Record that a consumer uses a version",
		Example: "  revenant secret ack billing/db-password@2 --consumer checkout",
		Args:    argCount(1, 1, "one NAME@N"),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := versionArg(args[0])
			if err != nil {
				return err
			}
			if consumer == "" {
				return usagef("say which consumer reports it: --consumer NAME")
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, consumer); err != nil {
					return err
				}
				r, err := s.reg.Ack(ctx, s.actor, ref, consumer)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(r)
				}
				var b strings.Builder
				fmt.Fprintf(&b, "%s@%d  %s  acknowledged by %s\n", r.Secret, r.Version, r.State, r.Consumer)
				if r.NewConsumer {
					fmt.Fprintf(&b, "  %s was not among its consumers and now is\n", r.Consumer)
				}
				if len(r.Missing) > 0 {
					fmt.Fprintf(&b, "  not yet: %s\n", strings.Join(r.Missing, ", "))
				}
				return writeAll(a.stdout, b.String())
			})
		},
	}
	c.Flags().StringVar(&consumer, "consumer", "", "service that reports the version it uses")
	return c
}

func (a *app) secretAllow() *cobra.Command {
	var q registry.AllowRequest
	var until string
	c := &cobra.Command{
		Use:   "allow NAME",
		Short: "Name a legitimate home of active and superseded values",
		Long: `Copies at an allowed place get the verdict "allowed" while their version is
active or superseded. Retired and compromised values are never allowed anywhere.`,
		Example: `  revenant secret allow billing/db-password --path '**/db.env' --reason hosts
  revenant secret allow billing/db-password --source 'dir:/etc/*' \
      --until 2099-01-31 --reason 'host configuration'`,
		Args: argCount(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := nameArg("NAME", args[0])
			if err != nil {
				return err
			}
			if q.Until, err = a.untilFlag("--until", until); err != nil {
				return err
			}
			q.Name = name
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, q.Source, q.Path, q.Reason); err != nil {
					return err
				}
				r, err := s.reg.Allow(ctx, s.actor, q)
				if err != nil {
					return err
				}
				return a.printAllow("allowed", r)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&q.Source, "source", "", "glob over source ids (default: every source)")
	f.StringVar(&q.Path, "path", "", "glob over paths, ** crosses folders (default: every path)")
	f.StringVar(&until, "until", "", "last day, as 2027-01-31, or a time as 2027-01-31T12:00:00Z")
	f.StringVar(&q.Reason, "reason", "", "why it may be there")
	return c
}

func (a *app) secretUnallow() *cobra.Command {
	var id int64
	c := &cobra.Command{
		Use:     "unallow NAME --id N",
		Short:   "Remove an allowed home",
		Example: "  revenant secret unallow billing/db-password --id 3",
		Args:    argCount(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := nameArg("NAME", args[0])
			if err != nil {
				return err
			}
			if id < 1 {
				return usagef("say which home: --id N; `revenant secret show NAME` lists them")
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				r, err := s.reg.Unallow(ctx, s.actor, name, id)
				if err != nil {
					return err
				}
				return a.printAllow("no longer allowed", r)
			})
		},
	}
	c.Flags().Int64Var(&id, "id", 0, "number of the home")
	return c
}

func (a *app) printAllow(what string, r registry.AllowResult) error {
	if a.asJSON {
		return a.printJSON(r)
	}
	var b strings.Builder
	h := r.Home
	until := "for ever"
	if h.Until != nil {
		until = "until " + when(*h.Until)
	}
	fmt.Fprintf(&b, "%s  %s: home %d, source %s, path %s, %s\n", h.Secret, what, h.ID, orAny(h.Source), orAny(h.Path), until)
	writeVerdicts(&b, r.Verdicts)
	return writeAll(a.stdout, b.String())
}

func orAny(glob string) string {
	if glob == "" {
		return "any"
	}
	return printable(glob)
}

// untilFlag reads a flag that says until when: a day (until its end, UTC) or an RFC 3339 time.
func (a *app) untilFlag(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		day, derr := time.Parse(time.DateOnly, s)
		if derr != nil {
			return time.Time{}, usagef("%s is a day such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z", flag)
		}
		t = day.AddDate(0, 0, 1)
	}
	if !t.After(a.now()) {
		return time.Time{}, usagef("%s lies in the past", flag)
	}
	return t, nil
}
