package storetest

import (
	"errors"
	"testing"
	"time"

	"revenant/fingerprints/store"
)

func testLookUps(t *testing.T, f *fixture) {
	today, before := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	a := store.LookUps{Actor: "token:ci", Day: today, Asked: 3, Known: 2, Refused: 1}
	others := []store.LookUps{{Actor: "token:ci", Day: before, Asked: 7}, {Actor: "token:laptop", Day: today, Asked: 5, Known: 1}}
	read := func(l store.LookUps) store.LookUps {
		var out store.LookUps
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.LookUps(f.ctx, l.Actor, l.Day)
			return err
		})
		return out
	}
	f.diff("nobody asked", store.LookUps{Actor: a.Actor, Day: today}, read(a))
	f.update(func(tx store.Tx) error {
		return errors.Join(tx.PutLookUps(f.ctx, others[0]), tx.PutLookUps(f.ctx, others[1]), tx.PutLookUps(f.ctx, store.LookUps{Actor: a.Actor, Day: today, Asked: 1}), tx.PutLookUps(f.ctx, a))
	})
	for _, want := range append(others, a) {
		f.diff("LookUps", want, read(want))
	}
	f.update(func(tx store.Tx) error {
		n, err := tx.ForgetLookUps(f.ctx, today)
		if n != 1 {
			t.Errorf("%d were forgotten", n)
		}
		return err
	})
	f.diff("forgotten", store.LookUps{Actor: a.Actor, Day: before}, read(others[0]))
	f.diff("kept", a, read(a))
}
