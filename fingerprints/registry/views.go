package registry

import (
	"context"
	"slices"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// SecretSummary is a line of a list.
type SecretSummary = wire.SecretSummary

// ListFilter selects secrets; zero fields select everything.
type ListFilter struct {
	Prefix string
	Class  fingerprints.Class
	Owner  string
	State  fingerprints.State
	After  string
	Limit  int
}

// SecretView is all that is known of a secret.
type SecretView = wire.SecretView

// VersionView is all that is known of a version.
type VersionView = wire.VersionView

// AckView is a consumer's word that it uses a version.
type AckView = wire.AckView

// AllowView is a legitimate home of a secret.
type AllowView = wire.AllowView

// List lists secrets in order of name.
func (r *Registry) List(ctx context.Context, a Actor, f ListFilter) ([]SecretSummary, error) {
	out := []SecretSummary{}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		all, err := v.tx.Secrets(ctx, store.SecretFilter{
			Prefix: f.Prefix, Class: f.Class, Owner: f.Owner, State: f.State, After: f.After, Limit: f.Limit,
		})
		if err != nil {
			return err
		}
		versions, err := v.tx.VersionsOf(ctx, namesOf(all))
		for _, s := range all {
			out = append(out, summary(s, versions[s.Name]))
		}
		return err
	})
	return out, err
}

func namesOf(secrets []fingerprints.Secret) []string {
	out := make([]string, len(secrets))
	for i, s := range secrets {
		out[i] = s.Name
	}
	return out
}

func summary(s fingerprints.Secret, versions []fingerprints.Version) SecretSummary {
	out := SecretSummary{
		Name: s.Name, Class: s.Class, Owner: s.Owner, Consumers: s.Consumers,
		Versions: len(versions), States: map[fingerprints.State]int{}, CreatedAt: s.CreatedAt,
	}
	for _, v := range versions {
		out.States[v.State]++
		if v.State == fingerprints.StateActive {
			out.Active = append(out.Active, v.Number)
		}
		if v.Compromised() {
			out.Compromised++
		}
	}
	return out
}

// Show returns everything known of a secret.
func (r *Registry) Show(ctx context.Context, a Actor, name string) (SecretView, error) {
	var out SecretView
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		s, err := secretByName(ctx, v.tx, name)
		if err != nil {
			return err
		}
		out = SecretView{
			Name: s.Name, Class: s.Class, Owner: s.Owner, Consumers: s.Consumers,
			MultiActive: s.MultiActive, CreatedAt: s.CreatedAt,
		}
		versions, err := v.tx.Versions(ctx, s.Name)
		if err != nil {
			return err
		}
		for _, version := range versions {
			shown, err := v.version(ctx, s, version)
			if err != nil {
				return err
			}
			out.Versions = append(out.Versions, shown)
		}
		homes, err := v.tx.Allows(ctx, s.Name)
		for _, h := range homes {
			out.Allowed = append(out.Allowed, allowView(h, v.now))
		}
		return err
	})
	return out, err
}

func (v *view) version(ctx context.Context, s fingerprints.Secret, x fingerprints.Version) (VersionView, error) {
	out := VersionView{
		Version: x.Number, State: x.State, IssuedTo: x.IssuedTo, CreatedAt: x.CreatedAt,
		WindowEnds: optionalTime(x.WindowEnds), CompromisedAt: optionalTime(x.CompromisedAt),
		ActivatedAt: optionalTime(x.ActivatedAt), SupersededAt: optionalTime(x.SupersededAt),
		RetiredAt: optionalTime(x.RetiredAt), AbandonedAt: optionalTime(x.AbandonedAt),
	}
	rows, err := v.tx.Fields(ctx, x.ID)
	if err != nil {
		return out, err
	}
	for _, row := range rows {
		out.Fields = append(out.Fields, fieldResult(row))
	}
	slices.SortFunc(out.Fields, func(a, b FieldResult) int { return strings.Compare(a.Name, b.Name) })
	acks, err := v.tx.Acks(ctx, x.ID)
	if err != nil {
		return out, err
	}
	for _, k := range acks {
		out.Acks = append(out.Acks, AckView{Consumer: k.Consumer, At: k.At, Actor: k.Actor})
	}
	if x.State == fingerprints.StateActive {
		out.Missing = missingAcks(s, x, acks)
	}
	out.Findings, err = v.tx.CountVerdicts(ctx, v.now, store.FindingFilter{Secret: s.Name, Version: x.Number})
	return out, err
}
