package registry

import (
	"context"
	"errors"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints/store"
)

// Deliveries lists messages to receivers, the newest first; those of a receiver
// or a state where the filter says so.
func (r *Registry) Deliveries(ctx context.Context, a Actor, f store.DeliveryFilter) ([]wire.Delivery, error) {
	out := []wire.Delivery{}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		all, err := v.tx.Deliveries(ctx, f)
		for _, d := range all {
			out = append(out, deliveryView(d))
		}
		return err
	})
	return out, err
}

// RetryDelivery has a message sent again that was given up, for so long. It
// returns ErrUnknownDelivery where there is none that was.
func (r *Registry) RetryDelivery(ctx context.Context, a Actor, id string, within time.Duration) error {
	return r.update(ctx, a, ScopeAdmin, "sending a message again", func(c *change) error {
		err := c.tx.Retry(ctx, id, c.at, c.at.Add(within))
		if errors.Is(err, store.ErrNotFound) {
			return ErrUnknownDelivery
		}
		c.note("notification.retry", id, nil)
		return err
	})
}

// deliveryView is a message as people and programs see it.
func deliveryView(d store.Delivery) wire.Delivery {
	out := wire.Delivery{
		ID: d.ID, Receiver: d.Receiver, State: string(store.DeliveryWaiting), CreatedAt: d.CreatedAt, Attempts: d.Attempts, Problem: d.Problem,
	}
	switch {
	case !d.SentAt.IsZero():
		out.State, out.SentAt = string(store.DeliverySent), &d.SentAt
	case !d.GivenUpAt.IsZero():
		out.State = string(store.DeliveryGivenUp)
	default:
		out.NextAt = &d.NextAt
	}
	return out
}
