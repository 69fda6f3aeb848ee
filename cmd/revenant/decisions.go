package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints/registry"
)

// decisionFlags turn a word about one finding into one about its value, or about
// a rule and paths.
type decisionFlags struct {
	everywhere         bool
	rule, path, source string
	owner              string
}

func (d *decisionFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&d.everywhere, "everywhere", false, "the value of this finding, at every place and wherever it turns up later")
	f.StringVar(&d.rule, "rule", "", "in place of an ID: what this generic rule finds (* for all rules), now and later; with --path")
	f.StringVar(&d.path, "path", "", "glob over paths for --rule; ** crosses folders")
	f.StringVar(&d.source, "source", "", "glob over source ids for --rule (default: every source)")
	f.StringVar(&d.owner, "owner", "", "who answers for the decision, with --everywhere or --rule")
}

// decides reports whether more than one finding is meant.
func (d *decisionFlags) decides() bool { return d.everywhere || d.rule != "" }

// args wants an ID where no rule is named.
func (d *decisionFlags) args(c *cobra.Command, args []string) error {
	if d.rule != "" {
		return argCount(0, 0, "no ID beside --rule")(c, args)
	}
	return argCount(1, 1, "one finding's ID, or --rule with --path")(c, args)
}

// request is what the flags ask for.
func (d *decisionFlags) request(args []string) (registry.DecisionRequest, error) {
	q := registry.DecisionRequest{Rule: d.rule, Path: d.path, Source: d.source, Owner: d.owner}
	switch {
	case d.rule != "" && d.everywhere:
		return q, usagef("--everywhere is about a value, --rule about a rule: choose one")
	case d.rule != "" && d.path == "":
		return q, usagef("--rule goes with --path: a glob of the paths that are meant, ** for all")
	case d.rule == "" && (d.path != "" || d.source != ""):
		return q, usagef("--path and --source go with --rule")
	case !d.decides() && d.owner != "":
		return q, usagef("--owner goes with --everywhere or --rule; findings assign gives one finding an owner")
	}
	if len(args) > 0 {
		q.Finding = args[0]
	}
	return q, nil
}

// decide makes a decision and prints it.
func (a *app) decide(ctx context.Context, s *known, q registry.DecisionRequest) error {
	if err := s.refuse(ctx, q.Rule, q.Path, q.Source, q.Owner, q.Reason); err != nil {
		return err
	}
	r, err := s.reg.Decide(ctx, s.actor, q)
	if errors.Is(err, registry.ErrInput) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if a.asJSON {
		return a.printJSON(r)
	}
	if r.Unchanged {
		a.note("nothing to change: it was decided before")
	}
	return a.printDecisions([]registry.DecisionView{r.Decision})
}

func (a *app) findingsDecisions() *cobra.Command {
	return &cobra.Command{
		Use: "decisions", Short: "List decisions about values, and about rules and paths",
		Long: `Shows what accept and dismiss decided with --everywhere or --rule: until when,
by whom, and how many findings have their status by it. One that has run out or
that no finding needs any more can go: revoke takes it back.

A finding's own status goes before a decision. None holds for a registered value
that has to be rotated, whatever was decided before; one about a rule holds for
no registered value, and not where another rule matched too.`,
		Example: "  revenant findings decisions",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				list, err := s.reg.Decisions(ctx, s.actor)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				if len(list) == 0 {
					a.note("nothing was decided about values, or rules and paths")
					return nil
				}
				return a.printDecisions(list)
			})
		},
	}
}

func (a *app) findingsRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke NUMBER", Short: "Take a decision back",
		Example: "  revenant findings revoke 1",
		Args:    argCount(1, 1, "one decision's NUMBER"),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("a decision has a number: `revenant findings decisions` lists them")
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				r, err := s.reg.Revoke(ctx, s.actor, id)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(r)
				}
				a.note(fmt.Sprintf("decision %d is taken back; %s by it before", id, plural(r.Decision.Present, "finding had its status", "findings had their status")))
				return nil
			})
		},
	}
}

func (a *app) printDecisions(list []registry.DecisionView) error {
	var rows [][]string
	for _, d := range list {
		rows = append(rows, []string{
			strconv.FormatInt(d.ID, 10), string(d.Status), aboutText(d), decisionEnd(d), findingCount(d), orDash(d.Owner), d.Reason,
		})
	}
	return a.table([]string{"NUMBER", "STATUS", "ABOUT", "UNTIL", "FINDINGS", "OWNER", "REASON"}, rows)
}

func aboutText(d registry.DecisionView) string {
	if d.Value {
		return "one value, everywhere"
	}
	rule := d.Rule
	if rule == "*" {
		rule = "all rules"
	}
	about := rule + " in " + d.Path
	if d.Source != "**" {
		about += " of " + d.Source
	}
	return about
}

func decisionEnd(d registry.DecisionView) string {
	switch {
	case d.Over:
		return "ran out " + when(*d.Until)
	case d.Until != nil:
		return when(*d.Until)
	}
	return "no end"
}

// findingCount says how many findings have their status by the decision.
func findingCount(d registry.DecisionView) string {
	if d.Present == 0 {
		return "0, not in use"
	}
	return strconv.Itoa(d.Present)
}

// byDecision says of a finding's status that it is by a decision.
func byDecision(f registry.Finding) string {
	return strings.TrimSpace(fmt.Sprintf("%s by decision %d of %s", f.Status, f.Decision, printable(f.DecidedBy)))
}
