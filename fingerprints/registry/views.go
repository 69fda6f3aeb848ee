package registry

import (
	"context"
	"slices"
	"strings"
	"time"

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
	// Weak selects those with a version in use that can be guessed, or is too short to
	// be searched for; Overdue those with one that should be retired by now; Issued
	// those with one that one consumer alone has.
	Weak, Overdue, Issued bool

	After string
	Limit int
}

// stored is the filter as the store knows it.
func (f ListFilter) stored(now time.Time) store.SecretFilter {
	out := store.SecretFilter{
		Prefix: f.Prefix, Class: f.Class, Owner: f.Owner, State: f.State, Weak: f.Weak, Issued: f.Issued, After: f.After, Limit: f.Limit,
	}
	if f.Overdue {
		out.Overdue = now
	}
	return out
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
		all, err := v.tx.Secrets(ctx, f.stored(v.now))
		if err != nil {
			return err
		}
		versions, err := v.tx.VersionsOf(ctx, namesOf(all))
		for _, s := range all {
			out = append(out, summary(s, versions[s.Name], v.now))
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

func summary(s fingerprints.Secret, versions []fingerprints.Version, now time.Time) SecretSummary {
	out := SecretSummary{
		Name: s.Name, Class: s.Class, Owner: s.Owner, Consumers: s.Consumers,
		Versions: len(versions), States: map[fingerprints.State]int{}, CreatedAt: s.CreatedAt,
	}
	var since time.Time
	for _, v := range versions {
		out.States[v.State]++
		switch v.State {
		case fingerprints.StateActive:
			out.Active = append(out.Active, v.Number)
			if v.ActivatedAt.After(since) {
				since = v.ActivatedAt
			}
		case fingerprints.StateSuperseded:
			if !v.WindowEnds.IsZero() && !now.Before(v.WindowEnds) {
				out.Overdue++
			}
		case fingerprints.StatePending, fingerprints.StateRetired, fingerprints.StateAbandoned:
		}
		if v.Compromised() {
			out.Compromised++
		}
	}
	out.ActiveSince = optionalTime(since)
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
