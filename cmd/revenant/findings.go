package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/export"
)

func (a *app) findingsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "findings", GroupID: "know",
		Short: "List, show and triage what scans found",
		Long: `A finding is one value at one path of one source. Its verdict is computed from
the state of the secret at the moment you ask. An id may be shortened to a
unique beginning.`,
	}
	return group(
		c, a.findingsList(), a.findingsShow(), a.findingsAccept(), a.findingsDismiss(),
		a.findingsAssign(), a.findingsDue(), a.findingsReopen(), a.findingsDecisions(), a.findingsRevoke(), a.findingsExport(),
	)
}

// filterFlags select findings.
type filterFlags struct {
	ref                           string
	verdicts, statuses, presences []string
	f                             store.FindingFilter
}

func (ff *filterFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&ff.ref, "secret", "", "NAME or NAME@N")
	f.StringVar(&ff.f.SourceID, "source", "", "only this source")
	f.StringVar(&ff.f.PathGlob, "path", "", "glob over paths")
	f.StringVar(&ff.f.Rule, "rule", "", "only this generic rule")
	f.StringVar(&ff.f.Owner, "owner", "", "only this owner's")
	f.StringSliceVar(&ff.verdicts, "verdict", nil, join(fingerprints.Verdicts()))
	f.StringSliceVar(&ff.statuses, "status", nil, "open, accepted, false-positive")
	f.StringSliceVar(&ff.presences, "presence", nil, join(fingerprints.Presences()))
	f.IntVar(&ff.f.Limit, "limit", 0, "at most so many; 0: all")
}

func (ff *filterFlags) filter() (store.FindingFilter, error) {
	f := ff.f
	if ff.ref != "" {
		ref, err := fingerprints.ParseRef(ff.ref)
		if err != nil {
			return f, usagef("--secret: %w", err)
		}
		f.Secret, f.Version = ref.Name, ref.Number
	}
	var err error
	if f.Verdicts, err = someOf("--verdict", ff.verdicts, fingerprints.Verdicts()); err != nil {
		return f, err
	}
	if f.Statuses, err = someOf("--status", ff.statuses, fingerprints.Statuses()); err != nil {
		return f, err
	}
	f.Presences, err = someOf("--presence", ff.presences, fingerprints.Presences())
	return f, err
}

// known refuses filters that nothing can match because what they name is not
// there: "no findings" would be taken for an all-clear.
func (ff *filterFlags) known(ctx context.Context, s *known, f store.FindingFilter) error {
	if f.Secret != "" {
		v, err := s.reg.Show(ctx, s.actor, f.Secret)
		if err != nil {
			return fmt.Errorf("--secret: %w", err)
		}
		if f.Version != 0 && !slices.ContainsFunc(v.Versions, func(w registry.VersionView) bool { return w.Version == f.Version }) {
			return fmt.Errorf("--secret: %s has %s: %w", v.Name, plural(len(v.Versions), "version", "versions"), registry.ErrUnknownVersion)
		}
	}
	if f.SourceID != "" {
		if _, err := s.reg.Source(ctx, s.actor, f.SourceID); err != nil {
			return fmt.Errorf("--source: %w", err)
		}
	}
	return nil
}

func (a *app) findingsList() *cobra.Command {
	var ff filterFlags
	c := &cobra.Command{
		Use: "list", Short: "List findings, the worst first",
		Example: "  revenant findings list --verdict stale,leaked --secret billing/db-password@1",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := ff.filter()
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := ff.known(ctx, s, f); err != nil {
					return err
				}
				limit := f.Limit
				f.Limit = 0 // the worst are not the first in the store
				list, err := s.reg.Findings(ctx, s.actor, f)
				if err != nil {
					return err
				}
				worstFirst(list)
				if limit > 0 && limit < len(list) {
					list = list[:limit]
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				return a.printFindings(list)
			})
		},
	}
	ff.register(c)
	return c
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func worstFirst(list []registry.Finding) {
	severities, verdicts := fingerprints.Severities(), fingerprints.Verdicts()
	slices.SortFunc(list, func(a, b registry.Finding) int {
		return cmp.Or(
			slices.Index(severities, a.Severity)-slices.Index(severities, b.Severity),
			slices.Index(verdicts, a.Verdict)-slices.Index(verdicts, b.Verdict),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Path, b.Path), cmp.Compare(a.ID, b.ID),
		)
	})
}

