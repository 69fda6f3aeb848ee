package registry

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"revenant/api/wire"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// DecisionRequest gives a status to a value wherever it is, or to what a generic
// rule finds at some places, also to what is found later.
type DecisionRequest struct {
	// Finding is one that has the value; empty: the decision is about Rule.
	Finding string
	Rule    string // a generic rule, or * for all of them
	Source  string // glob over source ids; "" is every source
	Path    string // glob over paths; it must be given with Rule
	Status  fingerprints.Status
	Until   time.Time // zero: no end, for a false positive alone
	Reason  string
	Owner   string // who answers for it
}

// DecisionView is a decision as people see it.
type DecisionView = wire.DecisionView

// DecisionResult is what Decide or Revoke did.
type DecisionResult = wire.DecisionResult

// Decide makes a decision. It takes effect on known findings at once.
func (r *Registry) Decide(ctx context.Context, a Actor, q DecisionRequest) (DecisionResult, error) {
	q.Until = q.Until.UTC().Truncate(time.Microsecond)
	if err := r.checkDecision(q); err != nil {
		return DecisionResult{}, fmt.Errorf("deciding: %w", err)
	}
	var out DecisionResult
	err := r.updateAll(ctx, a, ScopeTriage, "deciding", func(c *change) error {
		out = DecisionResult{}
		d := store.Decision{
			Rule: q.Rule, SourceGlob: orAll(q.Source), PathGlob: orAll(q.Path), Status: q.Status, Until: q.Until,
			Reason: q.Reason, Owner: q.Owner, CreatedAt: c.at, Actor: c.actor.Name,
		}
		if q.Finding != "" {
			var err error
			if d.Value, err = c.decidedValue(ctx, q); err != nil {
				return err
			}
		}
		known, err := c.tx.Decisions(ctx)
		if err != nil {
			return err
		}
		for _, k := range known {
			if sameDecision(k, d) {
				out.Unchanged = true
				out.Decision, err = decisionView(ctx, c.tx, c.at, k)
				return err
			}
		}
		if d.ID, err = c.tx.AddDecision(ctx, d); err != nil {
			return err
		}
		c.note("finding.decide", decisionSubject(d.ID), decisionDetails(d))
		if err := c.tie(ctx, d); err != nil {
			return err
		}
		out.Decision, err = decisionView(ctx, c.tx, c.at, d)
		return err
	})
	if err != nil {
		return DecisionResult{}, err
	}
	return out, nil
}

func (r *Registry) checkDecision(q DecisionRequest) error {
	if err := checkReason(q.Reason); err != nil {
		return err
	}
	if err := checkOwner(q.Owner); err != nil {
		return err
	}
	switch {
	case q.Status != fingerprints.StatusAccepted && q.Status != fingerprints.StatusFalsePositive:
		return badInput("status", "it is %s or %s", fingerprints.StatusAccepted, fingerprints.StatusFalsePositive)
	case !q.Until.IsZero() && !q.Until.After(r.time()):
		return badInput("until", "the date has passed")
	case q.Until.IsZero() && q.Status == fingerprints.StatusAccepted:
		return badInput("until", "give a date in the future; nothing is accepted for ever")
	}
	if err := q.checkScope(); err != nil {
		return err
	}
	if err := checkText("path", q.Path+q.Source); err != nil {
		return err
	}
	return checkText("rule", q.Rule)
}

// checkScope refuses a decision that is about nothing, or about two things.
func (q DecisionRequest) checkScope() error {
	byRule := q.Finding == ""
	switch {
	case !byRule && (q.Rule != "" || q.Source != "" || q.Path != ""):
		return badInput("decision", "it is about a finding's value at every place, or about a rule at some; not both")
	case byRule && (q.Rule == "" || q.Path == ""):
		return badInput("decision", "name a rule, or * for all, and a glob of paths")
	case !doublestar.ValidatePattern(orAll(q.Source)) || len(q.Source) > 1000:
		return badInput("source", "not a glob; * stays inside a path segment, ** does not")
	case !doublestar.ValidatePattern(orAll(q.Path)) || len(q.Path) > 1000:
		return badInput("path", "not a glob; * stays inside a path segment, ** does not")
	}
	return nil
}

// decidedValue is the value of the finding that a request names, if its verdict
// lets anybody decide about it.
func (c *change) decidedValue(ctx context.Context, q DecisionRequest) (fingerprints.ValueID, error) {
	f, err := c.finding(ctx, q.Finding)
	if err != nil {
		return f.Value, err
	}
	for _, m := range f.Matches {
		if q.Status == fingerprints.StatusFalsePositive {
			return f.Value, fmt.Errorf("%w: it is the value of %s", ErrRegistered, m.Version.Ref())
		}
		// The verdict of a place says nothing of the others: an allowed home is one.
		v := fingerprints.Correlate(fingerprints.Circumstance{
			Registered: true, State: m.Version.State, Compromised: m.Version.Compromised(), WindowEnds: m.Version.WindowEnds, Presence: fingerprints.PresenceTip,
		}, c.at)
		if !fingerprints.Decidable(fingerprints.DecidedByValue, q.Status, v) {
			return f.Value, fmt.Errorf("%w: copies of %s are %s", ErrNotDecidable, m.Version.Ref(), v)
		}
		if err := c.checkNoValue(ctx, m.Version.Secret, q.Reason, q.Owner); err != nil {
			return f.Value, err
		}
	}
	if f.Value.IsZero() {
		return f.Value, ErrNoValueID
	}
	return f.Value, nil
}

