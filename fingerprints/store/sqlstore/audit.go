package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"revenant/fingerprints/store"
)

const auditColumns = `SELECT sequence, at, actor, content, mac FROM audit `

func scanAudit(scan scanner) (store.AuditRecord, error) {
	var r store.AuditRecord
	var at string
	if err := scan(&r.Sequence, &at, &r.Actor, &r.Content, &r.MAC); err != nil {
		return r, err
	}
	when, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return r, errors.New("the time of an audit record is not readable") // the text may be anything
	}
	r.At = when
	return r, nil
}

func (t *tx) LastAudit(ctx context.Context) (store.AuditRecord, error) {
	var r store.AuditRecord
	err := t.each(ctx, "reading the audit chain", auditColumns+`ORDER BY sequence DESC LIMIT 1`, nil, func(scan scanner) (err error) {
		r, err = scanAudit(scan)
		return err
	})
	return r, err
}

func (t *tx) AppendAudit(ctx context.Context, r store.AuditRecord) error {
	err := t.try(ctx, fmt.Sprintf("appending audit record %d", r.Sequence),
		`INSERT INTO audit (sequence, at, actor, content, mac) VALUES (?, ?, ?, ?, ?)`,
		int64(r.Sequence), r.At.UTC().Format(time.RFC3339Nano), r.Actor, blob(r.Content), blob(r.MAC))
	return err
}

// blob is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (t *tx) EachAudit(ctx context.Context, from uint64, fn func(store.AuditRecord) error) error {
	for {
		list := make([]store.AuditRecord, 0, page)
		err := t.each(ctx, "reading the audit chain", auditColumns+`WHERE sequence >= ? ORDER BY sequence LIMIT ?`, []any{int64(from), page},
			func(scan scanner) error {
				r, err := scanAudit(scan)
				list = append(list, r)
				return err
			})
		if err != nil {
			return err
		}
		for _, r := range list {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
		from = list[page-1].Sequence + 1
	}
}

func (t *tx) PutCheckpoint(ctx context.Context, sequence uint64, signed []byte) error {
	_, err := t.exec(ctx, "storing a checkpoint", `INSERT INTO checkpoints (sequence, signed) VALUES (?, ?)
		ON CONFLICT (sequence) DO UPDATE SET signed = excluded.signed`, int64(sequence), blob(signed))
	return err
}

func (t *tx) Checkpoints(ctx context.Context) ([][]byte, error) {
	var out [][]byte
	err := t.each(ctx, "listing checkpoints", `SELECT signed FROM checkpoints ORDER BY sequence`, nil, func(scan scanner) error {
		var b []byte
		err := scan(&b)
		out = append(out, b)
		return err
	})
	return out, err
}
