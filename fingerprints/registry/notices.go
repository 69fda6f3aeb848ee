package registry

import (
	"context"
	"errors"
	"time"

	"revenant/fingerprints/store"
)

// Deliveries lists messages to receivers, the newest first; those of a receiver
// or a state where the filter says so.
func (r *Registry) Deliveries(ctx context.Context, a Actor, f store.DeliveryFilter) ([]store.Delivery, error) {
	var out []store.Delivery
	err := r.view(ctx, a, ScopeRead, func(v *view) (err error) {
		out, err = v.tx.Deliveries(ctx, f)
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