func sameDecision(a, b store.Decision) bool {
	return a.Value == b.Value && a.Rule == b.Rule && a.SourceGlob == b.SourceGlob && a.PathGlob == b.PathGlob &&
		a.Status == b.Status && a.Until.Equal(b.Until) && a.Reason == b.Reason && a.Owner == b.Owner
}

func decisionSubject(id int64) string { return "decision:" + strconv.FormatInt(id, 10) }

func decisionDetails(d store.Decision) map[string]string {
	out := map[string]string{"status": string(d.Status), "until": untilText(d.Until), "reason": d.Reason}
	if d.Owner != "" {
		out["owner"] = d.Owner
	}
	if d.Scope() == fingerprints.DecidedByValue {
		out["value"] = d.Value.String()
		return out
	}
	out["rule"], out["source"], out["path"] = d.Rule, d.SourceGlob, d.PathGlob
	return out
}

// tie notes a new decision at the known findings that it is about. The raw path
// of a finding is not stored, so its redacted path decides here and the raw one
// again with the next scan.
func (c *change) tie(ctx context.Context, d store.Decision) error {
	var about []fingerprints.FindingID
	err := c.tx.EachPlace(ctx, c.at, store.FindingFilter{Value: d.Value}, func(p store.Place) error {
		if About(d, p.Value, p.SourceID, p.Path) {
			about = append(about, p.Finding)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading places: %w", err)
	}
	if err := c.tx.AddDecided(ctx, d.ID, about); err != nil {
		return fmt.Errorf("noting a decision at findings: %w", err)
	}
	return nil
}

// Revoke takes a decision back.
func (r *Registry) Revoke(ctx context.Context, a Actor, id int64) (DecisionResult, error) {
	var out DecisionResult
	err := r.updateAll(ctx, a, ScopeTriage, "taking a decision back", func(c *change) error {
		out = DecisionResult{}
		known, err := c.tx.Decisions(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(known, func(d store.Decision) bool { return d.ID == id })
		if i < 0 {
			return ErrUnknownDecision
		}
		if out.Decision, err = decisionView(ctx, c.tx, c.at, known[i]); err != nil {
			return err
		}
		c.note("finding.revoke", decisionSubject(id), decisionDetails(known[i]))
		return c.tx.RemoveDecision(ctx, id)
	})
	if err != nil {
		return DecisionResult{}, err
	}
	return out, nil
}

// Decisions lists every decision with what it is good for now.
func (r *Registry) Decisions(ctx context.Context, a Actor) ([]DecisionView, error) {
	out := []DecisionView{}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		list, err := v.tx.Decisions(ctx)
		if err != nil {
			return err
		}
		for _, d := range list {
			shown, err := decisionView(ctx, v.tx, v.now, d)
			if err != nil {
				return err
			}
			out = append(out, shown)
		}
		return nil
	})
	return out, err
}

// DecisionsForScan are the decisions that a scan honours, those that have run out
// among them, so that it can say so.
func (r *Registry) DecisionsForScan(ctx context.Context, a Actor) ([]store.Decision, error) {
	var out []store.Decision
	err := r.view(ctx, a, ScopeScan, func(v *view) (err error) {
		out, err = v.tx.Decisions(ctx)
		return err
	})
	return out, err
}

func decisionView(ctx context.Context, tx store.Tx, now time.Time, d store.Decision) (DecisionView, error) {
	out := DecisionView{
		ID: d.ID, Value: d.Scope() == fingerprints.DecidedByValue, Rule: d.Rule, Source: d.SourceGlob, Path: d.PathGlob, Status: d.Status,
		Until: optionalTime(d.Until), Over: Over(d, now), Reason: d.Reason, Owner: d.Owner, Actor: d.Actor, At: d.CreatedAt,
	}
	verdicts, err := tx.CountVerdicts(ctx, now, store.FindingFilter{Decision: d.ID})
	for v, n := range verdicts {
		out.Findings += n
		if v != fingerprints.VerdictCleared {
			out.Present += n
		}
	}
	return out, err
}

// Over reports whether a decision has run out.
func Over(d store.Decision, now time.Time) bool { return !d.Until.IsZero() && !now.Before(d.Until) }

// About reports whether a decision is about a value or a place, by the rules of
// Covers; what its rule found there is another question.
func About(d store.Decision, value fingerprints.ValueID, sourceID, rawPath string) bool {
	if d.Scope() == fingerprints.DecidedByValue {
		return value == d.Value
	}
	return sourceMatch(d.SourceGlob, sourceID) && pathMatch(d.PathGlob, rawPath)
}

// Holds reports whether a decision gives its status to a finding that it is
// About and that these generic rules matched, while it has not run out. One
// about a rule does not speak for what another rule sees in the same value.
func Holds(d store.Decision, rules []string, v fingerprints.Verdict) bool {
	if !fingerprints.Decidable(d.Scope(), d.Status, v) {
		return false
	}
	return d.Scope() == fingerprints.DecidedByValue || d.Rule == "*" || len(rules) == 1 && rules[0] == d.Rule
}
