package registry

import (
	"context"
	"errors"
	"slices"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
)

// Status is the registry in numbers.
type Status = wire.RegistryStatus

// Status counts what there is.
func (r *Registry) Status(ctx context.Context, a Actor) (Status, error) {
	return shared(ctx, r, a, "status", func(v *view) (Status, error) {
		out := Status{
			Installation: v.meta.Installation.String(), Ring: v.meta.Ring.String(), CreatedAt: v.meta.CreatedAt,
			Revision: v.meta.Revision, PackRevision: v.meta.PackRevision, FieldRevision: v.meta.FieldRevision,
			Fields: map[fingerprints.Strength]int{},
		}
		return out, errors.Join(v.countSecrets(ctx, &out), v.countRows(ctx, &out), v.countScans(ctx, &out))
	})
}

func (v *view) countSecrets(ctx context.Context, out *Status) error {
	var err error
	if out.Secrets, err = v.tx.CountSecrets(ctx); err != nil {
		return err
	}
	if out.Versions, err = v.tx.CountVersions(ctx); err != nil {
		return err
	}
	if out.Findings, err = v.tx.CountVerdicts(ctx, v.now, store.FindingFilter{}); err != nil {
		return err
	}
	common, err := v.tx.TooCommon(ctx)
	if err != nil {
		return err
	}
	out.TooCommon = len(common)
	last, err := v.tx.LastAudit(ctx)
	out.Audit = headOf(last)
	return err
}

// countRows counts fields, and those that new packs find less well.
func (v *view) countRows(ctx context.Context, out *Status) error {
	counts, err := v.tx.CountFields(ctx)
	ring := v.reg.ring.Load()
	for _, c := range counts {
		out.Fields[c.Strength] += c.Count
		if c.Unsearchable != "" {
			continue
		}
		if c.Format < registration.Format {
			out.OldFormat += c.Count
		}
		if ring != nil && c.Epoch < ring.Epoch() {
			out.OldEpoch += c.Count
		}
		if ring != nil && !slices.Contains(ring.FilterGens(), c.FilterGen) {
			out.OldGeneration += c.Count
		}
	}
	return err
}

func (v *view) countScans(ctx context.Context, out *Status) error {
	sources, err := v.tx.Sources(ctx)
	if err != nil {
		return err
	}
	out.Sources = len(sources)
	newest, err := v.tx.NewestScans(ctx)
	for _, scan := range newest {
		if scan.StartedAt.After(out.LastScan) {
			out.LastScan = scan.StartedAt
		}
	}
	return err
}
