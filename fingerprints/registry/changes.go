package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// FeedPosition is how far somebody followed the feed of changes. It is kept as
// JSON; the zero position is before everything.
type FeedPosition struct {
	Change uint64    `json:"change"`         // of findings themselves
	Audit  uint64    `json:"audit"`          // of the audit chain, which tells of versions
	Clock  time.Time `json:"clock,omitzero"` // up to where what time alone changes was told
	Page   FeedRest  `json:"page,omitzero"`
}

// FeedRest is what of the feed is being told, where one change concerns many
// findings.
type FeedRest struct {
	Secrets []string               `json:"secrets,omitempty"` // all findings of these, the first one now
	Until   time.Time              `json:"until,omitzero"`    // what time changed up to here
	After   fingerprints.FindingID `json:"after,omitempty"`
}

// FeedPage is a page of the feed: findings that may be other than they were.
type FeedPage struct {
	Findings []FeedFinding
	// Forgotten are sources that were forgotten with their findings, before any of
	// Findings came to be.
	Forgotten []string
	Next      FeedPosition
	More      bool // there is more to tell at once
}

// FeedFinding is a finding as it is now.
type FeedFinding struct {
	Finding
	// VerdictSince is when its version's state gave it its verdict; zero: a verdict
	// that no state gives.
	VerdictSince time.Time
}

const (
	// feedSteps bounds the work of one page.
	feedSteps = 64
	// feedSecrets is how many secrets a position names at most.
	feedSecrets = 50
	// idleClock is how far the clock of a feed may lag while nothing happens, so
	// that following it writes nothing.
	idleClock = time.Minute
)

// FeedEnd is the position behind everything that happened until now.
func (r *Registry) FeedEnd(ctx context.Context, a Actor) (FeedPosition, error) {
	var out FeedPosition
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		change, err := v.tx.LastChange(ctx)
		if err != nil {
			return err
		}
		last, err := v.tx.LastAudit(ctx)
		out = FeedPosition{Change: change, Audit: last.Sequence, Clock: v.now}
		return err
	})
	return out, err
}

// Changes tells which findings changed after a position, about limit at once: in
// themselves, by the state of a version, or by the passing of time. Each is told
// as it is now; whoever follows compares with what it was. The same finding may
// be told again without a change. A finding that was merged is told under its new
// id, with the old one among its aliases; of what a forgotten source takes along
// only the source is told.
func (r *Registry) Changes(ctx context.Context, a Actor, after FeedPosition, limit int) (FeedPage, error) {
	if limit < 1 {
		return FeedPage{}, fmt.Errorf("following changes: %w", badInput("limit", "give at least 1"))
	}
	out := FeedPage{}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		f := feed{view: v, ctx: ctx, limit: limit, at: after, show: newShowing(a)}
		f.at.Page.Secrets = slices.Clone(after.Page.Secrets)
		for range feedSteps {
			went, err := f.step()
			if err != nil {
				return err
			}
			if !went {
				out = FeedPage{Findings: f.out, Forgotten: f.forgotten, Next: f.at}
				return nil
			}
			if len(f.out) >= limit {
				break
			}
		}
		out = FeedPage{Findings: f.out, Forgotten: f.forgotten, Next: f.at, More: true}
		return nil
	})
	return out, err
}

// feed is one page in the making.
type feed struct {
	*view
	ctx       context.Context //nolint:containedctx // of one call
	limit     int
	at        FeedPosition
	out       []FeedFinding
	forgotten []string
	show      showing
}

// step tells a little more and moves on; false: there is no more. Versions come
// first: they change rarely, and what they change should be known at once.
func (f *feed) step() (bool, error) {
	switch {
	case len(f.at.Page.Secrets) > 0:
		return true, f.ofSecret()
	case !f.at.Page.Until.IsZero():
		return true, f.ofTime()
	}
	for _, look := range []func() (bool, error){f.audit, f.clock, f.changed} {
		if went, err := look(); went || err != nil {
			return went, err
		}
	}
	return false, nil
}

// room is how many more findings the page takes.
func (f *feed) room() int { return max(f.limit-len(f.out), 1) }

func (f *feed) add(list []store.FindingView) error {
	for _, x := range list {
		shown, err := f.show.finding(f.ctx, f.tx, x)
		if err != nil {
			return err
		}
		c := FeedFinding{Finding: shown}
		if len(x.Matches) > 0 {
			c.VerdictSince = verdictSince(x.Verdict, x.Matches[0].Version)
		}
		f.out = append(f.out, c)
	}
	return nil
}

