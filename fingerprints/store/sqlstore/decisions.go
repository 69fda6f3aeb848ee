package sqlstore

import (
	"context"

	"revenant/fingerprints/store"
)

const decisionColumns = `id, value, rule, source_glob, path_glob, status, until, reason, owner, created_at, actor`

func (t *tx) AddDecision(ctx context.Context, d store.Decision) (int64, error) {
	id, err := t.next(ctx, "decisions", 1)
	if err != nil {
		return 0, err
	}
	var value any
	if !d.Value.IsZero() {
		value = d.Value[:]
	}
	_, err = t.exec(ctx, "storing a decision",
		`INSERT INTO decisions (`+decisionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, value, d.Rule, d.SourceGlob, d.PathGlob, string(d.Status), stamp(d.Until), text(d.Reason), d.Owner, stamp(d.CreatedAt), d.Actor)
	return id, err
}

func (t *tx) Decisions(ctx context.Context) ([]store.Decision, error) {
	var out []store.Decision
	err := t.each(ctx, "listing decisions", `SELECT `+decisionColumns+` FROM decisions ORDER BY id`, nil, func(scan scanner) error {
		var d store.Decision
		err := scan(&d.ID, fixed{(*[16]byte)(&d.Value)}, &d.Rule, &d.SourceGlob, &d.PathGlob, &d.Status, moment{&d.Until},
			&d.Reason, &d.Owner, moment{&d.CreatedAt}, &d.Actor)
		out = append(out, d)
		return err
	})
	return out, err
}

func (t *tx) RemoveDecision(ctx context.Context, id int64) error {
	if err := t.changedWhere(ctx, `SELECT finding_pk FROM finding_decisions WHERE decision = ? ORDER BY finding_pk`, id); err != nil {
		return err
	}
	n, err := t.exec(ctx, "removing a decision", `DELETE FROM decisions WHERE id = ?`, id)
	if err == nil && n == 0 {
		return notFound("decision", "")
	}
	return err
}
