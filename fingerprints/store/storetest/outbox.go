package storetest

import (
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func notice(receiver string, n int, severity fingerprints.Severity) store.Notice {
	return store.Notice{
		Receiver: receiver, Event: "opened", Finding: findingID(n), Verdict: fingerprints.VerdictLeaked, Severity: severity, At: hour(n),
	}
}

func delivery(id, receiver string) store.Delivery {
	return store.Delivery{ID: id, Receiver: receiver, Kind: "events", CreatedAt: hour(1), NextAt: hour(1), Deadline: hour(100)}
}

func testNotices(t *testing.T, f *fixture) {
	f.source(dir)
	f.record(hour(1), observed(1), observed(2), observed(3))
	source := store.Notice{Receiver: "chat", Event: "source-failing", Source: dir, Detail: "no route", Severity: fingerprints.SeverityMedium, At: hour(9)}
	apart := notice("chat", 3, fingerprints.SeverityLow)
	apart.Group, apart.Urgent, apart.Was = "g", true, "stale"
	f.update(func(tx store.Tx) error {
		return tx.AddNotices(f.ctx, []store.Notice{
			notice("chat", 2, fingerprints.SeverityLow), notice("chat", 1, fingerprints.SeverityHigh), source, apart, notice("mail", 1, fingerprints.SeverityHigh),
			notice("chat", 9, fingerprints.SeverityHigh), // of a finding that is not there
		})
	})
	waiting := func() (out []store.Waiting) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Waiting(f.ctx)
			return err
		})
		return out
	}
	f.diff("waiting", []store.Waiting{
		{Receiver: "chat", Count: 3, Oldest: hour(1)},
		{Receiver: "chat", Group: "g", Count: 1, Oldest: hour(3), Urgent: true},
		{Receiver: "mail", Count: 1, Oldest: hour(1)},
	}, waiting())

	gather := func(d store.Delivery, want int) {
		t.Helper()
		f.update(func(tx store.Tx) error {
			n, err := tx.Gather(f.ctx, d)
			f.diff("gathered", want, n)
			return err
		})
	}
	gather(delivery("m1", "chat"), 3)
	gather(delivery("m2", "chat"), 0)
	grouped := delivery("m3", "chat")
	grouped.Group = "g"
	gather(grouped, 1)
	f.diff("left", []store.Waiting{{Receiver: "mail", Count: 1, Oldest: hour(1)}}, waiting())
	f.view(func(tx store.Tx) error {
		list, err := tx.Notices(f.ctx, "m1", 0)
		for i := range list {
			list[i].ID = 0
		}
		f.diff("the worst first", []store.Notice{notice("chat", 1, fingerprints.SeverityHigh), source, notice("chat", 2, fingerprints.SeverityLow)}, list)
		if err != nil {
			return err
		}
		if list, err = tx.Notices(f.ctx, "m3", 1); len(list) != 1 || list[0].Was != "stale" || !list[0].Urgent || list[0].Group != "g" {
			t.Errorf("of the group: %+v", list)
		}
		counts, err2 := tx.CountNotices(f.ctx, "m1")
		f.diff("counts", []store.NoticeCount{
			{Event: "opened", Verdict: fingerprints.VerdictLeaked, Severity: fingerprints.SeverityHigh, Count: 1},
			{Event: "source-failing", Severity: fingerprints.SeverityMedium, Count: 1},
			{Event: "opened", Verdict: fingerprints.VerdictLeaked, Severity: fingerprints.SeverityLow, Count: 1},
		}, counts)
		if err == nil {
			err = err2
		}
		return err
	})
	f.update(func(tx store.Tx) error {
		f.wantErr("an id that is taken", tx.AddDelivery(f.ctx, delivery("m1", "mail"), nil), store.ErrExists)
		if err := tx.MergeFinding(f.ctx, hour(5), findingID(1), findingID(2)); err != nil {
			return err
		}
		list, err := tx.Notices(f.ctx, "m1", 1)
		if len(list) != 1 || list[0].Finding != findingID(2) {
			t.Errorf("merged: %+v", list)
		}
		return err
	})
	f.update(func(tx store.Tx) error { return tx.ForgetSource(f.ctx, dir) })
	f.view(func(tx store.Tx) error {
		list, err := tx.Notices(f.ctx, "m1", 0)
		if len(list) != 1 || list[0].Event != "source-failing" {
			t.Errorf("of a source that was forgotten: %+v", list)
		}
		return err
	})
}