// ofSecret tells findings of the first secret of the page.
func (f *feed) ofSecret() error {
	p := &f.at.Page
	room := f.room()
	// Of a secret that others own there are findings of who is bound to teams: which
	// they are is looked up for all, and what is told of them for the actor.
	seen := f.tx.Narrow(nil)
	list, err := f.tx.Findings(f.ctx, f.now, store.FindingFilter{Secret: p.Secrets[0], After: p.After, Limit: room})
	f.tx.Narrow(seen)
	if err != nil {
		return err
	}
	if len(list) < room {
		p.Secrets, p.After = p.Secrets[1:], ""
	} else {
		p.After = list[len(list)-1].ID
	}
	if len(seen) == 0 {
		return f.add(list)
	}
	ids := make([]fingerprints.FindingID, len(list))
	for i, x := range list {
		ids[i] = x.ID
	}
	return f.byID(ids)
}

// ofTime tells findings that changed by the passing of time.
func (f *feed) ofTime() error {
	p := &f.at.Page
	room := f.room()
	ids, err := f.tx.Lapsed(f.ctx, f.at.Clock, p.Until, p.After, room)
	if err != nil {
		return err
	}
	if len(ids) < room {
		f.at.Clock, f.at.Page = p.Until, FeedRest{}
	} else {
		p.After = ids[len(ids)-1]
	}
	return f.byID(ids)
}

func (f *feed) byID(ids []fingerprints.FindingID) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := f.tx.Findings(f.ctx, f.now, store.FindingFilter{IDs: ids})
	if err != nil {
		return err
	}
	return f.add(list)
}

// errEnough ends a walk over the audit chain.
var errEnough = errors.New("enough of the audit chain")

// audit looks for secrets whose versions changed.
func (f *feed) audit() (bool, error) {
	before, seen := f.at.Audit, 0
	var secrets []string
	err := f.tx.EachAudit(f.ctx, f.at.Audit+1, func(rec store.AuditRecord) error {
		f.at.Audit = rec.Sequence
		e := entryOf(rec)
		if e.Action == "source.forget" {
			f.forgotten = append(f.forgotten, e.Subject)
		}
		if secret := moves(e); secret != "" && !slices.Contains(secrets, secret) {
			secrets = append(secrets, secret)
		}
		if seen++; len(secrets) == feedSecrets || seen == exportPage {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return false, err
	}
	if len(secrets) > 0 {
		f.at.Page = FeedRest{Secrets: secrets}
	}
	return f.at.Audit > before, nil
}

// moves names the secret whose findings may have another verdict, or another
// severity, after an entry; empty: none.
func moves(e AuditEntry) string {
	switch e.Action {
	case "version.ack", "version.prove", "secret.refresh":
		return ""
	}
	if !strings.HasPrefix(e.Action, "version.") && !strings.HasPrefix(e.Action, "secret.") {
		return ""
	}
	secret, _, _ := strings.Cut(e.Subject, "@")
	return secret
}

// clock looks for what ended since the clock was read.
func (f *feed) clock() (bool, error) {
	if f.at.Clock.IsZero() {
		f.at.Clock = f.now
	}
	if !f.now.After(f.at.Clock) {
		return false, nil
	}
	ids, err := f.tx.Lapsed(f.ctx, f.at.Clock, f.now, "", 1)
	if err != nil {
		return false, err
	}
	if len(ids) > 0 {
		f.at.Page = FeedRest{Until: f.now}
		return true, nil
	}
	if f.now.Sub(f.at.Clock) > idleClock {
		f.at.Clock = f.now
	}
	return false, nil
}

// changed tells findings that changed in themselves.
func (f *feed) changed() (bool, error) {
	list, err := f.tx.Changes(f.ctx, f.at.Change, f.room())
	if err != nil || len(list) == 0 {
		return false, err
	}
	ids := make([]fingerprints.FindingID, len(list))
	for i, c := range list {
		ids[i] = c.Finding
	}
	f.at.Change = list[len(list)-1].Number
	return true, f.byID(ids)
}

// FindingsByID shows findings in the order of their ids, each with its first
// places and without its history. Aliases are followed; a finding that is gone
// from the store is left out.
func (r *Registry) FindingsByID(ctx context.Context, a Actor, ids []fingerprints.FindingID, places int) ([]FindingDetail, error) {
	out := []FindingDetail{}
	if len(ids) == 0 {
		return out, nil
	}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		list, err := v.tx.Findings(ctx, v.now, store.FindingFilter{IDs: ids})
		if err != nil {
			return err
		}
		details, err := newShowing(a).briefly(ctx, v.tx, list, places)
		if err != nil {
			return err
		}
		byID := map[fingerprints.FindingID]FindingDetail{}
		for _, d := range details {
			byID[d.ID] = d
			for _, alias := range d.Aliases {
				byID[alias] = d
			}
		}
		for _, id := range ids {
			if d, has := byID[id]; has {
				out = append(out, d)
			}
		}
		return nil
	})
	return out, err
}
