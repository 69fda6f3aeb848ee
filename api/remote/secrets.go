package remote

import (
	"context"

	"revenant/api/client"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// List lists secrets in order of name.
func (r *Registry) List(ctx context.Context, _ registry.Actor, f registry.ListFilter) ([]registry.SecretSummary, error) {
	first := f.After
	return each(ctx, f.Limit, func(after string, limit int) ([]wire.SecretSummary, string, error) {
		if after == "" {
			after = first
		}
		p, err := r.c.Secrets(ctx, client.SecretFilter{Prefix: f.Prefix, Class: f.Class, Owner: f.Owner, State: f.State, After: after, Limit: limit})
		return p.Secrets, p.Next, err
	})
}

// Show is all that is known of a secret.
func (r *Registry) Show(ctx context.Context, _ registry.Actor, name string) (registry.SecretView, error) {
	return one(r.c.Secret(ctx, name))
}

// History is what was done to a secret, the oldest first.
func (r *Registry) History(ctx context.Context, _ registry.Actor, name string) ([]registry.AuditEntry, error) {
	return one(r.c.History(ctx, name))
}

// Supersede moves a version from active to superseded.
func (r *Registry) Supersede(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef, o registry.SupersedeOptions) (registry.Changed, error) {
	return one(r.c.Supersede(ctx, ref, o.Window))
}

// Activate moves a version to active, also back.
func (r *Registry) Activate(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef, o registry.ActivateOptions) (registry.Changed, error) {
	return one(r.c.Activate(ctx, ref, o.Window))
}

// Retire retires a version for ever.
func (r *Registry) Retire(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef, o registry.RetireOptions) (registry.Changed, error) {
	return one(r.c.Retire(ctx, ref, o.NoSuccessor))
}

// Compromise says that others know a version's value.
func (r *Registry) Compromise(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef) (registry.Changed, error) {
	return one(r.c.Compromise(ctx, ref))
}

// Abandon moves a version from pending to abandoned.
func (r *Registry) Abandon(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef) (registry.Changed, error) {
	return one(r.c.Abandon(ctx, ref))
}

// Ack says that a consumer uses a version.
func (r *Registry) Ack(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef, consumer string) (registry.Acknowledged, error) {
	return one(r.c.Ack(ctx, ref, consumer))
}

// Allow names a legitimate home of a secret's values.
func (r *Registry) Allow(ctx context.Context, _ registry.Actor, q registry.AllowRequest) (registry.AllowResult, error) {
	return one(r.c.Allow(ctx, q.Name, client.Home{Source: q.Source, Path: q.Path, Until: q.Until, Reason: q.Reason}))
}

// Unallow takes an allowed home back.
func (r *Registry) Unallow(ctx context.Context, _ registry.Actor, name string, id int64) (registry.AllowResult, error) {
	return one(r.c.Unallow(ctx, name, id))
}

// Coverage is where a version was searched for, and where not and why.
func (r *Registry) Coverage(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef) (registry.Coverage, error) {
	return one(r.c.Coverage(ctx, ref))
}

// Prove signs what is known of copies of a version.
func (r *Registry) Prove(ctx context.Context, _ registry.Actor, ref fingerprints.VersionRef, o registry.ProveOptions) (registry.SignedProof, error) {
	return one(r.c.Prove(ctx, ref, o.IncludeHistory, o.AcceptSkip))
}

// CheckProof has the server check a proof, which is its installation's or none.
func (r *Registry) CheckProof(ctx context.Context, document []byte) (registry.Proof, error) {
	return one(r.c.VerifyProof(ctx, document))
}
