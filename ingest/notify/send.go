package notify

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"time"

	"revenant/fingerprints/store"
)

// sendAll sends what is due to a receiver, one message after another.
func (n *Notifier) sendAll(ctx context.Context, receiver string) error {
	a, _ := n.addressee(receiver)
	for {
		if n.isPaused(receiver) {
			return nil
		}
		due, err := n.due(ctx, receiver)
		if err != nil || !due {
			return err
		}
		now := n.now()
		var d store.Delivery
		err = n.o.Store.Update(ctx, func(tx store.Tx) (err error) {
			d, err = tx.Claim(ctx, n.id, now, now.Add(n.lease(a)), []string{receiver})
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := n.send(ctx, a, d); err != nil {
			return err
		}
	}
}

// due looks, without writing, whether there is something to claim.
func (n *Notifier) due(ctx context.Context, receiver string) (bool, error) {
	due := false
	now := n.now()
	err := n.o.Store.View(ctx, func(tx store.Tx) error {
		list, err := tx.Deliveries(ctx, store.DeliveryFilter{Receiver: receiver, State: store.DeliveryWaiting})
		for _, d := range list {
			due = due || !d.NextAt.After(now)
		}
		return err
	})
	return due, err
}

// send tries a claimed delivery once and writes how that ended.
func (n *Notifier) send(ctx context.Context, a addressee, d store.Delivery) error {
	m, err := n.compose(ctx, a, d)
	if err != nil {
		return err // the lease ends by itself
	}
	if m.Total > 0 || m.Group != nil { // otherwise all it told of was forgotten
		within, cancel := context.WithTimeout(ctx, n.timeout(a))
		err = n.o.Senders[a.Name].Send(within, m)
		cancel()
	}
	n.outcome(ctx, &d, err)
	// What was sent must be known as sent, also when the process is asked to end.
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), (n.lease(a)-n.timeout(a))/2)
	defer cancel()
	err = n.o.Store.Update(writing, func(tx store.Tx) error { return tx.SaveDelivery(writing, d) })
	if errors.Is(err, store.ErrOvertaken) {
		return nil // it took longer than the lease: another process saw to it
	}
	return err
}

// outcome writes into a delivery how an attempt ended.
func (n *Notifier) outcome(ctx context.Context, d *store.Delivery, err error) {
	now := n.now()
	log := n.o.Log.With(slog.String("receiver", d.Receiver), slog.String("message", d.ID), slog.Int("attempt", d.Attempts))
	d.Problem = ""
	switch {
	case err == nil:
		d.SentAt = now
		log.InfoContext(ctx, "notification sent")
		return
	case ctx.Err() != nil:
		d.NextAt, d.Problem = now, "the process ended while it was sent"
		return
	}
	var known *SendError
	if !errors.As(err, &known) {
		known = &SendError{Words: "it could not be sent"}
		if errors.Is(err, context.DeadlineExceeded) {
			known.Words = "the receiver did not answer in time"
		}
	}
	d.Problem = known.Words
	d.NextAt = now.Add(max(n.backoff(d.Attempts), known.After))
	if known.Refused || !d.NextAt.Before(d.Deadline) {
		d.GivenUpAt = now
		log.ErrorContext(ctx, "notification given up", slog.String("problem", d.Problem))
		return
	}
	n.pause(d.Receiver, d.NextAt, known.After)
	log.WarnContext(ctx, "notification not sent, trying again", slog.String("problem", d.Problem), slog.Time("next", d.NextAt))
}

const (
	firstWait = 5 * time.Second
	maxWait   = 15 * time.Minute
	// restAfter is how long a receiver that failed is left alone with its other
	// messages: it is tried with another one before the same is due again.
	restAfter = 5 * time.Second
)

// backoff doubles with each attempt, less up to half of it by chance, so that
// processes do not come back together.
func (n *Notifier) backoff(attempts int) time.Duration {
	wait := firstWait << min(attempts-1, 20)
	if wait <= 0 || wait > maxWait {
		wait = maxWait
	}
	var b [8]byte
	if _, err := io.ReadFull(n.o.Rand, b[:]); err != nil {
		return wait
	}
	return wait - time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(wait/2))
}

func (n *Notifier) pause(receiver string, next time.Time, asked time.Duration) {
	until := n.now().Add(restAfter)
	if asked > 0 {
		until = next
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused[receiver] = until
}

func (n *Notifier) isPaused(receiver string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now().Before(n.paused[receiver])
}
