package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"revenant/fingerprints/store"
)

func (t *tx) deliveries(ctx context.Context, rest string, args ...any) ([]store.Delivery, error) {
	var out []store.Delivery
	err := t.each(ctx, "reading deliveries", `SELECT `+deliveryColumns+` FROM deliveries d `+rest, args, func(scan scanner) error {
		var d store.Delivery
		err := scan(&d.ID, &d.Receiver, &d.Group, &d.Kind, &d.Summary, moment{&d.CreatedAt}, moment{&d.NextAt}, moment{&d.Deadline},
			&d.Attempts, &d.LeaseBy, moment{&d.LeaseUntil}, moment{&d.SentAt}, moment{&d.GivenUpAt}, &d.Problem)
		out = append(out, d)
		return err
	})
	return out, err
}

// unsent: it did not arrive and is not given up.
const unsent = `d.sent_at IS NULL AND d.given_up_at IS NULL`

func (t *tx) Claim(ctx context.Context, by string, now, until time.Time, receivers []string) (store.Delivery, error) {
	const doing = "claiming a delivery"
	if len(receivers) == 0 {
		return store.Delivery{}, fmt.Errorf("%s: %w", doing, store.ErrNotFound)
	}
	args := []any{stamp(now), stamp(now), stamp(now), stamp(now)}
	for _, r := range receivers {
		args = append(args, r)
	}
	list, err := t.deliveries(ctx, `WHERE `+unsent+` AND d.next_at <= ? AND d.deadline > ? AND (d.lease_until IS NULL OR d.lease_until <= ?)
		AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.receiver = d.receiver AND o.sent_at IS NULL AND o.given_up_at IS NULL AND o.lease_until > ?)
		AND d.receiver IN (?`+strings.Repeat(", ?", len(receivers)-1)+`) ORDER BY d.next_at, d.created_at, d.id LIMIT 1`, args...)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: %w", doing, store.ErrNotFound)
	}
	if err != nil {
		return store.Delivery{}, err
	}
	d := list[0]
	d.LeaseBy, d.LeaseUntil = by, until.UTC().Truncate(time.Microsecond)
	d.Attempts++
	_, err = t.exec(ctx, doing, `UPDATE deliveries SET lease_by = ?, lease_until = ?, attempts = ? WHERE id = ?`, by, stamp(until), d.Attempts, d.ID)
	return d, err
}

func (t *tx) SaveDelivery(ctx context.Context, d store.Delivery) error {
	const doing = "saving a delivery"
	n, err := t.exec(ctx, doing, `UPDATE deliveries SET next_at = ?, deadline = ?, attempts = ?, lease_by = '', lease_until = NULL,
		sent_at = ?, given_up_at = ?, problem = ? WHERE id = ? AND lease_by = ? AND attempts = ?`,
		stamp(d.NextAt), stamp(d.Deadline), d.Attempts, stamp(d.SentAt), stamp(d.GivenUpAt), text(d.Problem), d.ID, d.LeaseBy, d.Attempts)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", doing, store.ErrOvertaken)
	}
	return err
}

func (t *tx) GiveUp(ctx context.Context, now time.Time, problem string) (int, error) {
	n, err := t.exec(ctx, "giving deliveries up", `UPDATE deliveries AS d SET given_up_at = ?, lease_by = '', lease_until = NULL,
		problem = CASE WHEN problem = '' THEN ? ELSE problem END
		WHERE `+unsent+` AND d.deadline <= ? AND (d.lease_until IS NULL OR d.lease_until <= ?)`, stamp(now), text(problem), stamp(now), stamp(now))
	return int(n), err
}

func (t *tx) Retry(ctx context.Context, id string, now, deadline time.Time) error {
	n, err := t.exec(ctx, "sending again", `UPDATE deliveries SET given_up_at = NULL, next_at = ?, deadline = ?, problem = ''
		WHERE id = ? AND given_up_at IS NOT NULL`, stamp(now), stamp(deadline), id)
	if err == nil && n == 0 {
		return notFound("undelivered message", "")
	}
	return err
}

func (t *tx) Hasten(ctx context.Context, receiver string, now time.Time) error {
	_, err := t.exec(ctx, "sending sooner", `UPDATE deliveries AS d SET next_at = ?
		WHERE d.receiver = ? AND `+unsent+` AND d.next_at > ? AND (d.lease_until IS NULL OR d.lease_until <= ?)`,
		stamp(now), receiver, stamp(now), stamp(now))
	return err
}

func (t *tx) Deliveries(ctx context.Context, f store.DeliveryFilter) ([]store.Delivery, error) {
	c := &condition{where: []string{"1 = 1"}}
	if f.ID != "" {
		c.add("d.id = ?", f.ID)
	}
	if f.Receiver != "" {
		c.add("d.receiver = ?", f.Receiver)
	}
	if f.Behind != "" {
		c.add("(d.created_at, d.id) < (SELECT created_at, id FROM deliveries WHERE id = ?)", f.Behind)
	}
	switch f.State {
	case store.DeliveryWaiting:
		c.add(unsent)
	case store.DeliverySent:
		c.add("d.sent_at IS NOT NULL")
	case store.DeliveryGivenUp:
		c.add("d.given_up_at IS NOT NULL")
	}
	rest := `WHERE ` + strings.Join(c.where, " AND ") + ` ORDER BY d.created_at DESC, d.id DESC`
	if f.Limit > 0 {
		rest += ` LIMIT ?`
		c.args = append(c.args, f.Limit)
	}
	return t.deliveries(ctx, rest, c.args...)
}

func (t *tx) ForgetSent(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forgetting what arrived", `DELETE FROM deliveries WHERE sent_at < ?`, stamp(before))
	return int(n), err
}