func (a *app) printFindings(list []registry.Finding) error {
	if len(list) == 0 {
		a.note("no findings match; `revenant source list` shows what was searched")
		return nil
	}
	var rows [][]string
	for _, f := range list {
		rows = append(rows, []string{
			shortID(f.ID), string(f.Verdict), string(f.Severity), statusText(f), whatText(f),
			string(f.Presence), strconv.Itoa(f.Places), f.Path, f.Source,
		})
	}
	return a.table([]string{"ID", "VERDICT", "SEVERITY", "STATUS", "WHAT", "PRESENCE", "PLACES", "PATH", "SOURCE"}, rows)
}

func statusText(f registry.Finding) string {
	if f.Decision != 0 {
		return fmt.Sprintf("%s, decision %d", f.Status, f.Decision)
	}
	if f.TooCommon {
		return string(f.Status) + ", too common"
	}
	return string(f.Status)
}

// shortID is enough of an id to be typed.
func shortID(id fingerprints.FindingID) string {
	s := strings.TrimPrefix(string(id), "rv1:")
	return s[:min(12, len(s))]
}

func whatText(f registry.Finding) string {
	if len(f.Matches) > 0 {
		m := f.Matches[0]
		s := fmt.Sprintf("%s@%d", m.Secret, m.Version)
		if n := len(f.Matches) - 1; n > 0 {
			s += fmt.Sprintf(" +%d", n)
		}
		return s
	}
	return orDash(strings.Join(f.Rules, ","))
}

func (a *app) findingsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a finding with its places and history",
		Example: "  revenant findings show 3f2a9c",
		Args:    argCount(1, 1, "one finding's ID"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				d, err := s.reg.Finding(ctx, s.actor, args[0])
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(d)
				}
				return a.printFinding(d)
			})
		},
	}
}

// broughtBy is who brought a copy in, and when, as far as it is known.
func broughtBy(s registry.SightingView) string {
	text := ""
	if s.Author != "" {
		text = " by " + printable(s.Author)
	}
	if s.At != nil {
		text += ", " + when(*s.At) + ","
	}
	return text
}

func shortCommit(id string) string { return id[:min(len(id), 12)] }

func (a *app) printFinding(d registry.FindingDetail) error {
	var b strings.Builder
	status := string(d.Status)
	if d.Decision != 0 {
		status = byDecision(d.FindingView)
	}
	fmt.Fprintf(&b, "%s\n%s, %s, %s\n", d.ID, d.Verdict, d.Severity, status)
	if d.Reason != "" {
		fmt.Fprintf(&b, "reason: %s\n", printable(d.Reason))
	}
	if d.TooCommon {
		fmt.Fprintf(&b, "too common: a weak value in more than %d sources; it alerts no more\n", fingerprints.TooCommonSources)
	}
	if d.Until != nil {
		fmt.Fprintf(&b, "%s until %s\n", d.Status, when(*d.Until))
	}
	fmt.Fprintf(&b, "source: %s\npath: %s\npresence: %s\nowner: %s\n", printable(d.Source), printable(d.Path), d.Presence, orDash(d.Owner))
	if d.Due != nil {
		by := ""
		if d.DueSet {
			by = ", as somebody said"
		}
		fmt.Fprintf(&b, "due: %s%s\n", when(*d.Due), by)
	}
	for _, m := range d.Matches {
		fmt.Fprintf(&b, "value of %s@%d field %s (%s): %s", m.Secret, m.Version, m.Field, m.State, m.Verdict)
		if m.IssuedTo != "" {
			fmt.Fprintf(&b, ", issued to %s", m.IssuedTo)
		}
		b.WriteByte('\n')
	}
	if len(d.Rules) > 0 {
		fmt.Fprintf(&b, "rules: %s\n", strings.Join(d.Rules, ", "))
	}
	fmt.Fprintf(&b, "first seen %s, last seen %s\n\n%s:\n", when(d.FirstSeen), when(d.LastSeen), plural(d.Places, "place", "places"))
	for _, s := range d.Sightings {
		where := fmt.Sprintf("line %d:%d", s.Line, s.Column)
		if s.Line == 0 {
			where = fmt.Sprintf("bytes %d-%d", s.Start, s.End)
		}
		fmt.Fprintf(&b, "  %s  %s  %s", where, s.Form, s.Presence)
		if s.Rule != "" {
			fmt.Fprintf(&b, "  %s", s.Rule)
		}
		if s.Locator != "" {
			fmt.Fprintf(&b, "  %s", printable(s.Locator))
		}
		b.WriteByte('\n')
		if s.Commit != "" {
			fmt.Fprintf(&b, "    brought in%s with commit %s\n", broughtBy(s), shortCommit(s.Commit))
		}
		if s.Context != "" {
			fmt.Fprintf(&b, "    %s\n", printable(s.Context))
		}
	}
	if len(d.History) > 0 {
		b.WriteString("\nhistory:\n")
		for _, h := range d.History {
			line := fmt.Sprintf("  %s  %s  %s  %s", when(h.At), orDash(h.Actor), h.What, printable(h.Detail))
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	return writeAll(a.stdout, b.String())
}

// triage makes a command that changes one finding and prints it.
func (a *app) triage(c *cobra.Command, do func(ctx context.Context, s *known, id string) (registry.Finding, error)) *cobra.Command {
	c.Args = argCount(1, 1, "one finding's ID")
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
			return a.changed(do(ctx, s, args[0]))
		})
	}
	return c
}

