package registry

import (
	"context"
	"fmt"
	"slices"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Acknowledged is what Ack did.
type Acknowledged = wire.Acknowledged

// Ack records that a consumer uses a version. A consumer that was not known
// becomes one of the secret's. Of an abandoned version there is nothing to use.
func (r *Registry) Ack(ctx context.Context, a Actor, ref fingerprints.VersionRef, consumer string) (Acknowledged, error) {
	if err := checkName("consumer", consumer); err != nil {
		return Acknowledged{}, fmt.Errorf("acknowledging: %w", err)
	}
	var out Acknowledged
	err := r.update(ctx, a, ScopeRotate, "acknowledging", func(c *change) error {
		s, _, v, err := c.versionByRef(ctx, ref)
		if err != nil {
			return err
		}
		if v.State == fingerprints.StateAbandoned {
			return &TransitionError{Ref: v.Ref(), State: v.State, Command: "acknowledged", Way: wayOut(v.State)}
		}
		acks, err := c.tx.Acks(ctx, v.ID)
		if err != nil {
			return err
		}
		out = Acknowledged{Secret: s.Name, Version: v.Number, State: v.State, Consumer: consumer}
		out.Unchanged = slices.ContainsFunc(acks, func(k store.Ack) bool { return k.Consumer == consumer })
		if !out.Unchanged {
			if err := c.checkNoValue(ctx, s.Name, consumer); err != nil {
				return err
			}
			acks = append(acks, store.Ack{Version: v.ID, Consumer: consumer, At: c.at, Actor: c.actor.Name})
			if err := c.acknowledge(ctx, &s, v, acks[len(acks)-1], &out); err != nil {
				return err
			}
		}
		out.Missing = missingAcks(s, v, acks)
		return nil
	})
	if err != nil {
		return Acknowledged{}, err
	}
	return out, nil
}

func (c *change) acknowledge(ctx context.Context, s *fingerprints.Secret, v fingerprints.Version, k store.Ack, out *Acknowledged) error {
	if !slices.Contains(s.Consumers, k.Consumer) {
		out.NewConsumer = true
		s.Consumers = mergeNames(s.Consumers, []string{k.Consumer})
		if err := c.putSecret(ctx, *s); err != nil {
			return err
		}
	}
	if err := c.tx.PutAck(ctx, k); err != nil {
		return err
	}
	c.note("version.ack", versionSubject(v), map[string]string{"consumer": k.Consumer})
	c.touch(touchRegistry)
	return nil
}

// missingAcks are the consumers that should use a version and did not say so.
func missingAcks(s fingerprints.Secret, v fingerprints.Version, acks []store.Ack) []string {
	want := s.Consumers
	if v.IssuedTo != "" {
		want = []string{v.IssuedTo}
	}
	var out []string
	for _, name := range want {
		if !slices.ContainsFunc(acks, func(k store.Ack) bool { return k.Consumer == name }) {
			out = append(out, name)
		}
	}
	return out
}
