package sqlstore

import (
	"context"
	"errors"
	"time"

	"revenant/fingerprints/store"
)

func (t *tx) LookUps(ctx context.Context, actor string, day time.Time) (store.LookUps, error) {
	out := store.LookUps{Actor: actor, Day: day}
	err := t.one(ctx, "reading look-ups", `SELECT asked, known, refused FROM lookups WHERE actor = ? AND day = ?`,
		[]any{text(actor), stamp(day)}, &out.Asked, &out.Known, &out.Refused)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return out, err
}

func (t *tx) PutLookUps(ctx context.Context, l store.LookUps) error {
	_, err := t.exec(ctx, "counting a look-up", `INSERT INTO lookups (actor, day, asked, known, refused) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (actor, day) DO UPDATE SET asked = excluded.asked, known = excluded.known, refused = excluded.refused`,
		text(l.Actor), stamp(l.Day), l.Asked, l.Known, l.Refused)
	return err
}

func (t *tx) ForgetLookUps(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forgetting old look-ups", `DELETE FROM lookups WHERE day < ?`, stamp(before))
	return int(n), err
}
