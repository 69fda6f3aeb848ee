package notify

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// Sender sends messages to one receiver.
type Sender interface {
	// Send returns nil when the receiver took the message. It may be called again
	// with the same message, or with one that arrived although nobody learned of it.
	Send(ctx context.Context, m Message) error
}

// SendError says why a message was not taken, in words that hold nothing of what
// the receiver answered. Any other error of a Sender is not shown.
type SendError struct {
	Words string
	// Refused: sending the same again is of no use.
	Refused bool
	// After is how long the receiver asks to be left alone; zero: it does not say.
	After time.Duration
}

func (e *SendError) Error() string { return e.Words }

// Options are what a Notifier stands on. Store, Registry and Senders are
// required; the others have defaults.
type Options struct {
	Config   Config
	Store    store.Store
	Registry *registry.Registry
	// Senders by the name of their receiver; each receiver that a rule names has one.
	Senders map[string]Sender
	Now     func() time.Time
	Rand    io.Reader // of ids
	Log     *slog.Logger
	// Poll is how often it is looked whether something is to be done; zero: a
	// second. Timeout bounds one attempt; zero: a minute.
	Poll    time.Duration
	Timeout time.Duration
	// Feed is whose position in the feed counts: a process with other receivers than
	// those of the servers has one of its own. Empty: the servers'.
	Feed string
}

// Notifier follows and sends. It is safe for concurrent use.
type Notifier struct {
	o     Options
	to    []addressee
	id    string // of this process, for leases
	actor registry.Actor

	mu     sync.Mutex
	paused map[string]time.Time // receivers that are left alone until then
	// revived: what was given up for nobody was looked for.
	revived bool
}

const (
	defaultPoll    = time.Second
	defaultTimeout = time.Minute
	// spare is how much longer than an attempt its lease is.
	spare = 30 * time.Second
)

// New checks the options. It touches neither store nor receivers.
func New(o Options) (*Notifier, error) {
	if o.Store == nil || o.Registry == nil {
		return nil, errors.New("notifications: no store or no registry")
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	n := &Notifier{
		o: o, to: o.Config.addressees(), paused: map[string]time.Time{},
		actor: registry.Actor{Name: "notifications", Scopes: []registry.Scope{registry.ScopeRead}},
	}
	for _, a := range n.to {
		if o.Senders[a.Name] == nil {
			return nil, fmt.Errorf("notifications: receiver %s has no sender", a.Name)
		}
	}
	var err error
	n.id, err = n.newID("notifier_")
	return n, err
}

// newID makes an id that nobody can guess or has had.
func (n *Notifier) newID(prefix string) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(n.o.Rand, b[:]); err != nil {
		return "", fmt.Errorf("drawing an id: %w", err)
	}
	return prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])), nil
}

func (n *Notifier) now() time.Time { return n.o.Now().UTC().Truncate(time.Microsecond) }

// Run follows and sends until the context ends. A store that fails for a while is
// waited for.
func (n *Notifier) Run(ctx context.Context) error {
	if len(n.to) == 0 {
		<-ctx.Done()
		return nil
	}
	var all sync.WaitGroup
	all.Go(func() { n.forever(ctx, "following", n.Follow) })
	for _, a := range n.to {
		all.Go(func() {
			n.forever(ctx, "sending", func(ctx context.Context) error { return n.sendAll(ctx, a.Name) })
		})
	}
	all.Wait()
	return nil
}

// maxTrouble is how long a loop waits at most after an error.
const maxTrouble = 30 * time.Second

// forever repeats until the context ends; while it fails, it waits longer.
func (n *Notifier) forever(ctx context.Context, what string, once func(context.Context) error) {
	wait := n.o.Poll
	for {
		err := once(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil || errors.Is(err, store.ErrOvertaken):
			wait = n.o.Poll
		default:
			wait = min(2*wait, max(maxTrouble, n.o.Poll))
			n.o.Log.WarnContext(ctx, "notifications: the store cannot be used, trying again", slog.String("what", what), slog.Any("error", err))
		}
		timer := time.NewTimer(wait/2 + mrand.N(wait/2+1)) // processes that began together drift apart
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Round does once everything that is due: for tests, and for whoever sends
// without Run.
func (n *Notifier) Round(ctx context.Context) error {
	if err := n.Follow(ctx); err != nil {
		return err
	}
	for _, a := range n.to {
		if err := n.sendAll(ctx, a.Name); err != nil {
			return err
		}
	}
	return nil
}

// Backlog counts messages: those that wait or are tried, and those that were
// given up.
type Backlog struct {
	Waiting     int `json:"waiting"`
	Undelivered int `json:"undelivered"`
}

// Backlog is for metrics and health.
func (n *Notifier) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	err := n.o.Store.View(ctx, func(tx store.Tx) error {
		waiting, err := tx.Deliveries(ctx, store.DeliveryFilter{State: store.DeliveryWaiting})
		if err != nil {
			return err
		}
		lost, err := tx.Deliveries(ctx, store.DeliveryFilter{State: store.DeliveryGivenUp})
		b = Backlog{Waiting: len(waiting), Undelivered: len(lost)}
		return err
	})
	return b, err
}

// Deliveries lists messages, the newest first; those of a receiver or a state
// where the filter says so.
func (n *Notifier) Deliveries(ctx context.Context, f store.DeliveryFilter) ([]store.Delivery, error) {
	var out []store.Delivery
	err := n.o.Store.View(ctx, func(tx store.Tx) (err error) {
		out, err = tx.Deliveries(ctx, f)
		return err
	})
	return out, err
}

// Retry sends a message again that was given up.
func (n *Notifier) Retry(ctx context.Context, id string) error {
	now := n.now()
	return n.o.Store.Update(ctx, func(tx store.Tx) error {
		return tx.Retry(ctx, id, now, now.Add(n.o.Config.giveUpAfter()))
	})
}
