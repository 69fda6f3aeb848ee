package sqlstore

import (
	"context"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func (t *tx) PutSecret(ctx context.Context, s fingerprints.Secret) error {
	const doing = "storing a secret"
	_, err := t.exec(ctx, doing, `INSERT INTO secrets (name, class, owner, multi_active, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET class = excluded.class, owner = excluded.owner,
			multi_active = excluded.multi_active, created_at = excluded.created_at`,
		s.Name, string(s.Class), s.Owner, bit(s.MultiActive), stamp(s.CreatedAt))
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, doing, `DELETE FROM consumers WHERE secret = ?`, s.Name); err != nil {
		return err
	}
	var args []any
	for _, c := range s.Consumers {
		args = append(args, s.Name, c)
	}
	return t.insert(ctx, doing, `INSERT INTO consumers (secret, consumer)`, `ON CONFLICT DO NOTHING`, 2, args)
}

func (t *tx) Secret(ctx context.Context, name string) (fingerprints.Secret, error) {
	list, err := t.secrets(ctx, "reading a secret", ` WHERE name = ?`, []any{name})
	if err != nil {
		return fingerprints.Secret{}, err
	}
	if len(list) == 0 {
		return fingerprints.Secret{}, notFound("secret", name)
	}
	return list[0], nil
}

func (t *tx) Secrets(ctx context.Context, f store.SecretFilter) ([]fingerprints.Secret, error) {
	var where []string
	var args []any
	add := func(cond string, a ...any) {
		where = append(where, cond)
		args = append(args, a...)
	}
	if f.Prefix != "" {
		add("substr(name, 1, ?) = ?", len([]rune(f.Prefix)), f.Prefix)
	}
	if f.Class != "" {
		add("class = ?", string(f.Class))
	}
	if f.Owner != "" {
		add("owner = ?", f.Owner)
	}
	whereLives(f, add)
	if f.After != "" {
		add("name > ?", f.After)
	}
	text := ""
	if len(where) > 0 {
		text = " WHERE " + strings.Join(where, " AND ")
	}
	text += " ORDER BY name"
	if f.Limit > 0 {
		text += " LIMIT ?"
		args = append(args, f.Limit)
	}
	return t.secrets(ctx, "listing secrets", text, args)
}

// whereLives adds what a filter asks of the life of a secret's versions.
func whereLives(f store.SecretFilter, add func(cond string, args ...any)) {
	if f.State != "" {
		add("EXISTS (SELECT 1 FROM versions v WHERE v.secret = name AND v.state = ?)", string(f.State))
	}
	if f.Weak {
		add(`EXISTS (SELECT 1 FROM versions v JOIN fields fd ON fd.version = v.id WHERE v.secret = name
			AND v.state IN ('pending', 'active', 'superseded') AND fd.strength IN (?, ?))`,
			string(fingerprints.StrengthWeak), string(fingerprints.StrengthUnsearchable))
	}
	if !f.Overdue.IsZero() {
		add("EXISTS (SELECT 1 FROM versions v WHERE v.secret = name AND v.state = 'superseded' AND v.window_ends <= ?)", stamp(f.Overdue))
	}
	if f.Issued {
		add("EXISTS (SELECT 1 FROM versions v WHERE v.secret = name AND v.issued_to <> '')")
	}
}

func (t *tx) CountSecrets(ctx context.Context) (int, error) {
	var n int
	err := t.one(ctx, "counting secrets", `SELECT COUNT(*) FROM secrets`, nil, &n)
	return n, err
}

func (t *tx) secrets(ctx context.Context, doing, rest string, args []any) ([]fingerprints.Secret, error) {
	var out []fingerprints.Secret
	at := map[string]int{}
	var names []string
	err := t.each(ctx, doing, `SELECT name, class, owner, multi_active, created_at FROM secrets`+rest, args,
		func(scan scanner) error {
			var s fingerprints.Secret
			if err := scan(&s.Name, &s.Class, &s.Owner, &s.MultiActive, moment{&s.CreatedAt}); err != nil {
				return err
			}
			at[s.Name] = len(out)
			names = append(names, s.Name)
			out = append(out, s)
			return nil
		})
	if err != nil {
		return nil, err
	}
	err = inLists(names, func(marks string, args []any) error {
		return t.each(ctx, doing, `SELECT secret, consumer FROM consumers WHERE secret IN (`+marks+`) ORDER BY secret, consumer`, args,
			func(scan scanner) error {
				var name, consumer string
				if err := scan(&name, &consumer); err != nil {
					return err
				}
				s := &out[at[name]]
				s.Consumers = append(s.Consumers, consumer)
				return nil
			})
	})
	return out, err
}
