package notify

import (
	"context"
	"errors"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/report"
)

// Health says how a source is: problem is why it cannot be read, in words that
// hold nothing of it, or empty. It is told when that begins and when it is over,
// to whom the rules name. Calling it again with the same changes nothing.
func (n *Notifier) Health(ctx context.Context, source, problem string) error {
	if len(n.to) == 0 {
		return nil
	}
	event, severity, to := wire.EventSourceRecovered, fingerprints.SeverityInfo, ""
	if problem != "" {
		event, severity, to = wire.EventSourceFailing, fingerprints.SeverityMedium, "failing"
	}
	from := ""
	if to == "" {
		from = "failing"
	}
	now := n.now()
	var list []store.Notice
	for _, a := range n.to {
		for _, r := range a.rules {
			if r.ofSource(event, source) {
				group := ""
				if a.grouped() {
					group = Group{Health: true, Source: source}.text()
				}
				list = append(list, store.Notice{
					Receiver: a.Name, Group: group, Event: string(event), Source: source, Severity: severity,
					Detail: report.Clip(report.Printable(problem), maxDetail), At: now,
				})
				break
			}
		}
	}
	err := n.o.Store.Update(ctx, func(tx store.Tx) error {
		if err := tx.SetMark(ctx, sourceMark+source, from, to); err != nil {
			return err
		}
		return tx.AddNotices(ctx, list)
	})
	if errors.Is(err, store.ErrOvertaken) {
		return nil // it is so already
	}
	return err
}

// maxDetail bounds the words of a problem.
const maxDetail = 300
