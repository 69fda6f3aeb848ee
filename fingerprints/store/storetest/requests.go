package storetest

import (
	"crypto/sha256"
	"errors"
	"testing"

	"revenant/fingerprints/store"
)

func testRequests(t *testing.T, f *fixture) {
	a := store.Request{
		Actor: "token:ci", Key: sha256.Sum256([]byte("k")), Operation: "add-watch", Body: sha256.Sum256([]byte("b")), At: hour(1),
		Answered: hour(2), Status: 201, Answer: []byte(`{"a":1}`), Subject: "7",
	}
	other := store.Request{Actor: "token:laptop", Key: a.Key, Operation: "post-scan", Body: a.Body, At: hour(3)} // under way, the same key
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutRequest(f.ctx, other), tx.PutRequest(f.ctx, a)) })
	read := func(r store.Request) (store.Request, error) {
		var out store.Request
		var err error
		f.view(func(tx store.Tx) error {
			out, err = tx.Request(f.ctx, r.Actor, r.Key)
			return nil
		})
		return out, err
	}
	for _, want := range []store.Request{a, other} {
		got, err := read(want)
		f.diff("Request", want, got)
		f.wantErr("Request", err, nil)
	}
	a.Status, a.Answer = 200, nil
	f.update(func(tx store.Tx) error { return tx.PutRequest(f.ctx, a) })
	got, _ := read(a)
	f.diff("replaced", a, got)
	f.update(func(tx store.Tx) error {
		n, err := tx.ForgetRequests(f.ctx, hour(2))
		if n != 1 {
			t.Errorf("%d were forgotten", n)
		}
		return err
	})
	_, err := read(a)
	f.wantErr("forgotten", err, store.ErrNotFound)
	if _, err := read(other); err != nil {
		t.Errorf("another's is gone: %v", err)
	}
	f.update(func(tx store.Tx) error { return tx.RemoveRequest(f.ctx, other.Actor, other.Key) })
	_, err = read(other)
	f.wantErr("removed", err, store.ErrNotFound)
}
