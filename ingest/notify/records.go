package notify

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/report"
)

// keepRecords is how long a topic that cannot be written to is waited for: what is to be
// written stands in the store.
const keepRecords = maxGiveUp

// each reports whether the receiver gets a record for each event, at once.
func (r Receiver) each() bool { return r.Kafka != nil }

// timeout bounds one attempt. A topic answers sooner than a mail server, and waits for a
// process that was killed no longer than its lease.
func (n *Notifier) timeout(a addressee) time.Duration {
	if a.each() {
		return min(n.o.Timeout, recordsTimeout)
	}
	return n.o.Timeout
}

const recordsTimeout = 10 * time.Second

// lease is how long a process has a message to an addressee for itself.
func (n *Notifier) lease(a addressee) time.Duration {
	if a.each() {
		return n.timeout(a) + spare/3
	}
	return n.timeout(a) + spare
}

// patience is how long a message to an addressee is tried.
func (n *Notifier) patience(receiver string) time.Duration {
	if a, known := n.addressee(receiver); known && a.each() {
		return keepRecords
	}
	return n.o.Config.giveUpAfter()
}

// Pending counts the messages to this notifier's receivers that did not arrive yet.
func (n *Notifier) Pending(ctx context.Context) (int, error) {
	waiting := 0
	for _, a := range n.to {
		list, err := n.Deliveries(ctx, store.DeliveryFilter{Receiver: a.Name, State: store.DeliveryWaiting})
		if err != nil {
			return 0, err
		}
		waiting += len(list)
	}
	return waiting, nil
}

// batches begins a delivery for each addressee that gets records: what a page of the
// feed has for it.
func (n *Notifier) batches(now time.Time) (map[string]store.Delivery, error) {
	out := map[string]store.Delivery{}
	for _, a := range n.to {
		if !a.each() {
			continue
		}
		d, err := n.delivery(a.Name, "", wire.NotifyEvents, now)
		if err != nil {
			return nil, err
		}
		out[a.Name] = d
	}
	return out, nil
}

// records makes a record of each notice of a delivery, in the order of what happened.
func (n *Notifier) records(ctx context.Context, m *Message, d store.Delivery) error {
	var notices []store.Notice
	err := n.o.Store.View(ctx, func(tx store.Tx) (err error) {
		notices, err = tx.Notices(ctx, d.ID, 0)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(notices, func(a, b store.Notice) int { return cmp.Compare(a.ID, b.ID) })
	shown := map[fingerprints.FindingID]wire.Finding{}
	for page := range slices.Chunk(notices, pageSize) {
		var ids []fingerprints.FindingID
		for _, w := range page {
			if w.Finding != "" {
				ids = append(ids, w.Finding)
			}
		}
		some, err := n.shown(ctx, ids)
		if err != nil {
			return err
		}
		for id, f := range some {
			shown[id] = f
		}
	}
	for _, w := range notices {
		e := wire.FindingEvent{
			Schema: wire.EventV1, ID: "evt_" + strings.TrimPrefix(d.ID, "msg_") + "_" + strconv.FormatInt(w.ID, 10), Sequence: w.ID,
			Event: wire.Event(w.Event), At: w.At, Was: w.Was, Verdict: w.Verdict, Severity: w.Severity, FindingID: w.Finding,
			Source: report.Printable(w.Source), Detail: report.Printable(w.Detail),
		}
		if f, has := shown[w.Finding]; has {
			e.Finding, e.URL = &f, n.link(f.ID)
		}
		m.Records = append(m.Records, e)
	}
	m.Total = len(m.Records)
	return nil
}
