package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
)

// PackRequest says which pack to build.
type PackRequest struct {
	Audience fingerprints.Audience
	Group    string    // group of edge holders
	Expires  time.Time // zero: never
}

// PackInfo is what a built pack holds.
type PackInfo struct {
	PackRevision  uint64 `json:"pack_revision"`
	FieldRevision uint64 `json:"field_revision"`
	Fields        int    `json:"fields"`
	// LeftOut counts registered fields that the pack does not hold, by reason.
	LeftOut map[string]int `json:"left_out,omitempty"`
	Bytes   int64          `json:"bytes"`
}

// The reasons in PackInfo.LeftOut.
const (
	LeftUnsearchable = "not searchable"
	LeftTooWeak      = "too weak for this audience"
	LeftGeneration   = "filter generation out of use"
	LeftDamaged      = "damaged row"
)

// BuildPack streams a pack of every searchable field to w. Needs ScopePack, or
// for a core pack ScopeScan: a scanner beside the registry builds its own.
func (r *Registry) BuildPack(ctx context.Context, a Actor, q PackRequest, w io.Writer) (PackInfo, error) {
	ring := r.ring.Load()
	if ring == nil {
		return PackInfo{}, fmt.Errorf("building a pack: %w", ErrNoRing)
	}
	if !q.Expires.IsZero() && !q.Expires.After(r.time()) {
		return PackInfo{}, badInput("expiry", "the date has passed")
	}
	var info PackInfo
	var b *pack.Builder
	err := r.view(ctx, a, packScope(a, q.Audience), func(v *view) error {
		var err error
		b, info, err = v.fillPack(ctx, ring, q)
		return err
	})
	if err != nil {
		return PackInfo{}, fmt.Errorf("building a pack: %w", err)
	}
	info.Bytes, err = b.WriteTo(w)
	if err != nil {
		return PackInfo{}, fmt.Errorf("writing a pack: %w", err)
	}
	return info, nil
}

func packScope(a Actor, aud fingerprints.Audience) Scope {
	if aud == fingerprints.AudienceCore && a.May(ScopeScan) {
		return ScopeScan
	}
	return ScopePack
}

func (v *view) fillPack(ctx context.Context, ring *keys.Ring, q PackRequest) (*pack.Builder, PackInfo, error) {
	info := PackInfo{PackRevision: v.meta.PackRevision, FieldRevision: v.meta.FieldRevision, LeftOut: map[string]int{}}
	secrets, err := v.secrets(ctx)
	if err != nil {
		return nil, info, err
	}
	registered, err := v.countFields(ctx)
	if err != nil {
		return nil, info, err
	}
	b, err := pack.NewBuilder(ring.Issuer(q.Group), v.reg.rand, pack.Spec{
		Audience: q.Audience, Group: q.Group, Revision: v.meta.PackRevision, FieldRevision: v.meta.FieldRevision,
		Created: v.now, Expires: q.Expires, Registered: registered,
	})
	if err != nil {
		return nil, info, err
	}
	open := registration.New(ring, v.reg.rand, nil)
	gens := ring.FilterGens()
	err = v.tx.EachField(ctx, func(f fingerprints.FieldRow, x fingerprints.Version) error {
		left, err := addToPack(b, open, gens, f, x, secrets[x.Secret])
		if left != "" {
			info.LeftOut[left]++
		} else if err == nil {
			info.Fields++
		}
		return err
	})
	return b, info, err
}

// addToPack adds one field, or says why it is left out.
func addToPack(b *pack.Builder, open *registration.Registrar, gens []uint32, f fingerprints.FieldRow, x fingerprints.Version, s fingerprints.Secret) (string, error) {
	switch {
	case f.Unsearchable != "":
		return LeftUnsearchable, nil
	case !slices.Contains(gens, f.FilterGen):
		return LeftGeneration, nil
	}
	e, err := open.Open(f)
	if errors.Is(err, registration.ErrForeignRow) {
		return LeftDamaged, nil
	}
	if err != nil {
		return "", err
	}
	err = b.Add(e, pack.Label{
		Secret: s.Name, Version: x.Number, VersionID: x.ID, Field: f.Field, State: x.State, Owner: s.Owner, Class: s.Class,
		Strength: f.Strength, ValueID: e.ValueID, Compromised: x.Compromised(), WindowEnds: x.WindowEnds,
	})
	switch {
	case errors.Is(err, pack.ErrNotAdmitted):
		return LeftTooWeak, nil
	case errors.Is(err, pack.ErrGenerations):
		return LeftGeneration, nil
	}
	return "", err
}

func (v *view) secrets(ctx context.Context) (map[string]fingerprints.Secret, error) {
	all, err := v.tx.Secrets(ctx, store.SecretFilter{})
	if err != nil {
		return nil, err
	}
	out := make(map[string]fingerprints.Secret, len(all))
	for _, s := range all {
		out[s.Name] = s
	}
	return out, nil
}

func (v *view) countFields(ctx context.Context) (int, error) {
	counts, err := v.tx.CountFields(ctx)
	n := 0
	for _, c := range counts {
		n += c.Count
	}
	return n, err
}

// PackKey names the pack that BuildPack would build now; a cached pack under
// the same key is up to date.
type PackKey struct {
	Ring          fingerprints.RingID
	Audience      fingerprints.Audience
	Epoch         uint32
	PackRevision  uint64
	FieldRevision uint64
}

// String is the key as part of a file name.
func (k PackKey) String() string {
	return fmt.Sprintf("%s-%s-%d-%d-%d", k.Ring, k.Audience, k.Epoch, k.PackRevision, k.FieldRevision)
}

// PackKey returns the key for an audience. Needs ScopePack, or for the core
// audience ScopeScan.
func (r *Registry) PackKey(ctx context.Context, a Actor, aud fingerprints.Audience) (PackKey, error) {
	ring := r.ring.Load()
	if ring == nil {
		return PackKey{}, fmt.Errorf("naming a pack: %w", ErrNoRing)
	}
	var out PackKey
	err := r.view(ctx, a, packScope(a, aud), func(v *view) error {
		out = PackKey{
			Ring: ring.ID(), Audience: aud, Epoch: ring.Epoch(),
			PackRevision: v.meta.PackRevision, FieldRevision: v.meta.FieldRevision,
		}
		return nil
	})
	return out, err
}
