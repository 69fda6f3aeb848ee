package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

const (
	feedMark     = "notify/feed"
	receiverMark = "notify/receiver/"
	sourceMark   = "notify/source/"
	// pageSize is how many findings are looked at in one transaction.
	pageSize = 500
	// keepSent is how long it is kept that a message arrived.
	keepSent = 30 * 24 * time.Hour
)

// Follow takes in what changed until there is nothing more, and puts together
// what is to be sent now. Where another process is faster it leaves the page to
// that and goes on.
func (n *Notifier) Follow(ctx context.Context) error {
	if len(n.to) == 0 {
		return nil
	}
	if err := n.revive(ctx); err != nil {
		return err
	}
	if err := n.begin(ctx); err != nil {
		return err
	}
	for _, a := range n.to {
		if err := n.again(ctx, func() (bool, error) { return n.introduce(ctx, a) }); err != nil {
			return err
		}
	}
	if err := n.again(ctx, func() (bool, error) { return n.page(ctx) }); err != nil {
		return err
	}
	if err := n.gather(ctx); err != nil {
		return err
	}
	return n.tidy(ctx)
}

// again repeats a step while it has more to do; one that another process did
// first is looked at anew.
func (n *Notifier) again(ctx context.Context, step func() (more bool, err error)) error {
	for {
		more, err := step()
		if errors.Is(err, store.ErrOvertaken) && ctx.Err() == nil {
			continue
		}
		if err != nil || !more {
			return err
		}
	}
}

func (n *Notifier) mark(ctx context.Context, name string) (string, error) {
	var mark string
	err := n.o.Store.View(ctx, func(tx store.Tx) (err error) {
		mark, err = tx.Mark(ctx, name)
		return err
	})
	return mark, err
}

// encode writes what only this package reads again.
func encode(what any) (string, error) {
	b, err := json.Marshal(what)
	if err != nil {
		return "", fmt.Errorf("keeping how far it got: %w", err)
	}
	return string(b), nil
}

func decode(mark string, into any) error {
	if mark == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(mark), into); err != nil {
		return errors.New("how far it got is not readable: it was written by another version")
	}
	return nil
}

// feed is the name of the mark of how far the feed was taken in.
func (n *Notifier) feed() string {
	if n.o.Feed == "" {
		return feedMark
	}
	return feedMark + "/" + n.o.Feed
}