// changed prints a finding that was changed.
func (a *app) changed(f registry.Finding, err error) error {
	if err != nil {
		return err
	}
	if a.asJSON {
		return a.printJSON(f)
	}
	return a.printFindings([]registry.Finding{f})
}

func (a *app) findingsAccept() *cobra.Command {
	var d decisionFlags
	var until, reason string
	c := &cobra.Command{
		Use: "accept ID | --rule RULE --path GLOB", Short: "Accept a finding until a date, for a reason",
		Long: `Accepts one finding; with --everywhere its value wherever it is and turns up
later; with --rule and --path what a generic rule finds at these paths. The last
two are decisions: findings decisions lists them, findings revoke takes one
back.`,
		Example: `  revenant findings accept 3f2a9c --until 2027-01-31 --reason 'archived'
  revenant findings accept 3f2a9c --everywhere --until 2027-01-31 \
    --reason 'key of a demo' --owner payments
  revenant findings accept --rule generic-api-key --path 'legacy/**' \
    --until 2027-01-31 --reason 'is being replaced'`,
		Args: d.args,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				t, err := a.untilFlag("--until", until)
				if err != nil {
					return err
				}
				if t.IsZero() || reason == "" {
					return usagef("an acceptance needs --until and --reason")
				}
				q, err := d.request(args)
				if err != nil {
					return err
				}
				if q.Status, q.Until, q.Reason = fingerprints.StatusAccepted, t, reason; d.decides() {
					return a.decide(ctx, s, q)
				}
				if err := s.refuse(ctx, reason); err != nil {
					return err
				}
				return a.changed(s.reg.Accept(ctx, s.actor, args[0], t, reason))
			})
		},
	}
	d.register(c)
	c.Flags().StringVar(&until, "until", "", "last day, as 2027-01-31, or a time")
	c.Flags().StringVar(&reason, "reason", "", "why it may stay")
	return c
}

