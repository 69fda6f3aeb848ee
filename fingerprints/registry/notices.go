package registry

import (
	"context"
	"errors"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Deliveries lists messages to receivers, the newest first; those of a receiver
// or a state where the filter says so. ErrUnknownDelivery where there is none that
// they are to stand behind.
func (r *Registry) Deliveries(ctx context.Context, a Actor, f store.DeliveryFilter) ([]wire.Delivery, error) {
	out := []wire.Delivery{}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		all, err := v.tx.Deliveries(ctx, f)
		if err == nil && len(all) == 0 && f.Behind != "" { // behind none nothing stands: that is no last page
			var at []store.Delivery
			if at, err = v.tx.Deliveries(ctx, store.DeliveryFilter{ID: f.Behind}); err == nil && len(at) == 0 {
				err = ErrUnknownDelivery
			}
		}
		for _, d := range all {
			out = append(out, deliveryView(d))
		}
		return err
	})
	return out, err
}

// shownNotices is how many notices of a message are shown.
const shownNotices = 100

// Delivery shows a message with what it tells: findings as they are now.
// ErrUnknownDelivery where there is none.
func (r *Registry) Delivery(ctx context.Context, a Actor, id string) (wire.DeliveryDetail, error) {
	var out wire.DeliveryDetail
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		list, err := v.tx.Deliveries(ctx, store.DeliveryFilter{ID: id})
		if err == nil && len(list) == 0 {
			err = ErrUnknownDelivery
		}
		if err != nil {
			return err
		}
		out = wire.DeliveryDetail{Delivery: deliveryView(list[0]), Kind: list[0].Kind, Notices: []wire.Notice{}}
		counts, err := v.tx.CountNotices(ctx, id)
		for _, c := range counts {
			out.Total += c.Count
		}
		if err != nil {
			return err
		}
		return v.notices(ctx, a, &out)
	})
	return out, err
}

// notices fills in what a message tells.
func (v *view) notices(ctx context.Context, a Actor, out *wire.DeliveryDetail) error {
	list, err := v.tx.Notices(ctx, out.ID, shownNotices)
	if err != nil {
		return err
	}
	ids := []fingerprints.FindingID{}
	for _, n := range list {
		if n.Finding != "" {
			ids = append(ids, n.Finding)
		}
	}
	found, err := v.tx.Findings(ctx, v.now, store.FindingFilter{IDs: ids})
	if err != nil {
		return err
	}
	of, show := map[fingerprints.FindingID]*Finding{}, newShowing(a)
	for _, f := range found {
		shown, err := show.finding(ctx, v.tx, f)
		if err != nil {
			return err
		}
		of[f.ID] = &shown
	}
	hidden := marksFor(a)
	for _, n := range list {
		if err := hidden.hide(ctx, v.tx, &n.Detail); err != nil {
			return err
		}
		out.Notices = append(out.Notices, wire.Notice{
			Event: wire.Event(n.Event), At: n.At, Was: n.Was, Verdict: n.Verdict, Severity: n.Severity, Source: n.Source, Detail: n.Detail, Finding: of[n.Finding],
		})
	}
	return nil
}

// Waiting says how much receivers will be told with their next messages, in order of
// receiver.
func (r *Registry) Waiting(ctx context.Context, a Actor) ([]wire.Waiting, error) {
	out := []wire.Waiting{}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		list, err := v.tx.Waiting(ctx)
		for _, w := range list {
			if n := len(out); n > 0 && out[n-1].Receiver == w.Receiver { // another group
				last := &out[n-1]
				last.Count, last.Urgent = last.Count+w.Count, last.Urgent || w.Urgent
				if w.Oldest.Before(last.Oldest) {
					last.Oldest = w.Oldest
				}
				continue
			}
			out = append(out, wire.Waiting{Receiver: w.Receiver, Count: w.Count, Oldest: w.Oldest, Urgent: w.Urgent})
		}
		return err
	})
	return out, err
}

// RetryWithin is for how long a message that was given up is tried again.
const RetryWithin = 24 * time.Hour

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
		out.NextAt, out.Deadline = &d.NextAt, &d.Deadline
	}
	return out
}
