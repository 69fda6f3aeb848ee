package registry

import (
	"context"
	"errors"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// FieldLabel is what is known of a registered field that was hit.
type FieldLabel struct {
	Row      fingerprints.RowID
	Field    string
	Class    fingerprints.Class
	Owner    string
	Strength fingerprints.Strength
	Version  fingerprints.Version
}

// FieldLabels names registered fields; rows that are not known are left out.
func (r *Registry) FieldLabels(ctx context.Context, a Actor, rows []fingerprints.RowID) ([]FieldLabel, error) {
	var out []FieldLabel
	err := r.view(ctx, a, ScopeScan, func(v *view) error {
		for _, row := range rows {
			label, err := labelOf(ctx, v.tx, row)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, label)
		}
		return nil
	})
	return out, err
}

func labelOf(ctx context.Context, tx store.Tx, row fingerprints.RowID) (FieldLabel, error) {
	f, err := tx.FieldByID(ctx, row)
	if err != nil {
		return FieldLabel{}, err
	}
	v, err := tx.VersionByID(ctx, f.Version)
	if err != nil {
		return FieldLabel{}, err
	}
	s, err := tx.Secret(ctx, v.Secret)
	return FieldLabel{Row: row, Field: f.Field, Class: s.Class, Owner: s.Owner, Strength: f.Strength, Version: v}, err
}
