package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// triage is one change of what people say of a finding.
type triage struct {
	action  string // as audit log and history say it
	details map[string]string
	// apply changes the finding and reports whether there was anything to
	// change.
	apply func(f *store.FindingView) (bool, error)
}

func (r *Registry) triage(ctx context.Context, a Actor, id, what string, t triage) (Finding, error) {
	var out Finding
	err := r.update(ctx, a, ScopeTriage, what, func(c *change) error {
		f, err := c.finding(ctx, id)
		if err != nil {
			return err
		}
		by := f.Decision
		if by != 0 { // what is stored with the finding is its own
			f.Status, f.Reason, f.Until = fingerprints.StatusOpen, "", time.Time{}
		}
		changes, err := t.apply(&f)
		if err == nil && by != 0 && f.Status == fingerprints.StatusOpen && t.action == "reopened" {
			err = fmt.Errorf("%w: revenant findings revoke %d", ErrDecided, by)
		}
		if err != nil {
			return err
		}
		if changes {
			for _, m := range f.Matches {
				if err := c.checkNoValue(ctx, m.Version.Secret, f.Reason, f.Owner, t.details["note"]); err != nil {
					return err
				}
			}
			var detail []string
			for _, k := range sortedKeys(t.details) {
				detail = append(detail, k+": "+t.details[k])
			}
			h := store.HistoryEntry{At: c.at, Actor: c.actor.Name, What: t.action, Detail: strings.Join(detail, "; ")}
			if err := c.tx.SetTriage(ctx, f.Finding, h); err != nil {
				return err
			}
			c.note("finding."+t.action, string(f.ID), t.details)
		}
		again, err := c.tx.Finding(ctx, c.at, f.ID)
		if err != nil {
			return err
		}
		return c.within(func() error { // also where it is another team's from now on
			out, err = newShowing(a).finding(ctx, c.tx, again)
			return err
		})
	})
	if err != nil {
		return Finding{}, err
	}
	return out, nil
}

func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return badInput("reason", "say why")
	}
	return checkText("reason", reason)
}

// Accept accepts a finding until a date, for a reason. When the date passes the
// finding is open again.
func (r *Registry) Accept(ctx context.Context, a Actor, id string, until time.Time, reason string) (Finding, error) {
	until = until.UTC().Truncate(time.Microsecond)
	err := checkReason(reason)
	if err == nil && !until.After(r.time()) {
		err = badInput("until", "give a date in the future; nothing is accepted for ever")
	}
	if err != nil {
		return Finding{}, fmt.Errorf("accepting a finding: %w", err)
	}
	return r.triage(ctx, a, id, "accepting a finding", triage{
		action:  "accepted",
		details: map[string]string{"until": until.Format(time.RFC3339), "reason": reason},
		apply: func(f *store.FindingView) (bool, error) {
			same := f.Status == fingerprints.StatusAccepted && f.Until.Equal(until) && f.Reason == reason
			f.Status, f.Until, f.Reason = fingerprints.StatusAccepted, until, reason
			return !same, nil
		},
	})
}

// Dismiss says that a finding is a false positive. A registered value is never
// one.
func (r *Registry) Dismiss(ctx context.Context, a Actor, id, reason string) (Finding, error) {
	if err := checkReason(reason); err != nil {
		return Finding{}, fmt.Errorf("dismissing a finding: %w", err)
	}
	return r.triage(ctx, a, id, "dismissing a finding", triage{
		action:  "dismissed",
		details: map[string]string{"reason": reason},
		apply: func(f *store.FindingView) (bool, error) {
			if len(f.Matches) > 0 {
				return false, fmt.Errorf("%w: it is the value of %s", ErrRegistered, f.Matches[0].Version.Ref())
			}
			same := f.Status == fingerprints.StatusFalsePositive && f.Reason == reason
			f.Status, f.Until, f.Reason = fingerprints.StatusFalsePositive, time.Time{}, reason
			return !same, nil
		},
	})
}

// Assign gives a finding an owner.
func (r *Registry) Assign(ctx context.Context, a Actor, id, owner string) (Finding, error) {
	if err := checkOwner(owner); err != nil {
		return Finding{}, fmt.Errorf("assigning a finding: %w", err)
	}
	return r.triage(ctx, a, id, "assigning a finding", triage{
		action:  "assigned",
		details: map[string]string{"owner": owner},
		apply: func(f *store.FindingView) (bool, error) {
			same := f.Owner == owner
			f.Owner = owner
			return !same, nil
		},
	})
}

// SetDue says until when a finding has to be cleared up; the zero time takes that
// back, and the date follows from its verdict again. What is cleared or allowed has no
// due date, whatever was set.
func (r *Registry) SetDue(ctx context.Context, a Actor, id string, due time.Time) (Finding, error) {
	due = due.UTC().Truncate(time.Microsecond)
	t := triage{action: "due-set", details: map[string]string{"due": due.Format(time.RFC3339)}}
	switch {
	case due.IsZero():
		t.action, t.details = "due-cleared", nil
	case !due.After(r.time()):
		return Finding{}, fmt.Errorf("setting a due date: %w", badInput("due", "give a date in the future"))
	}
	t.apply = func(f *store.FindingView) (bool, error) {
		same := f.Due.Equal(due)
		f.Due = due
		return !same, nil
	}
	return r.triage(ctx, a, id, "setting a due date", t)
}

// Note keeps what somebody found out about a finding in its history; nothing else of
// it changes.
func (r *Registry) Note(ctx context.Context, a Actor, id, text string) (Finding, error) {
	if strings.TrimSpace(text) == "" {
		return Finding{}, fmt.Errorf("noting: %w", badInput("note", "write something"))
	}
	if err := checkText("note", text); err != nil {
		return Finding{}, fmt.Errorf("noting: %w", err)
	}
	return r.triage(ctx, a, id, "noting", triage{
		action:  "noted",
		details: map[string]string{"note": text},
		apply:   func(*store.FindingView) (bool, error) { return true, nil },
	})
}

// Reopen takes an acceptance or dismissal back.
func (r *Registry) Reopen(ctx context.Context, a Actor, id string) (Finding, error) {
	return r.triage(ctx, a, id, "reopening a finding", triage{
		action: "reopened",
		apply: func(f *store.FindingView) (bool, error) {
			same := f.Status == fingerprints.StatusOpen && f.Reason == ""
			f.Status, f.Until, f.Reason = fingerprints.StatusOpen, time.Time{}, ""
			return !same, nil
		},
	})
}

// Standings says what people said of findings, and whether their values are
// too common to alert; unknown findings are left out.
func (r *Registry) Standings(ctx context.Context, a Actor, ids []fingerprints.FindingID) (map[fingerprints.FindingID]fingerprints.Standing, error) {
	out := map[fingerprints.FindingID]fingerprints.Standing{}
	if len(ids) == 0 {
		return out, nil
	}
	err := r.view(ctx, a, ScopeScan, func(v *view) error {
		found, err := v.tx.Findings(ctx, v.now, store.FindingFilter{IDs: ids})
		for _, f := range found {
			out[f.ID] = fingerprints.Standing{Status: f.Status, TooCommon: f.TooCommon}
			for _, alias := range f.Aliases {
				out[alias] = out[f.ID]
			}
		}
		return err
	})
	return out, err
}