// revive has records sent again that another process gave up, as it did not know who
// gets them; once. Who alone sends to its receivers begins with an attempt: the wait
// after a failure is for those that go on.
func (n *Notifier) revive(ctx context.Context) error {
	n.mu.Lock()
	done := n.revived
	n.mu.Unlock()
	for _, a := range n.to {
		if done || !a.each() {
			continue
		}
		if n.o.Feed != "" {
			if err := n.o.Store.Update(ctx, func(tx store.Tx) error { return tx.Hasten(ctx, a.Name, n.now()) }); err != nil {
				return err
			}
		}
		list, err := n.Deliveries(ctx, store.DeliveryFilter{Receiver: a.Name, State: store.DeliveryGivenUp})
		if err != nil {
			return err
		}
		for _, d := range list {
			now := n.now()
			err := n.o.Store.Update(ctx, func(tx store.Tx) error { return tx.Retry(ctx, d.ID, now, now.Add(keepRecords)) })
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.revived = true
	return nil
}

// begin puts the feed at its end, the first time: what was there before is told
// as a summary.
func (n *Notifier) begin(ctx context.Context) error {
	kept, err := n.mark(ctx, n.feed())
	if err != nil || kept != "" {
		return err
	}
	end, err := n.o.Registry.FeedEnd(ctx, n.actor)
	if err != nil {
		return err
	}
	to, err := encode(end)
	if err != nil {
		return err
	}
	err = n.o.Store.Update(ctx, func(tx store.Tx) error { return tx.SetMark(ctx, n.feed(), "", to) })
	if errors.Is(err, store.ErrOvertaken) {
		return nil
	}
	return err
}

// page takes in one page of the feed: how far it got, what is to be told, and
// what then was told, in one transaction.
func (n *Notifier) page(ctx context.Context) (more bool, err error) {
	from, err := n.mark(ctx, n.feed())
	if err != nil {
		return false, err
	}
	var at registry.FeedPosition
	if err := decode(from, &at); err != nil {
		return false, err
	}
	page, err := n.o.Registry.Changes(ctx, n.actor, at, pageSize)
	if err != nil {
		return false, err
	}
	to, err := encode(page.Next)
	if err != nil || to == from {
		return false, err
	}
	findings := latest(page.Findings)
	now := n.now()
	batches, err := n.batches(now)
	if err != nil {
		return false, err
	}
	err = n.o.Store.Update(ctx, func(tx store.Tx) error {
		if err := tx.SetMark(ctx, n.feed(), from, to); err != nil {
			return err
		}
		for _, a := range n.to {
			if err := a.take(ctx, tx, now, findings); err != nil {
				return err
			}
			if !a.each() {
				continue
			}
			if _, err := tx.Gather(ctx, batches[a.Name]); err != nil {
				return err
			}
		}
		return nil
	})
	return page.More, err
}

// latest leaves each finding once.
func latest(list []registry.FeedFinding) []registry.FeedFinding {
	at := map[fingerprints.FindingID]int{}
	var out []registry.FeedFinding
	for _, f := range list {
		if i, has := at[f.ID]; has {
			out[i] = f
			continue
		}
		at[f.ID] = len(out)
		out = append(out, f)
	}
	return out
}

// take writes what an addressee is to be told of findings.
func (a addressee) take(ctx context.Context, tx store.Tx, now time.Time, findings []registry.FeedFinding) error {
	if len(findings) == 0 {
		return nil
	}
	ids := make([]fingerprints.FindingID, len(findings))
	for i, f := range findings {
		ids[i] = f.ID
	}
	known, err := tx.Told(ctx, a.Name, ids)
	if err != nil {
		return err
	}
	var notices []store.Notice
	var told []store.Told
	for _, f := range findings {
		was := known[f.ID]
		group := a.groupOf(f.Finding)
		t := a.turn(was.Word, f)
		notice := store.Notice{
			Receiver: a.Name, Group: group, Event: string(t.event), Finding: f.ID, Was: t.was, Verdict: f.Verdict, Severity: f.Severity,
			At: now, Urgent: urgent(t.event, f.Severity),
		}
		if t.event != "" && a.tells(t.event, f.Finding) {
			notices = append(notices, notice)
		}
		moved := was.Word != "" && was.Group != group
		if moved { // the issue that it was in looks at its findings again
			notice.Group, notice.Event, notice.Urgent = was.Group, string(wire.EventChanged), false
			notices = append(notices, notice)
		}
		if t.word != "" || moved {
			if t.word == "" {
				t.word = was.Word
			}
			told = append(told, store.Told{Receiver: a.Name, Finding: f.ID, Word: t.word, Group: group, At: now})
		}
	}
	if err := tx.AddNotices(ctx, notices); err != nil {
		return err
	}
	return tx.PutTold(ctx, told)
}

// gather makes messages of what waited long enough, or does not wait.
func (n *Notifier) gather(ctx context.Context) error {
	now := n.now()
	var waiting []store.Waiting
	err := n.o.Store.View(ctx, func(tx store.Tx) (err error) {
		waiting, err = tx.Waiting(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range waiting {
		a, known := n.addressee(w.Receiver)
		// Nobody sends to a receiver that was removed: it is given up, and listed.
		if known && !w.Urgent && !a.due(now, w.Oldest) {
			continue
		}
		d, err := n.delivery(w.Receiver, w.Group, wire.NotifyEvents, now)
		if err != nil {
			return err
		}
		err = n.o.Store.Update(ctx, func(tx store.Tx) error {
			_, err := tx.Gather(ctx, d)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *Notifier) addressee(name string) (addressee, bool) {
	for _, a := range n.to {
		if a.Name == name {
			return a, true
		}
	}
	return addressee{}, false
}

func (n *Notifier) delivery(receiver, group string, kind wire.NotificationKind, now time.Time) (store.Delivery, error) {
	id, err := n.newID("msg_")
	return store.Delivery{
		ID: id, Receiver: receiver, Group: group, Kind: string(kind), CreatedAt: now, NextAt: now, Deadline: now.Add(n.patience(receiver)),
	}, err
}

// tidy gives up what is over, and forgets what arrived long ago; it writes only
// where there is something to write.
func (n *Notifier) tidy(ctx context.Context) error {
	now := n.now()
	var over, old bool
	err := n.o.Store.View(ctx, func(tx store.Tx) error {
		waiting, err := tx.Deliveries(ctx, store.DeliveryFilter{State: store.DeliveryWaiting})
		for _, d := range waiting {
			over = over || !d.Deadline.After(now) && !d.LeaseUntil.After(now)
		}
		if err != nil {
			return err
		}
		oldest, err := tx.Mark(ctx, "notify/tidied")
		last, _ := time.Parse(time.RFC3339, oldest)
		old = now.Sub(last) > time.Hour
		return err
	})
	if err != nil || !over && !old {
		return err
	}
	given := 0
	err = n.o.Store.Update(ctx, func(tx store.Tx) error {
		if given, err = tx.GiveUp(ctx, now, "no process sent it: its receiver is not configured, or none runs"); err != nil || !old {
			return err
		}
		if _, err := tx.ForgetSent(ctx, now.Add(-keepSent)); err != nil {
			return err
		}
		was, err := tx.Mark(ctx, "notify/tidied")
		if err != nil {
			return err
		}
		return tx.SetMark(ctx, "notify/tidied", was, now.Format(time.RFC3339))
	})
	if given > 0 && err == nil {
		n.o.Log.ErrorContext(ctx, "notifications were given up", intAttr("count", given))
	}
	return err
}
