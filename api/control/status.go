package control

import (
	"context"

	"revenant/fingerprints/registry"
	"revenant/ingest/jobs"
)

// Status is how a server does.
type Status struct {
	Registry registry.Status     `json:"registry"`
	Watches  map[string]int      `json:"watches"` // by outcome, "new" without a scan
	Behind   int                 `json:"behind"`  // watches that were not searched for the newest values
	Waiting  map[jobs.Reason]int `json:"waiting"`
	Running  map[jobs.Reason]int `json:"running"`
	Workers  int                 `json:"workers"`
}

// StatusOf asks how the server does.
func StatusOf(ctx context.Context, r *registry.Registry, a registry.Actor, q jobs.Queue) (Status, error) {
	st, err := r.Status(ctx, a)
	if err != nil {
		return Status{}, err
	}
	out := Status{Registry: st}
	if out.Watches, err = r.CountWatches(ctx, a); err != nil {
		return out, err
	}
	if n, has := out.Watches[""]; has {
		out.Watches["new"] = n
		delete(out.Watches, "")
	}
	if out.Behind, err = r.CountBehind(ctx, a); err != nil {
		return out, err
	}
	counts, err := q.Counts(ctx)
	if err != nil {
		return out, err
	}
	out.Waiting, out.Running = counts.Waiting, counts.Running
	workers, err := r.Workers(ctx, a)
	out.Workers = len(workers)
	return out, err
}
