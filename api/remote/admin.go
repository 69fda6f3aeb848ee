package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"revenant/api/client"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// Sources lists sources in order of id.
func (r *Registry) Sources(ctx context.Context, _ registry.Actor) ([]registry.SourceSummary, error) {
	return each(ctx, 0, func(after string, limit int) ([]wire.SourceSummary, string, error) {
		p, err := r.c.Sources(ctx, after, limit)
		return p.Sources, p.Next, err
	})
}

// Source is one source with its scans, and what the newest skipped.
func (r *Registry) Source(ctx context.Context, _ registry.Actor, id string) (registry.SourceView, error) {
	return one(r.c.Source(ctx, id))
}

// MoveSource gives a source another id.
func (r *Registry) MoveSource(ctx context.Context, _ registry.Actor, from, to string) (registry.SourceSummary, error) {
	return one(r.c.MoveSource(ctx, from, to))
}

// ForgetSource removes a source with its findings.
func (r *Registry) ForgetSource(ctx context.Context, _ registry.Actor, id string) error {
	return known(r.c.ForgetSource(ctx, id))
}

// Status is the registry in numbers.
func (r *Registry) Status(ctx context.Context, _ registry.Actor) (registry.Status, error) {
	return one(r.c.Status(ctx))
}

// Watches lists watches in order of name.
func (r *Registry) Watches(ctx context.Context, _ registry.Actor, f store.WatchFilter) ([]store.Watch, error) {
	rows, err := each(ctx, f.Limit, func(after string, limit int) ([]wire.Watch, string, error) {
		if after == "" {
			after = f.After
		}
		p, err := r.c.Watches(ctx, after, limit)
		return p.Watches, p.Next, err
	})
	var out []store.Watch
	for _, w := range rows {
		out = append(out, registry.WatchOf(w))
	}
	return out, err
}

// Watch is one watch.
func (r *Registry) Watch(ctx context.Context, _ registry.Actor, name string) (store.Watch, error) {
	w, err := r.c.Watch(ctx, name)
	return registry.WatchOf(w), known(err)
}

// AddWatch has a scan repeated. When it is due first is the server's to say.
func (r *Registry) AddWatch(ctx context.Context, _ registry.Actor, s registry.WatchSpec, _ time.Time) (store.Watch, error) {
	var o struct {
		Args []string `json:"args"`
	}
	if err := json.Unmarshal(s.Options, &o); err != nil {
		return store.Watch{}, fmt.Errorf("adding a watch: %w", err)
	}
	w, err := r.c.AddWatch(ctx, client.NewWatch{Name: s.Name, Scan: append([]string{s.Kind}, o.Args...), Schedule: s.Schedule, Credential: s.Credential})
	return registry.WatchOf(w), known(err)
}

// ChangeWatch changes a watch. When it is due next is the server's to say.
func (r *Registry) ChangeWatch(ctx context.Context, _ registry.Actor, name string, w registry.WatchChange, _ func(store.Watch) time.Time) (store.Watch, error) {
	out, err := r.c.ChangeWatch(ctx, name, client.WatchChange(w))
	return registry.WatchOf(out), known(err)
}

// RemoveWatch removes a watch and, of a group, its members, which it counts.
func (r *Registry) RemoveWatch(ctx context.Context, _ registry.Actor, name string) (members int, err error) {
	n, err := r.c.RemoveWatch(ctx, name)
	return max(n-1, 0), known(err)
}

// WantScan has a watch scanned before others.
func (r *Registry) WantScan(ctx context.Context, _ registry.Actor, name, _ string) error {
	return known(r.c.ScanWatch(ctx, name))
}

// Workers are the processes that scan for the server.
func (r *Registry) Workers(ctx context.Context, _ registry.Actor) ([]store.Worker, error) {
	list, err := r.c.Workers(ctx)
	var out []store.Worker
	for _, w := range list {
		out = append(out, store.Worker(w))
	}
	return out, known(err)
}

// MostDeliveries is how many messages a server lists at most.
const MostDeliveries = pageSize

// Deliveries lists messages to receivers, the newest first; at most the newest
// MostDeliveries.
func (r *Registry) Deliveries(ctx context.Context, _ registry.Actor, f store.DeliveryFilter) ([]wire.Delivery, error) {
	limit := f.Limit
	if limit == 0 || limit > pageSize {
		limit = pageSize
	}
	return one(r.c.Notifications(ctx, f.Receiver, string(f.State), limit))
}

// RetryDelivery has a message sent again; for how long is the server's to say.
func (r *Registry) RetryDelivery(ctx context.Context, _ registry.Actor, id string, _ time.Duration) error {
	return known(r.c.RetryNotification(ctx, id))
}

// Tokens lists tokens, revoked ones too.
func (r *Registry) Tokens(ctx context.Context, _ registry.Actor) ([]registry.TokenView, error) {
	return each(ctx, 0, func(after string, limit int) ([]wire.TokenView, string, error) {
		p, err := r.c.Tokens(ctx, after, limit)
		return p.Tokens, p.Next, err
	})
}

// AddToken makes a token, and returns what is shown to the server, for once.
func (r *Registry) AddToken(ctx context.Context, _ registry.Actor, q registry.TokenRequest) (registry.TokenView, fingerprints.Value, error) {
	made, err := r.c.AddToken(ctx, q.Name, q.Scopes, q.ExpiresAt, q.Teams...)
	return made.TokenView, fingerprints.NewValue([]byte(made.Token)), known(err)
}

// RevokeToken ends a token.
func (r *Registry) RevokeToken(ctx context.Context, _ registry.Actor, idOrName string) (registry.TokenView, error) {
	return one(r.c.RevokeToken(ctx, idOrName))
}

// AuditLog calls fn for each entry from a sequence number on, the oldest first.
func (r *Registry) AuditLog(ctx context.Context, _ registry.Actor, from uint64, fn func(registry.AuditEntry) error) error {
	for {
		p, err := r.c.Audit(ctx, from, pageSize)
		if err != nil {
			return known(err)
		}
		for _, e := range p.Entries {
			if err := fn(e); err != nil {
				return err
			}
		}
		if p.Next <= from {
			return nil
		}
		from = p.Next
	}
}

// VerifyAudit has the server check its chain. It returns ErrAuditBroken where that
// does not hold.
func (r *Registry) VerifyAudit(ctx context.Context, _ registry.Actor, against []byte) (registry.AuditReport, error) {
	c, err := r.c.VerifyAudit(ctx, against)
	if err == nil && !c.Intact {
		err = fmt.Errorf("%w: %s", registry.ErrAuditBroken, c.Problem)
	}
	return c.Report, known(err)
}

// Checkpoint signs the audit log's head.
func (r *Registry) Checkpoint(ctx context.Context, _ registry.Actor) ([]byte, error) {
	return one(r.c.Checkpoint(ctx))
}