func (a *app) findingsDismiss() *cobra.Command {
	var d decisionFlags
	var until, reason string
	c := &cobra.Command{
		Use: "dismiss ID | --rule RULE --path GLOB", Short: "Say that a generic finding is no secret",
		Long: `Dismisses one finding; with --everywhere its value wherever it is and turns up
later; with --rule and --path what a generic rule finds at these paths. The last
two are decisions: findings decisions lists them, findings revoke takes one
back.
A registered value is never dismissed.`,
		Example: `  revenant findings dismiss 3f2a9c --reason 'test vector'
  revenant findings dismiss 3f2a9c --everywhere --reason 'from the manual'
  revenant findings dismiss --rule generic-api-key --path 'testdata/**' \
    --reason 'made for tests' --owner payments`,
		Args: d.args,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				t, err := a.untilFlag("--until", until)
				if err != nil {
					return err
				}
				q, err := d.request(args)
				switch {
				case err != nil:
					return err
				case reason == "":
					return usagef("say why it is no secret: --reason TEXT")
				case !d.decides() && !t.IsZero():
					return usagef("--until goes with --everywhere or --rule")
				}
				if q.Status, q.Until, q.Reason = fingerprints.StatusFalsePositive, t, reason; d.decides() {
					return a.decide(ctx, s, q)
				}
				if err := s.refuse(ctx, reason); err != nil {
					return err
				}
				return a.changed(s.reg.Dismiss(ctx, s.actor, args[0], reason))
			})
		},
	}
	d.register(c)
	c.Flags().StringVar(&until, "until", "", "last day of a decision (default: no end)")
	c.Flags().StringVar(&reason, "reason", "", "why it is no secret")
	return c
}

func (a *app) findingsAssign() *cobra.Command {
	var owner string
	c := a.triage(&cobra.Command{
		Use: "assign ID", Short: "Give a finding an owner",
		Example: "  revenant findings assign 3f2a9c --owner payments",
	}, func(ctx context.Context, s *known, id string) (registry.Finding, error) {
		if owner == "" {
			return registry.Finding{}, usagef("say to whom: --owner NAME")
		}
		if err := s.refuse(ctx, owner); err != nil {
			return registry.Finding{}, err
		}
		return s.reg.Assign(ctx, s.actor, id, owner)
	})
	c.Flags().StringVar(&owner, "owner", "", "person or team")
	return c
}

func (a *app) findingsDue() *cobra.Command {
	var by string
	var byVerdict bool
	c := a.triage(&cobra.Command{
		Use: "due ID", Short: "Say until when a finding has to be cleared up",
		Long: `Sets the due date of a finding, which goes before the one that follows from its
verdict and its secret's class; --by-verdict takes it back.`,
		Example: "  revenant findings due 3f2a9c --by 2027-01-31",
	}, func(ctx context.Context, s *known, id string) (registry.Finding, error) {
		due, err := a.untilFlag("--by", by)
		if err != nil {
			return registry.Finding{}, err
		}
		if due.IsZero() != byVerdict {
			return registry.Finding{}, usagef("say when: --by DAY, or --by-verdict")
		}
		return s.reg.SetDue(ctx, s.actor, id, due)
	})
	c.Flags().StringVar(&by, "by", "", "last day, as 2027-01-31, or a time")
	c.Flags().BoolVar(&byVerdict, "by-verdict", false, "as verdict and class say again")
	return c
}

func (a *app) findingsReopen() *cobra.Command {
	return a.triage(&cobra.Command{
		Use: "reopen ID", Short: "Take an acceptance or dismissal back",
		Example: "  revenant findings reopen 3f2a9c",
	}, func(ctx context.Context, s *known, id string) (registry.Finding, error) {
		return s.reg.Reopen(ctx, s.actor, id)
	})
}

func (a *app) findingsExport() *cobra.Command {
	var ff filterFlags
	var format string
	c := &cobra.Command{
		Use: "export", Short: "Write findings with all their places as JSON lines or CSV",
		Example: "  revenant findings export --format csv --verdict stale > stale.csv",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := ff.filter()
			if err != nil {
				return err
			}
			if format != "jsonl" && format != "csv" {
				return usagef("--format is jsonl or csv")
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := ff.known(ctx, s, f); err != nil {
					return err
				}
				if format == "csv" {
					return a.exportCSV(ctx, s, f)
				}
				enc := json.NewEncoder(a.stdout)
				enc.SetEscapeHTML(false)
				return s.reg.Export(ctx, s.actor, f, func(d registry.FindingDetail) error { return enc.Encode(d) })
			})
		},
	}
	ff.register(c)
	c.Flags().StringVar(&format, "format", "jsonl", "jsonl or csv")
	return c
}

func (a *app) exportCSV(ctx context.Context, s *known, f store.FindingFilter) error {
	w, err := export.NewRows(a.stdout)
	if err != nil {
		return err
	}
	return s.reg.Export(ctx, s.actor, f, w.Write)
}