func (f *fixture) claim(by string, now, until time.Time, receivers ...string) (d store.Delivery, err error) {
	f.t.Helper()
	err = f.store.Update(f.ctx, func(tx store.Tx) (err error) {
		d, err = tx.Claim(f.ctx, by, now, until, receivers)
		return err
	})
	return d, err
}

func (f *fixture) save(d store.Delivery) error {
	return f.store.Update(f.ctx, func(tx store.Tx) error { return tx.SaveDelivery(f.ctx, d) })
}

func (f *fixture) deliveries(filter store.DeliveryFilter) (ids []string) {
	f.t.Helper()
	f.view(func(tx store.Tx) error {
		list, err := tx.Deliveries(f.ctx, filter)
		for _, d := range list {
			ids = append(ids, d.ID)
		}
		return err
	})
	return ids
}

func testDeliveries(t *testing.T, f *fixture) {
	later := delivery("m2", "chat")
	later.CreatedAt, later.NextAt, later.Deadline = hour(2), hour(2), hour(50)
	f.update(func(tx store.Tx) error {
		for _, d := range []store.Delivery{delivery("m1", "chat"), later, delivery("m3", "mail")} {
			if err := tx.AddDelivery(f.ctx, d, nil); err != nil {
				return err
			}
		}
		return nil
	})
	_, err := f.claim("me", hour(0), hour(1), "chat", "mail")
	f.wantErr("too early", err, store.ErrNotFound)
	_, err = f.claim("me", hour(3), hour(4))
	f.wantErr("for nobody", err, store.ErrNotFound)
	_, err = f.claim("me", hour(3), hour(4), "other")
	f.wantErr("for another", err, store.ErrNotFound)

	first, err := f.claim("me", hour(3), hour(4), "chat")
	want := delivery("m1", "chat")
	want.Attempts, want.LeaseBy, want.LeaseUntil = 1, "me", hour(4)
	f.diff("claimed", []any{want, error(nil)}, []any{first, err})
	_, err = f.claim("you", hour(3), hour(4), "chat")
	f.wantErr("one at a time", err, store.ErrNotFound)
	second, err := f.claim("you", hour(5), hour(6), "chat") // the lease is over
	f.diff("claimed again", []any{"m1", 2, error(nil)}, []any{second.ID, second.Attempts, err})
	f.wantErr("after the lease", f.save(first), store.ErrOvertaken)

	second.NextAt, second.Problem = hour(20), "refused"
	f.wantErr("saving", f.save(second), nil)
	f.wantErr("saving twice", f.save(second), store.ErrOvertaken)
	third, err := f.claim("you", hour(10), hour(11), "chat")
	f.diff("the other", []any{"m2", error(nil)}, []any{third.ID, err})
	third.SentAt = hour(10)
	f.wantErr("saving", f.save(third), nil)
	_, err = f.claim("you", hour(19), hour(20), "chat")
	f.wantErr("nothing is due", err, store.ErrNotFound)

	f.diff("waiting", []string{"m3", "m1"}, f.deliveries(store.DeliveryFilter{State: store.DeliveryWaiting}))
	f.diff("sent", []string{"m2"}, f.deliveries(store.DeliveryFilter{State: store.DeliverySent}))
	f.diff("the newest", []string{"m2"}, f.deliveries(store.DeliveryFilter{Limit: 1}))
	f.diff("behind one", []string{"m3", "m1"}, f.deliveries(store.DeliveryFilter{Behind: "m2"}))
	f.diff("behind one of the same time", []string{"m1"}, f.deliveries(store.DeliveryFilter{Behind: "m3", Limit: 5}))
	f.diff("behind the last", []string(nil), f.deliveries(store.DeliveryFilter{Behind: "m1"}))
	f.diff("of a receiver", []string{"m2", "m1"}, f.deliveries(store.DeliveryFilter{Receiver: "chat"}))
	f.diff("by id", []string{"m1"}, f.deliveries(store.DeliveryFilter{ID: "m1"}))
}

