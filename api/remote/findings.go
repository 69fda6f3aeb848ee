package remote

import (
	"context"
	"errors"
	"time"

	"revenant/api/client"
	"revenant/api/wire"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// errEnough ends an export of which no more is wanted.
var errEnough = errors.New("enough")

func filterOf(f store.FindingFilter) client.FindingFilter {
	return client.FindingFilter{
		Secret: f.Secret, Version: f.Version, Source: f.SourceID, PathGlob: f.PathGlob, Rule: f.Rule, Owner: f.Owner,
		Verdicts: f.Verdicts, Statuses: f.Statuses, Presences: f.Presences,
	}
}

// Findings lists findings in order of id.
func (r *Registry) Findings(ctx context.Context, _ registry.Actor, f store.FindingFilter) ([]registry.Finding, error) {
	return each(ctx, f.Limit, func(after string, limit int) ([]wire.FindingView, string, error) {
		if after == "" {
			after = string(f.After)
		}
		p, err := r.c.Findings(ctx, filterOf(f), after, limit)
		return p.Findings, p.Next, err
	})
}

// Finding is one finding with its places and its history.
func (r *Registry) Finding(ctx context.Context, _ registry.Actor, id string) (registry.FindingDetail, error) {
	return one(r.c.Finding(ctx, id))
}

// Export calls fn for every finding that a filter selects, with its places and its
// history.
func (r *Registry) Export(ctx context.Context, _ registry.Actor, f store.FindingFilter, fn func(registry.FindingDetail) error) error {
	n := 0
	err := r.c.Export(ctx, filterOf(f), func(d wire.FindingDetail) error {
		if f.Limit > 0 && n == f.Limit {
			return errEnough
		}
		n++
		return fn(d)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return known(err)
}

func (r *Registry) triage(ctx context.Context, id string, t client.Triage) (registry.Finding, error) {
	return one(r.c.Triage(ctx, id, t))
}

// Accept accepts a finding until a date.
func (r *Registry) Accept(ctx context.Context, _ registry.Actor, id string, until time.Time, reason string) (registry.Finding, error) {
	return r.triage(ctx, id, client.Triage{Action: "accept", Until: until, Reason: reason})
}

// Dismiss says that a finding is no secret.
func (r *Registry) Dismiss(ctx context.Context, _ registry.Actor, id, reason string) (registry.Finding, error) {
	return r.triage(ctx, id, client.Triage{Action: "dismiss", Reason: reason})
}

// Assign gives a finding an owner.
func (r *Registry) Assign(ctx context.Context, _ registry.Actor, id, owner string) (registry.Finding, error) {
	return r.triage(ctx, id, client.Triage{Action: "assign", Owner: owner})
}

// SetDue says until when a finding has to be cleared up; the zero time takes that back.
func (r *Registry) SetDue(ctx context.Context, _ registry.Actor, id string, due time.Time) (registry.Finding, error) {
	return r.triage(ctx, id, client.Triage{Action: "due", Due: due})
}

// Reopen takes an acceptance or a dismissal back.
func (r *Registry) Reopen(ctx context.Context, _ registry.Actor, id string) (registry.Finding, error) {
	return r.triage(ctx, id, client.Triage{Action: "reopen"})
}

// Decide decides about a value everywhere, or about a rule and paths.
func (r *Registry) Decide(ctx context.Context, _ registry.Actor, q registry.DecisionRequest) (registry.DecisionResult, error) {
	return one(r.c.Decide(ctx, client.Decision{
		Finding: q.Finding, Rule: q.Rule, Source: q.Source, Path: q.Path, Status: q.Status, Until: q.Until, Reason: q.Reason, Owner: q.Owner,
	}))
}

// Decisions lists what was decided.
func (r *Registry) Decisions(ctx context.Context, _ registry.Actor) ([]registry.DecisionView, error) {
	return each(ctx, 0, func(after string, limit int) ([]wire.DecisionView, string, error) {
		p, err := r.c.Decisions(ctx, after, limit)
		return p.Decisions, p.Next, err
	})
}

// Revoke takes a decision back.
func (r *Registry) Revoke(ctx context.Context, _ registry.Actor, id int64) (registry.DecisionResult, error) {
	return one(r.c.RevokeDecision(ctx, id))
}

// Search asks the server's index.
func (r *Registry) Search(ctx context.Context, q query.Query, p search.Page) (search.Result, error) {
	facets := make([]string, len(p.Facets))
	for i, f := range p.Facets {
		facets[i] = string(f)
	}
	var out search.Result
	err := r.c.Search(ctx, client.Search{Query: q.String(), Limit: p.Limit, After: p.After, Order: string(p.Order), Facets: facets, Top: p.Top}, &out)
	return out, known(err)
}

// Suggest says what may follow in a query that is being typed.
func (r *Registry) Suggest(ctx context.Context, _ registry.Actor, begun string, limit int) ([]string, error) {
	return one(r.c.Suggest(ctx, begun, limit))
}
