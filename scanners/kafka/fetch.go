package kafka

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"time"

	"revenant/scanners/kafka/records"
)

// fetcher fetches what one broker leads.
type fetcher struct {
	r      *Reader
	broker int
	addr   string // under the Reader's lock
	link   *link
	turn   int
	wake   chan struct{}
}

// run fetches until ctx ends.
func (f *fetcher) run(ctx context.Context) {
	defer f.hangUp()
	for ctx.Err() == nil {
		parts, pause := f.due()
		if len(parts) == 0 {
			f.idle(ctx, pause)
			continue
		}
		if !f.r.roomy(ctx) {
			f.release(parts)
			return
		}
		err := f.round(ctx, parts)
		f.release(parts)
		if err != nil && ctx.Err() == nil {
			f.hangUp()
			f.r.o.Log.WarnContext(ctx, "a broker cannot be read; it is tried again", slog.Any("error", err))
			f.r.fail(parts, err)
			poke(f.r.wake)
		}
		f.r.settle()
	}
}

func (f *fetcher) hangUp() {
	if f.link != nil {
		f.link.close()
		f.link = nil
	}
}

// idle waits until there is something to do.
func (f *fetcher) idle(ctx context.Context, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-f.wake:
	case <-t.C:
	}
}

// due are the partitions that are fetched now, each time another one first. They are
// busy until release.
func (f *fetcher) due() (list []*partition, pause time.Duration) {
	r := f.r
	r.mu.Lock()
	defer r.mu.Unlock()
	pause = r.o.Refresh
	now := r.o.Now()
	for _, p := range r.parts {
		switch {
		case p.broker != f.broker || !p.attached() || p.finished || p.revoked || p.busy:
		case p.notUntil.After(now):
			pause = min(pause, p.notUntil.Sub(now))
		default:
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *partition) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.part, b.part))
	})
	if len(list) > 0 {
		f.turn = (f.turn + 1) % len(list)
		list = append(list[f.turn:], list[:f.turn]...)
	}
	for _, p := range list {
		p.busy = true
	}
	return list, pause
}

func (f *fetcher) release(parts []*partition) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	for _, p := range parts {
		p.busy = false
	}
	if f.r.group != nil { // it may wait for them
		f.r.group.stored()
	}
}

// roomy waits until more may be fetched.
func (r *Reader) roomy(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.room.Broadcast()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.inflight >= r.o.MaxBytes && ctx.Err() == nil {
		r.room.Wait()
	}
	return ctx.Err() == nil
}

// spent notes that bytes were fetched, or, less than zero, looked at.
func (r *Reader) spent(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inflight += n; n < 0 {
		r.room.Broadcast()
	}
}

// round is one fetch.
func (f *fetcher) round(ctx context.Context, parts []*partition) (err error) {
	if f.link == nil {
		f.r.mu.Lock()
		addr := f.addr
		f.r.mu.Unlock()
		if f.link, err = f.r.cluster.dial(ctx, addr); err != nil {
			return err
		}
	}
	if parts, err = f.verify(ctx, parts); err != nil || len(parts) == 0 {
		return err
	}
	byPlace := map[place]*partition{}
	var wishes []wish
	for _, p := range parts {
		byPlace[p.place] = p
		wishes = append(wishes, wish{topic: p.topic, part: p.part, offset: p.next})
	}
	m := f.r.spare.use()
	defer m.release()
	answers, err := f.link.fetch(ctx, wishes, fetchBytes, fetchWait, m)
	if err != nil {
		return err
	}
	for _, a := range answers {
		f.r.take(ctx, byPlace[place{a.topic, a.part}], a, m)
	}
	return nil
}

