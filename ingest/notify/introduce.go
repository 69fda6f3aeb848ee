package notify

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func intAttr(key string, n int) slog.Attr { return slog.Int(key, n) }

// introduction is how far a receiver was introduced to what was there before it,
// or before its rules selected it.
type introduction struct {
	Print  string                   `json:"print"` // of the rules
	Done   bool                     `json:"done,omitempty"`
	After  fingerprints.FindingID   `json:"after,omitempty"`
	Total  int                      `json:"total,omitempty"`
	Counts []wire.NotificationCount `json:"counts,omitempty"`
	First  []introduced             `json:"first,omitempty"` // the most severe ones
}

// introduced is one of the findings that a summary names.
type introduced struct {
	ID       fingerprints.FindingID `json:"id"`
	Verdict  fingerprints.Verdict   `json:"verdict"`
	Severity fingerprints.Severity  `json:"severity"`
}

// introduce takes in a page of the findings that a receiver's rules select and
// that it was told nothing of; at the end it is told of all of them at once. Done
// again when the rules select otherwise.
func (n *Notifier) introduce(ctx context.Context, a addressee) (more bool, err error) {
	from, err := n.mark(ctx, receiverMark+a.Name)
	if err != nil {
		return false, err
	}
	var in introduction
	if err := decode(from, &in); err != nil {
		return false, err
	}
	if in.Print != a.print() {
		in = introduction{Print: a.print()}
	}
	if in.Done {
		return false, nil
	}
	list, err := n.o.Registry.Findings(ctx, n.actor, store.FindingFilter{After: in.After, Limit: pageSize})
	if err != nil {
		return false, err
	}
	if len(list) < pageSize {
		in.Done = true
	} else {
		in.After = list[len(list)-1].ID
	}
	selected := slices.DeleteFunc(slices.Clone(list), func(f registry.Finding) bool { return !a.concerns(f) })
	now := n.now()
	kind := wire.NotifySummary
	if a.each() {
		kind = wire.NotifyEvents
	}
	d, err := n.delivery(a.Name, "", kind, now)
	if err != nil {
		return false, err
	}
	err = n.o.Store.Update(ctx, func(tx store.Tx) error {
		in := in.clone() // the transaction may be tried again
		if err := in.take(ctx, tx, a, selected, now); err != nil {
			return err
		}
		if a.each() {
			if _, err := tx.Gather(ctx, d); err != nil {
				return err
			}
		} else if in.Done {
			if err := in.tell(ctx, tx, d, now); err != nil {
				return err
			}
		}
		if in.Done {
			in = introduction{Print: in.Print, Done: true}
		}
		to, err := encode(in)
		if err != nil {
			return err
		}
		return tx.SetMark(ctx, receiverMark+a.Name, from, to)
	})
	return !in.Done, err
}

func (in introduction) clone() introduction {
	in.Counts, in.First = slices.Clone(in.Counts), slices.Clone(in.First)
	return in
}

// take notes findings as told, and counts those that were not before.
func (in *introduction) take(ctx context.Context, tx store.Tx, a addressee, list []registry.Finding, now time.Time) error {
	ids := make([]fingerprints.FindingID, len(list))
	for i, f := range list {
		ids[i] = f.ID
	}
	known, err := tx.Told(ctx, a.Name, ids)
	if err != nil {
		return err
	}
	var told []store.Told
	var notices []store.Notice
	for _, f := range list {
		if w := known[f.ID].Word; w != "" && w != wordCleared && w != wordSettled {
			continue
		}
		told = append(told, store.Told{Receiver: a.Name, Finding: f.ID, Word: string(f.Verdict), Group: a.groupOf(f), At: now})
		if a.each() { // one by one, and not in a summary
			notices = append(notices, store.Notice{
				Receiver: a.Name, Event: string(wire.EventOpened), Finding: f.ID, Verdict: f.Verdict, Severity: f.Severity, At: now,
			})
			continue
		}
		in.count(f)
	}
	if err := tx.AddNotices(ctx, notices); err != nil {
		return err
	}
	return tx.PutTold(ctx, told)
}

func (in *introduction) count(f registry.Finding) {
	in.Total++
	same := func(c wire.NotificationCount) bool { return c.Verdict == f.Verdict && c.Severity == f.Severity }
	i := slices.IndexFunc(in.Counts, same)
	if i < 0 {
		i = len(in.Counts)
		in.Counts = append(in.Counts, wire.NotificationCount{Event: wire.EventOpened, Verdict: f.Verdict, Severity: f.Severity})
	}
	in.Counts[i].Count++
	ranks := fingerprints.Severities()
	in.First = append(in.First, introduced{f.ID, f.Verdict, f.Severity})
	slices.SortStableFunc(in.First, func(a, b introduced) int {
		return cmp.Compare(slices.Index(ranks, a.Severity), slices.Index(ranks, b.Severity))
	})
	in.First = in.First[:min(len(in.First), maxEvents)]
}

// tell makes the summary, of something.
func (in *introduction) tell(ctx context.Context, tx store.Tx, d store.Delivery, now time.Time) error {
	if in.Total == 0 {
		return nil
	}
	ranks := fingerprints.Severities()
	slices.SortFunc(in.Counts, func(a, b wire.NotificationCount) int {
		return cmp.Or(cmp.Compare(slices.Index(ranks, a.Severity), slices.Index(ranks, b.Severity)), cmp.Compare(a.Verdict, b.Verdict))
	})
	text, err := encode(summary{Total: in.Total, Counts: in.Counts})
	if err != nil {
		return err
	}
	d.Summary = text
	var list []store.Notice
	for _, f := range in.First {
		list = append(list, store.Notice{
			Receiver: d.Receiver, Event: string(wire.EventOpened), Finding: f.ID, Verdict: f.Verdict, Severity: f.Severity, At: now,
		})
	}
	return tx.AddDelivery(ctx, d, list)
}

// summary is what a delivery keeps of findings that it does not name.
type summary struct {
	Total  int                      `json:"total"`
	Counts []wire.NotificationCount `json:"counts"`
}
