package sqlstore

import (
	"context"
	"crypto/sha256"
	"time"

	"revenant/fingerprints/store"
)

func (t *tx) PutRequest(ctx context.Context, r store.Request) error {
	_, err := t.exec(ctx, "storing a request", `INSERT INTO requests (actor, request_key, operation, body, at, answered_at, status, answer, subject)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (actor, request_key) DO UPDATE SET operation = excluded.operation, body = excluded.body, at = excluded.at,
		answered_at = excluded.answered_at, status = excluded.status, answer = excluded.answer, subject = excluded.subject`,
		text(r.Actor), r.Key[:], r.Operation, r.Body[:], stamp(r.At), stamp(r.Answered), r.Status, r.Answer, text(r.Subject))
	return err
}

func (t *tx) Request(ctx context.Context, actor string, key [sha256.Size]byte) (store.Request, error) {
	out := store.Request{Actor: actor, Key: key}
	var body []byte
	err := t.one(ctx, "reading a request", `SELECT operation, body, at, answered_at, status, answer, subject FROM requests WHERE actor = ? AND request_key = ?`,
		[]any{text(actor), key[:]}, &out.Operation, &body, moment{&out.At}, moment{&out.Answered}, &out.Status, &out.Answer, &out.Subject)
	copy(out.Body[:], body)
	return out, err
}

func (t *tx) RemoveRequest(ctx context.Context, actor string, key [sha256.Size]byte) error {
	_, err := t.exec(ctx, "removing a request", `DELETE FROM requests WHERE actor = ? AND request_key = ?`, text(actor), key[:])
	return err
}

func (t *tx) ForgetRequests(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forgetting old requests", `DELETE FROM requests WHERE at < ?`, stamp(before))
	return int(n), err
}