// take makes a chunk of what a broker has of a partition; m is what that was read into.
func (r *Reader) take(ctx context.Context, p *partition, a answer, m *memory) {
	r.mu.Lock()
	if a.err != nil {
		r.refused(ctx, p, a.err)
		r.mu.Unlock()
		return
	}
	p.recovered()
	p.end, p.kept = max(p.end, a.end), max(p.kept, a.first)
	if p.revoked || p.next != a.offset || !p.attached() { // what was away meanwhile is verified first
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	batches := records.Append(nil, a.set, a.offset, m)
	if len(batches) == 0 {
		if size, _ := records.Cut(a.set); size > 0 { // the protocol promises a whole batch
			r.mu.Lock()
			p.failed(errAnswer, r.o.Now())
			r.mu.Unlock()
			r.o.Log.WarnContext(ctx, "a broker's records cannot be read", slog.Int64("size", size))
		}
		return
	}
	r.mu.Lock()
	c := r.chunk(p)
	c.memory = m
	for _, b := range batches {
		c.add(b)
	}
	p.next = c.pos.Next
	if last := c.lastRecord(); last != nil {
		p.last.Last, p.last.LastAt, p.last.Witness = last.Offset, last.Time.UnixMilli(), r.witness(last)
		c.pos.Last, c.pos.LastAt, c.pos.Witness = p.last.Last, p.last.LastAt, p.last.Witness
	}
	r.mu.Unlock()
	m.share()
	r.push(c)
	r.mu.Lock()
	p.finished = p.finished || p.until >= 0 && p.next >= p.until
	r.mu.Unlock()
}

// refused is what becomes of a partition that a broker does not give out. The lock
// is held.
func (r *Reader) refused(ctx context.Context, p *partition, err error) {
	switch {
	case errors.Is(err, errMoved):
		p.failed(err, r.o.Now())
	case errors.Is(err, errRange), errors.Is(err, errAbsent):
		p.failed(err, r.o.Now())
		p.incarnation = -abs(p.incarnation)
	default:
		p.failed(err, r.o.Now())
		r.o.Log.WarnContext(ctx, "a partition cannot be read; it is tried again", slog.Int("partition", p.part), slog.Any("error", err))
	}
	poke(r.wake)
}

// witness tells a record from others.
func (r *Reader) witness(rec *records.Record) []byte {
	if r.o.Witness == nil {
		return nil
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(rec.Offset))
	b = binary.BigEndian.AppendUint64(b, uint64(rec.Time.UnixMilli()))
	b = binary.BigEndian.AppendUint32(b, uint32(len(rec.Key)))
	b = append(append(b, rec.Key...), rec.Value...)
	return r.o.Witness(b)
}

// verify finds out whether topics that were read before are still the same: whether
// the last record that was read is where it was. Partitions that must be attached
// anew are left out.
func (f *fetcher) verify(ctx context.Context, parts []*partition) ([]*partition, error) {
	r := f.r
	var out []*partition
	for _, p := range parts {
		r.mu.Lock()
		last, known, kept := p.last, p.verified || len(p.last.Witness) == 0, p.kept
		r.mu.Unlock()
		same := true
		if !known && last.Last >= kept {
			var err error
			if same, err = f.same(ctx, p, last); err != nil {
				return nil, err
			}
		}
		r.mu.Lock()
		p.verified = true
		p.finished = p.finished || same && p.until >= 0 && p.next >= p.until
		ready := !p.finished && p.attached() && same
		r.mu.Unlock()
		if !same {
			r.remade(p)
			return nil, nil
		}
		if ready {
			out = append(out, p)
		}
	}
	return out, nil
}

// same looks at the last record that was read. One that compaction or retention
// removed tells nothing.
func (f *fetcher) same(ctx context.Context, p *partition, last Position) (bool, error) {
	answers, err := f.link.fetch(ctx, []wish{{p.topic, p.part, last.Last}}, 1, time.Millisecond, f.r.spare.use())
	if err != nil {
		return false, err
	}
	for _, a := range answers {
		for _, b := range records.Append(nil, a.set, last.Last, nil) {
			if len(b.Records) > 0 && b.Records[0].Offset == last.Last {
				rec := &b.Records[0]
				return rec.Time.UnixMilli() == last.LastAt && bytes.Equal(f.r.witness(rec), last.Witness), nil
			}
		}
	}
	return true, nil
}