func testGivenUp(t *testing.T, f *fixture) {
	f.source(dir)
	f.record(hour(1), observed(1))
	f.update(func(tx store.Tx) error {
		for _, id := range []string{"m1", "m2"} {
			if err := tx.AddDelivery(f.ctx, delivery(id, "chat"), []store.Notice{notice("chat", 1, fingerprints.SeverityHigh)}); err != nil {
				return err
			}
		}
		return nil
	})
	giveUp := func(now time.Time, want int) {
		t.Helper()
		f.update(func(tx store.Tx) error {
			n, err := tx.GiveUp(f.ctx, now, "nobody sends to it")
			f.diff("given up", want, n)
			return err
		})
	}
	giveUp(hour(99), 0)
	d, err := f.claim("me", hour(99), hour(101), "chat")
	f.diff("claimed", []any{"m1", error(nil)}, []any{d.ID, err})
	giveUp(hour(100), 1) // the other one is being sent
	_, err = f.claim("me", hour(102), hour(103), "chat")
	f.wantErr("after the deadline", err, store.ErrNotFound)
	giveUp(hour(102), 1)
	f.wantErr("an attempt that ends too late", f.save(d), store.ErrOvertaken)
	f.diff("undelivered", []string{"m2", "m1"}, f.deliveries(store.DeliveryFilter{State: store.DeliveryGivenUp}))
	retry := func(id string) error {
		return f.store.Update(f.ctx, func(tx store.Tx) error { return tx.Retry(f.ctx, id, hour(110), hour(120)) })
	}
	f.wantErr("again", retry("m1"), nil)
	f.wantErr("not given up", retry("m1"), store.ErrNotFound)
	if d, err = f.claim("me", hour(111), hour(112), "chat"); err != nil || d.ID != "m1" || d.Attempts != 2 || d.Problem != "" {
		t.Errorf("sent again: %+v, %v", d, err)
	}
	hasten := func(receiver string) {
		t.Helper()
		f.update(func(tx store.Tx) error { return tx.Hasten(f.ctx, receiver, hour(111)) })
	}
	d.NextAt = hour(119)
	f.wantErr("failed", f.save(d), nil)
	hasten("mail")
	_, err = f.claim("me", hour(111), hour(112), "chat")
	f.wantErr("another receiver's", err, store.ErrNotFound)
	hasten("chat")
	if d, err = f.claim("me", hour(111), hour(112), "chat"); err != nil || d.ID != "m1" || d.Attempts != 3 {
		t.Errorf("sent sooner: %+v, %v", d, err)
	}
	hasten("chat")
	d.SentAt = hour(111)
	f.wantErr("saving", f.save(d), nil)
	forget := func(before time.Time, want int) {
		t.Helper()
		f.update(func(tx store.Tx) error {
			n, err := tx.ForgetSent(f.ctx, before)
			f.diff("forgotten", want, n)
			return err
		})
	}
	forget(hour(111), 0)
	forget(hour(112), 1)
	f.diff("left", []string{"m2"}, f.deliveries(store.DeliveryFilter{}))
	f.view(func(tx store.Tx) error {
		list, err := tx.Notices(f.ctx, "m1", 0)
		if len(list) > 0 {
			t.Errorf("notices without their delivery: %+v", list)
		}
		return err
	})
}
